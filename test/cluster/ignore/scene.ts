/** What the tests of ignored fields share: workloads, hands that edit them, and proof that nothing is written. */
import assert from 'node:assert/strict';
import type { RunningAgent } from '../../support/agent.ts';
import type { Json, World } from '../../support/world.ts';
import { requestsByVerb, type Manifest, type Subject } from '../agent/scene.ts';

export interface DeploymentOptions {
  readonly image?: string;
  readonly replicas?: number;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** Without `replicas`, Git does not set them. */
export function deployment(name: string, { image = 'app:1', replicas, annotations }: DeploymentOptions = {}): Manifest {
  const labels = { app: name };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, ...(annotations ? { annotations } : {}) },
    spec: {
      ...(replicas === undefined ? {} : { replicas }),
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: { containers: [{ name: 'app', image, env: [{ name: 'LEVEL', value: 'info' }] }] },
      },
    },
  };
}

export function deploymentPath(namespace: string, name: string): string {
  return `/apis/apps/v1/namespaces/${namespace}/deployments/${name}`;
}

export const IMAGE = ['spec', 'template', 'spec', 'containers', 0, 'image'] as const;

export async function kubectl(world: World, ...args: string[]): Promise<void> {
  const { code, stderr } = await world.plane.kubectl(args);
  assert.equal(code, 0, stderr);
}

/** By `kubectl patch`, a merge patch. */
export async function edit(
  world: World,
  [kind, name]: readonly [string, string],
  merge: unknown,
  namespace = '',
): Promise<void> {
  const where = namespace === '' ? [] : ['-n', namespace];
  await kubectl(world, 'patch', kind, name, ...where, '--type=merge', '-p', JSON.stringify(merge));
}

/** A refresh that finds everything Synced and writes no object. */
export async function expectQuiet(agent: RunningAgent, { application }: Subject): Promise<void> {
  const before = await requestsByVerb(agent);
  const asked = await application.refresh();
  const after = await requestsByVerb(agent);
  assert.equal(String(asked['status']?.['sync']?.['status']), 'Synced', JSON.stringify(asked['status']));
  for (const verb of ['apply', 'patch', 'create', 'delete']) assert.equal(after[verb], before[verb], verb);
}

/** The status's entry of one object; undefined: it is Synced and Healthy. */
export function resourceOf(application: Json, name: string): Json | undefined {
  const resources = (application['status']?.['resources'] ?? []) as unknown as Json[];
  return resources.find((resource) => String(resource['name']) === name);
}
