/** Where a comparison stands and what it has found. One is made for each object compared; nobody else sees it. */
import type { FieldSet, FieldStep } from '../object/field-set.ts';
import { fieldNodeAt, keyedMembers, listTypeOf } from '../object/field-set.ts';
import { EMPTY_STRUCTS, isForcedByServer, isFreeMap, keysOfList } from './known-values.ts';
import type { Value } from '../object/value.ts';

export interface Finding {
  /** Reference tokens of the JSON pointer. */
  readonly tokens: readonly string[];
  readonly steps: readonly FieldStep[];
  readonly desired?: Value;
  readonly live?: Value;
}

export interface Walk {
  readonly kind: string;
  /** Built-in kind: zero values, quantities and base64 are compared by what they mean. */
  readonly isLenient: boolean;
  /** Whether there is an entry of ours at all: only then does an unowned field tell that someone took it. */
  readonly hasEntry: boolean;
  /** Field sets of other managers, to tell keyed lists from atomic ones where our own says nothing. */
  readonly others: readonly FieldSet[];
  readonly tokens: string[];
  readonly steps: FieldStep[];
  /** The first `maxFindings`. */
  readonly findings: Finding[];
  readonly maxFindings: number;
  count: number;
  /** Whether something was found that the server is sure to change. */
  isCertain: boolean;
}

export interface Sides {
  readonly desired?: Value | undefined;
  readonly live?: Value | undefined;
}

/** `certain`: no webhook or default of the server can be the cause, since ownership tells. */
export function note(walk: Walk, { desired, live }: Sides, certain: boolean): void {
  walk.count++;
  walk.isCertain ||= certain;
  if (walk.findings.length >= walk.maxFindings) return;
  walk.findings.push({
    tokens: [...walk.tokens],
    steps: [...walk.steps],
    ...(desired === undefined ? {} : { desired }),
    ...(live === undefined ? {} : { live }),
  });
}

/**
 * Something that we own and desire no more. The server is sure to remove it only where no default can come in its place
 * (an item of a list, an entry of a map that is the user's own), something is live, and neither another manager nor the
 * server itself holds on to it.
 */
export function noteRemoval(walk: Walk, live: Value | undefined): void {
  const isEntry =
    typeof walk.steps[walk.steps.length - 1] !== 'string' || isFreeMap(walk.tokens[walk.tokens.length - 2]);
  const isHeld = walk.others.some((set) => fieldNodeAt(set, walk.steps) !== undefined);
  const stays = isHeld || isForcedByServer(walk.kind, walk.tokens);
  note(walk, { live }, isEntry && live !== undefined && live !== null && !stays);
}

export function enter(walk: Walk, token: string, step: FieldStep): void {
  walk.tokens.push(token);
  walk.steps.push(step);
}

export function leave(walk: Walk): void {
  walk.tokens.pop();
  walk.steps.pop();
}

interface Shape {
  readonly type: 'keyed' | 'set' | 'map';
  readonly keys: readonly string[];
}

const MAP: Shape = { type: 'map', keys: [] };

/**
 * How the value here is merged, where our own entry does not tell: by other managers' entries, else by what is known of
 * built-in kinds. undefined: atomic, or not known.
 */
export function shapeHere(walk: Walk): Shape | undefined {
  for (const set of walk.others) {
    const node = fieldNodeAt(set, walk.steps);
    if (!node) continue;
    const type = listTypeOf(node);
    if (type === 'keyed') return { type, keys: Object.keys(keyedMembers(node)[0]?.key ?? {}) };
    if (type === 'set') return { type, keys: [] };
    for (const member in node) if (member.startsWith('f:')) return MAP;
  }
  if (walk.tokens.length === 2 && walk.tokens[0] === 'metadata' && isFreeMap(walk.tokens[1])) return MAP;
  if (!walk.isLenient) return undefined;
  if (EMPTY_STRUCTS.has(walk.tokens[walk.tokens.length - 1] ?? '')) return MAP;
  const keys = keysOfList(walk.kind, walk.tokens);
  return keys && { type: 'keyed', keys };
}
