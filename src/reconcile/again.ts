/** When a pass wants the next one, of its own accord: the earliest of poll, retry, wait and progress. */
import { parseDuration } from '../application/duration.ts';
import type { PassReport } from '../status/report.ts';
import type { Verdict } from '../status/verdict.ts';
import type { Retry } from '../object/stage-error.ts';
import type { Pass } from './pass.ts';
import type { Again } from './queue.ts';

export interface Ended {
  readonly report: PassReport;
  readonly verdict: Verdict;
  /** Until the brake on a heal is released. */
  readonly brakedMs: number;
}

export function decideAgain(pass: Pass, { report, verdict, brakedMs }: Ended): Again {
  const { clock, settings } = pass.context;
  const { source } = pass.state.memory;
  const intervalMs = parseDuration(pass.application.spec.source.interval) ?? settings.maxPollBackoffMs;
  // A pass that ended before the source was asked has nothing to hurry for.
  const isAsked = source && !report.failures.some(({ stage }) => stage === 'status');
  const pollInMs = isAsked ? Math.max(0, source.nextPollMs - clock.monotonicMs()) : intervalMs;
  const retries = retriesOf(report);
  const afters = retries.flatMap((retry) => (typeof retry === 'object' ? [retry.afterMs] : []));
  if (retries.includes('backoff')) return { type: 'backoff', atMostMs: Math.max(pollInMs, settings.minPollBackoffMs) };
  if (report.changes.some(({ desired }) => desired?.awaitsCrd)) afters.push(settings.awaitedDiscoveryRetryMs);
  const isMoving =
    (verdict.isReconciling && !CHANGED_BY_EVENT.has(verdict.reason)) ||
    [...report.applied.values()].some(({ outcome }) => outcome === 'pruning' || outcome === 'recreating') ||
    [...report.health.values()].some(({ status }) => status === 'Progressing');
  if (isMoving) afters.push(settings.progressCheckMs);
  return { type: 'after', delayMs: Math.min(pollInMs, brakedMs, ...afters) };
}

/** What is Degraded and nothing else changes by an event, with wait as without; so does another Application. */
const CHANGED_BY_EVENT: ReadonlySet<string> = new Set(['HealthCheckFailed', 'DependencyNotReady']);

/** Failures of source are left out: the poll has a backoff of its own. */
function retriesOf({ failures, applied, problems, changes }: PassReport): Retry[] {
  const retries = failures.filter(({ stage }) => stage !== 'source').map(({ retry }) => retry);
  for (const { refusal } of applied.values()) if (refusal) retries.push(refusal.retry);
  const isLacking = problems.some(({ code }) => code === 'KindUnknown' || code === 'KindUnavailable');
  const isUnsettled = changes.some(({ type }) => type === 'unknown' || type === 'conflict');
  if (isLacking || isUnsettled) retries.push('backoff');
  return retries;
}
