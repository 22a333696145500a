/** When an Application wants its next pass: at once, or at the earliest of poll, retry, wait and progress. */
import { parseDuration } from '../../application/duration.ts';
import type { Application } from '../../application/schema.ts';
import type { LastRequest } from '../../application/status-schema.ts';
import { idKey } from '../../object/identity.ts';
import { isPassing } from '../../object/problem.ts';
import type { Retry } from '../../object/stage-error.ts';
import type { PassReport } from '../../status/report.ts';
import type { PassVerdict } from '../../status/verdict.ts';
import type { ReconcileContext } from '../context.ts';
import { doubtInMs } from '../decide/evidence.ts';
import { isRetirementDue } from '../decide/gate-waves.ts';
import { nextPollMs } from '../desired/memory.ts';
import type { NextPass, Pass } from '../pass.ts';
import { declaredIntent, type PassGoal } from '../requests.ts';
import type { Findings } from './report-of.ts';

export interface EndedPass {
  readonly application: Pick<Application, 'spec' | 'status'>;
  readonly goal: Pick<PassGoal, 'request' | 'intent' | 'commit' | 'hold' | 'window'>;
  /** Something newer waits already. */
  readonly isCutShort: boolean;
  readonly findings: Pick<Findings, 'changes' | 'gate' | 'plan' | 'applied' | 'braked' | 'handOverAgainInMs'>;
  readonly report: Pick<PassReport, 'failures' | 'applied' | 'problems' | 'changes' | 'health'>;
  readonly verdict: Pick<PassVerdict, 'isReconciling' | 'reason'>;
  /** The answer to the request, as status tells it now. */
  readonly answer: Pick<LastRequest, 'outcome'> | undefined;
  /** Monotonic; undefined: the source was not asked yet. */
  readonly nextPollMs: number | undefined;
  /** Until the API server is asked again about objects that it has left different from Git; Infinity: never. */
  readonly doubtInMs: number;
  /** Until spec.sync.windows open or close. Absent: they do not. */
  readonly windowInMs?: number;
  /** Monotonic; when discovery may be asked again for a kind that the API server lacks. */
  readonly nextDiscoveryMs: number;
  /** By `idKey`, after this pass. */
  readonly endedJobs: ReadonlyMap<string, string> | undefined;
  /** Monotonic. */
  readonly nowMs: number;
  readonly settings: Pick<
    ReconcileContext['settings'],
    'minPollBackoffMs' | 'maxPollBackoffMs' | 'progressCheckMs' | 'awaitedDiscoveryRetryMs' | 'unwatchedCheckMs'
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
    nextPollMs: nextPollMs(memory.desired, goal),
    doubtInMs: doubtInMs(memory.evidence, ended.findings.changes ?? [], context.clock.monotonicMs()),
    windowInMs: Math.max(0, (goal.window?.changesAtMs ?? Infinity) - context.clock.now()),
    nextDiscoveryMs: memory.desired.discovery?.nextMs ?? 0,
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

function isAsDeclared(goal: EndedPass['goal'], { spec }: EndedPass['application']): boolean {
  const { intent, commit, hold } = goal;
  const { mode, prune } = declaredIntent(spec, goal);
  return (
    (commit === undefined || hold !== undefined) &&
    intent.mode === mode &&
    intent.prune === prune &&
    intent.objects === undefined
  );
}

/** The applied objects may be all that the next wave waits for; otherwise an event starts the next pass. */
function isNextWaveDue({ gate, plan, applied }: EndedPass['findings']): boolean {
  const isWaiting = gate !== undefined && (plan?.waitingFor.length ?? 0) > 0;
  return isWaiting && [...(applied?.values() ?? [])].some(({ live }) => live !== undefined);
}

function dueLater(ended: EndedPass): NextPass {
  const { findings, report, settings, verdict } = ended;
  const pollInMs = pollDelayMs(ended);
  const retries = retriesOf(report);
  const requested = retries.flatMap((retry) => (typeof retry === 'object' ? [retry.afterMs] : []));
  // The next pass sends again all that failed, so the longest time that a server has named holds for the whole pass.
  const atLeastMs = requested.length > 0 ? Math.min(pollInMs, Math.max(...requested)) : undefined;
  if (retries.includes('backoff')) {
    const atMostMs = Math.max(pollInMs, settings.minPollBackoffMs);
    return { type: 'backoff', atMostMs, ...(atLeastMs === undefined ? {} : { atLeastMs }) };
  }
  if (atLeastMs !== undefined) return { type: 'after', delayMs: atLeastMs };
  const delays = [pollInMs, findings.braked?.againInMs ?? Infinity, findings.handOverAgainInMs ?? Infinity];
  delays.push(awaitedKindInMs(ended), ended.doubtInMs, ended.windowInMs ?? Infinity);
  const isMoving =
    (verdict.isReconciling && !CHANGED_BY_EVENT.has(verdict.reason)) ||
    [...report.applied.values()].some(({ outcome }) => outcome === 'pruning' || outcome === 'recreating') ||
    [...report.health.values()].some(({ status }) => status === 'Progressing');
  if (isMoving) delays.push(settings.progressCheckMs);
  if (hasUnwatched(ended)) delays.push(settings.unwatchedCheckMs);
  return { type: 'after', delayMs: Math.min(...delays) };
}

/**
 * Whether objects are left as they are that no watch tells about. Only in mode auto: the other modes read such objects
 * at each poll, and before an adoption these may be all objects.
 */
function hasUnwatched({ application, goal, report }: EndedPass): boolean {
  if (declaredIntent(application.spec, goal).mode !== 'auto') return false;
  const isLeft = [...report.applied.values()].some(({ outcome, live }) => outcome === 'unchanged' && !live);
  return isLeft || report.changes.some(({ isUnwatched }) => isUnwatched);
}

/**
 * Until discovery is asked again for a kind whose definition is applied, and is not served yet. Infinity: nothing would
 * be applied by then, or an event, a poll or the retry of a failure tells of the definition.
 */
function awaitedKindInMs({ goal, nextDiscoveryMs, nowMs, report, settings }: EndedPass): number {
  const { mode, objects } = goal.intent;
  const awaited = new Set<string>();
  for (const { desired } of report.changes) {
    if (desired?.awaitsCrd && objects?.has(idKey(desired.id)) !== false) awaited.add(idKey(desired.awaitsCrd));
  }
  if (mode !== 'auto' || awaited.size === 0) return Infinity;
  const isComing = report.changes.some(({ id, type, live }) => {
    const key = idKey(id);
    if (!awaited.has(key) || report.health.get(key)?.status === 'Degraded') return false;
    return report.applied.get(key)?.live !== undefined || (type === 'none' && live !== undefined);
  });
  return isComing ? Math.max(settings.awaitedDiscoveryRetryMs, nextDiscoveryMs - nowMs) : Infinity;
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
function retriesOf({ failures, applied, problems, changes }: EndedPass['report']): Retry[] {
  const retries = failures.filter(({ stage }) => stage !== 'source').map(({ retry }) => retry);
  for (const { refusal } of applied.values()) if (refusal) retries.push(refusal.retry);
  const isUnsettled = changes.some(({ type }) => type === 'unknown' || type === 'conflict');
  if (problems.some(isPassing) || isUnsettled) retries.push('backoff');
  return retries;
}
