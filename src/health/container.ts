/**
 * Explains in one clause why a container of a Pod does not run. Invariant: reasons and messages of the kubelet and the
 * container runtime are quoted; the termination message of a program never is, since it may hold secrets.
 */
import { listAt, mapAt, stringAt, valueAt, type KubeObject, type Value, type ValueMap } from '../object/value.ts';
import { countAt, explain } from './assessment.ts';

export interface ContainerTrouble {
  /** `container app: ImagePullBackOff: …`. */
  readonly text: string;
  /** Whether waiting alone does not resolve it. */
  readonly isStuck: boolean;
}

/** Reasons of a waiting container that waiting alone does not resolve. */
const STUCK: ReadonlySet<string> = new Set([
  'CrashLoopBackOff',
  'ImagePullBackOff',
  'ErrImagePull',
  'ErrImageNeverPull',
  'InvalidImageName',
  'ImageInspectError',
  'RegistryUnavailable',
  'SignatureValidationFailed',
  'CreateContainerConfigError',
  'CreateContainerError',
  'PreCreateHookError',
  'PreStartHookError',
  'PostStartHookError',
  'RunContainerError',
]);

/** Termination reasons whose message comes from the container runtime, since the program never ran. */
const NEVER_RAN: ReadonlySet<string> = new Set(['StartError', 'ContainerCannotRun']);

/** The trouble of the first stuck container, else of the first container in trouble; init containers come first. */
export function troubleOfContainers(body: KubeObject): ContainerTrouble | undefined {
  let first: ContainerTrouble | undefined;
  for (const container of containersOf(body)) {
    const trouble = troubleOf(container);
    if (trouble?.isStuck) return trouble;
    first ??= trouble;
  }
  return first;
}

/** `container app exited with code 137 (OOMKilled)`, for the first container with an exit code other than 0. */
export function badExitOf(body: KubeObject): string | undefined {
  for (const { name, status } of containersOf(body)) {
    const exit = exitOf(status, 'state');
    if (exit && countAt(status, 'state', 'terminated', 'exitCode') !== 0) return `${name} ${exit}`;
  }
  return undefined;
}

interface Container {
  /** `container app` or `init container migrate`. */
  readonly name: string;
  readonly status: Value;
  readonly spec: ValueMap;
  readonly isInit: boolean;
}

function containersOf(body: KubeObject): Container[] {
  const read = (list: string, statuses: string, isInit: boolean): Container[] => {
    const specs = new Map(listAt(body, 'spec', list).map((spec) => [stringAt(spec, 'name') ?? '', mapAt(spec)]));
    return listAt(body, 'status', statuses).map((status) => {
      const name = stringAt(status, 'name') ?? '';
      const spec = specs.get(name) ?? {};
      const isSidecar = stringAt(spec, 'restartPolicy') === 'Always';
      return { name: `${isInit ? 'init ' : ''}container ${name}`, status, spec, isInit: isInit && !isSidecar };
    });
  };
  return [...read('initContainers', 'initContainerStatuses', true), ...read('containers', 'containerStatuses', false)];
}

function troubleOf(container: Container): ContainerTrouble | undefined {
  const { name, status, isInit } = container;
  const waiting = stringAt(status, 'state', 'waiting', 'reason');
  if (waiting !== undefined) return waitOf(container, waiting);
  const exit = exitOf(status, 'state');
  if (exit !== undefined) {
    // Exit code 0 is normal for init containers, and for containers of a Pod that runs to completion.
    const isBad = countAt(status, 'state', 'terminated', 'exitCode') !== 0;
    return isBad ? { text: `${name} ${exit}`, isStuck: false } : undefined;
  }
  if (valueAt(status, 'state', 'running') === undefined) return undefined;
  if (isInit) return { text: `${name} is still running`, isStuck: false };
  return valueAt(status, 'ready') === false ? { text: unreadyText(container), isStuck: false } : undefined;
}

function waitOf({ name, status }: Container, reason: string): ContainerTrouble | undefined {
  // PodInitializing is the reason of every container that waits for an init container.
  if (reason === 'PodInitializing') return undefined;
  if (!STUCK.has(reason)) return { text: `${name}: ${reason}`, isStuck: false };
  const last = reason === 'CrashLoopBackOff' ? exitOf(status, 'lastState') : undefined;
  const message = stringAt(status, 'state', 'waiting', 'message') ?? '';
  return { text: `${name}: ${last ? `${reason}, last ${last}` : explain({ reason, message })}`, isStuck: true };
}

/** The status shows that a probe has not succeeded. The reason of the failure is only in Events; see causes.ts. */
function unreadyText({ name, status, spec }: Container): string {
  const last = exitOf(status, 'lastState');
  const before = last === undefined ? '' : `, last ${last}`;
  if (valueAt(status, 'started') === false && valueAt(spec, 'startupProbe') !== undefined) {
    return `${name} runs, but its startup probe has not succeeded${before}`;
  }
  const probe = valueAt(spec, 'readinessProbe') === undefined ? 'is not ready' : 'its readiness probe does not succeed';
  return `${name} runs, but ${probe}${before}`;
}

/** `exited with code 137 (OOMKilled)`. */
function exitOf(status: Value, state: string): string | undefined {
  const terminated = valueAt(status, state, 'terminated');
  if (terminated === undefined) return undefined;
  const reason = stringAt(terminated, 'reason') ?? '';
  const message = NEVER_RAN.has(reason) ? (stringAt(terminated, 'message') ?? '') : '';
  const isTelling = reason !== '' && reason !== 'Error' && reason !== 'Completed';
  return `exited with code ${countAt(terminated, 'exitCode')}${isTelling ? ` (${explain({ reason, message })})` : ''}`;
}
