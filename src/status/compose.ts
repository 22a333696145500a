/**
 * Composes the next status from the previous one and the report of a pass. The status writer of reconcile/ writes it if
 * it differs.
 *
 * Invariants: every list and text is within the bounds of the CRD; apart from warnings of the API server, the status
 * holds no value of any object.
 */
import { cutText, formatTime } from '../application/conditions.ts';
import { encodeOnce } from '../application/inventory.ts';
import type { StoredStatus } from '../application/schema.ts';
import { describeWindow, type WindowState } from '../application/windows.ts';
import type {
  ApplicationStatus,
  HealthSummary,
  InventoryValue,
  LastRequest,
  SourceRevision,
  SyncStatus,
} from '../application/status-schema.ts';
import { STATUS_LIMITS } from '../application/status-schema.ts';
import { finish, type Steps } from '../object/steps.ts';
import { countObjects, objectStatuses, troubledResources, type ObjectStatus } from './object-status.ts';
import { nextHistory } from './history.ts';
import { clip, passConditions } from './pass-conditions.ts';
import { nextRollback } from './rollback.ts';
import { nextFailed } from './sync-fail.ts';
import { nextPruneGuard } from './prune-guard.ts';
import { inOneOrder, type PassReport } from './report.ts';
import { isApplied, isDone, judgePass, type PassVerdict } from './verdict.ts';
import { nextWarnings } from './warnings.ts';

export interface ComposedStatus {
  readonly status: ApplicationStatus;
  readonly verdict: PassVerdict;
  readonly objects: readonly ObjectStatus[];
}

/** The status without a pause. */
export function composeStatus(previous: StoredStatus, findings: PassReport, nowMs: number): ComposedStatus {
  return finish(composeSteps(previous, findings, { nowMs }));
}

/** Parts of a status that depend only on findings of objects. */
export interface KnownParts {
  readonly objects: readonly ObjectStatus[];
  readonly inventory: InventoryValue | undefined;
}

export interface ComposeOptions {
  /** Wall clock, in milliseconds since 1970. */
  readonly nowMs: number;
  /** As an earlier pass with the same findings has composed them. Default: they are composed. */
  readonly known?: KnownParts | undefined;
}

/** The status in steps, for a caller that has other work to do. */
export function* composeSteps(
  previous: StoredStatus,
  findings: PassReport,
  { nowMs, known }: ComposeOptions,
): Steps<ComposedStatus> {
  const report = yield* inOneOrder(findings);
  const now = formatTime(nowMs);
  const objects = known?.objects ?? (yield* objectStatuses(report));
  const verdict = judgePass(report, objects);
  yield;
  const { generation } = report.application.metadata;
  const resources = yield* troubledResources(objects);
  const inventory = known ? optional('inventory', known.inventory) : inventoryOf(previous, report);
  yield;
  const warnings = nextWarnings(previous, report);
  const requested = requestOf(previous, report, { verdict, now });
  const health = healthOf(previous, report);
  const pruneGuard = nextPruneGuard(previous, report, requested.lastRequest);
  const sync = syncOf(previous, report, { verdict, objects, now });
  const { hold, ...rollback } = nextRollback(previous, report, { verdict, sync, now });
  const status: ApplicationStatus = {
    observedGeneration: generation,
    conditions: passConditions(report, {
      verdict,
      health,
      hold,
      previous: previous.conditions ?? [],
      nowMs,
      generation,
    }),
    sync: { ...sync, ...rollback, ...optional('failed', nextFailed(previous, report, { verdict, sync })) },
    ...(report.window ? { window: windowOf(report.window) } : {}),
    ...(hold ? { hold } : {}),
    health,
    counts:
      report.phase === 'begun' && previous.counts ? previous.counts : countObjects(objects, report.problems.length),
    ...(resources.length > 0 && report.phase === 'ended' ? { resources } : {}),
    ...(warnings.length > 0 ? { warnings } : {}),
    ...inventory,
    ...jobsOf('finished', report.finishedJobs, previous),
    ...jobsOf('started', report.startedJobs, previous),
    ...deletionHooksOf(previous, report),
    ...(pruneGuard ? { pruneGuard } : {}),
    history: nextHistory(previous, report, { verdict, now, hasFailed: hold !== undefined && hold !== report.hold }),
    ...requested,
    ...(report.nextAttemptAt && !(verdict.ready === 'True') ? { nextAttemptAt: report.nextAttemptAt } : {}),
  };
  return { status: dropEmpty(status), verdict, objects };
}

interface Circumstances {
  readonly verdict: PassVerdict;
  /** RFC 3339. */
  readonly now: string;
}

/** Keeps the stored inventory if it could not be read. */
function inventoryOf(
  previous: StoredStatus,
  { inventory, encodedInventory, written }: PassReport,
): Pick<ApplicationStatus, 'inventory'> {
  if (inventory?.length === 0) return {};
  if (inventory) {
    return { inventory: { ...encodeOnce(inventory, encodedInventory).value, ...(written ? { written } : {}) } };
  }
  return previous.inventory === undefined ? {} : { inventory: previous.inventory as InventoryValue };
}

/** Keeps the stored records if they were not read. */
function jobsOf<Field extends 'finished' | 'started'>(
  field: Field,
  records: ReadonlyMap<string, string> | undefined,
  previous: StoredStatus,
): Pick<ApplicationStatus, Field> {
  const entries = records ? [...records].sort(([a], [b]) => (a < b ? -1 : 1)) : Object.entries(previous[field] ?? {});
  const value = entries.length > 0 ? { [field]: Object.fromEntries(entries) } : {};
  return value as Pick<ApplicationStatus, Field>;
}

/** Keeps the stored numbers while not all objects can be read. */
function deletionHooksOf(
  previous: StoredStatus,
  { deletionHooks = previous.deletionHooks }: PassReport,
): Pick<ApplicationStatus, 'deletionHooks'> {
  const { preDelete = 0, postDelete = 0 } = deletionHooks ?? {};
  return preDelete + postDelete > 0 ? { deletionHooks: { preDelete, postDelete } } : {};
}

function syncOf(
  previous: StoredStatus,
  report: PassReport,
  { verdict, objects, now }: Circumstances & { objects: readonly ObjectStatus[] },
): SyncStatus {
  const before = previous.sync;
  return {
    status: report.phase === 'begun' ? 'OutOfSync' : syncWord(report, objects),
    ...optional('revision', report.revision ?? before?.revision),
    ...optional('commit', report.commit?.slice(0, 12) ?? before?.commit),
    ...optional('signer', report.revision === undefined ? before?.signer : report.about?.signer),
    ...optional('sources', sourcesOf(report) ?? (report.revision === undefined ? before?.sources : undefined)),
    ...attemptsOf(before, report, { verdict, now }),
  };
}

function windowOf(window: WindowState): NonNullable<ApplicationStatus['window']> {
  const { isOpen, changesAtMs } = window;
  const message = cutText(describeWindow(window), STATUS_LIMITS.maxResourceMessageChars);
  return {
    isOpen,
    ...(isOpen ? {} : { message }),
    ...(changesAtMs === undefined ? {} : { changesAt: formatTime(changesAtMs) }),
  };
}

function sourcesOf({ sources }: Pick<PassReport, 'sources'>): SourceRevision[] | undefined {
  return sources && [...sources];
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
  // Objects that left Git and are not to be pruned do not count: they are not part of the revision.
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

/** Without an object nothing is known to work; a set that only holds left-out objects is Healthy. */
function healthOf(
  previous: StoredStatus,
  { phase, worst, failures, problems, isEmptyRender }: PassReport,
): HealthSummary {
  if (phase === 'begun') return previous.health ?? { status: 'Progressing' };
  if (!worst) return { status: failures.length + problems.length > 0 || isEmptyRender ? 'Unknown' : 'Healthy' };
  return { status: worst.status, ...(worst.message ? { message: clip(worst.message) } : {}) };
}

function requestOf(
  previous: StoredStatus,
  { request, reconcileAt, phase, isInDoubt = false }: PassReport,
  circumstances: Circumstances,
): Pick<ApplicationStatus, 'lastRequest' | 'lastHandledReconcileAt'> {
  // A request is answered for the revision that polls agree on.
  const isOpen = phase === 'begun' || isInDoubt;
  const answer = request ? answerTo(request, isOpen, circumstances) : previous.lastRequest;
  const handled = (isInDoubt ? undefined : reconcileAt) ?? previous.lastHandledReconcileAt;
  return { ...optional('lastRequest', answer), ...optional('lastHandledReconcileAt', handled) };
}

function answerTo(
  { id, action, refusal }: NonNullable<PassReport['request']>,
  isOpen: boolean,
  { verdict, now }: Circumstances,
): LastRequest {
  if (refusal) return { id, action, outcome: 'Refused', message: clip(refusal), finishedAt: now };
  const isProgressing = verdict.reason === 'Progressing';
  // A refresh is complete after one pass. Other actions may take several passes.
  const isRefresh = action === 'refresh';
  if (isOpen || (isProgressing && !isRefresh)) return { id, action, outcome: 'InProgress' };
  const outcome = isProgressing || isDone(verdict) ? 'Succeeded' : 'Failed';
  return { id, action, outcome, message: clip(verdict.message), finishedAt: now };
}

function optional<K extends string, V>(key: K, value: V | undefined): { [P in K]?: V } {
  return (value === undefined ? {} : { [key]: value }) as { [P in K]?: V };
}

function dropEmpty(status: ApplicationStatus): ApplicationStatus {
  return status.history?.length === 0 ? (({ history: _none, ...rest }) => rest)(status) : status;
}
