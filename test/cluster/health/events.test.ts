/** Why objects are not well, by Events that controllers and a kubelet would write; none of them runs here. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { podSpec, text, workload, type Manifest } from '../../support/objects.ts';
import {
  at,
  configMapPath,
  declareSubject,
  deploymentPath,
  makeNamespace,
  PROGRESS_FLAGS,
  putStatus,
  requestsByVerb,
  untilHealth,
  untilObject,
} from '../../support/scene.ts';
import { useWorld } from '../../support/use-world.ts';
import type { ApplicationHandle, Json } from '../../support/world.ts';
import { notReady } from './scene.ts';

const { world, agent } = useWorld({ agent: { flags: PROGRESS_FLAGS } });

interface About {
  readonly kind: string;
  readonly name: string;
  readonly uid?: unknown;
}

async function warn(namespace: string, about: About, reason: string, message: string): Promise<void> {
  const now = new Date().toISOString().replace(/\.\d+Z$/, 'Z');
  await world.send('POST', `/api/v1/namespaces/${namespace}/events`, {
    metadata: { generateName: 'made-' },
    involvedObject: { apiVersion: 'v1', namespace, ...about },
    ...{ reason, message, type: 'Warning', firstTimestamp: now, lastTimestamp: now, count: 1 },
    source: { component: 'test' },
  });
}

async function makePod(namespace: string, name: string, status: Manifest): Promise<unknown> {
  const path = `/api/v1/namespaces/${namespace}/pods`;
  const metadata = { name, labels: { app: 'web' } };
  const spec = podSpec({ containers: [{ name: 'app', image: 'app' }] });
  await world.send('POST', path, { metadata, spec });
  await putStatus(world, `${path}/${name}`, status);
  return at(await world.read(`${path}/${name}`), 'metadata', 'uid');
}

const STARTING = { state: { waiting: { reason: 'ContainerCreating' } } };
const RUNNING = { state: { running: {} }, ready: true };
const ready = { ...notReady('Running', RUNNING), conditions: [{ type: 'Ready', status: 'True' }] };

/** A namespace in which Pods can be made without a controller of accounts. */
async function makePlace(name: string): Promise<void> {
  await makeNamespace(world, name);
  await world.send('POST', `/api/v1/namespaces/${name}/serviceaccounts`, { metadata: { name: 'default' } });
}

/** An Application with a Deployment whose one replica does not come up. The Events are there before. */
async function declareWeb(name: string): Promise<ApplicationHandle> {
  const repository = await world.repository(name);
  await repository.commit({ 'web.yaml': text(workload('Deployment', 'web', { spec: { replicas: 1 } })) });
  const spec = { source: { repoURL: repository.url }, destination: { namespace: name } };
  const application = await world.declare(name, spec);
  const path = deploymentPath(name, 'web');
  const made = await untilObject(world, path, () => true);
  const generation = at(made, 'metadata', 'generation');
  await putStatus(world, path, { observedGeneration: generation, replicas: 1, updatedReplicas: 1 });
  return application;
}

test('a quota that keeps Pods from being created is the first thing that the Application says', async () => {
  await makePlace('quota');
  const message = 'Error creating: pods "web-1" is forbidden: exceeded quota: small';
  await warn('quota', { kind: 'ReplicaSet', name: 'web-7d4b9c6f5' }, 'FailedCreate', message);
  const application = await declareWeb('quota');
  const found = await untilHealth(application, 'Progressing', /FailedCreate.*0 of 1 replicas available/);
  assert.match(
    String(at(found, 'status', 'health', 'message')),
    /^Deployment\.apps quota\/web: ReplicaSet web-7d4b9c6f5: FailedCreate: .*exceeded quota: small; 0 of 1 replicas/,
  );
  const isWeb = (resource: Json): boolean => at(resource, 'name') === 'web';
  const resources = (at(found, 'status', 'resources') ?? []) as unknown as Json[];
  assert.match(String(at(resources.find(isWeb), 'message')), /^ReplicaSet web-7d4b9c6f5: FailedCreate/);
});

test('a volume that one of many Pods lacks is told, although the Pod comes last by name', async () => {
  await makePlace('volume');
  await Promise.all(Array.from({ length: 25 }, (_, n) => makePod('volume', `web-a${n}`, ready)));
  const uid = await makePod('volume', 'web-z', notReady('Pending', STARTING));
  const message = 'MountVolume.SetUp failed for volume "data" : secret "db" not found';
  await warn('volume', { kind: 'Pod', name: 'web-z', uid }, 'FailedMount', message);
  await warn('volume', { kind: 'Pod', name: 'web-a1', uid: 'other' }, 'FailedMount', 'of an earlier Pod');
  const application = await declareWeb('volume');
  const found = await untilHealth(application, 'Progressing', /FailedMount.*0 of 1 replicas available/);
  assert.match(
    String(at(found, 'status', 'health', 'message')),
    /^Deployment\.apps volume\/web: Pod web-z: FailedMount: MountVolume.*secret "db" not found; 0 of 1 replicas/,
  );
});

test('a probe that runs a command is told without its output, and control characters are shown', async () => {
  await makePlace('probe');
  const status = notReady('Running', { state: { running: {} } });
  const uid = await makePod('probe', 'web-p', status);
  const about = { kind: 'Pod', name: 'web-p', uid };
  await warn('probe', about, 'Unhealthy', 'Readiness probe failed: password=hunter2');
  const application = await declareWeb('probe');
  const found = await untilHealth(application, 'Progressing', /Unhealthy/);
  assert.match(String(at(found, 'status', 'health', 'message')), /Readiness probe failed \(the output of its command/);
  assert.doesNotMatch(JSON.stringify(found), /hunter2/);
  await warn('probe', about, 'FailedMount', 'volume \u001b[2Jdata is missing');
  // A Pod that has changed is looked at again.
  await putStatus(world, '/api/v1/namespaces/probe/pods/web-p', { ...status, message: 'changed' });
  await untilHealth(application, 'Progressing', /FailedMount: volume \\u001b\[2Jdata is missing/);
});

test('an Application whose objects are well asks for no Events', async () => {
  const files = { 'a.yaml': text({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' } }) };
  for (const name of ['quota', 'volume', 'probe']) {
    await world.send('DELETE', `/apis/tautline.dev/v1alpha1/namespaces/apps/applications/${name}`);
  }
  const { application } = await declareSubject(world, 'well', { files });
  await application.untilReady();
  assert.ok(await world.read(configMapPath('well', 'a')));
  const before = await requestsByVerb(agent);
  await application.refresh();
  const after = await requestsByVerb(agent);
  assert.equal(after['list'] ?? 0, before['list'] ?? 0);
});
