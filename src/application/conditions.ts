/**
 * Conditions as Kubernetes writes them: one a type, and `lastTransitionTime` moves exactly when the status does.
 * Functions are pure and give back the list that they got when nothing changed, so that "nothing to write" is `===`.
 */
import { printableLines } from '../object/printable.ts';
import { STATUS_LIMITS, type Condition } from './status-schema.ts';

/** The types that Tautline sets; kstatus reads the first three, and the latter two are present only while True. */
export type ConditionType = 'Ready' | 'Reconciling' | 'Stalled' | (string & {});

export interface ConditionChange {
  readonly type: ConditionType;
  readonly status: Condition['status'];
  /** CamelCase. */
  readonly reason: string;
  /** Cut to the bound of the CRD. */
  readonly message: string;
}

export interface ConditionContext {
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** `metadata.generation` that the condition is about. */
  readonly generation: number;
}

export function setCondition(
  conditions: readonly Condition[],
  { type, status, reason, message }: ConditionChange,
  { now, generation }: ConditionContext,
): readonly Condition[] {
  const before = conditions.find((condition) => condition.type === type);
  const lastTransitionTime = before?.status === status ? before.lastTransitionTime : formatTime(now);
  const text = cutText(message, STATUS_LIMITS.maxMessageChars);
  const after = { type, status, reason, message: text, lastTransitionTime, observedGeneration: generation };
  if (!before) return [...conditions, after];
  if (before.reason === reason && before.message === text && before.observedGeneration === generation) {
    if (before.status === status) return conditions;
  }
  return conditions.map((condition) => (condition.type === type ? after : condition));
}

export function removeCondition(conditions: readonly Condition[], type: ConditionType): readonly Condition[] {
  return conditions.some((condition) => condition.type === type)
    ? conditions.filter((condition) => condition.type !== type)
    : conditions;
}

export function getCondition(conditions: readonly Condition[], type: ConditionType): Condition | undefined {
  return conditions.find((condition) => condition.type === type);
}

/** RFC 3339 in UTC to the second, as Kubernetes writes times. */
export function formatTime(epochMs: number): string {
  return new Date(epochMs).toISOString().replace(/\.\d+Z$/, 'Z');
}

/** Fit to be shown, and at most so many UTF-16 units, the last an ellipsis where something was cut. */
export function cutText(raw: string, maxChars: number): string {
  const text = printableLines(raw);
  if (text.length <= maxChars) return text;
  // A pair of surrogates is not cut in two: half of one is no text.
  return `${text.slice(0, maxChars - 1).replace(/[\ud800-\udbff]$/, '')}…`;
}
