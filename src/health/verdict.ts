/** What health/ hands on, and what each kind's file needs to say it. */
import type { LiveObject } from '../cluster/live.ts';
import { isMap, listAt, numberAt, stringAt, type KubeObject, type Value } from '../object/value.ts';

export type HealthStatus = 'Healthy' | 'Progressing' | 'Degraded' | 'Suspended' | 'Missing' | 'Unknown';

export interface Health {
  readonly status: HealthStatus;
  /** One sentence for a person, at most `MAX_MESSAGE_CHARS`; empty where there is nothing to say. */
  readonly message: string;
}

export interface HealthContext {
  /** The Pods of the workload, where somebody has listed them. */
  readonly pods?: readonly LiveObject[];
  /** The Application whose objects are assessed. */
  readonly self?: { readonly namespace: string; readonly name: string };
}

/** Messages of controllers and kubelets are put into ours, and may hold whole pod specs. */
const MAX_MESSAGE_CHARS = 300;

export const HEALTHY: Health = { status: 'Healthy', message: '' };

/** The message on one line, cut to its bound. */
export function healthOf(status: HealthStatus, message: string): Health {
  const line = message.replace(/\s+/g, ' ').trim();
  return { status, message: line.length <= MAX_MESSAGE_CHARS ? line : `${cut(line)}…` };
}

/** Never through the middle of a character, which would be no valid text any more. */
function cut(line: string): string {
  const end = MAX_MESSAGE_CHARS - 1;
  const last = line.charCodeAt(end - 1);
  return line.slice(0, last >= 0xd800 && last <= 0xdbff ? end - 1 : end);
}

export interface Condition {
  readonly status: string;
  readonly reason: string;
  readonly message: string;
}

/** `status.conditions` by type; the last of a type wins. */
export function conditionsOf(object: KubeObject): ReadonlyMap<string, Condition> {
  const conditions = new Map<string, Condition>();
  for (const item of listAt(object, 'status', 'conditions')) {
    const type = stringAt(item, 'type');
    if (type === undefined || !isMap(item)) continue;
    conditions.set(type, {
      status: stringAt(item, 'status') ?? '',
      reason: stringAt(item, 'reason') ?? '',
      message: stringAt(item, 'message') ?? '',
    });
  }
  return conditions;
}

/** `reason: message`, or whichever there is. */
export function explain({ reason, message }: Pick<Condition, 'reason' | 'message'>): string {
  return reason && message ? `${reason}: ${message}` : reason || message;
}

/** Whether the controller has seen the spec as it is now; kinds that do not say so count as seen. */
export function isObserved(object: KubeObject): boolean {
  const observed = numberAt(object, 'status', 'observedGeneration');
  const generation = numberAt(object.metadata, 'generation');
  return observed === undefined || generation === undefined || observed >= generation;
}

/** A count that is left out while it is 0. */
export function countAt(value: Value, ...keys: string[]): number {
  return numberAt(value, ...keys) ?? 0;
}

export const NOT_OBSERVED = healthOf('Progressing', 'Its controller has not seen the latest change yet.');
