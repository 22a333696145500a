/**
 * Compares one desired object with its live object: by value where the manifest sets a field, by ownership where it no
 * longer does.
 *
 * Invariant: the result is `same` only if a server-side apply of the desired object would change no value. If the two
 * objects do not show that, the result is `inconclusive`.
 */
import type { DesiredObject } from '../bind/desired.ts';
import type { LiveObject } from '../cluster/live.ts';
import { FIELD_MANAGER } from '../object/applyset.ts';
import { BUILT_IN_GROUPS } from '../object/built-in-groups.ts';
import { isLeaf, ItemIndex, listTypeOf, managedFieldsOf, type FieldSet } from '../object/field-set.ts';
import { isMap, own, type Value, type ValueMap } from '../object/value.ts';
import { compareKeyedList, compareSet, compareUnownedKeyedList } from './compare-list.ts';
import { compareAtomic, isEmptyCollection, isEqualLeaf, isSameEmpty, isZero } from './compare-value.ts';
import { isForcedByServer } from './known-values.ts';
import { enter, leave, note, noteRemoval, shapeHere, type Finding, type Sides, type Walk } from './walk.ts';

export interface Comparison {
  /** differs: an apply is certain to change a value. inconclusive: only the API server can tell. */
  readonly result: 'same' | 'differs' | 'inconclusive';
  /** The first `maxFindings` differences; empty for `same`. */
  readonly findings: readonly Finding[];
  /** Whether managedFields hold our entry in the version of the desired object. */
  readonly hasEntry: boolean;
}

/** Not compared at the root: the object's address, and metadata, which is compared by itself. */
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
    items: new ItemIndex(),
    tokens: [],
    steps: [],
    findings: [],
    maxFindings,
    findingCount: 0,
    isCertain: false,
  };
  // In another API version the same value may be at another path, so the objects cannot be compared.
  if (!isReadable) return { result: 'inconclusive', findings: [], hasEntry: false };
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
  return { result: resultOf(walk, entry !== undefined && !hasEntry), findings: walk.findings, hasEntry };
}

/** An entry in another version cannot be searched for pending removals, so it rules out `same`. */
function resultOf(walk: Walk, isOtherVersion: boolean): Comparison['result'] {
  if (walk.isCertain) return 'differs';
  return walk.findingCount > 0 || isOtherVersion ? 'inconclusive' : 'same';
}

interface FieldsOptions {
  readonly desired: ValueMap;
  readonly live: Value | undefined;
  readonly owned: FieldSet | undefined;
  readonly skipped?: ReadonlySet<string>;
}

/** Compares every desired field, and notes every field that we own and no longer desire. */
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
  // We own fields below and desire another type in their place. Other managers of these fields are not considered.
  note(walk, sides, false);
}

function compareItem(walk: Walk, desired: Value, live: Value | undefined, owned: FieldSet | undefined): void {
  if (owned) compareOwned(walk, { desired, live }, owned);
  else compareUnowned(walk, { desired, live });
}

/** Compares a value that we own as a whole: a scalar, an empty collection, or an atomic value. */
function compareLeaf(walk: Walk, sides: Sides): void {
  const { desired, live } = sides;
  if (desired === live) return;
  if (isMap(desired) && !isEmptyCollection(desired) && shapeHere(walk)?.type === 'map') {
    // The map is merged by field but owned as a whole: it was applied empty, so we own none of its fields yet.
    return compareFields(walk, { desired, live, owned: undefined });
  }
  if (!isEmptyCollection(desired)) return compareAtomic(walk, sides, true);
  if (isSameEmpty(desired, live) || (walk.isLenient && (live === undefined || live === null))) return;
  // Entries that others added to an empty map are not a difference, unless the map is atomic. In a list they are: an
  // empty list that is merged by item leaves no trace in field sets.
  if (isMap(desired) && isMap(live) && shapeHere(walk)?.type === 'map') return;
  note(walk, sides, false);
}

/**
 * Compares a field that we do not own: another manager changed it, or it has never been applied. An equal value needs
 * no change. A missing zero value does not prove a difference: the server may not store it.
 */
function compareUnowned(walk: Walk, sides: Sides): void {
  const { desired, live } = sides;
  if (isMap(desired) && Object.keys(desired).length > 0 && (isMap(live) || live === undefined)) {
    if (live === undefined) return note(walk, sides, walk.hasEntry);
    if (shapeHere(walk)?.type === 'map') return compareFields(walk, { desired, live, owned: undefined });
    // Another manager owns the map as a whole, or no manager owns any part of it. An apply may remove other entries.
    return compareAtomic(walk, sides, false);
  }
  if (Array.isArray(desired)) return compareUnownedList(walk, desired, live);
  if (isEqualLeaf(walk, sides, false) || isSameEmpty(desired, live)) return;
  // Entries that others added to an empty map are not a difference, unless the map is atomic.
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
