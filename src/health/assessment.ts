/** The Health type, and the helpers with which the file of each kind assesses it. */
import type { LiveObject } from '../cluster/live.ts';
import { isMap, listAt, numberAt, stringAt, type KubeObject, type Value } from '../object/value.ts';

export type HealthStatus = 'Healthy' | 'Progressing' | 'Degraded' | 'Suspended' | 'Missing' | 'Unknown';

/** From best to worst. A known failure ranks worse than Unknown. */
export const ORDER: readonly HealthStatus[] = ['Healthy', 'Suspended', 'Unknown', 'Progressing', 'Missing', 'Degraded'];

export interface Health {
  readonly status: HealthStatus;
  /** One sentence for people, at most `MAX_MESSAGE_CHARS`; empty if there is nothing to explain. */
  readonly message: string;
}

export interface HealthContext {
  /** The Pods of the workload; absent if they were not listed. */
  readonly pods?: readonly LiveObject[];
  /** The health by the check that people have written for the kind. undefined, or gives undefined: there is none. */
  readonly checked?: (live: LiveObject) => Health | undefined;
  /** The Application whose objects are assessed. */
  readonly self?: { readonly namespace: string; readonly name: string };
}

/** Our messages quote those of controllers and kubelets, which may hold whole pod specs. */
const MAX_MESSAGE_CHARS = 300;

export const HEALTHY: Health = { status: 'Healthy', message: '' };

/** Puts the message on one line and cuts it to its bound. */
export function healthOf(status: HealthStatus, message: string): Health {
  const line = message.replace(/\s+/g, ' ').trim();
  return { status, message: line.length <= MAX_MESSAGE_CHARS ? line : `${cut(line)}…` };
}

/** Does not cut a surrogate pair in two: half of it is not valid text. */
function cut(line: string): string {
  const end = MAX_MESSAGE_CHARS - 1;
  const last = line.charCodeAt(end - 1);
  return line.slice(0, last >= 0xd800 && last <= 0xdbff ? end - 1 : end);
}

export interface Condition {
  readonly status: string;
  readonly reason: string;
  readonly message: string;
  /** Cluster API and Azure Service Operator say here whether False is an error. */
  readonly severity: string;
}

/** `status.conditions` by type; the last one of a type counts. */
export function conditionsOf(object: KubeObject): ReadonlyMap<string, Condition> {
  return readConditions(listAt(object, 'status', 'conditions'));
}

export function readConditions(list: readonly Value[]): ReadonlyMap<string, Condition> {
  const conditions = new Map<string, Condition>();
  for (const item of list) {
    const type = stringAt(item, 'type');
    if (type === undefined || !isMap(item)) continue;
    conditions.set(type, {
      status: stringAt(item, 'status') ?? '',
      reason: stringAt(item, 'reason') ?? '',
      message: stringAt(item, 'message') ?? '',
      severity: stringAt(item, 'severity') ?? '',
    });
  }
  return conditions;
}

/** `reason: message`, or the one that is not empty. */
export function explain({ reason, message }: Pick<Condition, 'reason' | 'message'>): string {
  return reason && message ? `${reason}: ${message}` : reason || message;
}

/** Whether the controller has seen the current spec. Kinds without observedGeneration count as seen. */
export function isObserved(object: KubeObject): boolean {
  const observed = numberAt(object, 'status', 'observedGeneration');
  const generation = numberAt(object.metadata, 'generation');
  return observed === undefined || generation === undefined || observed >= generation;
}

/** Reads a count that the server leaves out while it is 0. */
export function countAt(value: Value, ...keys: string[]): number {
  return numberAt(value, ...keys) ?? 0;
}

export const NOT_OBSERVED = healthOf('Progressing', 'Its controller has not seen the latest change yet.');
