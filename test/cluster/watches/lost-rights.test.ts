/** Watches of an account whose rights are revoked and given back. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { serviceAccountIdentity } from '../../../src/cluster/identity.ts';
import { stringAt } from '../../../src/object/value.ts';
import { prepare } from '../../support/use-world.ts';
import { configMap, configMapId } from '../edge/edge-cluster.ts';
import { NAMESPACE, useScene } from './scene.ts';
import { grant, rule } from '../../support/rights.ts';
import { untilTrue } from '../../support/world.ts';

const identity = serviceAccountIdentity(NAMESPACE, 'deployer');
const POLL_MS = 1_500;
const scene = useScene({
  identity,
  limits: { watchTimeoutSeconds: 2, forbiddenWatchRetryMs: 1_000, pollIntervalMs: POLL_MS },
});

prepare(async () => {
  await scene.plane.serviceAccountToken(NAMESPACE, 'deployer');
  await allow('watcher', ['get', 'list', 'watch', 'patch', 'create']);
  await scene.create('known');
  await scene.keepWatched(NAMESPACE);
});

const RBAC = `/apis/rbac.authorization.k8s.io/v1/namespaces/${NAMESPACE}`;

function allow(name: string, verbs: string[]): Promise<void> {
  return grant(scene, { namespace: NAMESPACE, name, rules: [rule('', 'configmaps', verbs)] });
}

async function revoke(name: string): Promise<void> {
  assert.equal((await scene.plane.request('DELETE', `${RBAC}/rolebindings/${name}`)).code, 200);
}

/** Looks an object up and reads it by name if it is unseen, as a pass does. */
async function readByName(name: string): Promise<string> {
  await scene.keepWatched(NAMESPACE);
  const entry = scene.look(name);
  if (entry.state !== 'unseen') return entry.state;
  const id = configMapId(NAMESPACE, name);
  const read = await scene.cluster.as(identity).get(scene.configMaps, id);
  if (!read.ok) return read.refusal.code;
  scene.cluster.live.record(identity, scene.configMaps, id, read.object);
  return `read ${read.object ? stringAt(read.object.body, 'data', 'v') : 'absent'}`;
}

test('when rights are revoked, known objects become unseen with the end of the watch, and the reason is reported', async () => {
  assert.equal(scene.look('known').state, 'present');
  await revoke('watcher');
  await untilTrue(() => scene.look('known').state === 'unseen', 'what was known is known no more');
  assert.match(scene.cluster.live.pollingReasons('app')[0] ?? '', /ConfigMap in namespace watched: .*cannot/);
  assert.equal(await readByName('known'), 'Forbidden');
});

test('objects that may only be read are read by name at the interval', async () => {
  await allow('reader', ['get', 'patch', 'create']);
  await untilTrue(async () => (await readByName('known')) === 'read 0', 'it is read');
  assert.equal(await readByName('known'), 'present', 'within the interval no request is needed');
  await scene.change('known', '1');
  await untilTrue(async () => (await readByName('known')) === 'read 1', 'the change is read after the interval');
  await scene.remove('known');
  await untilTrue(async () => (await readByName('known')) === 'read absent', 'the deletion is read');
  assert.equal(scene.look('known').state, 'absent');
});

test('answers of own writes are taken in while nothing may be watched', async () => {
  const client = scene.cluster.as(identity);
  const answer = await client.apply({
    kind: scene.configMaps,
    body: configMap(NAMESPACE, 'own', { v: '0' }),
    force: true,
  });
  assert.ok(answer.ok);
  assert.equal(scene.valueOf('own'), '0');
});

test('objects are watched again once the rights are back, and missed changes are seen', async () => {
  await scene.change('own', '7');
  await allow('watcher-2', ['list', 'watch']);
  await untilTrue(() => scene.cluster.live.pollingReasons('app').length === 0, 'it is watched again');
  assert.equal(scene.valueOf('own'), '7');
  await scene.change('own', '8');
  await untilTrue(() => scene.valueOf('own') === '8', 'changes are seen');
});
