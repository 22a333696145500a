/**
 * Health of PodDisruptionBudgets: Healthy once their controller has computed them. A budget that allows no disruption
 * is Healthy: that is normal for a single replica, and the workload itself reports missing Pods.
 */
import type { LiveObject } from '../cluster/live.ts';
import { numberAt } from '../object/value.ts';
import { conditionsOf, explain, HEALTHY, healthOf, isObserved, NOT_OBSERVED, type Health } from './assessment.ts';

export function assessPodDisruptionBudget({ body }: LiveObject): Health {
  const allowed = conditionsOf(body).get('DisruptionAllowed');
  if (allowed?.status === 'False' && allowed.reason === 'SyncFailed') return healthOf('Degraded', explain(allowed));
  const isComputed = numberAt(body, 'status', 'observedGeneration') !== undefined && isObserved(body);
  return isComputed ? HEALTHY : NOT_OBSERVED;
}
