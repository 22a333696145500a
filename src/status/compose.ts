/**
 * The next status out of the previous one and the report of a pass. Pure; `reconcile/status-writer.ts` writes it, and
 * only when it differs.
 *
 * Invariants: kstatus reads it right (Reconciling and Stalled are present only while true); every list and text is
 * within the CRD's bounds; it holds no value of any object.
 */
import { cutText, formatTime, setCondition } from '../application/conditions.ts';
import { encodeInventory } from '../application/inventory.ts';
import type { ApplicationMetadata, StoredStatus } from '../application/schema.ts';
import {
  STATUS_LIMITS,
  type ApplicationStatus,
  type Condition,
  type InventoryValue,
  type LastRequest,
} from '../application/status-schema.ts';
import type { ObjectId } from '../object/identity.ts';
import { formatId } from '../object/identity.ts';
import { formatProblem } from '../object/problem.ts';
import { countObjects, objectStatuses, troubledResources, type ObjectStatus } from './object-status.ts';
import { nextHistory } from './history.ts';
import { refusedChanges, type PassReport } from './report.ts';
import { isApplied, isDone, judgePass, type Verdict } from './verdict.ts';

export interface ComposedStatus {
  readonly status: ApplicationStatus;
  readonly verdict: Verdict;
  readonly objects: readonly ObjectStatus[];
}

export function composeStatus(previous: StoredStatus, report: PassReport, nowMs: number): ComposedStatus {
  const now = formatTime(nowMs);
  const objects = objectStatuses(report);
  const verdict = judgePass(report, objects);
  const { generation } = report.application.metadata;
  const resources = troubledResources(objects);
  const status: ApplicationStatus = {
    observedGeneration: generation,
    conditions: passConditions(report, { verdict, previous: previous.conditions ?? [], nowMs, generation }),
    sync: syncOf(previous, report, { verdict, objects, now }),
    health: healthOf(previous, report),
    counts:
      report.phase === 'begun' && previous.counts ? previous.counts : countObjects(objects, report.problems.length),
    ...(resources.length > 0 && report.phase === 'ended' ? { resources } : {}),
    ...inventoryOf(previous, report),
    ...finishedOf(previous, report),
    history: nextHistory(previous, report, { verdict, now }),
    ...requestOf(previous, report, { verdict, now }),
    ...(report.nextAttemptAt && !(verdict.ready === 'True') ? { nextAttemptAt: report.nextAttemptAt } : {}),
  };
  return { status: dropEmpty(status), verdict, objects };
}

export interface Bare {
  readonly metadata: ApplicationMetadata;
  readonly status: StoredStatus;
}

/** The status of an Application whose spec cannot be read: Stalled, a request refused; what was known stays known. */
export function composeInvalid(
  {
    metadata,
    status,
    problems,
    request,
  }: Bare & Pick<PassReport, 'request'> & { readonly problems: readonly string[] },
  nowMs: number,
): ApplicationStatus {
  const message = clip(problems.join('; '));
  const values: ConditionValue[] = [
    { type: 'Ready', status: 'False', reason: 'InvalidSpec', message },
    { type: 'Stalled', status: 'True', reason: 'InvalidSpec', message },
  ];
  const next = withConditions({ metadata, status }, values, nowMs);
  return request ? { ...next, lastRequest: refusedRequest(request, message, nowMs) } : next;
}

/** The status of a suspended Application: what was known stays, nothing is looked at; a request is refused. */
export function composeSuspended(
  { metadata, status, request, reconcileAt }: Bare & Pick<PassReport, 'request'> & { reconcileAt: string | undefined },
  nowMs: number,
): ApplicationStatus {
  const message = 'suspended: nothing is fetched, compared or written until spec.suspend is false';
  const values: ConditionValue[] = [{ type: 'Ready', status: 'False', reason: 'Suspended', message }];
  const next = withConditions({ metadata, status }, values, nowMs);
  const heard = optional('lastHandledReconcileAt', reconcileAt ?? next.lastHandledReconcileAt);
  if (!request) return { ...next, ...heard };
  return { ...next, ...heard, lastRequest: refusedRequest(request, message, nowMs) };
}

function refusedRequest({ id, action }: Request, message: string, nowMs: number): LastRequest {
  return { id, action, outcome: 'Refused', message, finishedAt: formatTime(nowMs) };
}

type Request = NonNullable<PassReport['request']>;

/** The stored status with the answer to a request, and nothing else in it changed. */
export function composeAnswered(
  {
    status,
    request: { id, action },
    outcome,
    message,
  }: Bare & Pick<LastRequest, 'outcome'> & { readonly request: Request; readonly message: string },
  nowMs: number,
): ApplicationStatus {
  const { inventory, ...rest } = status;
  return {
    ...rest,
    ...(inventory === undefined ? {} : { inventory: inventory as InventoryValue }),
    lastRequest: { id, action, outcome, message: clip(message), finishedAt: formatTime(nowMs) },
  };
}

/** The status while a deleted Application is being finished: what is left, and what holds it. */
export function composeDeleting(
  {
    metadata,
    status,
    inventory,
    message,
    isStalled,
  }: Bare & {
    /** undefined: it cannot be read, and stays as it is. */
    readonly inventory: readonly ObjectId[] | undefined;
    readonly message: string;
    readonly isStalled: boolean;
  },
  nowMs: number,
): ApplicationStatus {
  const reason = isStalled ? 'PruneFailed' : 'Deleting';
  const values: ConditionValue[] = [
    { type: 'Ready', status: 'False', reason, message: clip(message) },
    { type: 'Reconciling', status: 'True', reason: 'Progressing', message: clip(message) },
  ];
  const next = withConditions({ metadata, status }, values, nowMs);
  return inventory ? { ...next, inventory: encodeInventory([...inventory]) } : next;
}

function withConditions({ metadata, status }: Bare, values: ConditionValue[], nowMs: number): ApplicationStatus {
  const { generation } = metadata;
  const { inventory, nextAttemptAt: _none, ...rest } = status;
  return {
    ...rest,
    observedGeneration: generation,
    conditions: mergeConditions(values, { previous: status.conditions ?? [], nowMs, generation }),
    // As it is stored, readable or not: only a pass that could read it writes it anew.
    ...(inventory === undefined ? {} : { inventory: inventory as InventoryValue }),
  };
}

interface Circumstances {
  readonly verdict: Verdict;
  readonly now: string;
}

interface ConditionOptions {
  readonly verdict: Verdict;
  readonly previous: readonly Condition[];
  readonly nowMs: number;
  readonly generation: number;
}

function passConditions(report: PassReport, options: ConditionOptions): Condition[] {
  const { verdict } = options;
  const { message } = verdict;
  const wanted: ConditionValue[] = [
    { type: 'Ready', status: verdict.ready, reason: verdict.reason, message },
    ...stageConditions(report),
  ];
  const conflict = conflictOf(report);
  if (conflict !== undefined) {
    wanted.push({ type: 'Conflict', status: 'True', reason: 'ClaimedTwice', message: clip(conflict) });
  }
  if (report.contested.length > 0) {
    wanted.push({ type: 'Contested', status: 'True', reason: 'HealedAgain', message: clip(contestedText(report)) });
  }
  if (report.polling.length > 0) {
    const text = shorten(report.polling);
    wanted.push({ type: 'Watching', status: 'False', reason: 'WatchForbidden', message: clip(text) });
  }
  if (verdict.isReconciling) {
    const reason = verdict.reason === 'Progressing' ? 'Progressing' : 'ProgressingWithRetry';
    wanted.push({ type: 'Reconciling', status: 'True', reason, message });
  }
  if (verdict.isStalled) wanted.push({ type: 'Stalled', status: 'True', reason: verdict.reason, message });
  return mergeConditions(wanted, options);
}

/**
 * Said by both sides, and apart from Ready: whose objects are as Git says is ready, whatever another Application would
 * like to do with them.
 */
function conflictOf(report: PassReport): string | undefined {
  const texts = [
    ...refusedChanges(report).map(({ id, reason }) => `${formatId(id)}: ${reason ?? 'managed by another Application'}`),
    ...report.contests.map(({ id, by }) => `${formatId(id)}: also claimed by Application ${by}, which leaves it alone`),
  ];
  if (texts.length === 0) return undefined;
  return shorten(texts);
}

function contestedText({ contested }: PassReport): string {
  return shorten(contested.map(({ id, message }) => `${formatId(id)}: ${message}`));
}

/** A line each, for as many as people read. */
function shorten(lines: readonly string[]): string {
  return lines.length > 10 ? `${lines.slice(0, 10).join('\n')}\n… and ${lines.length - 10} more` : lines.join('\n');
}

/** Exactly the wanted conditions; times of transition are kept where the status did not change. */
function mergeConditions(
  wanted: readonly ConditionValue[],
  { previous, nowMs, generation }: Omit<ConditionOptions, 'verdict'>,
): Condition[] {
  const kept = previous.filter(({ type }) => wanted.some((condition) => condition.type === type));
  const merged = wanted.reduce<readonly Condition[]>(
    (conditions, condition) => setCondition(conditions, condition, { now: nowMs, generation }),
    kept,
  );
  return [...merged];
}

interface ConditionValue {
  readonly type: string;
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason: string;
  readonly message: string;
}

/** An inventory that could not be read stays as it is stored. */
function inventoryOf(previous: StoredStatus, { inventory }: PassReport): Pick<ApplicationStatus, 'inventory'> {
  if (inventory) return inventory.length > 0 ? { inventory: encodeInventory(inventory) } : {};
  return previous.inventory === undefined ? {} : { inventory: previous.inventory as InventoryValue };
}

function finishedOf(previous: StoredStatus, { finished }: PassReport): Pick<ApplicationStatus, 'finished'> {
  const entries = finished
    ? [...finished].sort(([a], [b]) => (a < b ? -1 : 1))
    : Object.entries(previous.finished ?? {});
  return entries.length > 0 ? { finished: Object.fromEntries(entries) } : {};
}

/** SourceReady and Rendered: which of the first stages failed, with the stage's own code as the reason. */
function stageConditions({ failures, problems, revision, desiredDigest, phase }: PassReport): ConditionValue[] {
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
    const text = problems
      .slice(0, 10)
      .map((item) => formatProblem(item))
      .join('\n');
    conditions.push({ type: 'Rendered', status: 'False', reason: problem.code, message: clip(text) });
  } else if (desiredDigest !== undefined) {
    conditions.push({ type: 'Rendered', status: 'True', reason: 'Rendered', message: revision ?? '' });
  }
  return phase === 'begun' ? conditions.filter(({ status }) => status === 'True') : conditions;
}

function syncOf(
  previous: StoredStatus,
  report: PassReport,
  { verdict, objects, now }: Circumstances & { objects: readonly ObjectStatus[] },
): ApplicationStatus['sync'] {
  const before = previous.sync;
  return {
    status: report.phase === 'begun' ? 'OutOfSync' : syncWord(report, objects),
    ...optional('revision', report.revision ?? before?.revision),
    ...optional('commit', report.commit?.slice(0, 12) ?? before?.commit),
    ...attemptsOf(before, report, { verdict, now }),
  };
}

type Attempts = 'lastAppliedRevision' | 'lastAttemptedRevision' | 'digest' | 'lastSyncedAt';

function attemptsOf(
  before: StoredStatus['sync'],
  report: PassReport,
  { verdict, now }: Circumstances,
): Pick<NonNullable<ApplicationStatus['sync']>, Attempts> {
  const { intent } = report;
  const isSynced = isApplied(verdict);
  const isWhole = intent.objects === undefined;
  // What left Git and is not to be pruned is no part of the revision.
  const hasAll = isSynced || (intent.mode === 'auto' && isWhole && isDone(verdict));
  const isAttempt = hasAll || (isWhole && (report.applied.size > 0 || report.phase === 'begun'));
  const applied = hasAll ? report.revision : before?.lastAppliedRevision;
  const attempted = isAttempt ? report.revision : before?.lastAttemptedRevision;
  const isNew =
    (hasAll && before?.lastAppliedRevision !== report.revision) || (isSynced && before?.status !== 'Synced');
  const syncedAt = isNew ? now : before?.lastSyncedAt;
  const digest = hasAll ? report.desiredDigest : before?.digest;
  return {
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

function healthOf(previous: StoredStatus, { phase, worst, failures }: PassReport): ApplicationStatus['health'] {
  if (phase === 'begun') return previous.health ?? { status: 'Progressing' };
  if (!worst) return { status: failures.length > 0 ? 'Unknown' : 'Healthy' };
  return { status: worst.status, ...(worst.message ? { message: clip(worst.message) } : {}) };
}

function requestOf(
  previous: StoredStatus,
  { request, reconcileAt, phase }: PassReport,
  { verdict, now }: Circumstances,
): Pick<ApplicationStatus, 'lastRequest' | 'lastHandledReconcileAt'> {
  const heard = reconcileAt ?? previous.lastHandledReconcileAt;
  // A refresh asks for one look; the others for something to be done, which may take several passes.
  const isLook = request?.action === 'refresh' || request?.refusal !== undefined;
  const isProgressing = verdict.reason === 'Progressing';
  const isUnderWay = !request?.refusal && (phase === 'begun' || (!isLook && isProgressing));
  const answer = request && {
    id: request.id,
    action: request.action,
    ...(isUnderWay
      ? { outcome: 'InProgress' as const }
      : {
          outcome: request.refusal
            ? ('Refused' as const)
            : isProgressing || isDone(verdict)
              ? ('Succeeded' as const)
              : ('Failed' as const),
          message: clip(request.refusal ?? verdict.message),
          finishedAt: now,
        }),
  };
  return { ...optional('lastRequest', answer ?? previous.lastRequest), ...optional('lastHandledReconcileAt', heard) };
}

function clip(text: string): string {
  return cutText(text, STATUS_LIMITS.maxMessageChars);
}

function optional<K extends string, V>(key: K, value: V | undefined): { [P in K]?: V } {
  return (value === undefined ? {} : { [key]: value }) as { [P in K]?: V };
}

function dropEmpty(status: ApplicationStatus): ApplicationStatus {
  return status.history?.length === 0 ? (({ history: _none, ...rest }) => rest)(status) : status;
}
