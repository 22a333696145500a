/**
 * The verdict on a pass: one reason, one message, and whether trying again can help. Rules stand in one table, the
 * first that applies wins, so that of several things wrong the most fundamental one is what people read.
 */
import { isSettledHealth } from '../application/status-schema.ts';
import type { ChangeResult } from '../apply/applied.ts';
import type { Change } from '../diff/changes.ts';
import { compareIds, formatId, idKey } from '../object/identity.ts';
import { formatProblem, isPassing } from '../object/problem.ts';
import type { ObjectStatus } from './object-status.ts';
import { refusedChanges, type Intent, type PassReport, type StageFailure } from './report.ts';

export interface Verdict {
  readonly ready: 'True' | 'False';
  readonly reason: string;
  readonly message: string;
  /** Trying again cannot help until spec or revision change: kstatus reads it as failed. */
  readonly isStalled: boolean;
  /** Work is under way or will be tried again: kstatus reads it as in progress. */
  readonly isReconciling: boolean;
}

type Rule = (report: PassReport, statuses: readonly ObjectStatus[]) => Verdict | undefined;

const RULES: readonly Rule[] = [
  (report) => stageFailure(report),
  (report) => badManifests(report),
  (report) => emptyRender(report),
  (report) => failedChanges(report),
  (report) => dependency(report),
  (report) => unobserved(report),
  (report) => conflicts(report),
  (report) => heldPrune(report),
  (report) => waiting(report),
  (report, statuses) => drifted(report, statuses),
  (report, statuses) => unwell(report, statuses),
];

export function judgePass(report: PassReport, statuses: readonly ObjectStatus[]): Verdict {
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

function stageFailure({ failures }: PassReport): Verdict | undefined {
  const failure = failures[0];
  if (!failure) return undefined;
  return failed({ reason: REASON_BY_STAGE[failure.stage], message: failure.message, retry: failure.retry });
}

/** The condition's reason for a failed stage; the stage's own code stands in the finer conditions. */
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

function badManifests({ problems }: PassReport): Verdict | undefined {
  const [first, ...more] = problems;
  if (!first) return undefined;
  const rest = more.length > 0 ? `\n… and ${more.length} more` : '';
  return failed({
    reason: 'BuildFailed',
    message: `${formatProblem(first)}${rest}`,
    retry: problems.every(isPassing) ? 'backoff' : 'never',
  });
}

function emptyRender(report: PassReport): Verdict | undefined {
  if (!report.isEmptyRender) return undefined;
  const kept = report.inventory?.length ?? 0;
  const message = `${report.revision ?? 'the revision'} renders no object; the ${kept} that are applied are kept`;
  return failed({ reason: 'EmptyRender', message, retry: 'never' });
}

/** The change of the other Application wakes this one. */
function dependency({ unready }: PassReport): Verdict | undefined {
  return unready === undefined ? undefined : progressing(DEPENDENCY_NOT_READY, unready);
}

const DEPENDENCY_NOT_READY = 'DependencyNotReady';

function failedChanges({ applied }: PassReport): Verdict | undefined {
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

/** By id: answers arrive in any order, and the same failures must read the same in every pass. */
function resultsOf(applied: PassReport['applied'], wanted: ChangeResult['outcome']): ChangeResult[] {
  return [...applied.values()]
    .filter(({ outcome }) => outcome === wanted)
    .sort((a, b) => compareIds(a.change.id, b.change.id));
}

function describeFailure({ change, refusal, message }: ChangeResult): string {
  return `${describePlace(change)}: ${refusal?.message ?? message ?? 'failed'}`;
}

function describePlace({ id, desired }: Change): string {
  return desired ? `${formatId(id)} (${desired.file}:${desired.line})` : formatId(id);
}

/** What cannot be read is neither applied nor pruned, until it can be. */
function unobserved({ changes }: PassReport): Verdict | undefined {
  const unknown = changes.filter(({ type }) => type === 'unknown').sort((a, b) => compareIds(a.id, b.id));
  const first = unknown[0];
  if (!first) return undefined;
  const rest = unknown.length > 1 ? `; ${unknown.length - 1} more` : '';
  const message = `${describePlace(first)}: ${first.reason ?? 'its state cannot be read'}${rest}`;
  return failed({ reason: REASON_BY_STAGE.observe, message, retry: 'backoff' });
}

function conflicts(report: PassReport): Verdict | undefined {
  const conflicting = refusedChanges(report);
  const first = conflicting[0];
  if (!first) return undefined;
  const reason = first.reason ?? report.applied.get(idKey(first.id))?.message ?? 'managed by another Application';
  const rest = conflicting.length > 1 ? `; ${conflicting.length - 1} more` : '';
  return failed({ reason: 'Conflict', message: `${formatId(first.id)}: ${reason}${rest}`, retry: 'backoff' });
}

function heldPrune({ held }: PassReport): Verdict | undefined {
  return held ? failed({ reason: 'PruneHeld', message: held.reason, retry: 'never' }) : undefined;
}

function waiting(report: PassReport): Verdict | undefined {
  const waits = [
    ...report.waitingFor.map(({ id, reason }) => `${formatId(id)}: ${reason}`),
    ...resultsOf(report.applied, 'waiting').map(
      ({ change, message }) => `${formatId(change.id)}: ${message ?? 'waits'}`,
    ),
    ...[...resultsOf(report.applied, 'pruning'), ...resultsOf(report.applied, 'recreating')].map(
      ({ change, message }) => `${formatId(change.id)}: ${message ?? 'deletion has begun'}`,
    ),
  ];
  const first = waits[0];
  if (first === undefined) return undefined;
  const text = waits.length > 1 ? `${first}; ${waits.length - 1} more` : first;
  return report.isTimedOut
    ? failed({ reason: 'TimedOut', message: `still waiting after spec.sync.timeout: ${text}`, retry: 'backoff' })
    : progressing('Progressing', `waiting: ${text}`);
}

function drifted(report: PassReport, statuses: readonly ObjectStatus[]): Verdict | undefined {
  const differing = statuses.filter(({ sync }) => sync !== 'Synced');
  const first = differing[0];
  if (!first) return undefined;
  const rest = differing.length > 1 ? `; ${differing.length - 1} more` : '';
  const message = `${formatId(first.id)}: ${first.message ?? first.sync}${rest}`;
  const { application, intent, request } = report;
  if (differing.some((status) => isActedOn(status, intent))) return progressing('Progressing', message);
  // All that a request was about is done; what it is to wait for comes before what it left as it is.
  const unsettled = request && !request.refusal ? unwell(report, statuses) : undefined;
  const { mode, prune } = application.spec.sync;
  const isNext = differing.some((status) => isActedOn(status, { mode, prune, objects: undefined }));
  const ready = mode === 'manual' && isAsLastAsked(report) ? 'True' : 'False';
  return unsettled ?? { ready, reason: OUT_OF_SYNC, message, isStalled: false, isReconciling: isNext };
}

const OUT_OF_SYNC = 'OutOfSync';

/** Whether the pass has done all that it may; differences that are not its to remove do not count. */
export function isDone({ ready, reason }: Verdict): boolean {
  return ready === 'True' || reason === OUT_OF_SYNC;
}

/** Whether every object is as the compared revision says. */
export function isApplied({ ready, reason }: Verdict): boolean {
  return ready === 'True' && reason !== OUT_OF_SYNC;
}

function isActedOn({ id, isPruning }: ObjectStatus, { mode, prune, objects }: Intent): boolean {
  return mode === 'auto' && (prune || !isPruning) && objects?.has(idKey(id)) !== false;
}

/**
 * In mode manual Ready tells of the last sync: newer commits and drift wait for a person, and nobody else is to wait
 * for that. Before the first sync, and after one that failed, it is not Ready.
 */
function isAsLastAsked({ application, applied }: PassReport): boolean {
  const { lastAppliedRevision, lastAttemptedRevision } = application.status.sync ?? {};
  if (applied.size > 0) return lastAppliedRevision !== undefined;
  return lastAppliedRevision !== undefined && lastAppliedRevision === lastAttemptedRevision;
}

/**
 * Only where spec.health.wait asks for it. Trying again does not help a Degraded object, but a change of the cluster
 * may: it is looked at again, and never Stalled.
 */
function unwell(report: PassReport, statuses: readonly ObjectStatus[]): Verdict | undefined {
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

function failed(options: { reason: string; message: string; retry: StageFailure['retry'] }): Verdict {
  const { reason, message, retry } = options;
  return { ready: 'False', reason, message, isStalled: retry === 'never', isReconciling: retry !== 'never' };
}

function progressing(reason: string, message: string): Verdict {
  return { ready: 'False', reason, message, isStalled: false, isReconciling: true };
}
