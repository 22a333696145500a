/**
 * Finds what keeps a refused object out: an object of the same kind that left Git in the same commit holds the port,
 * address, host or quota that the new one needs. Without this rule the prune waits for the apply, and the apply waits
 * for the prune.
 *
 * Invariant: an object is only found if nothing else failed and there is evidence that it holds that very place. An
 * object that was merely refused never costs another one its life.
 */
import type { Refusal } from '../cluster/answers.ts';
import { idKey, type ObjectId } from '../object/identity.ts';
import type { Change } from '../diff/changes.ts';
import { addMember } from '../object/set-map.ts';
import { isMap, type Value } from '../object/value.ts';
import type { Applied, ChangeResult } from './applied.ts';

/** By refused change: the candidates that hold its place. Empty unless all failures are of this sort. */
export function placesHeld(results: Applied, candidates: readonly Change[]): ReadonlyMap<Change, readonly Change[]> {
  const refused = [...results.values()].filter(({ outcome }) => outcome === 'failed');
  const isOtherwiseHeld = [...results.values()].some(
    ({ outcome }) => outcome === 'conflict' || outcome === 'recreating',
  );
  if (isOtherwiseHeld || !refused.every(isRefusedForPlace)) return new Map();
  const held = new Map<Change, readonly Change[]>();
  const known = new Candidates(candidates);
  for (const result of refused) {
    const holders = known.holdersOf(result);
    if (holders.length > 0) held.set(result.change, holders);
  }
  return held;
}

function isRefusedForPlace({ change, refusal }: ChangeResult): boolean {
  return change.desired !== undefined && (refusal?.code === 'Taken' || refusal?.code === 'QuotaExceeded');
}

/** The objects that may hold a place, found by what an answer tells, so that no pair of objects is compared. */
class Candidates {
  readonly #all: readonly Change[];
  /** By kind and namespace, kind and name, or kind, field names and value: positions of candidates. */
  readonly #positions = new Map<string, Set<number>>();
  /** Kinds and field names that are in the index. */
  readonly #indexed = new Set<string>();

  constructor(all: readonly Change[]) {
    this.#all = all;
    for (const [position, { id, live }] of all.entries()) {
      if (!live) continue;
      addMember(this.#positions, keyOf('namespace', id, id.namespace), position);
      addMember(this.#positions, keyOf('name', id, id.name), position);
    }
  }

  /** In the order of the candidates. */
  holdersOf({ change, refusal }: ChangeResult): Change[] {
    if (!refusal || !change.desired) return [];
    const { id, desired } = change;
    const own = idKey(id);
    return [...this.#find(id, refusal, desired.body)]
      .sort((a, b) => a - b)
      .flatMap((position) => this.#all[position] ?? [])
      .filter((candidate) => idKey(candidate.id) !== own);
  }

  #find(id: ObjectId, { code, message, fields = [] }: Refusal, desired: Value): ReadonlySet<number> {
    // A quota counts objects of a kind and what they request.
    if (code === 'QuotaExceeded') return this.#positions.get(keyOf('namespace', id, id.namespace)) ?? new Set();
    const found = new Set<number>();
    const add = (key: string): void => {
      for (const position of this.#positions.get(key) ?? []) found.add(position);
    };
    // A message such as `host "a.example" is already defined in ingress shop/old` names the holder.
    for (const word of new Set(message.split(/[^A-Za-z0-9.-]+/))) add(keyOf('name', id, word));
    for (const names of namesOf(fields)) {
      this.#indexFields(id, names);
      const field = fieldOf(names);
      for (const value of new Set(scalarsOf(desired, new Set(names)))) add(keyOf(field, id, value));
    }
    return found;
  }

  /** Two objects have the same value in a field that the server names, in whichever item of a list. */
  #indexFields(id: ObjectId, names: readonly string[]): void {
    const field = fieldOf(names);
    const key = keyOf(field, id, '');
    if (this.#indexed.has(key)) return;
    this.#indexed.add(key);
    for (const [position, { id: other, live }] of this.#all.entries()) {
      if (!live || other.group !== id.group || other.kind !== id.kind) continue;
      for (const value of scalarsOf(live.body, new Set(names))) {
        addMember(this.#positions, keyOf(field, id, value), position);
      }
    }
  }
}

function keyOf(what: string, { group, kind }: ObjectId, value: string): string {
  return `${what} ${group}/${kind} ${value}`;
}

function fieldOf(names: readonly string[]): string {
  return `field:${names.join()}`;
}

/** The names of the fields of an answer. The server names `clusterIPs` also where the manifest has `clusterIP`. */
function namesOf(fields: readonly string[]): readonly (readonly string[])[] {
  return fields.flatMap((field) => {
    const name = /([A-Za-z]+)(\[[^\]]*\])*$/.exec(field)?.[1];
    return name === undefined ? [] : [[...new Set([name, name.replace(/s$/, '')])]];
  });
}

/** The values of all fields with one of these names, as texts. */
function scalarsOf(value: Value, names: ReadonlySet<string>): string[] {
  if (Array.isArray(value)) return value.flatMap((item) => scalarsOf(item, names));
  if (!isMap(value)) return [];
  return Object.entries(value).flatMap(([key, child]) => {
    return names.has(key) ? [child].flat().flatMap(placeOf) : scalarsOf(child, names);
  });
}

/** Headless Services and unset ports have no place of their own. */
function placeOf(value: Value): string[] {
  const text = typeof value === 'string' || typeof value === 'number' || typeof value === 'bigint' ? String(value) : '';
  return ['', '0', 'None'].includes(text) ? [] : [text];
}
