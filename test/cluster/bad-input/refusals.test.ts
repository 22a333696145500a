/** What the cluster refuses: rights, quotas and Pod security. The refused object is named, its siblings are applied. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { at, configMap, declareSubject, makeNamespace, text } from '../agent/scene.ts';
import type { RunningAgent } from '../../support/agent.ts';
import { startWorld, type World } from '../../support/world.ts';
import { QUICK_FLAGS, untilFailed, useScene } from './scene.ts';

const scene = useScene();

test('a Pod that Pod Security refuses is named with the reason, and is applied once the namespace allows it', async () => {
  const privileged = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'root' },
    spec: { containers: [{ name: 'c', image: 'shop:1', securityContext: { privileged: true } }] },
  };
  const namespace = '/api/v1/namespaces/guarded';
  await makeNamespace(scene.world, 'guarded');
  await enforce('baseline');
  // No controller makes the account that Pods run as.
  await scene.world.send('POST', `${namespace}/serviceaccounts`, {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: { name: 'default' },
  });
  const subject = await declareSubject(scene.world, 'guarded', {
    files: { 'pod.yaml': text(privileged), 'kept.yaml': text(configMap('kept', { a: '1' })) },
  });
  const { message, isStalled } = await untilFailed(subject, 'ReconciliationFailed');
  assert.match(message, /^Pod guarded\/root \(pod\.yaml:1\): .*violates PodSecurity "baseline/);
  assert.equal(isStalled, false);
  assert.ok(await subject.configMap('kept'));
  await scene.expectBystanderGoesOn();

  await enforce('privileged');
  await subject.application.until(
    'the Pod is applied',
    (application) => at(application, 'status', 'sync', 'status') === 'Synced',
  );

  async function enforce(level: string): Promise<void> {
    await scene.world.apply({
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: 'guarded', labels: { 'pod-security.kubernetes.io/enforce': level } },
    });
  }
});

test('an object beyond a quota is named with the quota, and is applied once there is room', async () => {
  await makeNamespace(scene.world, 'full');
  const quota = { apiVersion: 'v1', kind: 'ResourceQuota', metadata: { name: 'few', namespace: 'full' } };
  const path = '/api/v1/namespaces/full/resourcequotas/few';
  await scene.world.apply({ ...quota, spec: { hard: { 'count/services': '0' } } });
  // The controller that counts does not run here.
  const stored = await scene.world.read(path);
  await scene.world.send('PUT', `${path}/status`, {
    ...stored,
    status: { hard: { 'count/services': '0' }, used: { 'count/services': '0' } },
  });
  const service = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'one-more' },
    spec: { ports: [{ port: 80 }], selector: { app: 'x' } },
  };
  const subject = await declareSubject(scene.world, 'full', {
    files: { 'service.yaml': text(service), 'kept.yaml': text(configMap('kept', { a: '1' })) },
  });
  const { message, isStalled } = await untilFailed(subject, 'ReconciliationFailed');
  assert.match(message, /^Service full\/one-more \(service\.yaml:1\): .*exceeded quota: few/);
  assert.equal(isStalled, false);
  assert.ok(await subject.configMap('kept'));
  await scene.expectBystanderGoesOn();

  await scene.world.send('DELETE', path);
  await subject.application.untilReady();
});

test('an agent of few rights names what it may not do, applies the rest, and goes on once it may', async () => {
  const world = await startWorld();
  const folder = await mkdtemp(join(tmpdir(), 'tautline-rights-'));
  try {
    const agent = await agentOfFewRights(world, folder);
    for (const namespace of ['allowed', 'limited']) {
      await makeNamespace(world, namespace);
      await grant(world, namespace, ['configmaps']);
    }
    const bystander = await declareSubject(world, 'allowed', {
      files: { 'good.yaml': text(configMap('good', { a: '1' })) },
    });
    const subject = await declareSubject(world, 'limited', {
      files: { 'kept.yaml': text(configMap('kept', { a: '1' })), 'secret.yaml': text(secret()) },
    });
    await bystander.application.untilReady();
    const { message, isStalled } = await untilFailed(subject, 'ReconciliationFailed');
    assert.match(message, /^Secret limited\/token \(secret\.yaml:1\): .*forbidden.*cannot \w+ resource "secrets"/);
    assert.doesNotMatch(message, /canary/);
    assert.equal(isStalled, false);
    assert.ok(await subject.configMap('kept'));
    assert.equal((await fetch(`${agent.probesUrl}/readyz`)).status, 200);

    await grant(world, 'limited', ['configmaps', 'secrets']);
    await subject.application.untilReady();
    assert.ok(await world.read('/api/v1/namespaces/limited/secrets/token'));
  } finally {
    await world[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  }
});

test('where objects may be read but not watched, they are read by name', async () => {
  const world = await startWorld();
  const folder = await mkdtemp(join(tmpdir(), 'tautline-rights-'));
  try {
    await makeNamespace(world, 'unwatched');
    await grant(world, 'unwatched', ['configmaps'], ['get', 'create', 'patch', 'delete']);
    await agentOfFewRights(world, folder);
    const subject = await declareSubject(world, 'unwatched', {
      files: { 'kept.yaml': text(configMap('kept', { a: '1' })) },
    });
    await subject.application.untilReady();
    const commit = await subject.repository.commit({ 'kept.yaml': text(configMap('kept', { a: '2' })) });
    await subject.application.refresh();
    await subject.application.untilReady(commit);
    assert.equal(at(await subject.configMap('kept'), 'data', 'a'), '2');
  } finally {
    await world[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  }
});

function secret() {
  return { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'token' }, stringData: { value: 'canary-limited' } };
}

const ACCOUNT = { kind: 'ServiceAccount', name: 'agent', namespace: 'tautline' };

/** An agent that may keep Applications and Events, and nothing else until `grant` says so. */
async function agentOfFewRights(world: World, folder: string): Promise<RunningAgent> {
  const token = await world.plane.serviceAccountToken(ACCOUNT.namespace, ACCOUNT.name);
  await world.apply({
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRole',
    metadata: { name: 'agent' },
    rules: [
      { apiGroups: ['tautline.dev'], resources: ['applications'], verbs: ['get', 'list', 'watch', 'patch'] },
      { apiGroups: ['tautline.dev'], resources: ['applications/status'], verbs: ['update'] },
      { apiGroups: ['tautline.dev'], resources: ['applications/finalizers'], verbs: ['update'] },
      { apiGroups: ['events.k8s.io'], resources: ['events'], verbs: ['create'] },
    ],
  });
  await world.apply({
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRoleBinding',
    metadata: { name: 'agent' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'agent' },
    subjects: [ACCOUNT],
  });
  const kubeconfig = join(folder, 'kubeconfig');
  await writeFile(kubeconfig, JSON.stringify(kubeconfigOf(world, token)), { mode: 0o600 });
  return world.agent({ kubeconfig, flags: QUICK_FLAGS });
}

async function grant(
  world: World,
  namespace: string,
  resources: readonly string[],
  verbs: readonly string[] = ['get', 'list', 'watch', 'create', 'patch', 'delete'],
): Promise<void> {
  await world.apply({
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'Role',
    metadata: { name: 'agent', namespace },
    rules: [{ apiGroups: [''], resources, verbs }],
  });
  await world.apply({
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'RoleBinding',
    metadata: { name: 'agent', namespace },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'agent' },
    subjects: [ACCOUNT],
  });
}

function kubeconfigOf(world: World, token: string) {
  return {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'c', cluster: { server: world.plane.url, 'certificate-authority': world.plane.caFile } }],
    users: [{ name: 'u', user: { token } }],
    contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
    'current-context': 'x',
  };
}
