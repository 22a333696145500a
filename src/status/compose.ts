/**
 * The next status out of the previous one and the report of a pass. Pure; `reconcile/status-writer.ts` writes it, and
 * only when it differs.
 *
 * Invariants: kstatus reads it right (Reconciling and Stalled are present only while true); every list and text is
 * within the CRD's bounds; it holds no value of any object.
 */
import { setCondition } from '../application/conditions.ts';
import { encodeInventory } from '../application/inventory.ts';
import { STATUS_LIMITS, type ApplicationStatus, type Condition, type StoredStatus } from '../application/status-schema.ts';
import { formatProblem } from '../object/problem.ts';
import { worstHealth } from '../health/health.ts';
import { countObjects, objectStatuses, troubledResources, type ObjectStatus } from './object-status.ts';
import { nextHistory } from './history.ts';
import type { PassReport } from './report.ts';
import { judgePass, type Verdict } from './verdict.ts';

export interface ComposedStatus {
  readonly status: ApplicationStatus;
  readonly verdict: Verdict;
  readonly objects: readonly ObjectStatus[];
}

export function composeStatus(previous: StoredStatus, report: PassReport, now: string): ComposedStatus {
  const objects = objectStatuses(report);
  const verdict = judgePass(report, objects);
  const { generation } = report.application.metadata;
  const resources = troubledResources(objects);
  const status: ApplicationStatus = {
    observedGeneration: generation,
    conditions: conditionsOf(previous.conditions ?? [], report, { verdict, now, generation }),
    sync: syncOf(previous, report, { verdict, objects, now }),
    health: healthOf(previous, report, objects),
    counts: report.phase === 'begun' && previous.counts ? previous.counts : countObjects(objects, report.problems.length),
    ...(resources.length > 0 && report.phase === 'ended' ? { resources } : {}),
    inventory: encodeInventory([...report.inventory]),
    history: nextHistory(previous.history ?? [], report, { verdict, now }),
    ...requestOf(previous, report, { verdict, now }),
    ...(report.nextAttemptAt && !(verdict.ready === 'True') ? { nextAttemptAt: report.nextAttemptAt } : {}),
  };
  return { status: dropEmpty(status), verdict, objects };
}

interface Circumstances {
  readonly verdict: Verdict;
  readonly now: string;
}

function conditionsOf(
  previous: readonly Condition[],
  report: PassReport,
  { verdict, now, generation }: Circumstances & { generation: number },
): Condition[] {
  const at = { now, generation };
  const message = clip(verdict.message);
  const wanted: ConditionValue[] = [
    { type: 'Ready', status: verdict.ready, reason: verdict.reason, message },
    ...stageConditions(report),
  ];
  if (verdict.isReconciling) {
    const reason = verdict.reason === 'Progressing' ? 'Progressing' : 'ProgressingWithRetry';
    wanted.push({ type: 'Reconciling', status: 'True', reason, message });
  }
  if (verdict.isStalled) wanted.push({ type: 'Stalled', status: 'True', reason: verdict.reason, message });
  const kept = previous.filter(({ type }) => wanted.some((condition) => condition.type === type));
  return wanted.reduce<Condition[]>((conditions, condition) => setCondition(conditions, condition, at), kept);
}

interface ConditionValue {
  readonly type: string;
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason: string;
  readonly message: string;
}

/** SourceReady and Rendered: which of the first stages failed, with the stage's own code as the reason. */
function stageConditions({ failures, problems, revision, phase }: PassReport): ConditionValue[] {
  const source = failures.find(({ stage }) => stage === 'source');
  const render = failures.find(({ stage }) => stage === 'render');
  const problem = problems[0];
  const conditions: ConditionValue[] = [
    source
      ? { type: 'SourceReady', status: 'False', reason: source.code, message: clip(source.message) }
      : { type: 'SourceReady', status: 'True', reason: 'Fetched', message: revision ?? '' },
  ];
  if (render) {
    conditions.push({ type: 'Rendered', status: 'False', reason: render.code, message: clip(render.message) });
  } else if (problem) {
    const text = problems.slice(0, 10).map((item) => formatProblem(item)).join('\n');
    conditions.push({ type: 'Rendered', status: 'False', reason: problem.code, message: clip(text) });
  } else if (revision !== undefined) {
    conditions.push({ type: 'Rendered', status: 'True', reason: 'Rendered', message: revision });
  }
  return phase === 'begun' ? conditions.filter(({ status }) => status === 'True') : conditions;
}

function syncOf(
  previous: StoredStatus,
  report: PassReport,
  { verdict, objects, now }: Circumstances & { objects: readonly ObjectStatus[] },
): ApplicationStatus['sync'] {
  const before = previous.sync;
  const isSynced = verdict.ready === 'True';
  const applied = isSynced ? report.revision : before?.lastAppliedRevision;
  const attempted = report.applied.size > 0 || report.phase === 'begun' ? report.revision : before?.lastAttemptedRevision;
  const isNew = isSynced && (before?.lastAppliedRevision !== report.revision || before?.status !== 'Synced');
  const syncedAt = isNew ? now : before?.lastSyncedAt;
  const digest = isSynced ? report.desiredDigest : before?.digest;
  return {
    status: report.phase === 'begun' ? 'OutOfSync' : syncWord(report, objects),
    ...optional('revision', report.revision ?? before?.revision),
    ...optional('commit', report.commit?.slice(0, 12) ?? before?.commit),
    ...optional('lastAppliedRevision', applied),
    ...optional('lastAttemptedRevision', attempted ?? applied),
    ...optional('digest', digest),
    ...optional('lastSyncedAt', syncedAt),
  };
}

function syncWord(report: PassReport, objects: readonly ObjectStatus[]): 'Synced' | 'OutOfSync' | 'Unknown' {
  if (objects.some(({ sync }) => sync === 'OutOfSync')) return 'OutOfSync';
  const isUnknown = report.failures.length > 0 || objects.some(({ sync }) => sync === 'Unknown');
  if (isUnknown || report.revision === undefined) return 'Unknown';
  return report.problems.length > 0 || report.isEmptyRender ? 'OutOfSync' : 'Synced';
}

function healthOf(
  previous: StoredStatus,
  report: PassReport,
  objects: readonly ObjectStatus[],
): ApplicationStatus['health'] {
  if (report.phase === 'begun') return previous.health ?? { status: 'Progressing' };
  const members = objects.filter(({ isPruning }) => !isPruning);
  if (members.length === 0) return { status: report.failures.length > 0 ? 'Unknown' : 'Healthy' };
  const { status, message } = worstHealth(members.map(({ id, health }) => ({ id, health })));
  return { status, ...(message ? { message: clip(message) } : {}) };
}

function requestOf(
  previous: StoredStatus,
  { request, reconcileAt, phase }: PassReport,
  { verdict, now }: Circumstances,
): Pick<ApplicationStatus, 'lastRequest' | 'lastHandledReconcileAt'> {
  const heard = reconcileAt ?? previous.lastHandledReconcileAt;
  const answer = request && {
    id: request.id,
    action: request.action,
    ...(phase === 'begun'
      ? { outcome: 'InProgress' as const }
      : {
          outcome: request.refusal ? ('Refused' as const) : verdict.ready === 'True' ? ('Succeeded' as const) : ('Failed' as const),
          message: clip(request.refusal ?? verdict.message),
          finishedAt: now,
        }),
  };
  return { ...optional('lastRequest', answer ?? previous.lastRequest), ...optional('lastHandledReconcileAt', heard) };
}

function clip(text: string): string {
  return text.length <= STATUS_LIMITS.maxMessageChars ? text : `${text.slice(0, STATUS_LIMITS.maxMessageChars - 1)}…`;
}

function optional<K extends string, V>(key: K, value: V | undefined): { [P in K]?: V } {
  return (value === undefined ? {} : { [key]: value }) as { [P in K]?: V };
}

function dropEmpty(status: ApplicationStatus): ApplicationStatus {
  return status.history?.length === 0 ? (({ history: _none, ...rest }) => rest)(status) : status;
}
