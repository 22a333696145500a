/** Deletes against a real API server and its garbage collector. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { ConnectedCluster } from '../../../src/cluster/connection.ts';
import { agentIdentity } from '../../../src/cluster/identity.ts';
import type { KindInfo } from '../../../src/cluster/kinds.ts';
import type { LiveObject } from '../../../src/cluster/live.ts';
import type { ClusterClient } from '../../../src/cluster/ports.ts';
import { startControlPlane, type ControlPlane } from '../../control-plane/control-plane.ts';
import { configMap, configMapId, connect, eventually, found, kindOf, written } from './edge-cluster.ts';

let plane: ControlPlane;
let cluster: ConnectedCluster;
let client: ClusterClient;
let configMaps: KindInfo;

before(async () => {
  plane = await startControlPlane({ mode: 'full' });
  cluster = await connect(plane);
  client = cluster.as(agentIdentity);
  configMaps = await kindOf(cluster, 'v1', 'ConfigMap');
});

after(async () => {
  await cluster?.close();
  await plane?.stop();
});

async function create(name: string, extra = {}): Promise<LiveObject> {
  const body = configMap('default', name, {}, extra);
  return written(await client.apply({ kind: configMaps, body, force: true })).object;
}

/** Another object that belongs to this one, as the garbage collector sees it. */
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

describe('a delete', () => {
  it('removes the object at once, and its dependents by the garbage collector', async () => {
    const object = await create('background');
    await child('background-child', object);
    assert.deepEqual(await remove(object), { ok: true, outcome: 'gone' });
    assert.ok(await isGone('background'));
    await eventually(() => isGone('background-child'), 'the collector has done its work');
  });

  it('of what is held already is a lost race by the old resourceVersion, and held still by the new one', async () => {
    const object = await create('held', { finalizers: ['example.com/hold'] });
    assert.deepEqual(await remove(object), { ok: true, outcome: 'held' });
    const again = await remove(object);
    assert.ok(!again.ok && again.refusal.code === 'Modified');
    const now = found(await client.get(configMaps, object.id));
    assert.deepEqual(await remove(now), { ok: true, outcome: 'held' });
    const path = '/api/v1/namespaces/default/configmaps/held';
    const freed = await plane.kubectl([
      'patch',
      'cm',
      'held',
      '--type=merge',
      '-p',
      '{"metadata":{"finalizers":null}}',
    ]);
    assert.equal(freed.code, 0, freed.stderr);
    assert.equal((await plane.request('GET', path)).code, 404);
    assert.deepEqual(await remove(now), { ok: true, outcome: 'gone' });
  });

  it('meant for an object that was made anew under its name touches the new one not', async () => {
    const object = await create('reborn');
    assert.deepEqual(await remove(object), { ok: true, outcome: 'gone' });
    const fresh = await create('reborn');
    const late = await remove(object);
    assert.ok(!late.ok && late.refusal.code === 'Modified');
    assert.equal(found(await client.get(configMaps, object.id)).uid, fresh.uid);
  });

  it('meant for a version that somebody has changed since touches nothing', async () => {
    const object = await create('changed');
    await plane.kubectl(['annotate', 'cm', 'changed', 'by=hand']);
    const late = await remove(object);
    assert.ok(!late.ok && late.refusal.code === 'Modified');
    assert.ok(!(await isGone('changed')));
  });

  it('of an object whose kind is not served any more finds it gone', async () => {
    const kind = { ...configMaps, group: 'absent.example.com', kind: 'Absent', plural: 'absents' };
    const id = { ...configMapId('default', 'x'), group: kind.group, kind: kind.kind };
    const answer = await client.remove({ kind, id, uid: 'u', resourceVersion: '1' });
    assert.deepEqual(answer, { ok: true, outcome: 'gone' });
  });

  it('without uid or resourceVersion is never sent', async () => {
    const object = await create('safe');
    const before = cluster.requestCounts().object;
    await assert.rejects(remove({ ...object, uid: '' }), RangeError);
    await assert.rejects(remove({ ...object, resourceVersion: '' }), RangeError);
    assert.equal(cluster.requestCounts().object, before);
  });
});
