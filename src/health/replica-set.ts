/** Health of ReplicaSets and ReplicationControllers: Healthy once all replicas are available. */
import type { LiveObject } from '../cluster/live.ts';
import { numberAt } from '../object/value.ts';
import { countAt, HEALTHY, isObserved, NOT_OBSERVED, type Health, type HealthContext } from './assessment.ts';
import { comingUp } from './workload-pods.ts';

export function assessReplicaSet({ body }: LiveObject, context: HealthContext): Health {
  if (!isObserved(body)) return NOT_OBSERVED;
  const wanted = numberAt(body, 'spec', 'replicas') ?? 1;
  const available = countAt(body, 'status', 'availableReplicas');
  if (available >= wanted) return HEALTHY;
  return comingUp(body, `${available} of ${wanted} replicas available`, context);
}
