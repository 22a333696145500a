import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LiveObject } from '../../../src/cluster/live.ts';
import { createLiveObjects } from '../../../src/cluster/live-objects.ts';
import { toLiveObject } from '../../../src/cluster/live-object.ts';
import { CONFIG_MAPS } from '../../support/objects.ts';

let nowMs = 0;
const clock = { monotonicMs: (): number => nowMs };

function object(name: string, resourceVersion: string, namespace = 'shop'): LiveObject {
  const live = toLiveObject(CONFIG_MAPS, { metadata: { namespace, name, resourceVersion, uid: `uid-${name}` } });
  assert.ok(live);
  return live;
}

const id = (name: string, namespace = 'shop'): LiveObject['id'] => ({ group: '', kind: 'ConfigMap', namespace, name });

test('live objects never go back in time, with versions compared as numbers', () => {
  const objects = createLiveObjects({ maxAbsentEntries: 10, clock });
  assert.equal(objects.put(object('a', '99')), 'added');
  assert.equal(objects.put(object('a', '100')), 'modified');
  assert.equal(objects.put(object('a', '99')), 'older');
  assert.equal(objects.put(object('a', '100')), 'unchanged');
  const entry = objects.look(id('a'));
  assert.equal(entry.state === 'present' && entry.object.resourceVersion, '100');
});

test('a live object comes back whole, parsed when it is read', () => {
  const objects = createLiveObjects({ maxAbsentEntries: 10, clock });
  objects.put(object('a', '1'));
  const entry = objects.look(id('a'));
  assert.ok(entry.state === 'present');
  assert.equal(entry.object.body.kind, 'ConfigMap');
  assert.equal(entry.object.body, entry.object.body);
});

test('an object is unseen after a DELETED event until a GET has told', () => {
  const objects = createLiveObjects({ maxAbsentEntries: 10, clock });
  objects.put(object('a', '5'));
  assert.equal(objects.markDeleted(object('a', '4')), undefined);
  const mark = objects.markDeleted(object('a', '6'));
  assert.ok(mark);
  assert.equal(objects.look(id('a')).state, 'unseen');
  assert.equal(objects.markDeleted(object('a', '6')), undefined);
  assert.equal(objects.putAbsent(id('a'), mark), true);
  assert.equal(objects.look(id('a')).state, 'absent');
  assert.equal(objects.put(object('a', '5')), 'older');
  assert.equal(objects.put(object('a', '7')), 'added');
});

test('an object that only lost its label is taken back', () => {
  const objects = createLiveObjects({ maxAbsentEntries: 10, clock });
  objects.put(object('a', '5'));
  objects.markDeleted(object('a', '6'));
  assert.equal(objects.put(object('a', '6')), 'added');
});

test('a 404 that an event has overtaken is not believed', () => {
  const objects = createLiveObjects({ maxAbsentEntries: 10, clock });
  objects.put(object('a', '5'));
  const mark = objects.markDeleted(object('a', '6'));
  assert.ok(mark);
  objects.put(object('a', '8'));
  assert.equal(objects.putAbsent(id('a'), mark), false);
  assert.equal(objects.look(id('a')).state, 'present');
});

test('a list removes the objects that it does not name, but not those written after it, nor those of other namespaces', () => {
  const objects = createLiveObjects({ maxAbsentEntries: 10, clock });
  for (const live of [object('old', '5'), object('listed', '6'), object('new', '12'), object('old', '5', 'other')]) {
    objects.put(live);
  }
  const forgotten = objects.keepOnly({ namespace: 'shop', seen: new Set(['shop/listed']), resourceVersion: '10' });
  assert.deepEqual(
    forgotten.map((entry) => entry.id.name),
    ['old'],
  );
  assert.equal(objects.look(id('old')).state, 'unseen');
  assert.equal(objects.look(id('new')).state, 'present');
  assert.equal(objects.look(id('old', 'other')).state, 'present');
});

test('an older version is taken from a list that would hold the newer one if there were one', () => {
  const objects = createLiveObjects({ maxAbsentEntries: 10, clock });
  objects.put(object('of-a-lost-future', '500'));
  objects.put(object('written-after-the-list', '900'));
  assert.equal(objects.put(object('of-a-lost-future', '300'), '800'), 'modified');
  assert.equal(objects.put(object('written-after-the-list', '300'), '800'), 'older');
});

test('older versions are taken once the history of the cluster went back', () => {
  const objects = createLiveObjects({ maxAbsentEntries: 10, clock });
  objects.put(object('a', '500'));
  objects.put(object('gone', '501'));
  objects.voidHistory('shop');
  assert.equal(objects.put(object('a', '20')), 'modified');
  const forgotten = objects.keepOnly({ namespace: '', seen: new Set(['shop/a']), resourceVersion: '21' });
  assert.equal(forgotten.length, 1);
  assert.equal(objects.look(id('gone')).state, 'unseen');
});

test('an object counts as unseen once it was read too long ago, unless it was read again', () => {
  const objects = createLiveObjects({ maxAbsentEntries: 10, clock });
  nowMs = 1_000;
  objects.put(object('read-again', '5'));
  objects.put(object('old', '5'));
  objects.putAbsent(id('absent'));
  nowMs = 2_000;
  objects.put(object('read-again', '5'));
  objects.put(object('old', '4'));
  assert.deepEqual(
    ['read-again', 'old', 'absent'].map((name) => objects.look(id(name), 1_500).state),
    ['present', 'unseen', 'unseen'],
  );
  objects.dropNamespace('shop', 1_500);
  assert.equal(objects.put(object('old', '4')), 'added');
  assert.equal(objects.put(object('read-again', '4')), 'older');
});

test('no more proofs of absence are kept than the bound, the latest ones', () => {
  const objects = createLiveObjects({ maxAbsentEntries: 2, clock });
  for (const name of ['a', 'b', 'c']) objects.putAbsent(id(name));
  assert.deepEqual(
    ['a', 'b', 'c'].map((name) => objects.look(id(name)).state),
    ['unseen', 'absent', 'absent'],
  );
});
