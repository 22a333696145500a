/** Chooses the Pod whose log is most likely to tell why an Application is not well, and the container in it. */
import type { LogQuestion } from '../cluster/ports.ts';
import { listAt, numberAt, stringAt, valueAt, type KubeObject, type Value } from '../object/value.ts';
import type { TreeNode } from '../server/api/schema.ts';

/** A Degraded Pod, or else one that is not ready yet. undefined: every Pod is well. */
export function failingPod(nodes: readonly TreeNode[]): TreeNode | undefined {
  const pods = nodes.filter(({ group, kind }) => group === '' && kind === 'Pod');
  return ['Degraded', 'Progressing']
    .map((word) => pods.find(({ health }) => health.status === word))
    .find((pod) => pod !== undefined);
}

/** A container that waits to be started again has its reason in the log of its last run. */
export function logQuestionOf(pod: KubeObject, lines: number): LogQuestion {
  const statuses = ['initContainerStatuses', 'containerStatuses'].flatMap((list) => listAt(pod, 'status', list));
  const failed = statuses.find(hasFailed) ?? statuses.find((status) => valueAt(status, 'ready') === false);
  const waits = failed !== undefined && valueAt(failed, 'state', 'waiting') !== undefined;
  const hasRun = failed !== undefined && (numberAt(failed, 'restartCount') ?? 0) > 0;
  return {
    namespace: stringAt(pod.metadata, 'namespace') ?? '',
    pod: stringAt(pod.metadata, 'name') ?? '',
    container: stringAt(failed, 'name') ?? stringAt(listAt(pod, 'spec', 'containers')[0], 'name'),
    isPrevious: waits && hasRun,
    lines,
  };
}

function hasFailed(status: Value): boolean {
  if (valueAt(status, 'ready') === true) return false;
  const isWaiting = valueAt(status, 'state', 'waiting') !== undefined;
  const exits = ['state', 'lastState'].map((state) => numberAt(status, state, 'terminated', 'exitCode') ?? 0);
  return exits.some((code) => code !== 0) || (isWaiting && (numberAt(status, 'restartCount') ?? 0) > 0);
}
