/**
 * Health of our own Applications, where one has others among its objects (an app of apps). Invariant: what ails an
 * object three levels down is Degraded at the top, and its name and reason come up with it.
 */
import type { LiveObject } from '../cluster/live.ts';
import { mapAt, numberAt, stringAt, valueAt } from '../object/value.ts';
import {
  conditionsOf,
  explain,
  HEALTHY,
  healthOf,
  isObserved,
  NOT_OBSERVED,
  type Health,
  type HealthContext,
  type HealthStatus,
} from './verdict.ts';

/** What the words of a child's own summary are for its parent: an object that the child misses is the child's fault. */
const WORDS: Readonly<Record<string, HealthStatus>> = {
  Progressing: 'Progressing',
  Degraded: 'Degraded',
  Missing: 'Degraded',
  Suspended: 'Suspended',
  Unknown: 'Unknown',
};

export function assessApplication({ id, body }: LiveObject, { self }: HealthContext): Health {
  // An Application that holds itself would wait for its own health for ever.
  if (self && self.namespace === id.namespace && self.name === id.name) return HEALTHY;
  if (valueAt(body, 'spec', 'suspend') === true) return healthOf('Suspended', 'It is suspended (spec.suspend).');
  if (numberAt(body, 'status', 'observedGeneration') === undefined || !isObserved(body)) return NOT_OBSERVED;
  const conditions = conditionsOf(body);
  const stalled = conditions.get('Stalled');
  if (stalled?.status === 'True') return healthOf('Degraded', explain(stalled));
  const summary = mapAt(body, 'status', 'health');
  const [word = '', message = ''] = [stringAt(summary, 'status'), stringAt(summary, 'message')];
  if (word === 'Degraded') return healthOf('Degraded', message);
  const ready = conditions.get('Ready');
  if (ready?.status === 'False' && ready.reason === 'HealthCheckFailed') return healthOf('Degraded', explain(ready));
  const reconciling = conditions.get('Reconciling');
  if (reconciling?.status === 'True') return healthOf('Progressing', (ready && explain(ready)) || explain(reconciling));
  // What waits for a person to ask for it is nobody's failure.
  const isManual = valueAt(body, 'spec', 'sync', 'mode') === 'manual';
  if (isManual && word === 'Missing') return healthOf('Suspended', 'It waits for a sync (spec.sync.mode is manual).');
  // Drift that is only reported (mode detect) is a matter of sync, not of health.
  const own = Object.hasOwn(WORDS, word) ? WORDS[word] : undefined;
  return own ? healthOf(own, message) : HEALTHY;
}
