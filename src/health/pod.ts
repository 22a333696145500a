/** Health of Pods. Invariant: only the Pod's own status is read, neither Events nor logs. */
import type { LiveObject } from '../cluster/live.ts';
import { listAt, stringAt, valueAt, type KubeObject } from '../object/value.ts';
import { badExitOf, troubleOfContainers } from './container.ts';
import { conditionsOf, explain, HEALTHY, healthOf, type Health } from './assessment.ts';

/** An unschedulable Pod is Progressing, as in Argo CD: capacity may become free at any time. */
export function assessPod({ body }: LiveObject): Health {
  const phase = stringAt(body, 'status', 'phase');
  if (phase === 'Succeeded') return HEALTHY;
  if (phase === 'Failed') return healthOf('Degraded', failureOf(body));
  const trouble = troubleOfContainers(body);
  if (trouble?.isStuck) return healthOf('Degraded', trouble.text);
  const conditions = conditionsOf(body);
  const scheduled = conditions.get('PodScheduled');
  if (scheduled?.status === 'False') return healthOf('Progressing', explain(scheduled) || 'It is not scheduled yet.');
  const ready = conditions.get('Ready');
  if (ready?.status === 'True') return HEALTHY;
  const why = trouble?.text ?? readyCountOf(body) ?? (ready && explain(ready));
  return healthOf('Progressing', why || 'It has not started yet.');
}

/** Whether a Pod has succeeded or failed. Its removal is then not drift. */
export function isFinishedPod({ body }: LiveObject): boolean {
  const phase = stringAt(body, 'status', 'phase');
  return phase === 'Succeeded' || phase === 'Failed';
}

/** The Pod's status explains evictions and refused admission; container statuses explain other failures. */
function failureOf(body: KubeObject): string {
  const reason = stringAt(body, 'status', 'reason') ?? '';
  const message = stringAt(body, 'status', 'message') ?? '';
  return explain({ reason, message }) || badExitOf(body) || 'It failed.';
}

/** undefined if all containers are ready: then something else, such as a readiness gate, holds the Pod back. */
function readyCountOf(body: KubeObject): string | undefined {
  const containers = listAt(body, 'status', 'containerStatuses');
  const ready = containers.filter((container) => valueAt(container, 'ready') === true).length;
  return ready < containers.length ? `${ready} of ${containers.length} containers ready` : undefined;
}
