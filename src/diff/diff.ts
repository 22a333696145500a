/**
 * Desired + Live + Memory → Changes: one an object that is desired or in the inventory.
 *
 * Invariants: pure, no request, no clock. `none` and `update` are certain; what only the server can tell is `unsure`.
 * Nothing becomes a prune unless it is in the inventory, carries both our marks as far as is known, and is claimed by
 * no other Application.
 */
import type { Desired, DesiredObject, Owner } from '../bind/desired.ts';
import { kindKey, type KindInfo, type Kinds } from '../cluster/kinds.ts';
import type { Live, LiveObject } from '../cluster/live.ts';
import { FIELD_MANAGER, readOwnership } from '../object/applyset.ts';
import { appliedFieldsOf } from '../object/field-set.ts';
import { apiVersionOf, groupOf, idKey, type ObjectId } from '../object/identity.ts';
import { isReconcileDisabled, removalsOf } from '../object/policy.ts';
import { listAt, valueAt } from '../object/value.ts';
import { isAtBaseline, isComparable } from './baseline.ts';
import type { Change, DiffMemory, Verdict } from './changes.ts';
import { compareObject } from './compare.ts';
import { fieldDifferences } from './field-difference.ts';
import { asSent, judgedDigest, withoutIgnored } from './ignored.ts';
import { findingsAmong, MAX_FINDINGS, patchOf } from './json-patch.ts';
import type { Finding } from './walk.ts';

export interface DiffOptions {
  readonly desired: Desired;
  /** An entry for each desired and each inventory id, by `idKey`; one that lacks counts as unknown. */
  readonly live: Live;
  /** What we have applied and own, by `idKey`. */
  readonly inventory: ReadonlyMap<string, ObjectId>;
  readonly owner: Owner;
  readonly memory: DiffMemory;
  readonly kinds: Kinds;
  /**
   * Another Application that claims an id, for people: for a desired object the one that came first, for one that is
   * desired no more the one that wants it.
   */
  readonly claims?: (id: ObjectId) => string | undefined;
  /** `none` of earlier passes by `idKey`; read and added to. The caller owns it, and drops ids that went. */
  readonly verdicts?: VerdictCache;
}

export interface VerdictCache {
  get(key: string): Verdict | undefined;
  set(key: string, verdict: Verdict): unknown;
}

/** `Change.reason` where it stands for more than a text. */
export const REASONS = {
  missing: 'missing',
  unseen: 'missing, or its owner label was removed',
  disabled: 'left alone, since it is annotated kustomize.toolkit.fluxcd.io/reconcile: disabled',
  finished: 'it has run to its end and was removed after that',
  terminating: 'it is being deleted',
  gone: 'it does not exist any more',
  kept: 'it left Git and is kept, as its annotations ask: Tautline lets go of it',
  neverAccepted: 'the server has not seen this manifest yet',
  inconclusive: 'only the server can tell whether it differs',
} as const;

/** First the desired objects in their order, then what the inventory holds beyond them. */
export function diffObjects(options: DiffOptions): Change[] {
  const changes = options.desired.objects
    .filter((desired) => isReported(desired, options.live))
    .map((desired) => diffDesired(desired, options));
  const desiredKeys = new Set(options.desired.objects.map(({ id }) => idKey(id)));
  const faulty = new Set<string>();
  for (const { object } of options.desired.problems) if (object) faulty.add(idKey(object));
  const findKind = createKindFinder(options.kinds);
  for (const [key, id] of options.inventory) {
    if (!desiredKeys.has(key)) changes.push(diffLeftover(id, { ...options, isFaulty: faulty.has(key), findKind }));
  }
  return changes;
}

/** What nobody wants to have made is not missing, and what is to be ignored is not looked at. */
function isReported({ id, policy }: DesiredObject, live: Live): boolean {
  if (!policy || (policy.reconcile && policy.ssa !== 'Ignore')) return true;
  return policy.ssa !== 'Ignore' && live.get(idKey(id))?.state === 'present';
}

function diffDesired(desired: DesiredObject, options: DiffOptions): Change {
  const { id, kind } = desired;
  const base = { id, kind, desired, fields: [] };
  const key = idKey(id);
  const entry = options.live.get(key);
  if (desired.policy?.reconcile === false) return { ...base, type: 'none', reason: REASONS.disabled };
  const claimant = options.claims?.(id);
  if (claimant !== undefined) return { ...base, type: 'conflict', reason: `managed by Application ${claimant}` };
  if (entry?.state === 'present') return diffPresent(desired, entry.object, options);
  // A kind that is not served yet cannot be looked for.
  if (desired.awaitsCrd) return { ...base, type: 'create' };
  if (entry === undefined) return { ...base, type: 'unknown', reason: 'it was not looked for' };
  if (entry.state === 'unknown') return { ...base, type: 'unknown', reason: entry.reason };
  if (options.memory.isFinished?.(id, desired.digest)) return { ...base, type: 'none', reason: REASONS.finished };
  if (entry.state === 'absent') return { ...base, type: 'create', reason: REASONS.missing };
  return { ...base, type: 'create', ...(options.inventory.has(key) ? { reason: REASONS.unseen } : {}) };
}

function diffPresent(desired: DesiredObject, live: LiveObject, options: DiffOptions): Change {
  const { id, kind } = desired;
  const base = { id, kind, desired, live, fields: [] };
  if (isReconcileDisabled(live.body)) return { ...base, type: 'none', reason: REASONS.disabled };
  if (desired.policy?.ssa === 'IfNotPresent') return { ...base, type: 'none' };
  const ownership = readOwnership(live.body, options.owner);
  if (ownership.type === 'application') {
    return { ...base, type: 'conflict', reason: `managed by Application ${ownership.owner}` };
  }
  if (ownership.type === 'set' && !options.inventory.has(idKey(id))) {
    return { ...base, type: 'conflict', reason: `part of the ApplySet ${ownership.applySetId} of another tool` };
  }
  if (live.deletionTimestamp !== undefined) return { ...base, type: 'none', reason: REASONS.terminating };
  const isKnown = options.inventory.has(idKey(id)) && appliedFieldsOf(live.body, FIELD_MANAGER) !== undefined;
  if (ownership.type === 'none' && !isKnown) {
    const sides = withoutIgnored(desired, live);
    const { findings } = compareObject(sides.desired, sides.live, MAX_FINDINGS);
    return { ...base, type: 'adopt', ...differenceOf(desired, live, findings), reason: 'it exists without our mark' };
  }
  return diffOwned(desired, live, options);
}

function diffOwned(desired: DesiredObject, live: LiveObject, { memory, verdicts }: DiffOptions): Change {
  const { id, kind, digest } = desired;
  const base = { id, kind, desired, live, fields: [] };
  const key = idKey(id);
  const isAccepted = memory.isAccepted(id, digest);
  const judged = judgedDigest(desired);
  const known = verdicts?.get(key);
  if (known && isAccepted && known.manifestDigest === judged && isSameLive(known, live)) return known.change;
  const sides = withoutIgnored(desired, live);
  const comparison = compareObject(sides.desired, sides.live, MAX_FINDINGS);
  const baseline = memory.baselines.get(key);
  if (comparison.verdict === 'same' || isAtBaseline(sides.desired, sides.live, baseline)) {
    // A server may refuse what leaves no trace in the comparison, so every manifest is shown to it once.
    if (!isAccepted) return { ...base, type: 'unsure', reason: REASONS.neverAccepted };
    const change: Change = { ...base, type: 'none' };
    verdicts?.set(key, { manifestDigest: judged, resourceVersion: live.resourceVersion, change });
    return change;
  }
  const difference = differenceOf(desired, live, comparison.findings);
  // The server's own rendering of this manifest is known, and live is another: that is proof as well.
  const isProven = comparison.findings.length > 0 && isComparable(sides.desired, sides.live, baseline);
  if (comparison.verdict === 'differs' || isProven) return { ...base, type: 'update', ...difference };
  return { ...base, type: 'unsure', ...difference, reason: REASONS.inconclusive };
}

function isSameLive({ resourceVersion, change }: Verdict, live: LiveObject): boolean {
  return resourceVersion === live.resourceVersion && change.live?.uid === live.uid;
}

/** `findings` come from a comparison without the ignored fields. */
function differenceOf(
  desired: DesiredObject,
  live: LiveObject,
  findings: readonly Finding[],
): Pick<Change, 'fields' | 'patch'> {
  const sent = asSent(desired, live);
  const whole = desired.ignored ? compareObject(sent.desired, sent.live, MAX_FINDINGS).findings : findings;
  const patch = patchOf(findingsAmong(whole, findings), { desired: sent.desired.body, live: live.body });
  return { fields: fieldDifferences(findings, live.body), ...(patch ? { patch } : {}) };
}

type LeftoverOptions = DiffOptions & { isFaulty: boolean; findKind: KindFinder };

/** In the inventory, and desired no more. */
function diffLeftover(id: ObjectId, { live, owner, claims, isFaulty, findKind }: LeftoverOptions): Change {
  const found = findKind(id);
  const base = { id, kind: found === 'unavailable' ? undefined : found, fields: [] };
  if (isFaulty) return { ...base, type: 'unknown', reason: 'its manifest has a problem' };
  const entry = live.get(idKey(id));
  const shown = entry?.state === 'present' ? { ...base, live: entry.object } : base;
  const claimant = claims?.(id);
  if (claimant !== undefined) return { ...shown, type: 'release', reason: `claimed by Application ${claimant}` };
  if (found === 'unavailable') return { ...base, type: 'unknown', reason: 'its API does not answer' };
  if (entry?.state === 'unknown') return { ...base, type: 'unknown', reason: entry.reason };
  if (found === undefined) return { ...base, type: 'prune', reason: 'its kind is served no more' };
  if (entry === undefined) return { ...base, type: 'unknown', reason: 'it was not looked for' };
  if (entry.state === 'absent') return { ...base, type: 'release', reason: REASONS.gone };
  if (entry.state === 'unseen') return { ...base, type: 'prune' };
  if (isReconcileDisabled(entry.object.body)) return { ...shown, type: 'none', reason: REASONS.disabled };
  const reason = reasonToRelease(entry.object, owner);
  if (reason !== undefined) return { ...shown, type: 'release', reason };
  if (removalsOf(entry.object.body).prune === 'keep') return { ...shown, type: 'release', reason: REASONS.kept };
  return { ...shown, type: 'prune', ...(entry.object.deletionTimestamp ? { reason: REASONS.terminating } : {}) };
}

/** Both marks must agree before a delete, and what a controller owns is the controller's. */
function reasonToRelease(live: LiveObject, owner: Owner): string | undefined {
  const ownership = readOwnership(live.body, owner);
  if (ownership.type === 'application') return `managed by Application ${ownership.owner}`;
  if (ownership.type !== 'ours') return 'its owner label and annotation no longer name this Application';
  const references = listAt(live.body.metadata, 'ownerReferences');
  return references.some((reference) => valueAt(reference, 'controller') === true) ? 'a controller owns it' : undefined;
}

/** undefined: no version of the group serves the kind, and all of its versions answer. */
type KindFinder = (id: ObjectId) => KindInfo | 'unavailable' | undefined;

/** The kind of an id, in the group's preferred version where that serves it. */
function createKindFinder({ served, stale, preferred }: Kinds): KindFinder {
  let byGroupKind: Map<string, KindInfo> | undefined;
  const staleGroups = new Set([...stale].map(groupOf));
  return ({ group, kind }) => {
    const version = preferred.get(group);
    const first = version === undefined ? undefined : served.get(kindKey(apiVersionOf(group, version), kind));
    if (first) return first;
    byGroupKind ??= new Map([...served.values()].map((info) => [`${info.group}/${info.kind}`, info] as const));
    return byGroupKind.get(`${group}/${kind}`) ?? (staleGroups.has(group) ? 'unavailable' : undefined);
  };
}
