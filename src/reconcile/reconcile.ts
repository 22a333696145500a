/**
 * One pass over one Application: the pipeline of docs/architecture.md, from Git to status, in order. It never waits for
 * the cluster: an object that is not ready yet is reported as waited for, and an event or a deadline starts the next
 * pass.
 *
 * Invariants: the position is computed from what is live, never remembered; the inventory is written before the first
 * effect; a StageError is caught here, or by `attempt` as a failure of the pass.
 */
import type { ParsedApplication } from '../application/parse.ts';
import type { Applied } from '../apply/applied.ts';
import type { Desired } from '../bind/desired.ts';
import { nextTurn } from '../cluster/concurrency.ts';
import type { Change } from '../diff/changes.ts';
import type { ObjectId } from '../object/identity.ts';
import { StageError } from '../object/stage-error.ts';
import { hasEffects, type Plan } from '../plan/plan.ts';
import { hasSyncWaves } from '../plan/sync-waves.ts';
import type { Snapshot } from '../source/snapshot.ts';
import { endAttempt, noteHealth, startAttempt } from './attempt.ts';
import type { ReconcileContext } from './context.ts';
import { claimantOf, stopWaiting } from './decide/claim-objects.ts';
import { compareLive, foreseeChanges } from './decide/compare-live.ts';
import { invalidChecks, runHealthChecks, type CheckResults } from './decide/health-checks.ts';
import { takeEntrusted } from './decide/entrusted.ts';
import { healApplied, withoutHeals } from './decide/heal-applied.ts';
import { encodeAhead, forgetInventory, forgetWritten, readInventory } from './decide/inventory.ts';
import { announceDesired, isUnsent, planPass, planQuestionOf, type PlannedPass } from './decide/plan-pass.ts';
import { recallAccepted } from './decide/recall-accepted.ts';
import { finalise } from './deletion/finalise.ts';
import { bindDesired, type BoundSet } from './desired/bind-desired.ts';
import { bringSnapshot } from './desired/bring-snapshot.ts';
import { readApplied } from './desired/read-applied.ts';
import { revisionsOf, sourceFor } from './desired/memory.ts';
import { dataOf, forgetRefusedRender, isUsable, renderSnapshot } from './desired/render-snapshot.ts';
import { carryOut, countSync } from './effect/carry-out.ts';
import { answerDryRun, tryOut } from './effect/dry-run.ts';
import { locateRefusals } from './effect/locate-refusals.ts';
import type { ApplicationRecord } from './memory.ts';
import { dependenciesOf } from './neighbours/readiness.ts';
import { attempt, attemptTimed, beginPass, StatusConflict, timed, type NextPass, type Pass } from './pass.ts';
import { awaitedGroupsOf } from './report/awaited-groups.ts';
import { assessObjects } from './report/assess-objects.ts';
import { findMissingAccount } from './report/missing-account.ts';
import { decideNextPass, endedPassOf } from './report/next-pass.ts';
import { reportOf, worstOf, type Findings } from './report/report-of.ts';
import { forgetRest, keepComposed, markOf, noteRest, recallRest, type WholeFindings } from './report/rest.ts';
import { isWriteRefused, writeInvalid, writeStatus, writeSuspended } from './report/status-writer.ts';
import { declaredIntent, goalForObjects } from './requests.ts';

/** The longest pause after a conflict; the watch event of the other write starts the pass at once. */
const MAX_CONFLICT_PAUSE_MS = 5_000;

/** `parsed` is the stored form of the record. */
export async function reconcile(
  record: ApplicationRecord,
  parsed: ParsedApplication,
  context: ReconcileContext,
  signal: AbortSignal,
): Promise<NextPass> {
  try {
    const { metadata, status, spec } = parsed.ok ? parsed.application : { ...parsed, spec: undefined };
    if (metadata.deletionTimestamp || !spec || spec.suspend) record.awaitedGroups = new Set();
    if (metadata.deletionTimestamp) {
      const readAppliedNow = () => readAtEnd({ parsed, record, context, signal });
      return await finalise({ metadata, status, spec }, record, { ...context, readApplied: readAppliedNow }, signal);
    }
    if (!parsed.ok) {
      await writeInvalid(parsed, { record, context, base: record.stored });
      return { type: 'none' };
    }
    const pass = beginPass({ application: parsed.application, record, context, signal });
    if (!parsed.application.spec.suspend) return await (pass.goal.isDryRun ? runDryRun(pass) : runPass(pass));
    stopWaiting(claimantOf(pass));
    forgetWritten(record.memory.inventory);
    await writeSuspended(pass);
    return { type: 'none' };
  } catch (error) {
    if (signal.aborted) return { type: 'none' };
    if (error instanceof StatusConflict) return startOver(record);
    if (!(error instanceof StageError)) throw error;
    logEarlyEnd(record, context, error);
    if (isWriteRefused(error)) pollUnasked(record, context);
    return { type: 'backoff', atMostMs: context.settings.minPollBackoffMs };
  }
}

interface End {
  readonly parsed: ParsedApplication;
  readonly record: ApplicationRecord;
  readonly context: ReconcileContext;
  readonly signal: AbortSignal;
}

/** The objects that a deleted Application has applied last, for its hooks. */
async function readAtEnd({ parsed, ...rest }: End): Promise<Desired | undefined> {
  if (parsed.ok) return readApplied(beginPass({ application: parsed.application, ...rest }));
  const message = `the spec cannot be read: ${parsed.problems.join('; ')}`;
  throw new StageError({ stage: 'bind', code: 'InvalidObject', retry: 'never', message });
}

/**
 * The Application was written meanwhile: the next pass reads everything again, the inventory included, since its
 * additions were not stored.
 */
function startOver({ memory }: ApplicationRecord): NextPass {
  forgetInventory(memory.inventory);
  return { type: 'backoff', atMostMs: MAX_CONFLICT_PAUSE_MS };
}

/** While the Application cannot be written, the interval is no shorter than this: a retry comes every few seconds. */
const UNASKED_POLL_MS = 15_000;

/** No request can be written either, and the next commit may remove the cause: the next pass polls for it. */
function pollUnasked({ memory, signals }: ApplicationRecord, { clock }: ReconcileContext): void {
  const { polledMs = Infinity } = memory.desired.source ?? {};
  if (clock.monotonicMs() - polledMs >= UNASKED_POLL_MS) signals.pollsAsked++;
}

/** Without a status only log, Events and metrics can tell it; once, since an outage lasts for many passes. */
function logEarlyEnd({ key, memory, stored }: ApplicationRecord, context: ReconcileContext, error: StageError): void {
  const isNews = memory.run.endedEarly !== error.code;
  memory.run.endedEarly = error.code;
  if (!isNews) return;
  context.log.warn('a pass ended early', { application: key, code: error.code, reason: error.message });
  if (error.stage !== 'status') return;
  context.notify({ type: 'Warning', reason: 'StatusNotWritten', action: 'Reconcile', note: error.message }, stored);
}

async function runPass(pass: Pass): Promise<NextPass> {
  const findings = await walkPipeline(pass);
  const missing = await findMissingAccount(pass, findings);
  if (missing) pass.failures.unshift(missing);
  const known = findings.known?.parts;
  await nextTurn();
  if (!known) await encodeAhead(pass.memory.inventory);
  await nextTurn();
  const report = reportOf(pass, findings, 'ended');
  const composed = await timed(pass, 'status', () => writeStatus(pass, report, known));
  keepComposed(pass.memory, findings, composed);
  const { verdict, status } = composed;
  pass.memory.run.endedEarly = undefined;
  await nextTurn();
  pass.record.awaitedGroups = awaitedGroupsOf(report);
  if (verdict.ready === 'True') endAttempt(pass.memory.clocks);
  // The pass has decided to go back to an earlier revision, which the next one applies.
  if (status.hold && status.hold.since !== pass.goal.hold?.since) return { type: 'after', delayMs: 0 };
  // The next pass applies the hooks of the failed sync.
  const failedNow = status.sync?.failed;
  if (failedNow !== undefined && failedNow !== pass.application.status.sync?.failed)
    return { type: 'after', delayMs: 0 };
  return decideNextPass(endedPassOf(pass, { findings, report, verdict, answer: status.lastRequest }));
}

/** Writes only the answer to its request; the pass has a copy of the memory. */
async function runDryRun(pass: Pass): Promise<NextPass> {
  return answerDryRun(pass, await walkPipeline(pass));
}

/** The picture, left to right. Stages that were not reached are missing from the findings. */
async function walkPipeline(pass: Pass): Promise<Findings> {
  const { application, context, memory } = pass;
  const { clocks } = memory;
  // A person who asks gives the sync the whole of spec.sync.timeout again.
  if (pass.goal.isForced) endAttempt(clocks);
  const inventory = await attempt(pass, 'status', () => readInventory(memory.inventory, application));
  if (inventory && !pass.goal.isDryRun) takeEntrusted(pass, inventory);
  const snapshot = inventory && (await bringSnapshot(pass, pass.goal.isForced || isNewSpec(pass)));
  const begun = { attempt: startAttempt(clocks, revisionsOf(memory.desired, snapshot), context.clock) };
  if (!snapshot) return begun;
  const bound = await readSnapshot(pass, snapshot);
  if (!bound) return { ...begun, snapshot };
  // Before its first effect a pass ends as soon as it is aborted: it must neither claim nor wait for anything more.
  pass.signal.throwIfAborted();
  const found = await settleObjects(pass, { snapshot, bound, inventory, begun });
  if (!found.health) return found;
  const worst = worstOf(found);
  noteHealth(clocks, { revision: snapshot.revision, worst, nowMs: context.clock.monotonicMs() });
  return found;
}

/** The part of the findings that comes before the objects are looked at. */
interface Ground {
  readonly snapshot: Snapshot;
  readonly bound: BoundSet;
  readonly inventory: Map<string, ObjectId>;
  readonly begun: Pick<Findings, 'attempt'>;
}

/** Looks at the objects and brings them to the state of Git, or takes over that they are at rest there. */
export async function settleObjects(pass: Pass, ground: Ground): Promise<Findings> {
  const { begun, bound, inventory, snapshot } = ground;
  const mark = markOf(pass, bound, inventory);
  const rest = mark && recallRest(pass, mark);
  if (rest) return { ...begun, snapshot, bound, ...rest };
  forgetRest(pass.memory);
  const found = await compareAndAct(pass, ground);
  if (mark && isWhole(found)) await noteRest(pass, mark, found);
  return found;
}

function isWhole(findings: Findings): findings is WholeFindings {
  return findings.plan !== undefined && findings.health !== undefined;
}

async function compareAndAct(pass: Pass, { begun, bound, inventory, snapshot }: Ground): Promise<Findings> {
  const { application, record } = pass;
  const compared = await attemptTimed(pass, 'observe', () => compareLive(pass, bound, inventory));
  if (!compared) return { ...begun, snapshot, bound };
  const { changes, rivalClaims } = compared;
  await nextTurn();
  pass.signal.throwIfAborted();
  pass.goal = goalForObjects(pass.goal, application, changes);
  const isActing = pass.goal.intent.mode === 'auto' && !pass.goal.isDryRun;
  // Nothing is held back in an Application without waves and dependencies, unless the plan has no room.
  const mayWait = dependenciesOf(record.stored).length > 0 || hasSyncWaves(changes);
  if (isActing && mayWait) await recallAccepted(pass, bound);
  const checks = await checkGate(pass, changes);
  const plan = (): Promise<PlannedPass> =>
    planPass(planQuestionOf(pass, checks), { snapshot, bound, inventory, changes });
  let { planned, goal, excess } = await plan();
  if (excess && isActing && (await recallAccepted(pass, bound))) ({ planned, goal, excess } = await plan());
  pass.goal = goal;
  if (excess) pass.failures.push(excess);
  await nextTurn();
  pass.signal.throwIfAborted();
  const foreseen = await foreseeChanges(pass, planned.changes, isUnsent(planned));
  const heals = await healApplied(pass, bound, planned);
  const { braked } = heals;
  const findings: Findings = { ...begun, snapshot, bound, rivalClaims, ...planned, changes: foreseen, braked };
  const sent = { ...planned.plan, waves: [...heals.waves, ...planned.plan.waves] };
  const results = await takeEffect(pass, sent, findings);
  const applied = results && withoutHeals(results, heals.waves);
  if (pass.goal.isDryRun) return { ...findings, applied };
  await nextTurn();
  const health = await timed(pass, 'health', () => assessObjects(pass, bound, planned.changes));
  await nextTurn();
  const invalid = invalidChecks(pass);
  if (invalid) pass.failures.push(invalid);
  return { ...findings, applied, health };
}

/** Health by the checks of people, for the gate between waves. undefined: a dry run, which waits for nothing. */
async function checkGate(pass: Pass, changes: readonly Change[]): Promise<CheckResults | undefined> {
  if (pass.goal.isDryRun) return undefined;
  const live = changes.flatMap((change) => (change.desired && change.live ? [change.live] : []));
  return runHealthChecks(pass, live);
}

/** The results of the plan. undefined: it has no effects, or they failed as a whole. */
async function takeEffect(pass: Pass, plan: Plan, findings: Findings): Promise<Applied | undefined> {
  if (!hasEffects(plan)) return undefined;
  if (pass.goal.isDryRun) return attemptTimed(pass, 'apply', () => tryOut(pass, plan));
  const applied = await attemptTimed(pass, 'apply', () => carryOut(pass, plan, findings));
  countSync(pass.context.metrics, applied);
  return applied && findings.snapshot ? locateRefusals(pass, findings.snapshot, applied) : applied;
}

/**
 * Desired objects of the snapshot, or of the last one that could be rendered; in the second case a requested sync is
 * not carried out.
 */
async function readSnapshot(pass: Pass, snapshot: Snapshot): Promise<BoundSet | undefined> {
  const { application, context, record } = pass;
  const { spec } = application;
  const isPinned = pass.goal.commit !== undefined;
  if (pass.goal.isForced) forgetRefusedRender(pass.memory);
  const isOfEarlierSpec = sourceFor(pass.memory.desired, isPinned)?.isOfEarlierSpec === true;
  const manifests = isOfEarlierSpec
    ? undefined
    : await attemptTimed(pass, 'render', () => renderSnapshot(pass, snapshot));
  if (!pass.goal.isDryRun) context.hub.data.keep(record.key, pass.identity, dataOf(pass));
  const bound = await attemptTimed(pass, 'bind', () => bindDesired(pass, manifests));
  const announcer = { key: record.key, application, context, memory: pass.memory, isPinned };
  if (!pass.goal.isDryRun) announceDesired(announcer, { snapshot, manifests, bound });
  if (!bound) return undefined;
  const isRead = manifests !== undefined && isUsable(manifests);
  if (!isRead && spec.sync.mode === 'manual') pass.goal = { ...pass.goal, intent: declaredIntent(spec, pass.goal) };
  return bound;
}

/** A person who resumes or redirects an Application wants to see the present state of Git. */
function isNewSpec({ application }: Pass): boolean {
  return application.status.observedGeneration !== application.metadata.generation;
}
