/**
 * Conditions in the Kubernetes form: one per type, and `lastTransitionTime` changes exactly when the status does. The
 * functions return the given list itself if nothing changed, so that callers can compare with `===`.
 */
import { printableLines } from '../object/printable.ts';
import { STATUS_LIMITS, type Condition } from './status-schema.ts';

/** kstatus reads these three types. Reconciling and Stalled are present only while True. */
export type ConditionType = 'Ready' | 'Reconciling' | 'Stalled' | (string & {});

export interface ConditionChange {
  readonly type: ConditionType;
  readonly status: Condition['status'];
  /** CamelCase. */
  readonly reason: string;
  /** setCondition cuts it to the bound of the CRD. */
  readonly message: string;
}

export interface ConditionContext {
  /** Milliseconds since the epoch. */
  readonly nowMs: number;
  /** `metadata.generation` of the Application that the condition describes. */
  readonly generation: number;
}

export function setCondition(
  conditions: readonly Condition[],
  { type, status, reason, message }: ConditionChange,
  { nowMs, generation }: ConditionContext,
): readonly Condition[] {
  const before = conditions.find((condition) => condition.type === type);
  const lastTransitionTime = before?.status === status ? before.lastTransitionTime : formatTime(nowMs);
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

/** RFC 3339 in UTC, to the second, as Kubernetes writes times. */
export function formatTime(epochMs: number): string {
  return new Date(epochMs).toISOString().replace(/\.\d+Z$/, 'Z');
}

/** Makes a text printable and cuts it to `maxChars` UTF-16 units. A cut text ends with an ellipsis. */
export function cutText(raw: string, maxChars: number): string {
  const text = printableLines(raw);
  if (text.length <= maxChars) return text;
  // Removes half of a surrogate pair, which is not valid text.
  return `${text.slice(0, maxChars - 1).replace(/[\ud800-\udbff]$/, '')}…`;
}
