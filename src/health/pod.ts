/** Health of Pods. Invariant: what is judged is the Pod's own status; events and logs are not read. */
import type { LiveObject } from '../cluster/live.ts';
import { listAt, stringAt, valueAt, type KubeObject } from '../object/value.ts';
import { badExitOf, troubleOfContainers } from './container.ts';
import { conditionsOf, explain, HEALTHY, healthOf, type Health } from './verdict.ts';

/** A Pod that fits nowhere is Progressing, as in Argo CD: room may come at any time, and no clock is read here. */
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

/** Whether a Pod has run to its end: its removal is then no drift. */
export function isFinishedPod({ body }: LiveObject): boolean {
  const phase = stringAt(body, 'status', 'phase');
  return phase === 'Succeeded' || phase === 'Failed';
}

/** Eviction and refused admission are said of the whole Pod, all else of a container. */
function failureOf(body: KubeObject): string {
  const reason = stringAt(body, 'status', 'reason') ?? '';
  const message = stringAt(body, 'status', 'message') ?? '';
  return explain({ reason, message }) || badExitOf(body) || 'It failed.';
}

/** undefined where all are ready, so that something else holds the Pod back: a readiness gate. */
function readyCountOf(body: KubeObject): string | undefined {
  const containers = listAt(body, 'status', 'containerStatuses');
  const ready = containers.filter((container) => valueAt(container, 'ready') === true).length;
  return ready < containers.length ? `${ready} of ${containers.length} containers ready` : undefined;
}
