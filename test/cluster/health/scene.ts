/**
 * What the tests of health share: workloads for simulated nodes, and a kubelet played by hand.
 *
 * Invariant: simulated nodes make every Pod Ready that is bound to one, so a Pod that must not start asks for a node
 * that nobody is (`NOWHERE`), and how it fails is written to its status.
 */
import assert from 'node:assert/strict';
import { eventually, type ApplicationHandle, type Json, type World } from '../../support/world.ts';
import { at, type Manifest } from '../agent/scene.ts';

/** Looks again soon at what comes up: Pods are in no watch. */
export const AGENT_FLAGS: readonly string[] = ['--progress-check', '500ms'];

export const NOWHERE: Manifest = { nodeSelector: { disk: 'none' } };

export interface WorkloadOptions {
  readonly pod?: Manifest;
  readonly spec?: Manifest;
}

export function workload(kind: 'Deployment' | 'StatefulSet', name: string, options: WorkloadOptions = {}): Manifest {
  return {
    apiVersion: 'apps/v1',
    kind,
    metadata: { name },
    spec: {
      replicas: 1,
      selector: { matchLabels: { app: name } },
      template: { metadata: { labels: { app: name } }, spec: podSpec(options.pod) },
      ...options.spec,
    },
  };
}

export function job(name: string, { pod = {}, spec = {} }: WorkloadOptions = {}): Manifest {
  const template = { metadata: { labels: { app: name } }, spec: podSpec({ restartPolicy: 'Never', ...pod }) };
  return { apiVersion: 'batch/v1', kind: 'Job', metadata: { name }, spec: { backoffLimit: 0, template, ...spec } };
}

export function podSpec(more: Manifest = {}): Manifest {
  const requests = { cpu: '10m' };
  return { containers: [{ name: 'app', image: 'example.invalid/app:1', resources: { requests } }], ...more };
}

/** Waits until status.health says so; answers the Application. */
export function untilHealth(
  application: Pick<ApplicationHandle, 'until'>,
  health: string,
  message: RegExp = /^$/,
): Promise<Json> {
  return application.until(`health ${health} ${message}`, (found) => {
    const summary = at(found, 'status', 'health');
    return at(summary, 'status') === health && message.test(String(at(summary, 'message') ?? ''));
  });
}

/** `True ReconciliationSucceeded: …`. */
export function readyText(application: Json): string {
  const conditions = at(application, 'status', 'conditions');
  const ready = Array.isArray(conditions) ? conditions.find((item) => at(item, 'type') === 'Ready') : undefined;
  return `${String(at(ready, 'status'))} ${String(at(ready, 'reason'))}: ${String(at(ready, 'message'))}`;
}

/** Writes the status of the one Pod of a workload as a kubelet would; waits until it is there. */
export async function playKubelet(world: World, namespace: string, app: string, status: Manifest): Promise<void> {
  const name = await eventually(async () => {
    const list = await world.read(`/api/v1/namespaces/${namespace}/pods?labelSelector=app%3D${app}`);
    const found = at(list, 'items', 0, 'metadata', 'name');
    const isSeen = at(list, 'items', 0, 'status', 'conditions', 0, 'type') !== undefined;
    return typeof found === 'string' && isSeen ? found : undefined;
  });
  assert.ok(name, `no Pod of ${app}`);
  const patch = ['--subresource=status', '--type=merge', '--field-manager=kubelet', '-p', JSON.stringify({ status })];
  const result = await world.plane.kubectl(['patch', 'pod', name, '-n', namespace, ...patch]);
  assert.equal(result.code, 0, result.stderr);
}

/** A status of a Pod whose one container is in the given state, and not ready. */
export function notReady(phase: string, container: Manifest): Manifest {
  return {
    phase,
    conditions: [
      { type: 'PodScheduled', status: 'True' },
      {
        type: 'Ready',
        status: 'False',
        reason: 'ContainersNotReady',
        message: 'containers with unready status: [app]',
      },
    ],
    containerStatuses: [
      { name: 'app', image: 'app', imageID: '', ready: false, restartCount: 0, lastState: {}, ...container },
    ],
  };
}
