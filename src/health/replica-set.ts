/** ReplicaSet: ready when as many Pods as its spec asks for are available. */
import type { LiveObject } from '../cluster/live.ts';
import { numberAt } from '../object/value.ts';
import { withPodTrouble } from './pod.ts';
import {
  conditionsOf,
  countAt,
  explain,
  HEALTHY,
  healthOf,
  isObserved,
  NOT_OBSERVED,
  type Health,
  type HealthContext,
} from './verdict.ts';

export function assessReplicaSet({ body }: LiveObject, context: HealthContext): Health {
  if (!isObserved(body)) return NOT_OBSERVED;
  const failure = conditionsOf(body).get('ReplicaFailure');
  if (failure?.status === 'True') return healthOf('Degraded', explain(failure));
  const wanted = numberAt(body, 'spec', 'replicas') ?? 1;
  const available = countAt(body, 'status', 'availableReplicas');
  if (available >= wanted) return HEALTHY;
  return withPodTrouble(healthOf('Progressing', `${available} of ${wanted} replicas available`), context);
}
