/**
 * The verdict on a pass: one reason, one message, and whether a retry can help. The first rule of the table that
 * applies decides, so that of several failures the most fundamental one is reported.
 */
import { describeHold } from '../application/hold.ts';
import { isSettledHealth } from '../application/status-schema.ts';
import { describeWindow } from '../application/windows.ts';
import type { ChangeResult } from '../apply/applied.ts';
import type { Change } from '../diff/changes.ts';
import { compareIds, formatId, idKey } from '../object/identity.ts';
import { formatProblem, isPassing } from '../object/problem.ts';
import type { Wait } from '../plan/plan.ts';
import type { ObjectStatus } from './object-status.ts';
import { refusedChanges, type Intent, type PassReport, type StageFailure } from './report.ts';

export interface PassVerdict {
  readonly ready: 'True' | 'False';
  readonly reason: string;
  readonly message: string;
  /** A retry cannot help until the spec or the revision changes. kstatus reads it as Failed. */
  readonly isStalled: boolean;
  /** Work is under way or will be retried. kstatus reads it as InProgress. */
  readonly isReconciling: boolean;
}

type Rule = (report: PassReport, statuses: readonly ObjectStatus[]) => PassVerdict | undefined;

const RULES: readonly Rule[] = [
  (report) => stageFailure(report),
  (report) => badManifests(report),
  (report) => emptyRender(report),
  (report) => failedChanges(report),
  (report) => dependency(report),
  (report) => unobserved(report),
  (report) => conflicts(report),
  (report) => heldPrune(report),
  (report, statuses) => waiting(report, statuses),
  (report, statuses) => rolledBack(report, statuses),
  (report, statuses) => drifted(report, statuses),
  (report, statuses) => unwell(report, statuses),
];

export function judgePass(report: PassReport, statuses: readonly ObjectStatus[]): PassVerdict {
  if (report.phase === 'begun') {
    return progressing('Progressing', `applying ${report.revision ?? 'the desired objects'}`);
  }
  for (const rule of RULES) {
    const verdict = rule(report, statuses);
    if (verdict) return verdict;
  }
  const inSync = statuses.filter(({ sync }) => sync === 'Synced').length;
  return {
    ready: 'True',
    reason: 'ReconciliationSucceeded',
    message: `${report.revision ?? 'no revision'}: ${inSync} ${inSync === 1 ? 'object' : 'objects'} in sync`,
    isStalled: false,
    isReconciling: false,
  };
}

function stageFailure({ failures }: PassReport): PassVerdict | undefined {
  const failure = failures[0];
  if (!failure) return undefined;
  return failed({ reason: REASON_BY_STAGE[failure.stage], message: failure.message, retry: failure.retry });
}

/** Reason of Ready for a failed stage. SourceReady and Rendered carry the code of the stage. */
const REASON_BY_STAGE: Readonly<Record<StageFailure['stage'], string>> = {
  source: 'ArtifactFailed',
  render: 'BuildFailed',
  bind: 'BuildFailed',
  observe: 'ObservationFailed',
  diff: 'ReconciliationFailed',
  plan: 'ReconciliationFailed',
  apply: 'ReconciliationFailed',
  prune: 'PruneFailed',
  health: 'HealthCheckFailed',
  status: 'ReconciliationFailed',
};

function badManifests({ problems }: PassReport): PassVerdict | undefined {
  const [first, ...more] = problems;
  if (!first) return undefined;
  const rest = more.length > 0 ? `\n… and ${more.length} more` : '';
  return failed({
    reason: 'BuildFailed',
    message: `${formatProblem(first)}${rest}`,
    retry: problems.every(isPassing) ? 'backoff' : 'never',
  });
}

function emptyRender(report: PassReport): PassVerdict | undefined {
  if (!report.isEmptyRender) return undefined;
  const kept = report.inventory?.length ?? 0;
  const [why = '', ...hint] = (report.whyEmpty ?? `${report.revision ?? 'the revision'} renders no object`).split('\n');
  const rest = kept === 0 ? '' : kept === 1 ? '; the applied object is kept' : `; the ${kept} applied objects are kept`;
  return failed({ reason: 'EmptyRender', message: [`${why}${rest}`, ...hint].join('\n'), retry: 'never' });
}

/** Needs no retry: a change of the other Application starts the next pass. */
function dependency({ unready }: PassReport): PassVerdict | undefined {
  return unready === undefined ? undefined : progressing(DEPENDENCY_NOT_READY, unready);
}

const DEPENDENCY_NOT_READY = 'DependencyNotReady';

function failedChanges({ applied }: PassReport): PassVerdict | undefined {
  const failures = resultsOf(applied, 'failed');
  const first = failures[0];
  if (!first) return undefined;
  const rest = failures.length > 1 ? `; ${failures.length - 1} more failed` : '';
  const isPrune = first.change.type === 'prune' || first.change.type === 'release';
  return failed({
    reason: isPrune ? 'PruneFailed' : 'ReconciliationFailed',
    message: `${describeFailure(first)}${rest}`,
    retry: failures.every(({ refusal }) => refusal?.retry === 'never') ? 'never' : 'backoff',
  });
}

/** Sorted by id: answers arrive in any order, and equal failures must give equal messages. */
function resultsOf(applied: PassReport['applied'], wanted: ChangeResult['outcome']): ChangeResult[] {
  return [...applied.values()]
    .filter(({ outcome }) => outcome === wanted)
    .sort((a, b) => compareIds(a.change.id, b.change.id));
}

function describeFailure({ change, refusal, message, line }: ChangeResult): string {
  return `${describePlace(change, line)}: ${refusal?.message ?? message ?? 'failed'}`;
}

function describePlace({ id, desired }: Change, line = desired?.line): string {
  return desired ? `${formatId(id)} (${desired.file}:${line})` : formatId(id);
}

/** Objects that cannot be read are neither applied nor pruned. */
function unobserved({ changes }: PassReport): PassVerdict | undefined {
  const unknown = changes.filter(({ type }) => type === 'unknown').sort((a, b) => compareIds(a.id, b.id));
  const first = unknown[0];
  if (!first) return undefined;
  const rest = unknown.length > 1 ? `; ${unknown.length - 1} more` : '';
  const message = `${describePlace(first)}: ${first.reason ?? 'its state cannot be read'}${rest}`;
  return failed({ reason: REASON_BY_STAGE.observe, message, retry: 'backoff' });
}

function conflicts(report: PassReport): PassVerdict | undefined {
  const conflicting = refusedChanges(report);
  const first = conflicting[0];
  if (!first) return undefined;
  const reason = first.reason ?? report.applied.get(idKey(first.id))?.message ?? 'managed by another Application';
  const rest = conflicting.length > 1 ? `; ${conflicting.length - 1} more` : '';
  return failed({ reason: 'Conflict', message: `${formatId(first.id)}: ${reason}${rest}`, retry: 'backoff' });
}

function heldPrune({ held }: PassReport): PassVerdict | undefined {
  return held ? failed({ reason: 'PruneHeld', message: held.reason, retry: 'never' }) : undefined;
}

function waiting(report: PassReport, statuses: readonly ObjectStatus[]): PassVerdict | undefined {
  // The health of a workload says more than what waits for its rollout.
  const rollouts = report.waitingFor.filter(({ isForRollout }) => isForRollout);
  const others = report.waitingFor.filter(({ isForRollout }) => !isForRollout);
  const waits = [
    ...others,
    ...resultsOf(report.applied, 'waiting').map((result) => waitOf(result, 'waits')),
    ...resultsOf(report.applied, 'pruning').map((result) => waitOf(result, 'deletion has begun')),
    ...resultsOf(report.applied, 'recreating').map((result) => waitOf(result, 'deletion has begun')),
  ];
  const unsettled = waits.length === 0 && rollouts.length > 0 ? unwell(report, statuses) : undefined;
  const [wait = rollouts[0]] = waits;
  if (!wait) return undefined;
  const first = `${formatId(wait.id)}: ${wait.reason}`;
  if (unsettled) return { ...unsettled, message: `${unsettled.message}; ${first}` };
  const more = waits.length + rollouts.length - 1;
  const text = more > 0 ? `${first}; ${more} more` : first;
  return report.isTimedOut
    ? failed({ reason: 'TimedOut', message: `still waiting after spec.sync.timeout: ${text}`, retry: 'backoff' })
    : progressing('Progressing', `waiting: ${text}`);
}

function waitOf({ change, message }: ChangeResult, otherwise: string): Wait {
  return { id: change.id, reason: message ?? otherwise };
}

/**
 * The followed revision has failed, and an earlier one is in force: a person or a newer commit has to mend it. An
 * Application that waits for this one, and a person who waits for a commit, must not take it for a success.
 */
function rolledBack(report: PassReport, statuses: readonly ObjectStatus[]): PassVerdict | undefined {
  const { application, hold } = report;
  if (hold?.reason !== 'RolledBack') return undefined;
  const under = drifted(report, statuses) ?? unwell(report, statuses);
  if (under && under.reason !== OUT_OF_SYNC) return under;
  return failed({ reason: ROLLED_BACK, message: describeHold(hold, application.metadata), retry: 'never' });
}

const ROLLED_BACK = 'RolledBack';

function drifted(report: PassReport, statuses: readonly ObjectStatus[]): PassVerdict | undefined {
  const differing = statuses.filter(({ sync }) => sync !== 'Synced');
  const first = differing[0];
  if (!first) return undefined;
  const rest = differing.length > 1 ? `; ${differing.length - 1} more` : '';
  const message = `${formatId(first.id)}: ${first.message ?? first.sync}${rest}`;
  const { application, intent, request } = report;
  if (differing.some((status) => isActedOn(status, intent))) return progressing('Progressing', message);
  // The request has done all that it may. Its wait for health takes precedence over the differences that it leaves.
  const unsettled = request && !request.refusal ? unwell(report, statuses) : undefined;
  const { mode } = application.spec.sync;
  const prune = report.hold?.prune ?? application.spec.sync.prune;
  const isClosed = mode === 'auto' && report.window?.isOpen === false;
  const isNext = !isClosed && differing.some((status) => isActedOn(status, { mode, prune, objects: undefined }));
  const isWaiting = mode === 'manual' || isClosed;
  const ready = isWaiting && hasLastSyncSucceeded(report) ? 'True' : 'False';
  const text = isClosed && report.window ? `${message}; spec.sync.windows: ${describeWindow(report.window)}` : message;
  return unsettled ?? { ready, reason: OUT_OF_SYNC, message: text, isStalled: false, isReconciling: isNext };
}

const OUT_OF_SYNC = 'OutOfSync';

/** Whether the pass has done all that it may. Differences that it may not remove do not count. */
export function isDone({ ready, reason }: PassVerdict): boolean {
  return ready === 'True' || reason === OUT_OF_SYNC || reason === ROLLED_BACK;
}

/** Whether an earlier revision is in force as a whole, since the followed one has failed. */
export function isRolledBack({ reason }: PassVerdict): boolean {
  return reason === ROLLED_BACK;
}

/** Whether every object is equal to the compared revision. */
export function isApplied({ ready, reason }: PassVerdict): boolean {
  return ready === 'True' && reason !== OUT_OF_SYNC;
}

function isActedOn({ id, isPruning }: ObjectStatus, { mode, prune, objects }: Intent): boolean {
  return mode === 'auto' && (prune || !isPruning) && objects?.has(idKey(id)) !== false;
}

/**
 * Whether the last requested sync succeeded. In mode manual, and while windows are closed, it decides Ready: newer
 * commits and drift wait for a person or the next opening, and Applications that depend on this one must not wait for
 * that.
 */
function hasLastSyncSucceeded({ application, applied }: PassReport): boolean {
  const { lastAppliedRevision, lastAttemptedRevision } = application.status.sync ?? {};
  if (applied.size > 0) return lastAppliedRevision !== undefined;
  return lastAppliedRevision !== undefined && lastAppliedRevision === lastAttemptedRevision;
}

/**
 * Applies only with spec.health.wait. A retry does not help a Degraded object, but a change in the cluster may, so the
 * Application is never Stalled for it.
 */
function unwell(report: PassReport, statuses: readonly ObjectStatus[]): PassVerdict | undefined {
  const { application, worst, isHealthOverdue } = report;
  const { health, sync } = application.spec;
  if (!health.wait || !worst || isSettledHealth(worst.status)) return undefined;
  const others = statuses.filter((status) => !status.isPruning && !isSettledHealth(status.health.status)).length - 1;
  const text = others > 0 ? `${worst.message}; ${others} more not Healthy` : worst.message;
  if (worst.status === 'Degraded') return failed({ reason: 'HealthCheckFailed', message: text, retry: 'backoff' });
  if (!isHealthOverdue) return progressing('Progressing', `waiting for health: ${text}`);
  const message = `not Healthy for longer than ${health.timeout ?? sync.timeout}: ${text}`;
  return failed({ reason: 'HealthCheckFailed', message, retry: 'backoff' });
}

function failed(options: { reason: string; message: string; retry: StageFailure['retry'] }): PassVerdict {
  const { reason, message, retry } = options;
  return { ready: 'False', reason, message, isStalled: retry === 'never', isReconciling: retry !== 'never' };
}

function progressing(reason: string, message: string): PassVerdict {
  return { ready: 'False', reason, message, isStalled: false, isReconciling: true };
}
