/**
 * An Application at rest: every object is as Git has it and Healthy, and nothing waits. As long as nothing has changed
 * that a pass looks at, the next pass takes these findings over, and does not observe, compare, plan or assess again.
 *
 * Invariant: whatever the findings depend on is part of the mark, or keeps an Application from being at rest. That is
 * true of everything that only time changes as well: heals that are remembered, Jobs that run, waits, answers that are
 * to be doubted, and objects that no watch reports.
 */
import { inTurns } from '../../cluster/concurrency.ts';
import type { Change } from '../../diff/changes.ts';
import { REASONS } from '../../diff/diff.ts';
import { PART_OF_LABEL } from '../../object/applyset.ts';
import { compareIds, idKey, type ObjectId } from '../../object/identity.ts';
import { sortSteps, visitSteps, type Steps } from '../../object/steps.ts';
import { stringAt } from '../../object/value.ts';
import { hasEffects } from '../../plan/plan.ts';
import type { ComposedStatus } from '../../status/compose.ts';
import { awaitDependencies } from '../decide/await-dependencies.ts';
import type { Planned } from '../decide/plan-pass.ts';
import type { BoundSet } from '../desired/bind-desired.ts';
import type { Memory } from '../memory.ts';
import type { Pass } from '../pass.ts';
import type { RestMark } from './memory.ts';
import { worstOf, type Findings } from './report-of.ts';

/** Findings of a pass that came to its end. */
export type WholeFindings = Findings & Planned & Required<Pick<Findings, 'rivalClaims' | 'health'>>;

/** The part of a pass that decides whether its Application is at rest. */
export type RestingPass = Pick<
  Pass,
  'application' | 'goal' | 'failures' | 'isCutShort' | 'record' | 'target' | 'context' | 'signals'
> & { readonly memory: Pick<Memory, 'rest' | 'evidence' | 'endedJobs' | 'heals'> };

/** To be taken before a pass looks at anything. undefined: this pass has to look, whatever the last one has found. */
export function markOf(
  { application, context, failures, goal, memory, record, target }: RestingPass,
  { desired, kinds, isComplete }: BoundSet,
  inventory: ReadonlyMap<string, ObjectId>,
): RestMark | undefined {
  const { mode, prune, objects } = goal.intent;
  const isAsked = goal.isDryRun || goal.takesOver || (goal.request !== undefined && goal.request.action !== 'refresh');
  // In mode detect an Application claims nothing, so that no claim tells of another one.
  if (isAsked || goal.commit !== undefined || objects !== undefined || mode === 'detect') return undefined;
  if (!isComplete || failures.length > 0) return undefined;
  const { doubtAtMs } = memory.evidence;
  if (doubtAtMs === undefined || context.clock.monotonicMs() >= doubtAtMs) return undefined;
  const liveVersion = target.live.versionFor(record.key);
  if (liveVersion === undefined) return undefined;
  const { metadata, status } = application;
  return {
    ...{ mode, prune, desired, kinds, inventory, inventorySize: inventory.size, liveVersion },
    claimsVersion: context.claims.versionFor(record.key),
    generation: metadata.generation,
    acceptedDigest: status.sync?.digest,
    finished: JSON.stringify(status.finished ?? {}),
  };
}

/** The findings of the last pass, if this one would find the same. */
export function recallRest(pass: RestingPass, mark: RestMark): Omit<WholeFindings, 'attempt'> | undefined {
  const { found } = pass.memory.rest;
  const isSame = found && (Object.keys(mark) as (keyof RestMark)[]).every((key) => found.mark[key] === mark[key]);
  if (!isSame || isInCycle(pass)) return undefined;
  const { changes, gate, health, left, plan, worst } = found.findings;
  return {
    ...{ changes, gate, health, plan, guard: { left, confirmedBy: undefined }, isComplete: true, isEmptyRender: false },
    ...{ rivalClaims: [], awaited: undefined, handOverAgainInMs: Infinity },
    braked: { held: new Map(), contested: [], againInMs: Infinity },
    known: { worst, parts: found.composed },
  };
}

/** Other Applications may have come to depend on this one in a circle, which status tells. */
function isInCycle({ context: { neighbours }, record: { key, stored } }: RestingPass): boolean {
  const nothing = { revision: '', state: { commit: '', readByMs: Infinity }, changes: [], isAccepted: () => true };
  return awaitDependencies({ key, stored, neighbours, ...nothing }) !== undefined;
}

/** To be called before a pass looks at the objects: what it does may change everything. */
export function forgetRest({ rest }: RestingPass['memory']): void {
  rest.found = undefined;
}

/** To be called at the end of a pass, with the mark that was taken before it looked at anything. */
export async function noteRest(pass: RestingPass, mark: RestMark, findings: WholeFindings): Promise<void> {
  if (!(await inTurns(isAtRest(pass, mark, findings)))) return;
  const { gate, guard, health, plan } = findings;
  const changes = await inTurns(sortSteps(findings.changes, (a, b) => compareIds(a.id, b.id)));
  const found = { changes, gate, health, plan, left: guard.left, worst: worstOf(findings) };
  pass.memory.rest.found = { mark, findings: found, composed: undefined };
}

/** Keeps the parts of the status of a pass that was found at rest. `findings` are those of that pass. */
export function keepComposed(
  { rest }: RestingPass['memory'],
  findings: Pick<Findings, 'health'>,
  { objects, status }: Pick<ComposedStatus, 'objects' | 'status'>,
): void {
  const { found } = rest;
  if (found && found.findings.health === findings.health) found.composed ??= { objects, inventory: status.inventory };
}

function* isAtRest(pass: RestingPass, { inventory, mode }: RestMark, findings: WholeFindings): Steps<boolean> {
  const { failures, isCutShort, memory } = pass;
  const { started, seenRunning } = memory.endedJobs;
  const isRunning = (started?.size ?? 0) + seenRunning.size > 0;
  if (failures.length > 0 || isCutShort || isRunning || memory.heals.records.size > 0) return false;
  if (isWaiting(findings) || findings.rivalClaims.length > 0) return false;
  if (!findings.isComplete || findings.isEmptyRender || findings.guard.confirmedBy !== undefined) return false;
  if (findings.health.values().some(({ status }) => status !== 'Healthy')) return false;
  let isWhole = true;
  yield* visitSteps(findings.changes, (change) => {
    isWhole &&= isSettled(change, inventory) || (mode === 'auto' && isDoneJob(change));
  });
  return isWhole;
}

function isWaiting({ awaited, braked, handOverAgainInMs, plan }: WholeFindings): boolean {
  const isLater = handOverAgainInMs !== Infinity || braked.againInMs !== Infinity;
  const isOpen = plan.waitingFor.length > 0 || plan.left.length > 0 || plan.held !== undefined;
  return isLater || isOpen || awaited !== undefined || braked.contested.length > 0 || hasEffects(plan);
}

/** As Git has it, and in a watch, which carries our label: a read of any other object holds for a while only. */
function isSettled(
  { id, type, desired, live, isLeftToOther }: Change,
  inventory: ReadonlyMap<string, ObjectId>,
): boolean {
  if (type !== 'none' || !desired || !live || isLeftToOther || !inventory.has(idKey(id))) return false;
  const isWatched = stringAt(live.body.metadata, 'labels', PART_OF_LABEL) !== undefined;
  return isWatched && live.deletionTimestamp === undefined;
}

function isDoneJob({ type, desired, live, reason }: Change): boolean {
  return (
    type === 'none' && desired !== undefined && !live && (reason === REASONS.finished || reason === REASONS.failed)
  );
}
