/**
 * One desired object against its live one: values where we set something, ownership where we set something no more.
 *
 * Invariant: `same` is said only where a server-side apply of the desired object would change no value; where that
 * cannot be read off the two objects, the answer is `inconclusive`, never `same`.
 */
import type { DesiredObject } from '../bind/desired.ts';
import type { LiveObject } from '../cluster/live.ts';
import { FIELD_MANAGER } from '../object/applyset.ts';
import { isLeaf, listTypeOf, managedFieldsOf, type FieldSet } from '../object/field-set.ts';
import { isMap, own, type Value, type ValueMap } from '../object/value.ts';
import { compareKeyedList, compareSet, compareUnownedKeyedList } from './compare-list.ts';
import { compareAtomic, isEmptyCollection, isEqualLeaf, isSameEmpty, isZero } from './compare-value.ts';
import { BUILT_IN_GROUPS, isForcedByServer } from './known-values.ts';
import { enter, leave, note, noteRemoval, shapeHere, type Finding, type Sides, type Walk } from './walk.ts';

export interface Comparison {
  /** differs: the server is sure to change something. inconclusive: only the server can tell. */
  readonly verdict: 'same' | 'differs' | 'inconclusive';
  /** The first of what was found; empty for `same`. */
  readonly findings: readonly Finding[];
  /** Whether our entry, in the version of the desired object, was there to judge by. */
  readonly hasEntry: boolean;
}

/** Never compared at the root: they are the object's address, or none of ours. */
const ROOT_SKIPPED: ReadonlySet<string> = new Set(['apiVersion', 'kind', 'metadata']);
const ROOT_SKIPPED_WITH_STATUS: ReadonlySet<string> = new Set([...ROOT_SKIPPED, 'status']);
const METADATA_SKIPPED: ReadonlySet<string> = new Set([
  'name',
  'namespace',
  'creationTimestamp',
  'generateName',
  'managedFields',
]);

export function compareObject(desired: DesiredObject, live: LiveObject, maxFindings: number): Comparison {
  const { body, kind } = desired;
  const entries = managedFieldsOf(live.body);
  const entry = entries.find(
    ({ manager, operation, subresource }) =>
      manager === FIELD_MANAGER && operation === 'Apply' && subresource === undefined,
  );
  const isReadable = live.apiVersion === body.apiVersion;
  const hasEntry = entry !== undefined && entry.apiVersion === body.apiVersion;
  const walk: Walk = {
    kind: kind.kind,
    isLenient: BUILT_IN_GROUPS.has(kind.group),
    hasEntry,
    others: entries.filter((other) => other !== entry).map(({ fields }) => fields),
    tokens: [],
    steps: [],
    findings: [],
    maxFindings,
    count: 0,
    isCertain: false,
  };
  // In another version the same value may have another place: nothing can be compared then.
  if (!isReadable) return { verdict: 'inconclusive', findings: [], hasEntry: false };
  const owned = hasEntry ? entry.fields : undefined;
  compareFields(walk, {
    desired: body,
    live: live.body,
    owned,
    skipped: kind.hasStatus ? ROOT_SKIPPED_WITH_STATUS : ROOT_SKIPPED,
  });
  const ownedMetadata = owned === undefined ? undefined : own(owned, 'f:metadata');
  enter(walk, 'metadata', 'metadata');
  compareFields(walk, {
    desired: body.metadata,
    live: live.body.metadata,
    owned: isMap(ownedMetadata) ? ownedMetadata : undefined,
    skipped: METADATA_SKIPPED,
  });
  leave(walk);
  return { verdict: verdictOf(walk, entry !== undefined && !hasEntry), findings: walk.findings, hasEntry };
}

/** An entry in another version cannot be searched for pending removals. */
function verdictOf(walk: Walk, isOtherVersion: boolean): Comparison['verdict'] {
  if (walk.isCertain) return 'differs';
  return walk.count > 0 || isOtherVersion ? 'inconclusive' : 'same';
}

interface FieldsOptions {
  readonly desired: ValueMap;
  readonly live: Value | undefined;
  readonly owned: FieldSet | undefined;
  readonly skipped?: ReadonlySet<string>;
}

/** Every desired field, and every field that we own but desire no more. */
function compareFields(walk: Walk, { desired, live, owned, skipped }: FieldsOptions): void {
  for (const key of Object.keys(desired)) {
    if (skipped?.has(key)) continue;
    const child = owned === undefined ? undefined : own(owned, `f:${key}`);
    const sides = { desired: desired[key], live: isMap(live) ? own(live, key) : undefined };
    enter(walk, key, key);
    if (isMap(child)) compareOwned(walk, sides, child);
    else compareUnowned(walk, sides);
    leave(walk);
  }
  for (const member in owned) {
    const key = member.slice(2);
    if (!member.startsWith('f:') || Object.hasOwn(desired, key) || skipped?.has(key)) continue;
    enter(walk, key, key);
    noteRemoval(walk, isMap(live) ? own(live, key) : undefined);
    leave(walk);
  }
}

function compareOwned(walk: Walk, sides: Sides, owned: FieldSet): void {
  const { desired, live } = sides;
  if (isLeaf(owned)) return compareLeaf(walk, sides);
  const type = listTypeOf(owned);
  if (type === undefined && isMap(desired)) return compareFields(walk, { desired, live, owned });
  if (type === 'keyed' && Array.isArray(desired)) return compareKeyedList(walk, { desired, live }, owned, compareItem);
  if (type === 'set' && Array.isArray(desired)) return compareSet(walk, { desired, live }, owned);
  // We own fields below, and desire something else in their place; whether others hold them is not looked into.
  note(walk, sides, false);
}

function compareItem(walk: Walk, desired: Value, live: Value | undefined, owned: FieldSet | undefined): void {
  if (owned) compareOwned(walk, { desired, live }, owned);
  else compareUnowned(walk, { desired, live });
}

/** A scalar, an empty collection, or an atomic value. */
function compareLeaf(walk: Walk, sides: Sides): void {
  const { desired, live } = sides;
  if (desired === live) return;
  if (isMap(desired) && !isEmptyCollection(desired) && shapeHere(walk)?.type === 'map') {
    // Merged by field, and owned as a whole: it was applied empty, so that we own no field of it yet.
    return compareFields(walk, { desired, live, owned: undefined });
  }
  if (!isEmptyCollection(desired)) return compareAtomic(walk, sides, true);
  if (isSameEmpty(desired, live) || (walk.isLenient && (live === undefined || live === null))) return;
  // An empty map that others have put something into is no difference; an atomic one is, as is every list: an empty one
  // that is merged by item leaves no trace in field sets.
  if (isMap(desired) && isMap(live) && shapeHere(walk)?.type === 'map') return;
  note(walk, sides, false);
}

/**
 * A field that we do not own: somebody changed it since, or it has never been applied. What is equal nevertheless needs
 * no change; a zero value may be one that the server does not store.
 */
function compareUnowned(walk: Walk, sides: Sides): void {
  const { desired, live } = sides;
  if (isMap(desired) && Object.keys(desired).length > 0 && (isMap(live) || live === undefined)) {
    if (live === undefined) return note(walk, sides, walk.hasEntry);
    if (shapeHere(walk)?.type === 'map') return compareFields(walk, { desired, live, owned: undefined });
    // Another holds it as a whole, or nobody holds anything of it: what we do not desire in it may have to go.
    return compareAtomic(walk, sides, false);
  }
  if (Array.isArray(desired)) return compareUnownedList(walk, desired, live);
  if (isEqualLeaf(walk, sides, false) || isSameEmpty(desired, live)) return;
  // An empty map that others have put something into is no difference; an atomic one is.
  if (isEmptyCollection(desired) && isMap(live) && shapeHere(walk)?.type === 'map') return;
  note(walk, sides, walk.hasEntry && !isZero(desired) && !isForcedByServer(walk.kind, walk.tokens));
}

function compareUnownedList(walk: Walk, desired: readonly Value[], live: Value | undefined): void {
  const shape = shapeHere(walk);
  if (desired.length === 0) {
    const isAbsent = walk.isLenient && (live === undefined || live === null);
    // Empty keyed lists and sets leave no trace in field sets.
    if (isAbsent || (Array.isArray(live) && live.length === 0) || shape) return;
    return note(walk, { desired: [], live }, false);
  }
  const sides = { desired, live };
  if (shape?.type === 'keyed') compareUnownedKeyedList(walk, sides, shape.keys, compareItem);
  else if (shape?.type === 'set') compareSet(walk, sides, undefined);
  else compareAtomic(walk, { desired: [...desired], live }, false);
}
