/** Composes the history of the last syncs, the newest first. */
import { cutText, getCondition } from '../application/conditions.ts';
import type { StoredStatus } from '../application/schema.ts';
import { STATUS_LIMITS, type HistoryEntry, type SourceRevision } from '../application/status-schema.ts';
import type { PassReport } from './report.ts';
import { isApplied, isRolledBack, type PassVerdict } from './verdict.ts';

export interface HistoryOptions {
  readonly verdict: PassVerdict;
  /** RFC 3339. */
  readonly now: string;
  /** The pass gives up its revision, and goes back to an earlier one. */
  readonly hasFailed?: boolean;
}

export function nextHistory(
  status: StoredStatus,
  report: PassReport,
  { verdict, now, hasFailed = false }: HistoryOptions,
): HistoryEntry[] {
  const { revision, phase } = report;
  const previous = report.intent.mode === 'auto' ? withSuperseded(status, { revision, now }) : (status.history ?? []);
  const last = previous[0];
  if (phase === 'begun' || revision === undefined) return [...previous];
  const isSettled = isApplied(verdict) || verdict.isStalled || hasFailed;
  if (!isSettled || report.failures.some(({ stage }) => stage === 'source')) return [...previous];
  const isDone = (isApplied(verdict) || isRolledBack(verdict)) && !hasFailed;
  const outcome = isDone ? 'Succeeded' : 'Failed';
  const message = cutText(verdict.message, STATUS_LIMITS.maxResourceMessageChars);
  if (last?.outcome === outcome && isSameSync(last, report, message)) return [...previous];
  const entry = { ...entryOf(report, revision), finishedAt: now, outcome, message } as const;
  return [entry, ...previous].slice(0, STATUS_LIMITS.maxHistory);
}

function entryOf(
  { about = {}, commit, desiredDigest, sources, startedAt }: PassReport,
  revision: string,
): Omit<HistoryEntry, 'outcome'> {
  return {
    revision,
    ...(commit === undefined ? {} : { commit: commit.slice(0, 12) }),
    ...(sources === undefined ? {} : { sources: [...sources] }),
    ...(about.subject === undefined ? {} : { subject: about.subject }),
    ...(about.author === undefined ? {} : { author: about.author }),
    ...(about.date === undefined ? {} : { committedAt: about.date }),
    ...(about.signer === undefined ? {} : { signer: about.signer }),
    ...(desiredDigest === undefined ? {} : { digest: desiredDigest }),
    startedAt,
  };
}

/**
 * Whether an entry tells this sync too. A commit that leaves the desired objects as they are would push out the
 * revisions that a person may want to go back to; so would each commit on top of a broken one.
 */
function isSameSync(last: HistoryEntry, report: PassReport, message: string): boolean {
  const { revision, desiredDigest, sources = [] } = report;
  if (last.revision === revision && isSameRevisions(last.sources ?? [], sources)) return true;
  if (last.outcome === 'Failed') return last.message === message;
  return last.digest !== undefined && last.digest === desiredDigest;
}

function isSameRevisions(before: readonly SourceRevision[], after: readonly SourceRevision[]): boolean {
  return before.length === after.length && before.every(({ revision }, at) => revision === after[at]?.revision);
}

/** Adds the previous revision as Superseded if it was attempted and neither applied nor failed for good. */
function withSuperseded(
  { conditions = [], history = [], sync }: StoredStatus,
  { revision, now }: { revision: string | undefined; now: string },
): readonly HistoryEntry[] {
  const attempted = sync?.lastAttemptedRevision;
  if (attempted === undefined || revision === undefined || attempted === revision) return history;
  if (attempted === sync?.lastAppliedRevision || attempted === history[0]?.revision) return history;
  // It failed for good, with the message of an entry before it.
  if (getCondition(conditions, 'Stalled')?.status === 'True') return history;
  const entry: HistoryEntry = {
    revision: attempted,
    ...(attempted === sync?.revision && sync.commit !== undefined ? { commit: sync.commit } : {}),
    startedAt: getCondition(conditions, 'Reconciling')?.lastTransitionTime ?? now,
    finishedAt: now,
    outcome: 'Superseded',
    message: cutText(`replaced by ${revision}`, STATUS_LIMITS.maxResourceMessageChars),
  };
  return [entry, ...history].slice(0, STATUS_LIMITS.maxHistory);
}
