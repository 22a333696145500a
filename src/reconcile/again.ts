/** When a pass wants the next one, of its own accord: at once, or at the earliest of poll, retry, wait and progress. */
import { parseDuration } from '../application/duration.ts';
import type { LastRequest } from '../application/status-schema.ts';
import { isPassing } from '../object/problem.ts';
import type { Retry } from '../object/stage-error.ts';
import type { PassReport } from '../status/report.ts';
import type { PassVerdict } from '../status/verdict.ts';
import { isRetirementDue } from './gate-waves.ts';
import type { Pass } from './pass.ts';
import type { Again } from './queue.ts';
import type { Findings } from './report-of.ts';
import { declaredIntent } from './requests.ts';

export interface Ended {
  readonly findings: Findings;
  readonly report: PassReport;
  readonly verdict: PassVerdict;
  /** As the status tells it now. */
  readonly answer: LastRequest | undefined;
}

export function decideAgain(pass: Pass, ended: Ended): Again {
  return isDueAtOnce(pass, ended) ? { type: 'after', delayMs: 0 } : dueLater(pass, ended);
}

function isDueAtOnce(pass: Pass, { findings, answer }: Ended): boolean {
  const isAnswered = pass.asked.request !== undefined && answer?.outcome !== 'InProgress';
  // What a request had done otherwise than the spec says ends with it: the next pass tells where that leaves us.
  if (isAnswered && !isAsDeclared(pass)) return true;
  return pass.isCutShort || isNextWaveDue(findings) || isRetirementDue(pass, findings.changes);
}

function isAsDeclared({ asked, application }: Pass): boolean {
  const { mode, prune } = declaredIntent(application.spec);
  const { intent, commit } = asked;
  return commit === undefined && intent.mode === mode && intent.prune === prune && intent.objects === undefined;
}

/** What a wave applied may be all that the next one waits for; where it is not, an event tells. */
function isNextWaveDue({ gate, plan, applied }: Findings): boolean {
  const isWaiting = gate !== undefined && (plan?.waitingFor.length ?? 0) > 0;
  return isWaiting && [...(applied?.values() ?? [])].some(({ live }) => live !== undefined);
}

function dueLater(pass: Pass, { findings, report, verdict }: Ended): Again {
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
  return { type: 'after', delayMs: Math.min(pollInMs, findings.braked?.againInMs ?? Infinity, ...afters) };
}

/** What is Degraded and nothing else changes by an event, with wait as without; so does another Application. */
const CHANGED_BY_EVENT: ReadonlySet<string> = new Set(['HealthCheckFailed', 'DependencyNotReady']);

/** Failures of source are left out: the poll has a backoff of its own. */
function retriesOf({ failures, applied, problems, changes }: PassReport): Retry[] {
  const retries = failures.filter(({ stage }) => stage !== 'source').map(({ retry }) => retry);
  for (const { refusal } of applied.values()) if (refusal) retries.push(refusal.retry);
  const isUnsettled = changes.some(({ type }) => type === 'unknown' || type === 'conflict');
  if (problems.some(isPassing) || isUnsettled) retries.push('backoff');
  return retries;
}
