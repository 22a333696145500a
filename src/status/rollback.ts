/**
 * The memory of rollbacks in status: the last revision that was well, and the hold by which `spec.sync.onFailure` goes
 * back to it.
 *
 * Invariants: a revision that was well once is never rolled back, and no revision is rolled back twice; only a revision
 * of which something was applied can fail; such a hold prunes nothing.
 */
import { cutText } from '../application/conditions.ts';
import { describeHold, isSameSet, revisionSetOf } from '../application/hold.ts';
import { shortRevision } from '../application/resolved-revision.ts';
import type { StoredStatus } from '../application/schema.ts';
import {
  isSettledHealth,
  STATUS_LIMITS,
  type Hold,
  type RevisionSet,
  type SyncStatus,
} from '../application/status-schema.ts';
import { MAX_NOTE_CHARS, type PassEvent } from './event.ts';
import type { PassReport } from './report.ts';
import { isApplied, type PassVerdict } from './verdict.ts';

export interface Rollback extends Pick<SyncStatus, 'lastHealthy' | 'rolledBack'> {
  /** The hold in force after the pass. */
  readonly hold: Hold | undefined;
}

interface Circumstances {
  readonly verdict: PassVerdict;
  /** As this pass writes it. */
  readonly sync: Pick<SyncStatus, 'lastAttemptedRevision'>;
  /** RFC 3339. */
  readonly now: string;
}

export function nextRollback(previous: StoredStatus, report: PassReport, circumstances: Circumstances): Rollback {
  const { lastHealthy, rolledBack } = previous.sync ?? {};
  const known = { ...optional('lastHealthy', lastHealthy), ...optional('rolledBack', rolledBack) };
  const compared = comparedSet(report);
  if (!compared || report.phase === 'begun') return { ...known, hold: report.hold };
  if (isWell(report, circumstances.verdict)) return { ...known, lastHealthy: compared, hold: report.hold };
  if (report.hold || !lastHealthy || !mayRollBack(report)) return { ...known, hold: report.hold };
  const isSame = [lastHealthy, rolledBack].some((set) => set && isSameSet(set, compared) && isSameSet(compared, set));
  const isAttempted = circumstances.sync.lastAttemptedRevision === compared.revision;
  if (isSame || !isAttempted || !hasFailed(report, circumstances.verdict)) return { ...known, hold: undefined };
  // One more pass applies the hooks of the failed sync, which the revision that is gone back to may lack.
  const { syncFail } = report;
  if (syncFail && syncFail.hooks > 0 && previous.sync?.failed !== syncFail.set) return { ...known, hold: undefined };
  const message = cutText(circumstances.verdict.message, STATUS_LIMITS.maxResourceMessageChars);
  const hold: Hold = {
    ...lastHealthy,
    over: compared,
    reason: 'RolledBack',
    message: whyFailed(report, message),
    since: circumstances.now,
    // Neither what the failed revision was about to delete nor what it has brought is deleted without a person.
    prune: false,
  };
  return { ...known, rolledBack: compared, hold };
}

/** The Event of a hold that begins or ends. */
export function holdEventOf(
  before: StoredStatus,
  { hold }: Pick<StoredStatus, 'hold'>,
  { metadata }: PassReport['application'],
): PassEvent | undefined {
  if (before.hold?.since === hold?.since) return undefined;
  if (!hold) {
    const note = `${shortRevision(before.hold?.revision ?? '')} is no longer held: the followed revision is in force.`;
    return { type: 'Normal', reason: 'HoldEnded', action: 'Reconcile', note };
  }
  const note = cutText(describeHold(hold, metadata), MAX_NOTE_CHARS);
  const isFailure = hold.reason === 'RolledBack';
  return {
    type: isFailure ? 'Warning' : 'Normal',
    reason: isFailure ? 'RolledBack' : 'Held',
    action: 'Rollback',
    note,
  };
}

function comparedSet({ application, revision, sources }: PassReport): RevisionSet | undefined {
  if (revision === undefined) return undefined;
  return revisionSetOf(revision, sources, new Set(application.spec.sources?.map(({ name }) => name)));
}

/** Every object is equal to the revision, and none is short of Healthy but by its own spec. */
function isWell({ worst, problems, failures }: PassReport, verdict: PassVerdict): boolean {
  const isWhole = problems.length + failures.length === 0;
  return isWhole && isApplied(verdict) && (worst === undefined || isSettledHealth(worst.status));
}

/** Only what is applied without being asked for is rolled back without being asked for. */
function mayRollBack({ application, intent, isInDoubt = false }: PassReport): boolean {
  const { mode, onFailure } = application.spec.sync;
  return onFailure === 'rollback' && mode === 'auto' && intent.mode === 'auto' && !intent.objects && !isInDoubt;
}

/**
 * The server has refused objects for good, or until spec.sync.timeout; something waited longer than that; or objects
 * were not Healthy for longer than spec.health.timeout. A source or a render that fails has changed nothing yet.
 */
export function hasFailed(report: PassReport, { reason, isStalled }: PassVerdict): boolean {
  const { failures, isHealthOverdue, isTimedOut, problems, unready } = report;
  if (failures.length + problems.length > 0 || unready !== undefined) return false;
  if (reason === 'ReconciliationFailed') return isStalled || isTimedOut;
  return reason === 'TimedOut' || isHealthOverdue;
}

function whyFailed({ worst, isHealthOverdue }: PassReport, message: string): string {
  if (!isHealthOverdue || worst?.message === undefined || message.includes(worst.message)) return message;
  return cutText(`${worst.status}: ${worst.message}`, STATUS_LIMITS.maxResourceMessageChars);
}

function optional<Key extends string, T>(key: Key, value: T | undefined): Partial<Record<Key, T>> {
  return value === undefined ? {} : ({ [key]: value } as Record<Key, T>);
}
