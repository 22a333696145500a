/**
 * A baseline is the object that the API server returned for a manifest. It keeps values that webhooks or defaulting
 * changed from being reported as drift in every pass.
 *
 * Invariant: the projection holds exactly the fields that we desire or own. Status writes, fields of other managers and
 * resourceVersions leave it equal; any change of a field that we set makes it differ.
 */
import type { DesiredObject } from '../bind/desired.ts';
import type { LiveObject } from '../cluster/live.ts';
import { FIELD_MANAGER } from '../object/applyset.ts';
import { digestValue } from '../object/digest.ts';
import { appliedFieldsOf, isLeaf, keyedMembers, listTypeOf, setMembers, type FieldSet } from '../object/field-set.ts';
import { isMap, newMap, own, type Value, type ValueMap } from '../object/value.ts';
import type { Baseline } from './changes.ts';
import { keyNamesOf, signatureOf } from './compare-list.ts';
import { withoutIgnored } from './ignored.ts';

/** `answer` must be the result of an apply or a dry run of exactly this desired object. Leaves out ignored fields. */
export function baselineOf(bound: DesiredObject, answer: LiveObject): Baseline {
  const { desired, live: returned } = withoutIgnored(bound, answer);
  return {
    manifestDigest: desired.digest,
    projectionDigest: digestValue(projectLive(desired, returned)),
    uid: returned.uid,
    ownedDigest: digestOwned(returned),
  };
}

/**
 * Whether the live object equals the server's last result for this manifest, and our owned fields are unchanged. The
 * second condition matters for atomic values: once another manager takes one over, the projection misses its additions.
 * Both objects come from `withoutIgnored`.
 */
export function isAtBaseline(desired: DesiredObject, live: LiveObject, baseline: Baseline | undefined): boolean {
  if (baseline?.manifestDigest !== desired.digest || digestOwned(live) !== baseline.ownedDigest) return false;
  return digestValue(projectLive(desired, live)) === baseline.projectionDigest;
}

/**
 * Whether a projection that differs from the baseline proves a change: the baseline belongs to this object (uid) and
 * manifest, and our owned fields are unchanged. Both objects come from `withoutIgnored`.
 */
export function isComparable(desired: DesiredObject, live: LiveObject, baseline: Baseline | undefined): boolean {
  if (baseline?.manifestDigest !== desired.digest || baseline.uid !== live.uid) return false;
  return digestOwned(live) === baseline.ownedDigest;
}

function digestOwned(live: LiveObject): string {
  return digestValue(appliedFieldsOf(live.body, FIELD_MANAGER)?.fields ?? null);
}

/** Reduces the live object to desired and owned paths. Items of merged lists keep their live order. */
export function projectLive({ body, kind }: DesiredObject, live: LiveObject): Value {
  const entry = appliedFieldsOf(live.body, FIELD_MANAGER);
  const owned = entry?.apiVersion === body.apiVersion ? entry.fields : undefined;
  const projected = projectFields({ desired: body, live: live.body, owned, skipped: ROOT_SKIPPED });
  if (kind.hasStatus) delete projected['status'];
  const ownedMetadata = owned === undefined ? undefined : own(owned, 'f:metadata');
  projected['metadata'] = projectFields({
    desired: body.metadata,
    live: live.body.metadata,
    owned: isMap(ownedMetadata) ? ownedMetadata : undefined,
    skipped: METADATA_SKIPPED,
  });
  // The entry's version is part of the value: without our entry the owned fields are unknown, so a projection made
  // without one never equals a projection made with one.
  return [live.apiVersion, entry?.apiVersion ?? null, projected];
}

const ROOT_SKIPPED = ['apiVersion', 'kind', 'metadata'];
const METADATA_SKIPPED = ['name', 'namespace', 'creationTimestamp', 'generateName', 'managedFields'];

interface Part {
  readonly desired: Value | undefined;
  readonly live: Value;
  readonly owned: FieldSet | undefined;
}

function projectFields({ desired, live, owned, skipped = [] }: Part & { skipped?: readonly string[] }): ValueMap {
  const projected = newMap();
  if (!isMap(live)) return projected;
  const keys = new Set(isMap(desired) ? Object.keys(desired) : []);
  for (const member in owned) if (member.startsWith('f:')) keys.add(member.slice(2));
  for (const key of keys) {
    const value = own(live, key);
    if (value === undefined || skipped.includes(key)) continue;
    const child = owned === undefined ? undefined : own(owned, `f:${key}`);
    const part = isMap(desired) ? own(desired, key) : undefined;
    projected[key] = projectPart({ desired: part, live: value, owned: isMap(child) ? child : undefined });
  }
  return projected;
}

function projectPart({ desired, live, owned }: Part): Value {
  const isAtomic = owned !== undefined && isLeaf(owned);
  if (isAtomic || typeof live !== 'object' || live === null) return live;
  if (isMap(live)) return isMap(desired) || owned !== undefined ? projectFields({ desired, live, owned }) : live;
  const type = owned === undefined ? undefined : listTypeOf(owned);
  if (owned === undefined || type === undefined) return live;
  return type === 'set' ? projectSet({ desired, live, owned }) : projectKeyedList({ desired, live, owned });
}

interface ListPart {
  readonly desired: Value | undefined;
  readonly live: readonly Value[];
  readonly owned: FieldSet;
}

function projectSet({ desired, live, owned }: ListPart): Value[] {
  const ours = new Set<Value>([...setMembers(owned), ...(Array.isArray(desired) ? desired : [])]);
  return live.filter((value) => ours.has(value));
}

function projectKeyedList({ desired, live, owned }: ListPart): Value[] {
  const members = keyedMembers(owned);
  const keys = keyNamesOf(members.map(({ key }) => key));
  const fieldsOf = new Map(members.map(({ key, fields }) => [signatureOf(key, keys), fields] as const));
  const desiredOf = new Map<string, Value>();
  for (const item of Array.isArray(desired) ? desired : []) desiredOf.set(signatureOf(item, keys), item);
  const projected: Value[] = [];
  for (const item of live) {
    const signature = signatureOf(item, keys);
    const fields = fieldsOf.get(signature);
    const wanted = desiredOf.get(signature);
    if (fields === undefined && wanted === undefined) continue;
    // An item that omits a part of its key is matched by ownership only; the projection then holds its owned fields.
    projected.push([signature, projectPart({ desired: wanted, live: item, owned: fields })]);
  }
  return projected;
}
