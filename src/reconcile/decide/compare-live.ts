/**
 * Claims, observation and diff of a pass, and the evidence for changes that only the server can tell: an apply where
 * the Application may write (the plan sends `unsure` changes), one dry run where it may not.
 */
import type { DesiredObject } from '../../bind/desired.ts';
import { reachOf } from '../../bind/reach.ts';
import { inTurns } from '../../cluster/concurrency.ts';
import type { Change } from '../../diff/changes.ts';
import { diffSteps } from '../../diff/diff.ts';
import type { Health } from '../../health/health.ts';
import { applicationKey } from '../../application/keys.ts';
import { parseOwner } from '../../object/applyset.ts';
import { idKey, type ObjectId } from '../../object/identity.ts';
import { isLeftOut } from '../../object/policy.ts';
import { askDryRun } from '../../observe/ask-dry-run.ts';
import { observe } from '../../observe/observe.ts';
import type { RivalClaim } from '../../status/report.ts';
import { acceptanceOf } from '../accepted.ts';
import type { BoundSet } from '../desired/bind-desired.ts';
import type { Pass } from '../pass.ts';
import { healthOfAbsentJob, isJobOfManifest, readJobRecords } from './ended-jobs.ts';
import { claimantOf, claimObjects, disputedPairs, hasGivenUp, readClaims } from './claim-objects.ts';
import { doubtAnswers, noteDryRun, noteForeseen, recallForeseen, type Doubt } from './evidence.ts';
import { createForgeryJudge, hasProof } from './forged-marks.ts';
import { leftoverOf, noteSeen } from './inventory.ts';
import { lookForMissingKinds, type KnownKinds } from './missing-kinds.ts';
import { settleSentJobs } from './sent-jobs.ts';
import { reviewStanding } from './standing.ts';
import { takeOver } from './take-over.ts';

export interface LiveComparison {
  readonly changes: readonly Change[];
  readonly rivalClaims: readonly RivalClaim[];
}

export async function compareLive(
  pass: Pass,
  bound: BoundSet,
  inventory: ReadonlyMap<string, ObjectId>,
): Promise<LiveComparison> {
  const { application, goal, context, identity, memory, owner, record, target } = pass;
  const { desired } = bound;
  // Where no apply follows, only a dry run brings evidence.
  const isReporting = goal.intent.mode !== 'auto';
  const claim = goal.isDryRun ? readClaims : claimObjects;
  const claimedIds = desired.objects.filter(({ policy }) => !isLeftOut(policy, true)).map(({ id }) => id);
  const claimant = claimantOf(pass);
  const sets = { desired: claimedIds, inventory };
  const { neighbours, settings } = context;
  const standing = await reviewStanding(() => disputedPairs(claimant, sets), { neighbours, target, settings });
  const { claimants, rivalClaims } = claim(claimant, sets, standing);
  const { kinds, isUnservedGone } = await findKinds(pass, bound, inventory);
  const { live: observed } = await observe({
    cluster: target,
    identity,
    reach: reachOf(identity, application.metadata, context.settings),
    kinds,
    isUnservedGone,
    application: record.key,
    desired: desired.objects,
    inventory,
    shouldProveAbsence: isReporting || goal.isDryRun,
    concurrency: context.settings.applyConcurrency,
    maxReadBytes: context.settings.maxReadBytes,
  });
  doubtAnswers(memory.evidence, doubtOf(pass));
  const isNamed = ({ id }: DesiredObject): boolean => goal.intent.objects?.has(idKey(id)) === true;
  const jobs = readJobRecords(memory.endedJobs, application);
  const live = await settleSentJobs(observed, {
    ...{ jobs, owner, kinds, client: target.as(identity), nowMs: context.clock.now() },
    desired: desired.objects.filter((object) => !isNamed(object)),
    concurrency: context.settings.applyConcurrency,
  });
  const changes = await inTurns(
    diffSteps({
      desired,
      live,
      inventory,
      owner,
      kinds,
      settled: memory.evidence.settled,
      claims: (id) => claimants.get(idKey(id)),
      isGivenUp: (id, annotation) => isGivenUp(pass, id, annotation),
      hasWritten: (id) => hasProof(memory.inventory, id),
      isForged: createForgeryJudge(pass),
      memory: {
        baselines: memory.evidence.baselines,
        isDoubted: (key) => memory.evidence.doubted.has(key),
        // A sync that names a Job runs it again.
        runOf: (object) => (isNamed(object) ? undefined : runOf(healthOfAbsentJob(jobs, object))),
        isOfManifest: (object) => isJobOfManifest(jobs, object),
        isAccepted: acceptanceOf(pass, desired),
      },
    }),
  );
  await inTurns(noteSeen(memory.inventory, changes, owner));
  const settled = await takeOver({
    changes: isReporting ? await gatherEvidence(pass, changes) : changes,
    owner,
    hub: context.hub,
    isKnown: (key) => context.neighbours.get(key) !== undefined,
    isAsked: goal.takesOver && !isReporting,
  });
  return { changes: settled, rivalClaims };
}

/** A request that takes several passes asks once. */
function doubtOf({ goal, context: { chance, clock, settings } }: Pass): Doubt {
  const isAsked = goal.request?.action === 'sync' && !goal.request.refusal && (goal.isForced || goal.isDryRun);
  const share = 1 + settings.pollJitter * (2 * chance() - 1);
  return {
    asked: isAsked ? (goal.intent.objects ?? 'all') : undefined,
    nowMs: clock.monotonicMs(),
    answerAgeMs: settings.answerAgeMs * share,
  };
}

/** Whether the Application that an object's marks name lets this one have it. */
export function isGivenUp(pass: Pass, id: ObjectId, annotation: string): boolean {
  const giver = parseOwner(annotation);
  if (giver?.hubId !== pass.context.hub.hubId) return false;
  return hasGivenUp(claimantOf(pass), applicationKey(giver.namespace, giver.name), id);
}

function runOf(health: Health | undefined): 'ended' | 'failed' | undefined {
  if (!health) return undefined;
  return health.status === 'Healthy' ? 'ended' : 'failed';
}

async function findKinds(
  { context, memory, target }: Pass,
  { desired, kinds }: BoundSet,
  inventory: ReadonlyMap<string, ObjectId>,
): Promise<KnownKinds> {
  const leftover = leftoverOf(desired.objects, inventory);
  if (leftover.length === 0) return { kinds, isUnservedGone: false };
  const { clock, settings } = context;
  const { discoveryRetryMs } = settings;
  return lookForMissingKinds(leftover, { evidence: memory.evidence, target, clock, discoveryRetryMs });
}

/**
 * The changes, those of them that are unsure and wait judged by a dry run. Unlike an apply, it does not make the
 * manifest accepted, so that it still waits. An answer is remembered as long as manifest and object stay the same.
 */
export async function foreseeChanges(
  { context, goal, identity, memory, target }: Pass,
  changes: readonly Change[],
  isWaiting: (change: Change) => boolean,
): Promise<readonly Change[]> {
  // A mode that writes nothing has asked before, and a dry run of a sync asks for what it would send alone.
  if (goal.intent.mode !== 'auto' || goal.isDryRun) return changes;
  const { evidence } = memory;
  const recalled = new Set<Change>();
  const known = changes.map((change) => {
    const foreseen = isWaiting(change) ? recallForeseen(evidence, change) : undefined;
    if (foreseen) recalled.add(foreseen);
    return foreseen ?? change;
  });
  return askDryRun(known, {
    client: target.as(identity),
    concurrency: context.settings.applyConcurrency,
    isAsked: (change) => isWaiting(change) && !recalled.has(change),
    judge: (change, answer) => noteForeseen(evidence, change, answer),
  });
}

/** A mode that writes nothing reports only differences that it knows; the proof of a dry run is remembered. */
function gatherEvidence(
  { context, identity, memory, target }: Pass,
  changes: readonly Change[],
): Promise<readonly Change[]> {
  return askDryRun(changes, {
    client: target.as(identity),
    concurrency: context.settings.applyConcurrency,
    judge: (change, answer) => {
      if (!answer.ok) return { ...change, reason: answer.refusal.message };
      return { ...noteDryRun(memory.evidence, change, answer.object), warnings: answer.warnings };
    },
  });
}
