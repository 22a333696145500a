/** Deletes on a real API server with its garbage collector. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KindInfo } from '../../../src/cluster/kinds.ts';
import type { LiveObject } from '../../../src/cluster/live.ts';
import type { ClusterClient } from '../../../src/cluster/ports.ts';
import { prepare } from '../../support/use-world.ts';
import { configMap, configMapId, found, kindOf, useCluster, written } from './edge-cluster.ts';
import { kubectl, setFinalizers } from '../../support/kubectl.ts';
import { untilTrue } from '../../support/world.ts';

const { plane, cluster, client } = useCluster({}, { mode: 'full' });
let configMaps: KindInfo;

prepare(async () => {
  configMaps = await kindOf(cluster, 'v1', 'ConfigMap');
});

async function create(name: string, extra = {}): Promise<LiveObject> {
  const body = configMap('default', name, {}, extra);
  return written(await client.apply({ kind: configMaps, body, force: true })).object;
}

/** Creates a dependent of an object, with an owner reference for the garbage collector. */
function child(name: string, { id, uid }: LiveObject): Promise<LiveObject> {
  const owner = { apiVersion: 'v1', kind: 'ConfigMap', name: id.name, uid, blockOwnerDeletion: true };
  return create(name, { ownerReferences: [owner] });
}

const remove = ({ id, uid, resourceVersion }: LiveObject): ReturnType<ClusterClient['remove']> =>
  client.remove({ kind: configMaps, id, uid, resourceVersion });

const isGone = async (name: string): Promise<boolean> => {
  const read = await client.get(configMaps, configMapId('default', name));
  return read.ok && read.object === undefined;
};

test('a background delete removes the object at once, and the garbage collector removes its dependents', async () => {
  const object = await create('background');
  await child('background-child', object);
  assert.deepEqual(await remove(object), { ok: true, outcome: 'gone' });
  assert.ok(await isGone('background'));
  await untilTrue(() => isGone('background-child'), 'the collector has done its work');
});

test('a second delete of a held object is a lost race with the old resourceVersion, and still held with the new one', async () => {
  const object = await create('held', { finalizers: ['example.com/hold'] });
  assert.deepEqual(await remove(object), { ok: true, outcome: 'held' });
  const again = await remove(object);
  assert.ok(!again.ok && again.refusal.code === 'Modified');
  const now = found(await client.get(configMaps, object.id));
  assert.deepEqual(await remove(now), { ok: true, outcome: 'held' });
  const path = '/api/v1/namespaces/default/configmaps/held';
  await setFinalizers({ plane }, 'configmap/held', { namespace: 'default', finalizers: [] });
  assert.equal((await plane.request('GET', path)).code, 404);
  assert.deepEqual(await remove(now), { ok: true, outcome: 'gone' });
});

test('a delete does not touch an object that was recreated under the same name', async () => {
  const object = await create('reborn');
  assert.deepEqual(await remove(object), { ok: true, outcome: 'gone' });
  const fresh = await create('reborn');
  const late = await remove(object);
  assert.ok(!late.ok && late.refusal.code === 'Modified');
  assert.equal(found(await client.get(configMaps, object.id)).uid, fresh.uid);
});

test('a delete does not touch an object that was changed since it was read', async () => {
  const object = await create('changed');
  await kubectl({ plane }, ['annotate', 'cm', 'changed', 'by=hand']);
  const late = await remove(object);
  assert.ok(!late.ok && late.refusal.code === 'Modified');
  assert.ok(!(await isGone('changed')));
});

test('an object whose kind is no longer served counts as gone', async () => {
  const kind = { ...configMaps, group: 'absent.example.com', kind: 'Absent', plural: 'absents' };
  const id = { ...configMapId('default', 'x'), group: kind.group, kind: kind.kind };
  const answer = await client.remove({ kind, id, uid: 'u', resourceVersion: '1' });
  assert.deepEqual(answer, { ok: true, outcome: 'gone' });
});

test('a delete without uid or resourceVersion is never sent', async () => {
  const object = await create('safe');
  const before = cluster.requestCounts().object;
  await assert.rejects(remove({ ...object, uid: '' }), RangeError);
  await assert.rejects(remove({ ...object, resourceVersion: '' }), RangeError);
  assert.equal(cluster.requestCounts().object, before);
});
