/** Health of Pods, and what the Pods of a workload tell about why it does not come up. */
import type { LiveObject } from '../cluster/live.ts';
import { listAt, stringAt, valueAt, type KubeObject, type Value } from '../object/value.ts';
import { conditionsOf, countAt, explain, HEALTHY, healthOf, type Health, type HealthContext } from './verdict.ts';

/** Reasons of a waiting container that do not pass by waiting alone. */
const STUCK: ReadonlySet<string> = new Set([
  'CrashLoopBackOff',
  'ImagePullBackOff',
  'ErrImagePull',
  'ErrImageNeverPull',
  'InvalidImageName',
  'ImageInspectError',
  'RegistryUnavailable',
  'CreateContainerConfigError',
  'CreateContainerError',
  'RunContainerError',
]);

export function assessPod({ body }: LiveObject): Health {
  const phase = stringAt(body, 'status', 'phase');
  if (phase === 'Succeeded') return HEALTHY;
  if (phase === 'Failed') return healthOf('Degraded', failureOf(body));
  const stuck = stuckContainerOf(body);
  if (stuck !== undefined) return healthOf('Degraded', stuck);
  const conditions = conditionsOf(body);
  const scheduled = conditions.get('PodScheduled');
  if (scheduled?.status === 'False') return healthOf('Progressing', explain(scheduled) || 'It is not scheduled yet.');
  const ready = conditions.get('Ready');
  if (ready?.status === 'True') return HEALTHY;
  return healthOf(
    'Progressing',
    waitOf(body) ?? (ready && explain(ready) ? explain(ready) : 'It has not started yet.'),
  );
}

/** Whether a Pod has run to its end: its removal is then no drift. */
export function isFinishedPod({ body }: LiveObject): boolean {
  const phase = stringAt(body, 'status', 'phase');
  return phase === 'Succeeded' || phase === 'Failed';
}

/** Adds to a message why the first of the Pods that is in trouble does not run. */
export function withPodTrouble(health: Health, { pods }: HealthContext): Health {
  const trouble = worstPod(pods);
  return trouble ? healthOf(health.status, `${trimPeriod(health.message)}; ${trouble.text}`) : health;
}

/** As `withPodTrouble`, and Degraded where a Pod is. */
export function degradedByPods(health: Health, { pods }: HealthContext): Health {
  const trouble = worstPod(pods);
  if (!trouble) return health;
  return healthOf(trouble.isDegraded ? 'Degraded' : health.status, `${health.message}; ${trouble.text}`);
}

function worstPod(pods: readonly LiveObject[] = []): { text: string; isDegraded: boolean } | undefined {
  let waiting: string | undefined;
  for (const pod of pods) {
    if (pod.deletionTimestamp !== undefined) continue;
    const { status, message } = assessPod(pod);
    if (status === 'Degraded') return { text: `Pod ${pod.id.name}: ${message}`, isDegraded: true };
    if (status === 'Progressing') waiting ??= `Pod ${pod.id.name}: ${message}`;
  }
  return waiting === undefined ? undefined : { text: waiting, isDegraded: false };
}

function stuckContainerOf(body: KubeObject): string | undefined {
  for (const container of containerStatuses(body)) {
    const reason = stringAt(container, 'state', 'waiting', 'reason');
    if (reason === undefined || !STUCK.has(reason)) continue;
    const message = stringAt(container, 'state', 'waiting', 'message') ?? '';
    const last = reason === 'CrashLoopBackOff' ? exitOf(container, 'lastState') : undefined;
    return `container ${nameOf(container)}: ${last ? `${reason}, last ${last}` : explain({ reason, message })}`;
  }
  return undefined;
}

function failureOf(body: KubeObject): string {
  const status = {
    reason: stringAt(body, 'status', 'reason') ?? '',
    message: stringAt(body, 'status', 'message') ?? '',
  };
  if (explain(status)) return explain(status);
  for (const container of containerStatuses(body)) {
    const exit = exitOf(container, 'state');
    if (exit && countAt(container, 'state', 'terminated', 'exitCode') !== 0)
      return `container ${nameOf(container)} ${exit}`;
  }
  return 'It failed.';
}

/**
 * `exited with code 137 (OOMKilled)`; a terminationMessage is the program's own text and may hold anything: left out.
 */
function exitOf(container: Value, state: string): string | undefined {
  const terminated = valueAt(container, state, 'terminated');
  if (terminated === undefined) return undefined;
  const reason = stringAt(terminated, 'reason');
  return `exited with code ${countAt(terminated, 'exitCode')}${reason && reason !== 'Error' ? ` (${reason})` : ''}`;
}

function waitOf(body: KubeObject): string | undefined {
  for (const container of containerStatuses(body)) {
    const reason = stringAt(container, 'state', 'waiting', 'reason');
    if (reason !== undefined && reason !== 'PodInitializing') return `container ${nameOf(container)}: ${reason}`;
  }
  const containers = listAt(body, 'status', 'containerStatuses');
  const ready = containers.filter((container) => valueAt(container, 'ready') === true).length;
  return containers.length > 0 ? `${ready} of ${containers.length} containers ready` : undefined;
}

function containerStatuses(body: KubeObject): Value[] {
  return [...listAt(body, 'status', 'initContainerStatuses'), ...listAt(body, 'status', 'containerStatuses')];
}

function nameOf(container: Value): string {
  return stringAt(container, 'name') ?? '';
}

function trimPeriod(text: string): string {
  return text.endsWith('.') ? text.slice(0, -1) : text;
}
