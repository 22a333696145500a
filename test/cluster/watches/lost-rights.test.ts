import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { serviceAccountIdentity } from '../../../src/cluster/identity.ts';
import { stringAt } from '../../../src/object/value.ts';
import { prepare } from '../../support/use-world.ts';
import { configMap, configMapId, eventually } from '../edge/edge-cluster.ts';
import { NAMESPACE, useScene } from './scene.ts';

const identity = serviceAccountIdentity(NAMESPACE, 'deployer');
const POLL_MS = 1_500;
const scene = useScene({
  identity,
  limits: { watchTimeoutSeconds: 2, forbiddenWatchRetryMs: 1_000, pollIntervalMs: POLL_MS },
});

prepare(async () => {
  await scene.plane.serviceAccountToken(NAMESPACE, 'deployer');
  await grant('watcher', ['get', 'list', 'watch', 'patch', 'create']);
  await scene.create('known');
  await scene.hold(NAMESPACE);
});

const RBAC = `/apis/rbac.authorization.k8s.io/v1/namespaces/${NAMESPACE}`;

async function grant(name: string, verbs: string[]): Promise<void> {
  const rules = [{ apiGroups: [''], resources: ['configmaps'], verbs }];
  assert.equal((await scene.plane.request('POST', `${RBAC}/roles`, { metadata: { name }, rules })).code, 201);
  const binding = await scene.plane.request('POST', `${RBAC}/rolebindings`, {
    metadata: { name },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name },
    subjects: [{ kind: 'ServiceAccount', namespace: NAMESPACE, name: 'deployer' }],
  });
  assert.equal(binding.code, 201);
}

async function revoke(name: string): Promise<void> {
  assert.equal((await scene.plane.request('DELETE', `${RBAC}/rolebindings/${name}`)).code, 200);
}

/** What a pass does with what is unseen and its own. */
async function readByName(name: string): Promise<string> {
  await scene.hold(NAMESPACE);
  const entry = scene.look(name);
  if (entry.state !== 'unseen') return entry.state;
  const id = configMapId(NAMESPACE, name);
  const read = await scene.cluster.as(identity).get(scene.configMaps, id);
  if (!read.ok) return read.refusal.code;
  scene.cluster.live.record(identity, scene.configMaps, id, read.object);
  return `read ${read.object ? stringAt(read.object.body, 'data', 'v') : 'absent'}`;
}

describe('rights that are taken away while a watch is open', () => {
  it('count from the end of that watch on: what was known counts no more, and is told as forbidden', async () => {
    assert.equal(scene.look('known').state, 'present');
    await revoke('watcher');
    await eventually(() => scene.look('known').state === 'unseen', 'what was known is known no more');
    assert.match(scene.cluster.live.pollingReasons('app')[0] ?? '', /ConfigMap in namespace watched: .*cannot/);
    assert.equal(await readByName('known'), 'Forbidden');
  });

  it('leave reading by name at the interval where only that is allowed', async () => {
    await grant('reader', ['get', 'patch', 'create']);
    await eventually(async () => (await readByName('known')) === 'read 0', 'it is read');
    assert.equal(await readByName('known'), 'present', 'within the interval no request is needed');
    await scene.change('known', '1');
    await eventually(async () => (await readByName('known')) === 'read 1', 'the change is read after the interval');
    await scene.remove('known');
    await eventually(async () => (await readByName('known')) === 'read absent', 'the deletion is read');
    assert.equal(scene.look('known').state, 'absent');
  });

  it('take in the answers of our own writes meanwhile', async () => {
    const client = scene.cluster.as(identity);
    const answer = await client.apply({
      kind: scene.configMaps,
      body: configMap(NAMESPACE, 'own', { v: '0' }),
      force: true,
    });
    assert.ok(answer.ok);
    assert.equal(scene.valueOf('own'), '0');
  });

  it('are watched with again once they are given back, and make up for what was missed', async () => {
    await scene.change('own', '7');
    await grant('watcher-2', ['list', 'watch']);
    await eventually(() => scene.cluster.live.pollingReasons('app').length === 0, 'it is watched again');
    assert.equal(scene.valueOf('own'), '7');
    await scene.change('own', '8');
    await eventually(() => scene.valueOf('own') === '8', 'changes are seen');
  });
});
