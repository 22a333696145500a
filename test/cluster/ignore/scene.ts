/** Shared by the tests of ignored fields: a workload, and the check that nothing is written. */
import assert from 'node:assert/strict';
import type { RunningAgent } from '../../support/agent.ts';
import type { Json } from '../../support/world.ts';
import { workload, type Manifest } from '../../support/objects.ts';
import { requestsByVerb, syncOf, type Subject } from '../../support/scene.ts';

export interface DeploymentOptions {
  readonly image?: string;
  readonly replicas?: number;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** A Deployment whose manifest sets no replicas unless they are given. */
export function deployment(name: string, { image = 'app:1', replicas, annotations }: DeploymentOptions = {}): Manifest {
  return workload('Deployment', name, {
    metadata: { annotations },
    pod: { containers: [{ name: 'app', image, env: [{ name: 'LEVEL', value: 'info' }] }] },
    spec: { replicas },
  });
}

export const IMAGE = ['spec', 'template', 'spec', 'containers', 0, 'image'] as const;

/** Fails unless a refresh finds everything Synced and writes no object. */
export async function expectQuiet(agent: RunningAgent, { application }: Subject): Promise<void> {
  const before = await requestsByVerb(agent);
  const asked = await application.refresh();
  const after = await requestsByVerb(agent);
  assert.equal(syncOf(asked), 'Synced', JSON.stringify(asked['status']));
  for (const verb of ['apply', 'patch', 'create', 'delete']) assert.equal(after[verb], before[verb], verb);
}

/** The entry of one object in status.resources; undefined if it is Synced and Healthy. */
export function resourceOf(application: Json, name: string): Json | undefined {
  const resources = (application['status']?.['resources'] ?? []) as unknown as Json[];
  return resources.find((resource) => String(resource['name']) === name);
}
