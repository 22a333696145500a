/** The position and the findings of one comparison. Each compared object gets its own Walk. */
import type { FieldSet } from '../object/field-set.ts';
import { fieldNodeAt, keyedMembers, listTypeOf, type ItemIndex } from '../object/field-set.ts';
import { EMPTY_STRUCTS, isForcedByServer, isFreeMap, keysOfList } from './known-values.ts';
import type { Value } from '../object/value.ts';

/** Where the items of a desired list that is merged by item stand in the live list. */
export interface ListMatch {
  /** Names of the fields that make the key of an item; none for a set of scalars. */
  readonly keys: readonly string[];
  /** By index in the desired list: the index in the live list; undefined: the item is not live. */
  readonly positions: (number | undefined)[];
}

/** One step down into a list; a `FieldStep` that also says where the item stands on both sides. */
export interface ItemStep {
  readonly item: Value;
  /** Index in the desired list; undefined: the item is not desired. */
  readonly index: number | undefined;
  /** Index in the live list; undefined: the item is not live. */
  readonly position: number | undefined;
  /** Absent: the list is atomic, or it is not known how the server merges it. */
  readonly match?: ListMatch;
}

export type Step = string | ItemStep;

export interface Finding {
  /** Reference tokens of the JSON pointer. */
  readonly tokens: readonly string[];
  readonly steps: readonly Step[];
  readonly desired?: Value;
  readonly live?: Value;
  /** Present: the finding is the order of the items of this list, and nothing else. */
  readonly reordered?: ListMatch;
  /** The nodes of other managers' field sets, if the finding is a removal. Applying keeps the fields that they hold. */
  readonly held?: readonly FieldSet[];
}

export interface Walk {
  readonly kind: string;
  /** Built-in kind: zero values, quantities and base64 are compared by meaning. */
  readonly isLenient: boolean;
  /** Whether managedFields hold an entry of ours. Only then does an unowned field show that another manager took it. */
  readonly hasEntry: boolean;
  /** Field sets of other managers. They tell keyed lists from atomic ones where our own entry does not. */
  readonly others: readonly FieldSet[];
  readonly items: ItemIndex;
  readonly tokens: string[];
  readonly steps: Step[];
  /** The first `maxFindings`. */
  readonly findings: Finding[];
  readonly maxFindings: number;
  /** All findings, including those beyond `maxFindings`. */
  findingCount: number;
  /** Whether an apply is certain to change one of the findings. */
  isCertain: boolean;
}

export interface Sides {
  readonly desired?: Value | undefined;
  readonly live?: Value | undefined;
}

interface Noted extends Sides, Pick<Finding, 'reordered' | 'held'> {}

/** `isCertain`: ownership proves the difference, so that no webhook or default of the server can have caused it. */
export function note(walk: Walk, { desired, live, ...more }: Noted, isCertain: boolean): void {
  walk.findingCount++;
  walk.isCertain ||= isCertain;
  if (walk.findings.length >= walk.maxFindings) return;
  walk.findings.push({
    tokens: [...walk.tokens],
    steps: [...walk.steps],
    ...(desired === undefined ? {} : { desired }),
    ...(live === undefined ? {} : { live }),
    ...more,
  });
}

/**
 * Notes a field that we own and no longer desire. The server is certain to remove it only if no default can replace it
 * (a list item, or an entry of a map with free names), a value is live, and neither another manager nor the server
 * itself keeps it.
 */
export function noteRemoval(walk: Walk, live: Value | undefined): void {
  const isEntry =
    typeof walk.steps[walk.steps.length - 1] !== 'string' || isFreeMap(walk.tokens[walk.tokens.length - 2]);
  const held = walk.others.map((set) => fieldNodeAt(set, walk.steps, walk.items)).filter((node) => node !== undefined);
  const stays = held.length > 0 || isForcedByServer(walk.kind, walk.tokens);
  const isCertain = isEntry && live !== undefined && live !== null && !stays;
  note(walk, { live, ...(held.length > 0 ? { held } : {}) }, isCertain);
}

export function enter(walk: Walk, token: string, step: Step): void {
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
 * How the server merges the value at the current path, for paths that our own entry does not describe: from other
 * managers' entries, else from the tables of built-in kinds. undefined: atomic, or unknown.
 */
export function shapeHere(walk: Walk): Shape | undefined {
  for (const set of walk.others) {
    const node = fieldNodeAt(set, walk.steps, walk.items);
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
