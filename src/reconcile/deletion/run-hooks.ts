/**
 * Runs the hooks of one phase of a deletion, one group after the other, without waiting: each pass brings the first
 * unfinished group on, and says what is waited for. A Job that failed is deleted and created again after a pause.
 *
 * Invariants: what is about to be created is in the inventory and in the records of Jobs before it is sent, so that
 * after a kill no hook runs twice and none is left behind; a phase ends only when all of its hooks have succeeded, or
 * when the namespace of the Application takes no new object any more.
 */
import { formatTime } from '../../application/conditions.ts';
import type { DeletionStatus } from '../../application/status-schema.ts';
import type { Applied } from '../../apply/applied.ts';
import { applyPlan } from '../../apply/apply.ts';
import { withHookRun } from '../../bind/hook-run.ts';
import type { DesiredObject } from '../../bind/desired.ts';
import { forEachConcurrently } from '../../cluster/concurrency.ts';
import type { LiveEntry } from '../../cluster/live.ts';
import { assessHealth, type Health } from '../../health/health.ts';
import type { DeletionPhase } from '../../object/hooks.ts';
import { formatId, idKey, type ObjectId } from '../../object/identity.ts';
import { groupHooks, hookRetryMs, isOfRun, judgeHook, planHooks, type HookState } from '../../plan/deletion-hooks.ts';
import type { Plan } from '../../plan/plan.ts';
import type { ConfirmationStatus } from '../../status/compose-bare.ts';
import { forgetJob, noteJob, noteStartedJob, readJobRecords, type JobRecords } from '../decide/ended-jobs.ts';
import { replaceInventory } from '../decide/inventory.ts';
import { endSending, noteSending, settleSentJobs } from '../decide/sent-jobs.ts';
import { ownerOfDeleted } from './carry-out.ts';
import type { Deletion } from './deletion.ts';
import { HOW_TO_SKIP_HOOKS } from './hooks-to-run.ts';
import { tellWait } from './tell-progress.ts';

export interface HookStage {
  readonly phase: DeletionPhase;
  readonly hooks: readonly DesiredObject[];
  /** The objects that the stored inventory keeps. */
  readonly left: readonly ObjectId[];
  /** The confirmation as status tells it while these objects are left. */
  readonly confirmationOf: (left: readonly ObjectId[]) => ConfirmationStatus;
}

/** `waiting`: some hook has not succeeded yet, and status says which. */
export async function runHooks(deletion: Deletion, stage: HookStage): Promise<'done' | 'waiting'> {
  const { deleted, record } = deletion;
  const jobs = readJobRecords(record.memory.endedJobs, deleted);
  const run = `${stage.phase}-${deleted.metadata.uid.slice(0, 8)}`;
  for (const group of groupHooks(stage.hooks.map((hook) => withHookRun(hook, run)))) {
    const looks = await lookAt(deletion, group, jobs);
    if (looks.some(({ state }) => state.type !== 'done')) return bringOn(deletion, stage, looks);
  }
  return 'done';
}

interface Look {
  readonly hook: DesiredObject;
  readonly entry: LiveEntry;
  readonly state: HookState;
}

async function lookAt(deletion: Deletion, group: readonly DesiredObject[], jobs: JobRecords): Promise<Look[]> {
  const { context, identity, target } = deletion;
  const client = target.as(identity);
  const { applyConcurrency: concurrency } = context.settings;
  const read = new Map<string, LiveEntry>();
  await forEachConcurrently(group, { concurrency }, async ({ id, kind }) => {
    const answer = await client.get(kind, id);
    const entry: LiveEntry = !answer.ok
      ? { state: 'unknown', reason: answer.refusal.message }
      : answer.object
        ? { state: 'present', object: answer.object }
        : { state: 'absent' };
    read.set(idKey(id), entry);
  });
  const owner = ownerOfDeleted(deletion);
  const settled = await settleSentJobs(read, {
    ...{ jobs, owner, client, concurrency, kinds: await target.kinds(), nowMs: context.clock.now() },
    desired: group,
  });
  return group.map((hook) => {
    const entry = settled.get(idKey(hook.id)) ?? { state: 'absent' };
    return { hook, entry, state: judgeHook({ desired: hook, entry, owner, health: healthOf(hook, entry, jobs) }) };
  });
}

/** Takes in the state of a Job. undefined: the hook has not been applied for this run. */
function healthOf(hook: DesiredObject, entry: LiveEntry, jobs: JobRecords): Health | undefined {
  if (entry.state === 'unknown') return undefined;
  const live = entry.state === 'present' ? entry.object : undefined;
  if (live && !isOfRun(live.body, hook.body)) return undefined;
  const gone = noteJob(jobs, { desired: hook, live, isAccepted: () => true });
  return live ? assessHealth(live) : gone;
}

/** Sends and deletes what the group needs now, and tells what it waits for. */
async function bringOn(deletion: Deletion, stage: HookStage, looks: readonly Look[]): Promise<'done' | 'waiting'> {
  const failed = looks.filter(({ state }) => state.type === 'failed');
  if (failed.length > 0) return retryFailed(deletion, stage, failed);
  const plan = planHooks(looks.map(({ state }) => state));
  const { context, deleted, record } = deletion;
  const { endedJobs } = record.memory;
  const added = plan.waves.flatMap(({ changes }) => changes.map(({ change }) => change.id));
  const left = unionOf(stage.left, added);
  const progress = progressOf(stage, deleted.status.deletion?.failures);
  const isActing = plan.waves.length + plan.prunes.length > 0;
  if (!isActing) return tell(deletion, { stage, left, progress, reason: waitText(stage, looks) });
  const sending = noteSending(endedJobs, plan, context.clock.now());
  await tell(deletion, { stage, left, progress, reason: `the ${stage.phase} hooks are started` });
  await context.onFaultPoint('inventory-written');
  const applied = await carryOutHooks(deletion, plan);
  endSending(endedJobs, sending, applied);
  await context.onFaultPoint('wave-applied');
  if (isHomeGoing(deletion, applied)) return skip(deletion, stage);
  return tell(deletion, { stage, left, progress, reason: waitText(stage, looks, applied) });
}

function carryOutHooks(deletion: Deletion, plan: Plan): Promise<Applied> {
  const { context, identity, record, signal, target } = deletion;
  return applyPlan(plan, {
    client: target.as(identity),
    owner: ownerOfDeleted(deletion),
    occasion: 'deletion',
    isConfirmed: true,
    concurrency: context.settings.applyConcurrency,
    signal,
    onResult: ({ change, live, outcome }) => {
      if (live && change.desired) noteStartedJob(record.memory.endedJobs, change.desired);
      context.metrics.onChange(outcome);
    },
  });
}

/** Failed Jobs run again after a pause. Status forgets their run before they are deleted. */
async function retryFailed(deletion: Deletion, stage: HookStage, failed: readonly Look[]): Promise<'waiting'> {
  const { context, deleted, record } = deletion;
  const { failures = 0, retryAt } = deleted.status.deletion ?? {};
  const nowMs = context.clock.now();
  const [first] = failed;
  const name = first ? formatId(first.hook.id) : '';
  const why = first && 'why' in first.state ? first.state.why : '';
  const { left } = stage;
  const failureText = (next: string): string =>
    `the ${stage.phase} hook ${name} has failed: ${why}; it runs again at ${next}; ${HOW_TO_SKIP_HOOKS}`;
  if (retryAt === undefined) {
    const next = formatTime(nowMs + hookRetryMs(failures + 1));
    const reason = failureText(next);
    context.notify({ type: 'Warning', reason: 'HookFailed', action: 'Delete', note: reason }, record.stored);
    const progress = { ...progressOf(stage, failures + 1), retryAt: next };
    return tell(deletion, { stage, left, progress, reason, isHookFailed: true });
  }
  const progress = progressOf(stage, failures);
  if (nowMs < Date.parse(retryAt)) {
    const reason = failureText(retryAt);
    return tell(deletion, { stage, left, progress: { ...progress, retryAt }, reason, isHookFailed: true });
  }
  for (const { hook } of failed) forgetJob(record.memory.endedJobs, hook.id);
  await tell(deletion, {
    stage,
    left,
    progress,
    reason: `the ${stage.phase} hook ${name} is run again after it failed`,
  });
  await carryOutHooks(deletion, planHooks(failed.flatMap(removalOf)));
  return 'waiting';
}

function removalOf({ hook, entry }: Look): HookState[] {
  if (entry.state !== 'present') return [];
  const { id, kind } = hook;
  return [{ type: 'remove', change: { type: 'prune', id, kind, desired: hook, live: entry.object, fields: [] } }];
}

/** Whether a hook can never run, since the namespace of the Application is being deleted. */
function isHomeGoing({ deleted }: Deletion, applied: Applied): boolean {
  return [...applied.values()].some(
    ({ change, refusal }) =>
      refusal?.code === 'NamespaceTerminating' && change.id.namespace === deleted.metadata.namespace,
  );
}

/** The log tells it too: a namespace in deletion takes no new Event. */
function skip({ context, record }: Deletion, { phase }: HookStage): 'done' {
  const note = `The ${phase} hooks are skipped: the namespace of the Application is being deleted, so they cannot run.`;
  context.log.warn('hooks are skipped', { application: record.key, phase, reason: note });
  context.notify({ type: 'Warning', reason: 'HooksSkipped', action: 'Delete', note }, record.stored);
  return 'done';
}

function progressOf({ phase }: HookStage, failures: number | undefined): DeletionStatus {
  return { phase, ...(failures ? { failures } : {}) };
}

function unionOf(left: readonly ObjectId[], added: readonly ObjectId[]): readonly ObjectId[] {
  return [...new Map([...left, ...added].map((id) => [idKey(id), id])).values()];
}

/** Names the hook that is waited for: one that was refused, else one that blocks, else the first that is not done. */
function waitText({ phase }: HookStage, looks: readonly Look[], applied: Applied = new Map()): string {
  const refused = [...applied.values()].find(({ refusal, outcome }) => refusal ?? outcome === 'conflict');
  if (refused) {
    const why = refused.refusal?.message ?? refused.message ?? refused.outcome;
    return `the ${phase} hook ${formatId(refused.change.id)} cannot be started: ${why}; ${HOW_TO_SKIP_HOOKS}`;
  }
  const open = looks.filter(({ state }) => state.type !== 'done');
  const shown = open.find(({ state }) => state.type === 'blocked') ?? open[0];
  if (!shown) return `the ${phase} hooks run`;
  const why = 'why' in shown.state ? shown.state.why : 'it was just started';
  return `the deletion waits for the ${phase} hook ${formatId(shown.hook.id)}: ${why}`;
}

interface Told {
  readonly stage: HookStage;
  readonly left: readonly ObjectId[];
  readonly progress: DeletionStatus;
  readonly reason: string;
  readonly isHookFailed?: true;
}

async function tell(deletion: Deletion, { stage, left, progress, reason, isHookFailed }: Told): Promise<'waiting'> {
  await storeProgress(deletion, { left, progress, reason, confirmation: stage.confirmationOf(left) }, isHookFailed);
  return 'waiting';
}

export interface Stored {
  readonly left: readonly ObjectId[];
  readonly progress: DeletionStatus;
  readonly reason: string;
  readonly confirmation: ConfirmationStatus;
}

/** Stores how far the deletion has come, with the objects and the records of Jobs that belong to it. */
export async function storeProgress(
  deletion: Deletion,
  { left, progress, reason, confirmation }: Stored,
  isHookFailed = false,
): Promise<void> {
  const { ended, started } = deletion.record.memory.endedJobs;
  replaceInventory(deletion.record.memory.inventory, left);
  const hooks = { deletion: progress, finished: recordsOf(ended), started: recordsOf(started) };
  await tellWait(deletion, { left, reason, confirmation, isHookFailed, hooks });
  // A later write of this pass begins with what this one has stored.
  deletion.deleted = { ...deletion.deleted, status: { ...deletion.deleted.status, ...hooks } };
}

function recordsOf(records: ReadonlyMap<string, string> | undefined): Record<string, string> | undefined {
  return records && records.size > 0
    ? Object.fromEntries([...records].sort(([a], [b]) => (a < b ? -1 : 1)))
    : undefined;
}
