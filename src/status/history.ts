/** Composes the history of the last syncs, the newest first. */
import { cutText, getCondition } from '../application/conditions.ts';
import type { StoredStatus } from '../application/schema.ts';
import { STATUS_LIMITS, type HistoryEntry } from '../application/status-schema.ts';
import type { PassReport } from './report.ts';
import { isApplied, type PassVerdict } from './verdict.ts';

export function nextHistory(
  status: StoredStatus,
  report: PassReport,
  { verdict, now }: { verdict: PassVerdict; now: string },
): HistoryEntry[] {
  const { revision, commit, phase } = report;
  const previous = report.intent.mode === 'auto' ? withSuperseded(status, { revision, now }) : (status.history ?? []);
  const last = previous[0];
  if (phase === 'begun' || revision === undefined) return [...previous];
  const isSettled = isApplied(verdict) || verdict.isStalled;
  if (!isSettled || report.failures.some(({ stage }) => stage === 'source')) return [...previous];
  const outcome = isApplied(verdict) ? 'Succeeded' : 'Failed';
  const isKnown = last?.revision === revision && last.outcome === outcome;
  if (isKnown) return [...previous];
  const entry: HistoryEntry = {
    revision,
    ...(commit === undefined ? {} : { commit: commit.slice(0, 12) }),
    startedAt: report.startedAt,
    finishedAt: now,
    outcome,
    message: cutText(verdict.message, STATUS_LIMITS.maxResourceMessageChars),
  };
  return [entry, ...previous].slice(0, STATUS_LIMITS.maxHistory);
}

/** Adds the previous revision as Superseded if it was attempted and neither applied nor failed for good. */
function withSuperseded(
  { conditions = [], history = [], sync }: StoredStatus,
  { revision, now }: { revision: string | undefined; now: string },
): readonly HistoryEntry[] {
  const attempted = sync?.lastAttemptedRevision;
  if (attempted === undefined || revision === undefined || attempted === revision) return history;
  if (attempted === sync?.lastAppliedRevision || attempted === history[0]?.revision) return history;
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
