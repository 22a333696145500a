/** Health of StatefulSets. They have no progress deadline, so a stuck Pod makes them Degraded at once. */
import type { LiveObject } from '../cluster/live.ts';
import { numberAt, stringAt, type KubeObject } from '../object/value.ts';
import { countAt, HEALTHY, healthOf, isObserved, NOT_OBSERVED, type Health, type HealthContext } from './assessment.ts';
import { degradedByPods } from './workload-pods.ts';

export function assessStatefulSet({ body }: LiveObject, context: HealthContext): Health {
  if (!isObserved(body)) return NOT_OBSERVED;
  const progress = progressOf(body);
  return progress === undefined ? HEALTHY : degradedByPods(healthOf('Progressing', progress), context);
}

function progressOf(body: KubeObject): string | undefined {
  const wanted = numberAt(body, 'spec', 'replicas') ?? 1;
  const ready = countAt(body, 'status', 'readyReplicas');
  if (ready < wanted) return `${ready} of ${wanted} replicas ready`;
  // With OnDelete a Pod gets the new revision only after it was deleted by hand, so no update is under way.
  if (stringAt(body, 'spec', 'updateStrategy', 'type') === 'OnDelete') return undefined;
  const partition = countAt(body, 'spec', 'updateStrategy', 'rollingUpdate', 'partition');
  const toUpdate = Math.max(0, wanted - partition);
  const isDone = stringAt(body, 'status', 'currentRevision') === stringAt(body, 'status', 'updateRevision');
  const updated = countAt(body, 'status', 'updatedReplicas');
  if (!isDone && updated < toUpdate) return `${updated} of ${toUpdate} replicas updated`;
  const available = numberAt(body, 'status', 'availableReplicas');
  return available !== undefined && available < wanted ? `${available} of ${wanted} replicas available` : undefined;
}
