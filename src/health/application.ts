/**
 * Health of Applications that are objects of another Application (app of apps). Invariant: a Degraded object makes all
 * Applications above it Degraded, with its name and reason in their messages.
 */
import type { LiveObject } from '../cluster/live.ts';
import { mapAt, numberAt, stringAt, valueAt, type KubeObject } from '../object/value.ts';
import {
  conditionsOf,
  explain,
  HEALTHY,
  healthOf,
  isObserved,
  NOT_OBSERVED,
  type Condition,
  type Health,
  type HealthContext,
  type HealthStatus,
} from './assessment.ts';

/** By status.health.status of the child: its health for the parent. A Missing object makes the child Degraded. */
const WORDS: Readonly<Record<string, HealthStatus>> = {
  Progressing: 'Progressing',
  Degraded: 'Degraded',
  Missing: 'Degraded',
  Suspended: 'Suspended',
  Unknown: 'Unknown',
};

export function assessApplication({ id, body }: LiveObject, { self }: HealthContext): Health {
  // An Application that is one of its own objects would wait for its own health forever.
  if (self && self.namespace === id.namespace && self.name === id.name) return HEALTHY;
  if (valueAt(body, 'spec', 'suspend') === true) return healthOf('Suspended', 'It is suspended (spec.suspend).');
  if (numberAt(body, 'status', 'observedGeneration') === undefined || !isObserved(body)) return NOT_OBSERVED;
  const conditions = conditionsOf(body);
  return failureOf(conditions, body) ?? progressOf(conditions) ?? summaryOf(body);
}

function failureOf(conditions: ReadonlyMap<string, Condition>, body: KubeObject): Health | undefined {
  const stalled = conditions.get('Stalled');
  if (stalled?.status === 'True') return healthOf('Degraded', explain(stalled));
  const { word, message } = wordOf(body);
  if (word === 'Degraded') return healthOf('Degraded', message);
  const ready = conditions.get('Ready');
  const isUnwell = ready?.status === 'False' && ready.reason === 'HealthCheckFailed';
  return isUnwell ? healthOf('Degraded', explain(ready)) : undefined;
}

function progressOf(conditions: ReadonlyMap<string, Condition>): Health | undefined {
  const reconciling = conditions.get('Reconciling');
  if (reconciling?.status !== 'True') return undefined;
  const ready = conditions.get('Ready');
  return healthOf('Progressing', (ready && explain(ready)) || explain(reconciling));
}

/** Drift that is only reported (mode detect) does not affect health. */
function summaryOf(body: KubeObject): Health {
  const { word, message } = wordOf(body);
  // In mode manual objects are missing until a person requests a sync, which is not a failure.
  const isManual = valueAt(body, 'spec', 'sync', 'mode') === 'manual';
  if (isManual && word === 'Missing') return healthOf('Suspended', 'It waits for a sync (spec.sync.mode is manual).');
  const status = Object.hasOwn(WORDS, word) ? WORDS[word] : undefined;
  return status ? healthOf(status, message) : HEALTHY;
}

function wordOf(body: KubeObject): { readonly word: string; readonly message: string } {
  const summary = mapAt(body, 'status', 'health');
  return { word: stringAt(summary, 'status') ?? '', message: stringAt(summary, 'message') ?? '' };
}
