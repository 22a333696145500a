/**
 * The conditions of a pass, in the form of kstatus. Invariants: Reconciling and Stalled are present only while they are
 * True, Healthy always; a transition time changes only with the status; every message is within the bounds of the CRD.
 */
import { cutText, setCondition } from '../application/conditions.ts';
import { describeHold } from '../application/hold.ts';
import {
  isSettledHealth,
  STATUS_LIMITS,
  type Condition,
  type HealthSummary,
  type Hold,
} from '../application/status-schema.ts';
import { formatId } from '../object/identity.ts';
import { formatProblem } from '../object/problem.ts';
import { RELEASED, releasedLines } from './released.ts';
import { refusedChanges, type PassReport } from './report.ts';
import type { PassVerdict } from './verdict.ts';

interface ConditionOptions {
  readonly verdict: PassVerdict;
  readonly health: HealthSummary;
  /** The hold in force after this pass. */
  readonly hold?: Hold | undefined;
  readonly previous: readonly Condition[];
  readonly nowMs: number;
  readonly generation: number;
}

export function passConditions(report: PassReport, options: ConditionOptions): Condition[] {
  const { verdict } = options;
  const { health } = options;
  const { message } = verdict;
  const wanted: ConditionValue[] = [
    { type: 'Ready', status: verdict.ready, reason: verdict.reason, message: readyMessage(verdict, health) },
    healthyCondition(health),
    ...stageConditions(report),
  ];
  const conflict = conflictOf(report);
  if (conflict !== undefined) {
    wanted.push({ type: 'Conflict', status: 'True', reason: 'ClaimedTwice', message: clip(conflict) });
  }
  if (options.hold) {
    const { reason } = options.hold;
    const text = describeHold(options.hold, report.application.metadata);
    wanted.push({ type: 'Held', status: 'True', reason, message: clip(text) });
  }
  if (report.contestedObjects.length > 0) {
    wanted.push({ type: 'Contested', status: 'True', reason: 'HealedAgain', message: clip(contestedText(report)) });
  }
  const released = releasedLines(report, options.previous);
  if (released.length > 0) {
    wanted.push({ type: RELEASED, status: 'True', reason: 'LeftAlive', message: clip(shorten(released)) });
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

/** Ready says only that everything is applied: where an object is not well, the same line must not sound healthy. */
function readyMessage({ ready, message }: PassVerdict, health: HealthSummary): string {
  if (ready !== 'True' || isSettledHealth(health.status)) return message;
  return `${message}; ${describeHealth(health)}`;
}

/** `Degraded: Job.batch shop/migrate: …`, for messages. */
export function describeHealth({ status, message }: HealthSummary): string {
  return message === undefined ? status : `${status}: ${message}`;
}

/** True exactly if status.health is Healthy, with its word as the reason. */
function healthyCondition({ status, message = '' }: HealthSummary): ConditionValue {
  const holds = status === 'Healthy' ? 'True' : status === 'Unknown' ? 'Unknown' : 'False';
  return { type: 'Healthy', status: holds, reason: status, message };
}

/**
 * The message of the condition Conflict, which both Applications get. It is separate from Ready: an Application whose
 * objects are equal to Git is Ready, even if another one claims them too.
 */
function conflictOf(report: PassReport): string | undefined {
  const texts = [
    ...refusedChanges(report).map(({ id, reason }) => `${formatId(id)}: ${reason ?? 'managed by another Application'}`),
    ...report.rivalClaims.map(
      ({ id, claimant }) => `${formatId(id)}: also claimed by Application ${claimant}, which does not change it`,
    ),
  ];
  if (texts.length === 0) return undefined;
  return shorten(texts);
}

function contestedText({ contestedObjects }: PassReport): string {
  return shorten(contestedObjects.map(({ id, message }) => `${formatId(id)}: ${message}`));
}

/** One line per text, at most ten. */
function shorten(lines: readonly string[]): string {
  return lines.length > 10 ? `${lines.slice(0, 10).join('\n')}\n… and ${lines.length - 10} more` : lines.join('\n');
}

/** SourceReady and Rendered: whether the first stages failed, with the code of the stage as the reason. */
function stageConditions(report: PassReport): ConditionValue[] {
  const { failures, problems, revision, desiredDigest, phase, isEmptyRender, whyEmpty = '' } = report;
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
  } else if (isEmptyRender) {
    conditions.push({ type: 'Rendered', status: 'False', reason: 'EmptyRender', message: clip(whyEmpty) });
  } else if (desiredDigest !== undefined) {
    conditions.push({ type: 'Rendered', status: 'True', reason: 'Rendered', message: revision ?? '' });
  }
  return phase === 'begun' ? conditions.filter(({ status }) => status === 'True') : conditions;
}

/** Returns exactly the wanted conditions. A transition time is kept if the status did not change. */
export function mergeConditions(
  wanted: readonly ConditionValue[],
  { previous, nowMs, generation }: Omit<ConditionOptions, 'verdict' | 'health' | 'hold'>,
): Condition[] {
  const kept = previous.filter(({ type }) => wanted.some((condition) => condition.type === type));
  const merged = wanted.reduce<readonly Condition[]>(
    (conditions, condition) => setCondition(conditions, condition, { nowMs, generation }),
    kept,
  );
  return [...merged];
}

export interface ConditionValue {
  readonly type: string;
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason: string;
  readonly message: string;
}

/** Cuts a text to the bound of the CRD. */
export function clip(text: string): string {
  return cutText(text, STATUS_LIMITS.maxMessageChars);
}
