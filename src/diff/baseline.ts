/**
 * Baselines: what the server itself made of a manifest, so that what webhooks and defaulting change is not taken for
 * drift for ever.
 *
 * Invariant: the projection holds the values of all that we desire or own and nothing else, so that status writes,
 * others' fields and resourceVersions do not disturb it, and any change of what we set does.
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

/** Of the answer to an apply or a dry run of exactly this desired object; what is ignored of it is in no baseline. */
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
 * Of two sides without what is ignored, as in the next: whether live is what the server last made of this very
 * manifest, and we own the same of it: where another has taken an atomic value, what it added to it is in no
 * projection.
 */
export function isAtBaseline(desired: DesiredObject, live: LiveObject, baseline: Baseline | undefined): boolean {
  if (baseline?.manifestDigest !== desired.digest || digestOwned(live) !== baseline.ownedDigest) return false;
  return digestValue(projectLive(desired, live)) === baseline.projectionDigest;
}

/**
 * Whether a projection that is another than the baseline's proves a change: the same object, in which we own the same,
 * was accepted with this very manifest before.
 */
export function isComparable(desired: DesiredObject, live: LiveObject, baseline: Baseline | undefined): boolean {
  if (baseline?.manifestDigest !== desired.digest || baseline.uid !== live.uid) return false;
  return digestOwned(live) === baseline.ownedDigest;
}

function digestOwned(live: LiveObject): string {
  return digestValue(appliedFieldsOf(live.body, FIELD_MANAGER)?.fields ?? null);
}

/** The live object reduced to desired and owned paths, our items of merged lists in live order. */
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
  // Without our entry, what we own is unknown: such a projection equals none that was made with one.
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
    // An item that omits a part of its key is found by ownership alone; its fields are then all that is projected.
    projected.push([signature, projectPart({ desired: wanted, live: item, owned: fields })]);
  }
  return projected;
}
