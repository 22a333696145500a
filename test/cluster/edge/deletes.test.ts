/** Deletes against a real API server and its garbage collector. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { KindInfo } from '../../../src/cluster/kinds.ts';
import type { LiveObject } from '../../../src/cluster/live.ts';
import type { ClusterClient, DeleteRequest } from '../../../src/cluster/ports.ts';
import { prepare } from '../../support/use-world.ts';
import { configMap, configMapId, eventually, found, kindOf, written, useCluster } from './edge-cluster.ts';

const { plane, cluster, client } = useCluster({}, { mode: 'full' });
let configMaps: KindInfo;

prepare(async () => {
  configMaps = await kindOf(cluster, 'v1', 'ConfigMap');
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

type Asked = Pick<DeleteRequest, 'propagation'> & { object: LiveObject };
const remove = ({ object: { id, uid, resourceVersion }, propagation }: Asked): ReturnType<ClusterClient['remove']> =>
  client.remove({ kind: configMaps, id, uid, resourceVersion, propagation });

const isGone = async (name: string): Promise<boolean> => {
  const read = await client.get(configMaps, configMapId('default', name));
  return read.ok && read.object === undefined;
};

describe('a delete', () => {
  it('in the background removes at once, and leaves what belongs to it to the collector', async () => {
    const object = await create('background');
    await child('background-child', object);
    assert.deepEqual(await remove({ object, propagation: 'Background' }), { ok: true, outcome: 'gone' });
    assert.ok(await isGone('background'));
    await eventually(() => isGone('background-child'), 'the collector has done its work');
  });

  it('in the foreground is held until what belongs to it is gone', async () => {
    const object = await create('foreground');
    await child('foreground-child', object);
    assert.deepEqual(await remove({ object, propagation: 'Foreground' }), { ok: true, outcome: 'held' });
    await eventually(() => isGone('foreground'), 'the collector has done its work');
    assert.ok(await isGone('foreground-child'));
  });

  it('that orphans leaves what belongs to it', async () => {
    const object = await create('orphaning');
    await child('orphan', object);
    assert.deepEqual(await remove({ object, propagation: 'Orphan' }), { ok: true, outcome: 'held' });
    await eventually(() => isGone('orphaning'), 'the collector has done its work');
    assert.equal(found(await client.get(configMaps, configMapId('default', 'orphan'))).deletionTimestamp, undefined);
  });

  it('of what is held already is a lost race by the old resourceVersion, and held still by the new one', async () => {
    const object = await create('held', { finalizers: ['example.com/hold'] });
    assert.deepEqual(await remove({ object, propagation: 'Background' }), { ok: true, outcome: 'held' });
    const again = await remove({ object, propagation: 'Background' });
    assert.ok(!again.ok && again.refusal.code === 'Modified');
    const now = found(await client.get(configMaps, object.id));
    assert.deepEqual(await remove({ object: now, propagation: 'Background' }), { ok: true, outcome: 'held' });
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
    assert.deepEqual(await remove({ object: now, propagation: 'Background' }), { ok: true, outcome: 'gone' });
  });

  it('meant for an object that was made anew under its name touches the new one not', async () => {
    const object = await create('reborn');
    assert.deepEqual(await remove({ object, propagation: 'Background' }), { ok: true, outcome: 'gone' });
    const fresh = await create('reborn');
    const late = await remove({ object, propagation: 'Background' });
    assert.ok(!late.ok && late.refusal.code === 'Modified');
    assert.equal(found(await client.get(configMaps, object.id)).uid, fresh.uid);
  });

  it('meant for a version that somebody has changed since touches nothing', async () => {
    const object = await create('changed');
    await plane.kubectl(['annotate', 'cm', 'changed', 'by=hand']);
    const late = await remove({ object, propagation: 'Background' });
    assert.ok(!late.ok && late.refusal.code === 'Modified');
    assert.ok(!(await isGone('changed')));
  });

  it('of an object whose kind is not served any more finds it gone', async () => {
    const kind = { ...configMaps, group: 'absent.example.com', kind: 'Absent', plural: 'absents' };
    const id = { ...configMapId('default', 'x'), group: kind.group, kind: kind.kind };
    const answer = await client.remove({ kind, id, uid: 'u', resourceVersion: '1', propagation: 'Background' });
    assert.deepEqual(answer, { ok: true, outcome: 'gone' });
  });

  it('without uid or resourceVersion is never sent', async () => {
    const object = await create('safe');
    const before = cluster.requestCounts().object;
    await assert.rejects(remove({ object: { ...object, uid: '' }, propagation: 'Background' }), RangeError);
    await assert.rejects(remove({ object: { ...object, resourceVersion: '' }, propagation: 'Background' }), RangeError);
    assert.equal(cluster.requestCounts().object, before);
  });
});
