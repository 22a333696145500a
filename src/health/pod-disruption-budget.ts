/**
 * Health of PodDisruptionBudgets: Healthy once they have been computed. That no disruption is allowed just now is what
 * many are for (a single replica, say), and too few Pods are told by the workload that lacks them.
 */
import type { LiveObject } from '../cluster/live.ts';
import { numberAt } from '../object/value.ts';
import { conditionsOf, explain, HEALTHY, healthOf, isObserved, NOT_OBSERVED, type Health } from './verdict.ts';

export function assessPodDisruptionBudget({ body }: LiveObject): Health {
  const allowed = conditionsOf(body).get('DisruptionAllowed');
  if (allowed?.status === 'False' && allowed.reason === 'SyncFailed') return healthOf('Degraded', explain(allowed));
  const isComputed = numberAt(body, 'status', 'observedGeneration') !== undefined && isObserved(body);
  return isComputed ? HEALTHY : NOT_OBSERVED;
}
