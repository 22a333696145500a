/** Health of DaemonSets. They have no progress deadline, so a stuck Pod makes them Degraded at once. */
import type { LiveObject } from '../cluster/live.ts';
import { stringAt, type KubeObject } from '../object/value.ts';
import { countAt, HEALTHY, healthOf, isObserved, NOT_OBSERVED, type Health, type HealthContext } from './assessment.ts';
import { degradedByPods } from './workload-pods.ts';

export function assessDaemonSet({ body }: LiveObject, context: HealthContext): Health {
  if (!isObserved(body) || body['status'] === undefined) return NOT_OBSERVED;
  const progress = progressOf(body);
  return progress === undefined ? HEALTHY : degradedByPods(healthOf('Progressing', progress), context);
}

function progressOf(body: KubeObject): string | undefined {
  const wanted = countAt(body, 'status', 'desiredNumberScheduled');
  const updated = countAt(body, 'status', 'updatedNumberScheduled');
  const available = countAt(body, 'status', 'numberAvailable');
  const isOnDelete = stringAt(body, 'spec', 'updateStrategy', 'type') === 'OnDelete';
  if (!isOnDelete && updated < wanted) return `${updated} of ${wanted} nodes updated`;
  return available < wanted ? `available on ${available} of ${wanted} nodes` : undefined;
}
