/**
 * Finds what keeps a refused object out: an object of the same kind that left Git in the same commit holds the port,
 * address, host or quota that the new one needs. Without this rule the prune waits for the apply, and the apply waits
 * for the prune.
 *
 * Invariant: an object is only found if nothing else failed and there is evidence that it holds that very place. An
 * object that was merely refused never costs another one its life.
 */
import { idKey } from '../object/identity.ts';
import type { Change } from '../diff/changes.ts';
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
  for (const result of refused) {
    const holders = candidates.filter((candidate) => holdsPlaceOf(candidate, result));
    if (holders.length > 0) held.set(result.change, holders);
  }
  return held;
}

function isRefusedForPlace({ change, refusal }: ChangeResult): boolean {
  return change.desired !== undefined && (refusal?.code === 'Taken' || refusal?.code === 'QuotaExceeded');
}

function holdsPlaceOf(candidate: Change, { change, refusal }: ChangeResult): boolean {
  const { id, live } = candidate;
  if (!live || !refusal || !change.desired) return false;
  if (id.group !== change.id.group || id.kind !== change.id.kind || idKey(id) === idKey(change.id)) return false;
  // A quota counts objects of a kind and what they request.
  if (refusal.code === 'QuotaExceeded') return id.namespace === change.id.namespace;
  return namesObject(refusal.message, id.name) || sharesValue(refusal.fields ?? [], change.desired.body, live.body);
}

/** Whether a message names the holder, such as `host "a.example" is already defined in ingress shop/old`. */
function namesObject(message: string, name: string): boolean {
  return message.split(/[^A-Za-z0-9.-]+/).includes(name);
}

/** Whether the two objects have the same value in a field that the server names, in whichever item of a list. */
function sharesValue(fields: readonly string[], desired: Value, live: Value): boolean {
  return fields.some((field) => {
    const name = /([A-Za-z]+)(\[[^\]]*\])*$/.exec(field)?.[1];
    if (name === undefined) return false;
    // The server names `clusterIPs` also where the manifest has `clusterIP`.
    const names = new Set([name, name.replace(/s$/, '')]);
    const wanted = new Set(scalarsOf(desired, names));
    return scalarsOf(live, names).some((value) => wanted.has(value));
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
