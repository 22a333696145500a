/** Refusals by rights, quotas and Pod security: the refused object is reported, and the others are applied. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { RunningAgent } from '../../support/agent.ts';
import { startWorld, type World } from '../../support/world.ts';
import { useScene } from './scene.ts';
import { kubeconfigText } from '../../support/kubeconfig.ts';
import { configMap, namespaceManifest, secret, service, text } from '../../support/objects.ts';
import { grant, makeAccount, rule } from '../../support/rights.ts';
import { at, declareSubject, makeNamespace, putStatus, QUICK_FLAGS, syncOf, untilFailed } from '../../support/scene.ts';

const scene = useScene();

test('a Pod that Pod Security refuses is reported with the reason, and applied once the namespace allows it', async () => {
  const privileged = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'root' },
    spec: { containers: [{ name: 'c', image: 'shop:1', securityContext: { privileged: true } }] },
  };
  await makeNamespace(scene.world, 'guarded');
  await enforce('baseline');
  // No controller runs here that creates the account of the Pods.
  await makeAccount(scene.world, 'guarded', 'default');
  const subject = await declareSubject(scene.world, 'guarded', {
    files: { 'pod.yaml': text(privileged), 'kept.yaml': text(configMap('kept', { a: '1' })) },
  });
  const { message, isStalled } = await untilFailed(subject, 'ReconciliationFailed');
  assert.match(message, /^Pod guarded\/root \(pod\.yaml:1\): .*violates PodSecurity "baseline/);
  assert.equal(isStalled, false);
  assert.ok(await subject.configMap('kept'));
  await scene.expectBystanderGoesOn();

  await enforce('privileged');
  await subject.application.until('the Pod is applied', (application) => syncOf(application) === 'Synced');

  function enforce(level: string): Promise<void> {
    const labels = { 'pod-security.kubernetes.io/enforce': level };
    return scene.world.apply(namespaceManifest('guarded', { labels }));
  }
});

test('an object beyond a quota is reported with the quota, and applied once there is room', async () => {
  await makeNamespace(scene.world, 'full');
  const quota = { apiVersion: 'v1', kind: 'ResourceQuota', metadata: { name: 'few', namespace: 'full' } };
  const path = '/api/v1/namespaces/full/resourcequotas/few';
  await scene.world.apply({ ...quota, spec: { hard: { 'count/services': '0' } } });
  // No controller runs here that counts the objects of the quota.
  await putStatus(scene.world, path, { hard: { 'count/services': '0' }, used: { 'count/services': '0' } });
  const oneMore = service('one-more', { ports: [{ port: 80 }], selector: { app: 'x' } });
  const subject = await declareSubject(scene.world, 'full', {
    files: { 'service.yaml': text(oneMore), 'kept.yaml': text(configMap('kept', { a: '1' })) },
  });
  const { message, isStalled } = await untilFailed(subject, 'ReconciliationFailed');
  assert.match(message, /^Service full\/one-more \(service\.yaml:1\): .*exceeded quota: few/);
  assert.equal(isStalled, false);
  assert.ok(await subject.configMap('kept'));
  await scene.expectBystanderGoesOn();

  await scene.world.send('DELETE', path);
  await subject.application.untilReady();
});

test('an agent with few rights reports the missing right, applies the rest, and goes on once it has the right', async () => {
  const world = await startWorld();
  const folder = await mkdtemp(join(tmpdir(), 'tautline-rights-'));
  try {
    const agent = await agentOfFewRights(world, folder);
    for (const namespace of ['allowed', 'limited']) {
      await makeNamespace(world, namespace);
      await allow(world, namespace, ['configmaps']);
    }
    const bystander = await declareSubject(world, 'allowed', {
      files: { 'good.yaml': text(configMap('good', { a: '1' })) },
    });
    const token = secret('token', { stringData: { value: 'canary-limited' } });
    const subject = await declareSubject(world, 'limited', {
      files: { 'kept.yaml': text(configMap('kept', { a: '1' })), 'secret.yaml': text(token) },
    });
    await bystander.application.untilReady();
    const { message, isStalled } = await untilFailed(subject, 'ReconciliationFailed');
    assert.match(message, /^Secret limited\/token \(secret\.yaml:1\): .*forbidden.*cannot \w+ resource "secrets"/);
    assert.doesNotMatch(message, /canary/);
    assert.equal(isStalled, false);
    assert.ok(await subject.configMap('kept'));
    assert.equal((await fetch(`${agent.probesUrl}/readyz`)).status, 200);

    await allow(world, 'limited', ['configmaps', 'secrets']);
    await subject.application.untilReady();
    assert.ok(await world.read('/api/v1/namespaces/limited/secrets/token'));
  } finally {
    await world[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  }
});

test('objects that may be read but not watched are read by name', async () => {
  const world = await startWorld();
  const folder = await mkdtemp(join(tmpdir(), 'tautline-rights-'));
  try {
    await makeNamespace(world, 'unwatched');
    await allow(world, 'unwatched', ['configmaps'], ['get', 'create', 'patch', 'delete']);
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

const AGENT = { namespace: 'tautline', name: 'agent' };

/** An agent with rights on Applications and Events only, until `allow` gives it more. */
async function agentOfFewRights(world: World, folder: string): Promise<RunningAgent> {
  const token = await world.plane.serviceAccountToken(AGENT.namespace, AGENT.name);
  await grant(world, {
    namespace: '',
    to: AGENT,
    rules: [
      rule('tautline.dev', 'applications', ['get', 'list', 'watch', 'patch']),
      rule('tautline.dev', 'applications/status', ['update']),
      rule('tautline.dev', 'applications/finalizers', ['update']),
      rule('events.k8s.io', 'events', ['create']),
    ],
  });
  const kubeconfig = join(folder, 'kubeconfig');
  const cluster = { server: world.plane.url, 'certificate-authority': world.plane.caFile };
  await writeFile(kubeconfig, kubeconfigText({ cluster, user: { token } }), { mode: 0o600 });
  return world.agent({ kubeconfig, flags: QUICK_FLAGS });
}

function allow(world: World, namespace: string, resources: string[], verbs?: readonly string[]): Promise<void> {
  return grant(world, { namespace, to: AGENT, rules: resources.map((resource) => rule('', resource, verbs)) });
}
