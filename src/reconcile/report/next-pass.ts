/** When an Application wants its next pass: at once, or at the earliest of poll, retry, wait and progress. */
import { parseDuration } from '../../application/duration.ts';
import type { Application } from '../../application/schema.ts';
import type { LastRequest } from '../../application/status-schema.ts';
import { isPassing } from '../../object/problem.ts';
import type { Retry } from '../../object/stage-error.ts';
import type { PassReport } from '../../status/report.ts';
import type { PassVerdict } from '../../status/verdict.ts';
import type { ReconcileContext } from '../context.ts';
import { isRetirementDue } from '../decide/gate-waves.ts';
import { sourceFor } from '../desired/memory.ts';
import type { NextPass, Pass } from '../pass.ts';
import { declaredIntent, type PassGoal } from '../requests.ts';
import type { Findings } from './report-of.ts';

export interface EndedPass {
  readonly application: Application;
  readonly goal: PassGoal;
  /** Something newer waits already. */
  readonly isCutShort: boolean;
  readonly findings: Findings;
  readonly report: PassReport;
  readonly verdict: PassVerdict;
  /** The answer to the request, as status tells it now. */
  readonly answer: LastRequest | undefined;
  /** Monotonic; undefined: the source was not asked yet. */
  readonly nextPollMs: number | undefined;
  /** By `idKey`, after this pass. */
  readonly endedJobs: ReadonlyMap<string, string> | undefined;
  /** Monotonic. */
  readonly nowMs: number;
  readonly settings: Pick<
    ReconcileContext['settings'],
    'minPollBackoffMs' | 'maxPollBackoffMs' | 'progressCheckMs' | 'awaitedDiscoveryRetryMs'
  >;
}

export function endedPassOf(
  { application, context, goal, isCutShort, memory }: Pass,
  ended: Pick<EndedPass, 'findings' | 'report' | 'verdict' | 'answer'>,
): EndedPass {
  return {
    ...ended,
    application,
    goal,
    isCutShort,
    nextPollMs: sourceFor(memory.desired, goal.commit !== undefined)?.nextPollMs,
    endedJobs: memory.endedJobs.ended,
    nowMs: context.clock.monotonicMs(),
    settings: context.settings,
  };
}

export function decideNextPass(ended: EndedPass): NextPass {
  return isDueAtOnce(ended) ? { type: 'after', delayMs: 0 } : dueLater(ended);
}

function isDueAtOnce({ application, goal, isCutShort, findings, answer, endedJobs }: EndedPass): boolean {
  const isAnswered = goal.request !== undefined && answer?.outcome !== 'InProgress';
  // The goal of the request ends with its answer: the next pass tells how the Application stands without it.
  if (isAnswered && !isAsDeclared(goal, application)) return true;
  const stored = application.status.finished ?? {};
  return isCutShort || isNextWaveDue(findings) || isRetirementDue(findings.changes ?? [], stored, endedJobs);
}

function isAsDeclared({ intent, commit }: PassGoal, { spec }: Application): boolean {
  const { mode, prune } = declaredIntent(spec);
  return commit === undefined && intent.mode === mode && intent.prune === prune && intent.objects === undefined;
}

/** The applied objects may be all that the next wave waits for; otherwise an event starts the next pass. */
function isNextWaveDue({ gate, plan, applied }: Findings): boolean {
  const isWaiting = gate !== undefined && (plan?.waitingFor.length ?? 0) > 0;
  return isWaiting && [...(applied?.values() ?? [])].some(({ live }) => live !== undefined);
}

function dueLater(ended: EndedPass): NextPass {
  const { findings, report, settings, verdict } = ended;
  const pollInMs = pollDelayMs(ended);
  const retries = retriesOf(report);
  const afters = retries.flatMap((retry) => (typeof retry === 'object' ? [retry.afterMs] : []));
  if (retries.includes('backoff')) return { type: 'backoff', atMostMs: Math.max(pollInMs, settings.minPollBackoffMs) };
  if (report.changes.some(({ desired }) => desired?.awaitsCrd)) afters.push(settings.awaitedDiscoveryRetryMs);
  const isMoving =
    (verdict.isReconciling && !CHANGED_BY_EVENT.has(verdict.reason)) ||
    [...report.applied.values()].some(({ outcome }) => outcome === 'pruning' || outcome === 'recreating') ||
    [...report.health.values()].some(({ status }) => status === 'Progressing');
  if (isMoving) afters.push(settings.progressCheckMs);
  const againInMs = Math.min(findings.braked?.againInMs ?? Infinity, findings.handOverAgainInMs ?? Infinity);
  return { type: 'after', delayMs: Math.min(pollInMs, againInMs, ...afters) };
}

function pollDelayMs({ application, nextPollMs, nowMs, report, settings }: EndedPass): number {
  // A pass that ended before the source was asked waits a whole interval.
  const isAsked = nextPollMs !== undefined && !report.failures.some(({ stage }) => stage === 'status');
  if (isAsked) return Math.max(0, nextPollMs - nowMs);
  return parseDuration(application.spec.source.interval) ?? settings.maxPollBackoffMs;
}

/** An event tells when these end: objects that stay Degraded, with `health.wait` or without, and other Applications. */
const CHANGED_BY_EVENT: ReadonlySet<string> = new Set(['HealthCheckFailed', 'DependencyNotReady']);

/** Failures of source are left out: the poll has a backoff of its own. */
function retriesOf({ failures, applied, problems, changes }: PassReport): Retry[] {
  const retries = failures.filter(({ stage }) => stage !== 'source').map(({ retry }) => retry);
  for (const { refusal } of applied.values()) if (refusal) retries.push(refusal.retry);
  const isUnsettled = changes.some(({ type }) => type === 'unknown' || type === 'conflict');
  if (problems.some(isPassing) || isUnsettled) retries.push('backoff');
  return retries;
}
