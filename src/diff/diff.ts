/**
 * Desired + Live + Memory → Changes: one per object that is desired or in the inventory.
 *
 * Invariants: `none` and `update` are certain; if only the API server can tell, the change is `unsure`. A prune is only
 * for an object of the inventory that no other Application claims and that carries both owner marks, as far as seen.
 */
import type { Desired, DesiredObject, Owner } from '../bind/desired.ts';
import { createKindFinder, type KindFinder, type Kinds } from '../cluster/kinds.ts';
import type { Live, LiveObject } from '../cluster/live.ts';
import { FIELD_MANAGER, PART_OF_LABEL, readOwnership } from '../object/applyset.ts';
import { appliedFieldsOf } from '../object/field-set.ts';
import { idKey, labelsOf, type ObjectId } from '../object/identity.ts';
import { KEPT_BY_ANNOTATION, KEPT_BY_DISABLED, mayDelete } from '../object/may-delete.ts';
import { isLeftToOthers } from '../object/live-policy.ts';
import { isLeftOut } from '../object/policy.ts';
import { finish, mapSteps, visitSteps, type Steps } from '../object/steps.ts';
import { isAtBaseline, isComparable } from './baseline.ts';
import type { Change, DiffMemory, SettledChange } from './changes.ts';
import { compareObject, type Comparison } from './compare.ts';
import { fieldDifferences } from './field-difference.ts';
import { asSent, judgedDigest, withoutIgnored } from './ignored.ts';
import { findingsAmong, MAX_FINDINGS, patchOf } from './json-patch.ts';
import type { Finding } from './walk.ts';

export interface DiffOptions {
  readonly desired: Desired;
  /** By `idKey`: an entry for each desired and each inventory id. A missing entry counts as unknown. */
  readonly live: Live;
  /** By `idKey`: the objects that were applied and are owned. */
  readonly inventory: ReadonlyMap<string, ObjectId>;
  readonly owner: Owner;
  readonly memory: DiffMemory;
  readonly kinds: Kinds;
  /**
   * The other Application that claims an id, as `namespace/name`. For a desired object: the one that claimed it first.
   * For an object that is no longer desired: the one that wants it.
   */
  readonly claims?: (id: ObjectId) => string | undefined;
  /**
   * Whether the Application that an owner annotation names lets this one have an object, so that its marks may be
   * overwritten.
   */
  readonly isGivenUp?: (id: ObjectId, annotation: string) => boolean;
  /** Whether this Application has written an object, and has seen it as its own without a gap since. */
  readonly hasWritten?: (id: ObjectId) => boolean;
  /**
   * Whether marks that name another Application were put on an object that this one has written without that other one
   * having written it: a forgery, which is healed like any other difference.
   */
  readonly isForged?: (id: ObjectId, annotation: string) => boolean;
  /** By `idKey`: decided changes of earlier passes. The caller owns the cache and drops ids that are gone. */
  readonly settled?: SettledChanges;
}

export interface SettledChanges {
  get(key: string): SettledChange | undefined;
  set(key: string, change: SettledChange): unknown;
}

/** Texts of `Change.reason` that other code refers to by name. */
export const REASONS = {
  missing: 'missing',
  unseen: 'missing, or its owner label was removed',
  disabled: KEPT_BY_DISABLED,
  finished: 'it ran to completion and was removed afterwards, so it is not created again',
  failed: 'it failed and was removed afterwards, so it is not created again',
  started: 'it was started with this manifest, and the API server does not allow its spec to be changed',
  terminating: 'it is being deleted',
  gone: 'it no longer exists',
  kept: KEPT_BY_ANNOTATION,
  neverAccepted: 'the API server has not accepted this manifest yet',
  inconclusive: 'only the API server can tell whether it differs',
  doubted: 'it is as the API server last answered; the API server is asked whether it would answer so again',
} as const;

/** Changes of the desired objects in their order, then of the inventory objects that are no longer desired. */
export function diffObjects(options: DiffOptions): Change[] {
  return finish(diffSteps(options));
}

/** The same with a pause after each object, for a caller that has other work to do. */
export function* diffSteps(options: DiffOptions): Steps<Change[]> {
  const changes: Change[] = [];
  for (const desired of options.desired.objects) {
    if (isLeftOut(desired.policy, options.live.get(idKey(desired.id))?.state === 'present')) continue;
    changes.push(diffDesired(desired, options));
    yield;
  }
  const desiredKeys = new Set(yield* mapSteps(options.desired.objects, ({ id }) => idKey(id)));
  const faulty = new Set<string>();
  for (const { object } of options.desired.problems) if (object) faulty.add(idKey(object));
  const findKind = createKindFinder(options.kinds);
  yield* visitSteps(options.inventory, ([key, id]) => {
    if (!desiredKeys.has(key)) changes.push(diffLeftover(id, { ...options, isFaulty: faulty.has(key), findKind }));
  });
  return changes;
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
  // An object of a kind that is not served yet cannot exist.
  if (desired.awaitsCrd) return { ...base, type: 'create' };
  if (entry === undefined) return { ...base, type: 'unknown', reason: 'it was not observed' };
  if (entry.state === 'unknown') return { ...base, type: 'unknown', reason: entry.reason };
  const run = options.memory.runOf?.(desired);
  if (run) return { ...base, type: 'none', reason: run === 'ended' ? REASONS.finished : REASONS.failed };
  if (entry.state === 'absent') return { ...base, type: 'create', reason: REASONS.missing };
  return { ...base, type: 'create', ...(options.inventory.has(key) ? { reason: REASONS.unseen } : {}) };
}

function diffPresent(desired: DesiredObject, live: LiveObject, options: DiffOptions): Change {
  const { id, kind } = desired;
  const base = { id, kind, desired, live, fields: [] };
  const left = { ...base, type: 'none' as const, ...(isUnwatched(live) ? { isUnwatched: true } : {}) };
  if (isLeftToOthers(live.body, options.owner)) return { ...left, reason: REASONS.disabled };
  if (desired.policy?.ssa === 'IfNotPresent') return left;
  const ownership = readOwnership(live.body, options.owner);
  if (ownership.type === 'application' && options.isGivenUp?.(id, ownership.annotation)) {
    if (live.deletionTimestamp !== undefined) return { ...left, reason: REASONS.terminating };
    const reason = `it is handed over by Application ${ownership.annotation}`;
    return { ...base, type: 'adopt', ...adoptionOf(desired, live), reason, takenFrom: ownership.annotation };
  }
  if (ownership.type === 'application' && !options.isForged?.(id, ownership.annotation)) {
    return { ...base, type: 'conflict', reason: `managed by Application ${ownership.annotation}` };
  }
  if (ownership.type === 'set' && !options.inventory.has(idKey(id))) {
    return { ...base, type: 'conflict', reason: `part of the ApplySet ${ownership.applySetId} of another tool` };
  }
  if (live.deletionTimestamp !== undefined) return { ...left, reason: REASONS.terminating };
  const isInventoried = options.inventory.has(idKey(id));
  const isKnown =
    isInventoried && (options.hasWritten?.(id) || appliedFieldsOf(live.body, FIELD_MANAGER) !== undefined);
  if (ownership.type === 'none' && !isKnown) {
    const reason = 'it exists without the owner marks of this Application';
    return { ...base, type: 'adopt', ...adoptionOf(desired, live), reason };
  }
  return diffOwned(desired, live, options);
}

function isUnwatched({ body }: LiveObject): boolean {
  return labelsOf(body)[PART_OF_LABEL] === undefined;
}

function adoptionOf(desired: DesiredObject, live: LiveObject): ReturnType<typeof differenceOf> {
  const sides = withoutIgnored(desired, live);
  const { findings } = compareObject(sides.desired, sides.live, MAX_FINDINGS);
  return differenceOf(desired, live, findings);
}

function diffOwned(desired: DesiredObject, live: LiveObject, { memory, settled }: DiffOptions): Change {
  const { id, kind, digest } = desired;
  const base = { id, kind, desired, live, fields: [] };
  const key = idKey(id);
  const isOfManifest = memory.isOfManifest?.(desired) === true;
  const isAccepted = isOfManifest || memory.isAccepted(id, digest);
  // The spec of a Job that runs cannot be changed: to ask again would only have it refused, or run again.
  const isDoubted = !isOfManifest && memory.isDoubted?.(key) === true;
  const known = settled?.get(key);
  if (known && isAccepted && isStillSettled(known, { desired, live, isDoubted })) return known.change;
  const sides = withoutIgnored(desired, live);
  const comparison = compareObject(sides.desired, sides.live, MAX_FINDINGS);
  const baseline = memory.baselines.get(key);
  const isSame = comparison.result === 'same';
  const isExpected = !isSame && isAtBaseline(sides.desired, sides.live, baseline);
  if (isSame || (isExpected && !isDoubted)) {
    // The server may refuse a manifest for reasons that the comparison cannot see, so each is sent to it once.
    if (!isAccepted) return { ...base, type: 'unsure', reason: REASONS.neverAccepted };
    const change: Change = { ...base, type: 'none', ...(isExpected ? { isByAnswer: true } : {}) };
    settled?.set(key, { manifestDigest: judgedDigest(desired), resourceVersion: live.resourceVersion, change });
    return change;
  }
  if (isExpected) {
    const difference = differenceOf(desired, live, comparison.findings);
    return { ...base, type: 'unsure', ...difference, reason: REASONS.doubted };
  }
  const isProven = isComparable(sides.desired, sides.live, baseline);
  return judgeDifference(base, { comparison, isOfManifest, isProven });
}

interface Difference {
  readonly comparison: Comparison;
  readonly isOfManifest: boolean;
  /** The baseline is the server's result for this manifest, and the live object differs from it. */
  readonly isProven: boolean;
}

function judgeDifference(
  base: Omit<Change, 'type'> & { readonly desired: DesiredObject; readonly live: LiveObject },
  { comparison, isOfManifest, isProven }: Difference,
): Change {
  const difference = differenceOf(base.desired, base.live, comparison.findings);
  const { fields } = difference;
  // A policy may have changed the Job when it was created; the difference lasts, and nothing may be changed any more.
  const isRunSpec = fields.length > 0 && fields.every(({ path }) => isImmutableInRun(base.id, path));
  if (isOfManifest && isRunSpec) return { ...base, type: 'none', reason: REASONS.started };
  const isDifferent = comparison.result === 'differs' || (isProven && fields.length > 0);
  if (isDifferent) return { ...base, type: 'update', ...difference };
  return { ...base, type: 'unsure', ...difference, reason: REASONS.inconclusive };
}

interface Judged {
  readonly desired: DesiredObject;
  readonly live: LiveObject;
  readonly isDoubted: boolean;
}

/** Whether a change was decided for exactly this manifest and live object, by something that still counts. */
function isStillSettled(known: SettledChange, { desired, live, isDoubted }: Judged): boolean {
  if (isDoubted && known.change.isByAnswer === true) return false;
  return known.manifestDigest === judgedDigest(desired) && isSameLive(known, live);
}

/** Whether the API server refuses to change a field of a Job or Pod that exists. `path` is a JSON pointer. */
function isImmutableInRun({ kind }: ObjectId, path: string): boolean {
  return kind === 'Job' ? path.startsWith('/spec/template/') : path.startsWith('/spec/');
}

function isSameLive({ resourceVersion, change }: SettledChange, live: LiveObject): boolean {
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
  const patch = patchOf(findingsAmong(whole, findings), {
    desired: sent.desired.body,
    live: live.body,
    isSealed: desired.isSealed,
  });
  return {
    fields: fieldDifferences(findings, { live: live.body, isSealed: desired.isSealed }),
    ...(patch ? { patch } : {}),
  };
}

type LeftoverOptions = DiffOptions & { isFaulty: boolean; findKind: KindFinder };

/** The change of an object that is in the inventory and no longer desired. */
function diffLeftover(id: ObjectId, { live, owner, claims, isFaulty, findKind, isForged }: LeftoverOptions): Change {
  const found = findKind(id);
  const base = { id, kind: found === 'unavailable' ? undefined : found, fields: [] };
  if (isFaulty) return { ...base, type: 'unknown', reason: 'its manifest has a problem' };
  const entry = live.get(idKey(id));
  const shown = entry?.state === 'present' ? { ...base, live: entry.object } : base;
  const claimant = claims?.(id);
  if (claimant !== undefined) return { ...shown, type: 'release', reason: `claimed by Application ${claimant}` };
  if (found === 'unavailable') return { ...base, type: 'unknown', reason: 'its API does not answer' };
  if (entry?.state === 'unknown') return { ...base, type: 'unknown', reason: entry.reason };
  if (found === undefined) return { ...base, type: 'prune', reason: 'its kind is no longer served' };
  if (entry === undefined) return { ...base, type: 'unknown', reason: 'it was not observed' };
  if (entry.state === 'absent') return { ...base, type: 'release', reason: REASONS.gone };
  if (entry.state === 'unseen') return { ...base, type: 'prune' };
  const ownership = readOwnership(entry.object.body, owner);
  if (ownership.type === 'application' && isForged?.(id, ownership.annotation)) {
    const keptFor = `it carries the marks of Application ${ownership.annotation}, which has not written it`;
    return { ...shown, type: 'prune', keptFor };
  }
  const decision = mayDelete({ live: entry.object, owner, occasion: 'prune' });
  if (decision.type === 'leave') return { ...shown, type: 'none', reason: decision.reason };
  if (decision.type === 'release') return { ...shown, type: 'release', reason: decision.reason };
  if (decision.type === 'refuse') return { ...shown, type: 'prune', keptFor: decision.reason };
  const asksConfirmation = decision.type === 'confirm' ? { asksConfirmation: true } : {};
  const reason = entry.object.deletionTimestamp ? { reason: REASONS.terminating } : {};
  return { ...shown, type: 'prune', ...asksConfirmation, ...reason };
}
