/** The last syncs, the newest first. A pass that applied nothing leaves no trace. */
import { cutText } from '../application/conditions.ts';
import { STATUS_LIMITS, type HistoryEntry } from '../application/status-schema.ts';
import type { PassReport } from './report.ts';
import { isApplied, type Verdict } from './verdict.ts';

export function nextHistory(
  previous: readonly HistoryEntry[],
  report: PassReport,
  { verdict, now }: { verdict: Verdict; now: string },
): HistoryEntry[] {
  const { revision, commit, phase } = report;
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
