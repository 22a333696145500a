/** Reads, writes and watches with the rights of an impersonated account. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { agentIdentity, serviceAccountIdentity, type Identity } from '../../../src/cluster/identity.ts';
import type { KindInfo } from '../../../src/cluster/kinds.ts';
import { defaultClusterLimits } from '../../../src/cluster/limits.ts';
import type { LiveEntry } from '../../../src/cluster/live.ts';
import { prepare } from '../../support/use-world.ts';
import {
  configMap,
  configMapId,
  connect,
  createNamespace,
  found,
  kindOf,
  useCluster,
  written,
} from './edge-cluster.ts';
import { kubeconfigText } from '../../support/kubeconfig.ts';
import { grant, rule } from '../../support/rights.ts';
import { untilTrue } from '../../support/world.ts';

const { plane, cluster } = useCluster({ limits: { ...defaultClusterLimits, forbiddenWatchRetryMs: 2_000 } });
let configMaps: KindInfo;
const tenant = serviceAccountIdentity('tenant', 'deployer');

prepare(async () => {
  configMaps = await kindOf(cluster, 'v1', 'ConfigMap');
  for (const namespace of ['tenant', 'tenant-2', 'foreign']) await createNamespace(plane, namespace);
  await plane.serviceAccountToken('tenant', 'deployer');
  for (const namespace of ['tenant', 'tenant-2']) await allow(namespace);
});

function allow(namespace: string): Promise<void> {
  const to = { namespace: 'tenant', name: 'deployer' };
  return grant({ plane }, { namespace, rules: [rule('', 'configmaps', ['*'])], to });
}

function keepWatched(identity: Identity, application: string, namespaces: readonly string[]): Promise<void> {
  const scopes = namespaces.map((namespace) => ({ kind: configMaps, namespace }));
  return cluster.live.keepWatched(application, identity, scopes);
}

function look(identity: Identity, namespace: string, name: string): LiveEntry {
  return cluster.live.look(identity, configMaps, configMapId(namespace, name));
}

test('an impersonated account reads and writes where it has rights, and nowhere else', async () => {
  const client = cluster.as(tenant);
  written(await client.apply({ kind: configMaps, body: configMap('tenant', 'own', { a: '1' }), force: true }));
  found(await client.get(configMaps, configMapId('tenant', 'own')));
  const body = configMap('foreign', 'own', {});
  const answer = await client.apply({ kind: configMaps, body, force: true });
  assert.ok(!answer.ok && answer.refusal.code === 'Forbidden');
  assert.match(answer.refusal.message, /system:serviceaccount:tenant:deployer.*cannot patch resource/);
});

test('an account with a blank or malformed name is refused before any request', async () => {
  const before = cluster.requestCounts();
  for (const [namespace, name] of [
    ['', ''],
    ['tenant', ''],
    ['', 'deployer'],
    ['tenant', 'a\r\nImpersonate-Group: system:masters'],
    ['tenant', 'a:b'],
    ['ten ant', 'a'],
  ] as const) {
    assert.throws(() => serviceAccountIdentity(namespace, name), RangeError);
    const forged: Identity = { type: 'serviceAccount', namespace, name };
    assert.throws(() => cluster.as(forged), RangeError);
    await assert.rejects(keepWatched(forged, 'forged', ['tenant']), RangeError);
  }
  assert.deepEqual(cluster.requestCounts(), before);
  assert.equal(cluster.watchCount(), 0);
});

test('each namespace of an account that may not watch all of them is watched', async () => {
  await keepWatched(tenant, 'app', ['tenant', 'tenant-2']);
  assert.equal(look(tenant, 'tenant', 'own').state, 'present');
  assert.equal(look(tenant, 'tenant-2', 'own').state, 'unseen');
  assert.equal(cluster.watchCount(), 2);
  const before = cluster.requestCounts();
  await keepWatched(tenant, 'app', ['tenant', 'tenant-2']);
  assert.deepEqual(cluster.requestCounts(), before);
});

test('an account sees nothing through the watches of the agent', async () => {
  await plane.request('POST', '/api/v1/namespaces/foreign/configmaps', configMap('foreign', 'secret', {}));
  await keepWatched(agentIdentity, 'agent-app', ['foreign']);
  assert.equal(look(agentIdentity, 'foreign', 'secret').state, 'present');
  assert.equal(look(tenant, 'foreign', 'secret').state, 'unknown');
});

test('an account that may not watch a namespace reads its objects by name, and the reason is reported', async () => {
  await keepWatched(tenant, 'app', ['tenant', 'foreign']);
  assert.equal(look(tenant, 'tenant', 'own').state, 'present');
  assert.equal(look(tenant, 'foreign', 'secret').state, 'unseen');
  const reasons = cluster.live.pollingReasons('app');
  assert.equal(reasons.length, 1);
  assert.match(reasons[0] ?? '', /^ConfigMap in namespace foreign: .*cannot (list|watch) resource "configmaps"/);
  assert.deepEqual(cluster.live.pollingReasons('nobody'), []);
  const read = await cluster.as(tenant).get(configMaps, configMapId('foreign', 'secret'));
  assert.ok(!read.ok && read.refusal.code === 'Forbidden');
});

test('a pass over objects that may not be watched sends no request', async () => {
  const before = cluster.requestCounts().object;
  for (let pass = 0; pass < 10; pass++) await keepWatched(tenant, 'app', ['tenant', 'foreign']);
  assert.equal(cluster.requestCounts().object, before);
});

test('a namespace is watched as soon as the account gets the right', async () => {
  await allow('foreign');
  await untilTrue(() => look(tenant, 'foreign', 'secret').state === 'present', 'the namespace is watched');
  assert.deepEqual(cluster.live.pollingReasons('app'), []);
  cluster.live.release('app');
  cluster.live.release('agent-app');
  assert.equal(cluster.watchCount(), 0);
});

test('an agent with the rights of one namespace connects, applies and watches there', async () => {
  const token = await plane.serviceAccountToken('tenant', 'deployer');
  const cluster = { server: plane.url, 'insecure-skip-tls-verify': true };
  const kubeconfig = kubeconfigText({ cluster, user: { token }, namespace: 'tenant' });
  const own = await connect(plane, { source: { type: 'kubeconfigText', text: kubeconfig } });
  try {
    assert.equal(own.clusterId, plane.url);
    assert.equal(own.defaultNamespace, 'tenant');
    await own.live.keepWatched('app', agentIdentity, [{ kind: configMaps, namespace: 'tenant' }]);
    assert.equal(own.live.look(agentIdentity, configMaps, configMapId('tenant', 'own')).state, 'present');
  } finally {
    await own.close();
  }
});
