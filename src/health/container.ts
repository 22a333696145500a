/**
 * Why a container of a Pod does not run, in one clause. Invariant: a program's own text (its termination message) is
 * never repeated, since it may hold anything; reasons and messages of the kubelet and of the container runtime are.
 */
import { listAt, mapAt, stringAt, valueAt, type KubeObject, type Value, type ValueMap } from '../object/value.ts';
import { countAt, explain } from './verdict.ts';

export interface ContainerTrouble {
  /** `container app: ImagePullBackOff: …`. */
  readonly text: string;
  /** It does not pass by waiting alone. */
  readonly isStuck: boolean;
}

/** Reasons of a waiting container that do not pass by waiting alone. */
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

/** Reasons of an end whose message is the container runtime's: the program itself never ran. */
const NEVER_RAN: ReadonlySet<string> = new Set(['StartError', 'ContainerCannotRun']);

/** Of the first container that is stuck, else of the first that is not where it should be; init containers first. */
export function troubleOfContainers(body: KubeObject): ContainerTrouble | undefined {
  let first: ContainerTrouble | undefined;
  for (const container of containersOf(body)) {
    const trouble = troubleOf(container);
    if (trouble?.isStuck) return trouble;
    first ??= trouble;
  }
  return first;
}

/** `container app exited with code 137 (OOMKilled)` of the first one that ended badly. */
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
    // An init container that is done ends well; so does one of several in a Pod that runs to its end.
    const isBad = countAt(status, 'state', 'terminated', 'exitCode') !== 0;
    return isBad ? { text: `${name} ${exit}`, isStuck: false } : undefined;
  }
  if (valueAt(status, 'state', 'running') === undefined) return undefined;
  if (isInit) return { text: `${name} is still running`, isStuck: false };
  return valueAt(status, 'ready') === false ? { text: unreadyText(container), isStuck: false } : undefined;
}

function waitOf({ name, status }: Container, reason: string): ContainerTrouble | undefined {
  // Said of every container that has to wait for another.
  if (reason === 'PodInitializing') return undefined;
  if (!STUCK.has(reason)) return { text: `${name}: ${reason}`, isStuck: false };
  const last = reason === 'CrashLoopBackOff' ? exitOf(status, 'lastState') : undefined;
  const message = stringAt(status, 'state', 'waiting', 'message') ?? '';
  return { text: `${name}: ${last ? `${reason}, last ${last}` : explain({ reason, message })}`, isStuck: true };
}

/** Which probe is failing stands in events alone; that one has not passed can be read off the object. */
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
