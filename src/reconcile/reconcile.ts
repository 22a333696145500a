/**
 * One pass over one Application: the pipeline of docs/architecture.md, from Git to status, in order. It never waits for
 * the cluster: what is not ready yet is reported as waiting, and an event or a deadline starts the next pass.
 *
 * Invariants: position is computed afresh from what is live, never remembered; the inventory is written before the
 * first effect; this is the one place that catches StageError (through `attempt`).
 */
import { parseApplication } from '../application/parse.ts';
import type { Applied } from '../apply/applied.ts';
import { StageError } from '../object/stage-error.ts';
import { hasEffects, type Plan } from '../plan/plan.ts';
import type { Snapshot } from '../source/snapshot.ts';
import { decideAgain } from './report/next-pass.ts';
import { assessObjects } from './report/assess-objects.ts';
import { carryOut, countSync } from './effect/carry-out.ts';
import { stopWaiting } from './decide/claim-objects.ts';
import { compareLive } from './decide/compare-live.ts';
import type { ReconcileContext } from './context.ts';
import { answerDryRun, scratchOf, tryOut } from './effect/dry-run.ts';
import { finalise } from './deletion/finalise.ts';
import { noteRead } from './decide/hand-over.ts';
import { readInventory } from './decide/inventory.ts';
import { attempt, attemptTimed, beginPass, StatusConflict, timed, toFailure, type Pass } from './pass.ts';
import { planPass } from './decide/plan-pass.ts';
import type { Again } from './queue/keyed-queue.ts';
import { readCredential } from './desired/read-credential.ts';
import { refreshSource } from './desired/refresh-source.ts';
import { reportOf, type Findings } from './report/report-of.ts';
import { declaredIntent, forObjects, forRevision } from './requests.ts';
import { bindDesired, isUsable, renderSnapshot, type BoundSet } from './desired/bind-desired.ts';
import type { ApplicationState } from './memory.ts';
import { writeInvalid, writeStatus, writeSuspended } from './report/status-writer.ts';

/** At most; the watch's event that brings what somebody else wrote starts the pass at once. */
const MAX_CONFLICT_PAUSE_MS = 5_000;

export async function reconcile(
  state: ApplicationState,
  context: ReconcileContext,
  signal: AbortSignal,
): Promise<Again> {
  const parsed = parseApplication(state.stored);
  try {
    if (!parsed.ok) {
      if (parsed.metadata.deletionTimestamp)
        return await finalise({ ...parsed, spec: undefined }, state, context, signal);
      await writeInvalid(parsed, { state, context, base: state.stored });
      return { type: 'none' };
    }
    const { application } = parsed;
    if (application.metadata.deletionTimestamp) return await finalise(application, state, context, signal);
    const pass = beginPass({ application, state, context, signal });
    if (!application.spec.suspend) return await (pass.asked.isDryRun ? runTrial(pass) : runPass(pass));
    stopWaiting(pass);
    await writeSuspended(pass);
    return { type: 'none' };
  } catch (error) {
    if (signal.aborted) return { type: 'none' };
    if (error instanceof StatusConflict) return startOver(state);
    if (!(error instanceof StageError)) throw error;
    sayEndedEarly(state, context, error);
    return { type: 'backoff', atMostMs: context.settings.minPollBackoffMs };
  }
}

/**
 * Somebody wrote the Application meanwhile: what this pass saw is old, and the next one sees it all afresh, the
 * inventory included, since what was to be added to it was not stored.
 */
function startOver(state: ApplicationState): Again {
  state.memory.inventory = undefined;
  return { type: 'backoff', atMostMs: MAX_CONFLICT_PAUSE_MS };
}

/** Without a status there is nowhere to say it but the log; once, since an outage lasts for many passes. */
function sayEndedEarly({ key, memory }: ApplicationState, { log }: ReconcileContext, error: StageError): void {
  const isNews = memory.endedEarly !== error.code;
  memory.endedEarly = error.code;
  if (isNews) log.warn('a pass ended early', { application: key, code: error.code, reason: error.message });
}

async function runPass(pass: Pass): Promise<Again> {
  const findings = await walkPipeline(pass);
  const report = reportOf(pass, findings, 'ended');
  const { verdict, status } = await timed(pass, 'status', () => writeStatus(pass, report));
  const { memory } = pass.state;
  memory.endedEarly = undefined;
  // The next wait is a wait of its own, with the whole of spec.sync.timeout.
  if (verdict.ready === 'True') memory.attempt = undefined;
  return decideAgain(pass, { findings, report, verdict, answer: status.lastRequest });
}

/** A pass that writes nothing but the answer to its request, with a memory of its own. */
async function runTrial(pass: Pass): Promise<Again> {
  const { state } = pass;
  const { memory } = state;
  state.memory = scratchOf(memory);
  try {
    return await answerDryRun(pass, await walkPipeline(pass));
  } finally {
    // A webhook may have been heard meanwhile.
    state.memory = { ...memory, heardMs: state.memory.heardMs };
  }
}

/** The picture, left to right. What is missing from the findings was not reached. */
async function walkPipeline(pass: Pass): Promise<Findings> {
  const { application, asked, state } = pass;
  // Who asks gives it the whole of spec.sync.timeout anew.
  if (asked.isForced) state.memory.attempt = undefined;
  const inventory = await attempt(pass, 'status', () => readInventory(pass));
  if (!inventory) return {};
  const snapshot = await bringSnapshot(pass);
  if (!snapshot) return {};
  const bound = await readSnapshot(pass, snapshot);
  if (!bound) return { snapshot };
  const compared = await attemptTimed(pass, 'observe', () => compareLive(pass, bound, inventory));
  if (!compared) return { snapshot, bound };
  const { changes, contests } = compared;
  pass.asked = forObjects(pass.asked, application, changes);
  const planned = await planPass(pass, { snapshot, bound, inventory, changes });
  const findings: Findings = { snapshot, bound, contests, ...planned };
  const applied = await takeEffect(pass, planned.plan, findings);
  if (asked.isDryRun) return { ...findings, applied };
  const health = await timed(pass, 'health', () => assessObjects(pass, bound, planned.changes));
  return { ...findings, applied, health };
}

/** What became of the plan; undefined where it has no effects, or none could be had. */
async function takeEffect(pass: Pass, plan: Plan, findings: Findings): Promise<Applied | undefined> {
  if (!hasEffects(plan)) return undefined;
  if (pass.asked.isDryRun) return attemptTimed(pass, 'apply', () => tryOut(pass, plan));
  const applied = await attemptTimed(pass, 'apply', () => carryOut(pass, plan, findings));
  countSync(pass.context.metrics, applied);
  return applied;
}

/** The snapshot that the pass is about; a request that does not fit it is refused from here on. */
async function bringSnapshot(pass: Pass): Promise<Snapshot | undefined> {
  const { application, asked, context, signal, state } = pass;
  const { memory } = state;
  const { source: spec } = application.spec;
  const source = await timed(pass, 'source', () =>
    refreshSource(
      {
        spec: asked.commit === undefined ? spec : { ...spec, revision: asked.commit },
        credential: () => readCredential(pass),
        before: memory.source,
        heardMs: () => memory.heardMs,
        isForced: asked.isForced || isNewSpec(pass),
        signal,
      },
      context,
    ),
  );
  memory.source = source;
  if (source.error !== undefined) pass.failures.push(toFailure('source', source.error));
  if (source.snapshot) pass.asked = forRevision(asked, application, source.snapshot);
  return source.snapshot;
}

/** What the snapshot desires; what an earlier one desired where it cannot be rendered, and no sync is for that. */
async function readSnapshot(pass: Pass, snapshot: Snapshot): Promise<BoundSet | undefined> {
  const { spec } = pass.application;
  const manifests = await attemptTimed(pass, 'render', () => renderSnapshot(pass, snapshot));
  const bound = await attemptTimed(pass, 'bind', () => bindDesired(pass, manifests));
  if (!bound) return undefined;
  const isRead = manifests !== undefined && isUsable(manifests);
  if (!isRead && spec.sync.mode === 'manual') pass.asked = { ...pass.asked, intent: declaredIntent(spec) };
  if (!pass.asked.isDryRun) noteRead(pass, snapshot, bound);
  return bound;
}

/**
 * A changed spec is looked at with fresh eyes: who resumes or redirects an Application wants to see Git's state now.
 */
function isNewSpec({ application }: Pass): boolean {
  return application.status.observedGeneration !== application.metadata.generation;
}
