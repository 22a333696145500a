/** Deleted Applications whose objects cannot be gone before the Application itself is. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { useWorld } from '../../support/use-world.ts';
import { configMap, namespaceManifest, text, type Manifest } from '../../support/objects.ts';
import { ACCOUNT } from '../../support/rights.ts';
import { configMapPath, inventoryOf, makeNamespace, untilGone, untilObject } from '../../support/scene.ts';
import type { World } from '../../support/world.ts';

const FLAGS = ['--progress-check', '500ms', '--hand-over-wait', '1s', '--max-backoff', '2s'];
const { world } = useWorld({ mode: 'full', agent: { flags: FLAGS } });

function applicationManifest(namespace: string, name: string, repoURL: string, path = '.'): Manifest {
  return {
    apiVersion: 'tautline.dev/v1alpha1',
    kind: 'Application',
    metadata: { namespace, name },
    spec: { source: { repoURL, path, interval: '10s' } },
  };
}

const pathOf = (namespace: string, name: string): string =>
  `/apis/tautline.dev/v1alpha1/namespaces/${namespace}/applications/${name}`;

async function untilHolds(target: World, namespace: string, name: string, object: string): Promise<void> {
  await untilObject(target, pathOf(namespace, name), (found) => inventoryOf(found).includes(object));
}

test('an Application whose manifest is in its own folder is deleted with everything else that it holds', async () => {
  const repository = await world.repository('holds-itself');
  const manifest = applicationManifest('holds-itself', 'me', repository.url);
  await repository.commit({ 'root.yaml': text(manifest), 'cm.yaml': text(configMap('c', { a: '1' })) });
  const application = await world.declare('me', manifest['spec'] as Record<string, unknown>, 'holds-itself');
  await application.untilReady();
  assert.deepEqual(inventoryOf(await application.read()), [
    'ConfigMap holds-itself/c',
    'tautline.dev/Application holds-itself/me',
  ]);
  await application.remove();
  await untilGone(world, application.path);
  assert.equal(await world.read(configMapPath('holds-itself', 'c')), undefined);
});

test('an Application whose own Namespace is in its folder is deleted together with the Namespace', async () => {
  const repository = await world.repository('own-namespace');
  await repository.commit({ 'all.yaml': text(namespaceManifest('own-namespace'), configMap('a', { x: '1' })) });
  const application = await world.declare('shop', { source: { repoURL: repository.url } }, 'own-namespace');
  await application.untilReady();
  await application.remove();
  await untilGone(world, application.path);
  await untilGone(world, '/api/v1/namespaces/own-namespace');
});

test('two Applications that hold each other are both deleted with their objects', async () => {
  const repository = await world.repository('each-other');
  await repository.commit({
    'one/two.yaml': text(applicationManifest('each-other', 'two', repository.url, 'two')),
    'one/cm.yaml': text(configMap('one', {})),
    'two/one.yaml': text(applicationManifest('each-other', 'one', repository.url, 'one')),
    'two/cm.yaml': text(configMap('two', {})),
  });
  const one = await world.declare('one', { source: { repoURL: repository.url, path: 'one' } }, 'each-other');
  await untilHolds(world, 'each-other', 'one', 'tautline.dev/Application each-other/two');
  await untilHolds(world, 'each-other', 'two', 'tautline.dev/Application each-other/one');
  await untilObject(world, configMapPath('each-other', 'two'), () => true);
  await one.remove();
  await untilGone(world, one.path);
  await untilGone(world, pathOf('each-other', 'two'));
  await untilGone(world, configMapPath('each-other', 'one'));
  await untilGone(world, configMapPath('each-other', 'two'));
});

test('an Application whose child holds the Namespace of its parent is deleted with all of them', async () => {
  const repository = await world.repository('child-holds');
  await makeNamespace(world, 'child-home');
  await repository.commit({
    'parent/child.yaml': text(applicationManifest('child-home', 'child', repository.url, 'child')),
    'child/ns.yaml': text(namespaceManifest('parent-home')),
  });
  const parent = await world.declare('parent', { source: { repoURL: repository.url, path: 'parent' } }, 'parent-home');
  await untilHolds(world, 'parent-home', 'parent', 'tautline.dev/Application child-home/child');
  await untilHolds(world, 'child-home', 'child', 'Namespace /parent-home');
  await parent.remove();
  await untilGone(world, parent.path);
  await untilGone(world, pathOf('child-home', 'child'));
  await untilGone(world, '/api/v1/namespaces/parent-home');
});

test('an Application whose account and binding are in its folder is deleted with everything else that it holds', async () => {
  const repository = await world.repository('own-account');
  const group = 'rbac.authorization.k8s.io';
  const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { namespace: 'own-account', name: ACCOUNT } };
  const binding = {
    apiVersion: `${group}/v1`,
    kind: 'RoleBinding',
    metadata: { namespace: 'own-account', name: ACCOUNT },
    roleRef: { apiGroup: group, kind: 'ClusterRole', name: 'cluster-admin' },
    subjects: [{ kind: 'ServiceAccount', name: ACCOUNT, namespace: 'own-account' }],
  };
  const quota = {
    apiVersion: 'v1',
    kind: 'ResourceQuota',
    metadata: { namespace: 'own-account', name: 'q' },
    spec: { hard: { pods: '10' } },
  };
  await makeNamespace(world, 'own-account');
  await world.apply(account);
  await world.apply(binding);
  await repository.commit({ 'all.yaml': text(account, binding, quota, configMap('c', { a: '1' })) });
  const spec = { source: { repoURL: repository.url }, serviceAccountName: ACCOUNT };
  const application = await world.declare('shop', spec, 'own-account');
  await application.untilReady();
  await application.remove();
  await untilGone(world, application.path);
  assert.equal(await world.read(configMapPath('own-account', 'c')), undefined);
  assert.equal(await world.read('/api/v1/namespaces/own-account/resourcequotas/q'), undefined);
  assert.equal(await world.read('/api/v1/namespaces/own-account/serviceaccounts/deployer'), undefined);
  assert.equal(
    await world.read(`/apis/${group}/v1/namespaces/own-account/rolebindings/deployer`),
    undefined,
    'the binding is the last',
  );
});
