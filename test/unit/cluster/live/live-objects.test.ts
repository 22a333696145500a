import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { LiveObject } from '../../../../src/cluster/live.ts';
import { createLiveObjects } from '../../../../src/cluster/live/live-objects.ts';
import { toLiveObject } from '../../../../src/cluster/live-object.ts';
import { configMaps } from '../sample-kinds.ts';

let nowMs = 0;
const clock = { monotonicMs: (): number => nowMs };

function object(name: string, resourceVersion: string, namespace = 'shop'): LiveObject {
  const live = toLiveObject(configMaps, { metadata: { namespace, name, resourceVersion, uid: `uid-${name}` } });
  assert.ok(live);
  return live;
}

const id = (name: string, namespace = 'shop'): LiveObject['id'] => ({ group: '', kind: 'ConfigMap', namespace, name });

test('an older resourceVersion changes nothing, and versions are compared as numbers', () => {
  const objects = createLiveObjects({ maxAbsentEntries: 10, clock });
  assert.equal(objects.put(object('a', '99')), 'added');
  assert.equal(objects.put(object('a', '100')), 'modified');
  assert.equal(objects.put(object('a', '99')), 'older');
  assert.equal(objects.put(object('a', '100')), 'unchanged');
  const entry = objects.look(id('a'));
  assert.equal(entry.state === 'present' && entry.object.resourceVersion, '100');
});

test('the body of a stored object is parsed once', () => {
  const objects = createLiveObjects({ maxAbsentEntries: 10, clock });
  objects.put(object('a', '1'));
  const entry = objects.look(id('a'));
  assert.ok(entry.state === 'present');
  assert.equal(entry.object.body.kind, 'ConfigMap');
  assert.equal(entry.object.body, entry.object.body);
});

test('an object is unseen after a DELETED event, and absent after a GET by name', () => {
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

test('an object that only lost its label is present again after a GET by name', () => {
  const objects = createLiveObjects({ maxAbsentEntries: 10, clock });
  objects.put(object('a', '5'));
  objects.markDeleted(object('a', '6'));
  assert.equal(objects.put(object('a', '6')), 'added');
});

test('a 404 that a later event has overtaken changes nothing', () => {
  const objects = createLiveObjects({ maxAbsentEntries: 10, clock });
  objects.put(object('a', '5'));
  const mark = objects.markDeleted(object('a', '6'));
  assert.ok(mark);
  objects.put(object('a', '8'));
  assert.equal(objects.putAbsent(id('a'), mark), false);
  assert.equal(objects.look(id('a')).state, 'present');
});

test('a list drops unlisted objects, but not later ones and not those of other namespaces', () => {
  const objects = createLiveObjects({ maxAbsentEntries: 10, clock });
  for (const live of [object('old', '5'), object('listed', '6'), object('new', '12'), object('old', '5', 'other')]) {
    objects.put(live);
  }
  const dropped = objects.keepOnly({ namespace: 'shop', listedKeys: new Set(['shop/listed']), resourceVersion: '10' });
  assert.deepEqual(
    dropped.map((entry) => entry.id.name),
    ['old'],
  );
  assert.equal(objects.look(id('old')).state, 'unseen');
  assert.equal(objects.look(id('new')).state, 'present');
  assert.equal(objects.look(id('old', 'other')).state, 'present');
});

test('a list replaces a newer known version that it would hold if that version were valid', () => {
  const objects = createLiveObjects({ maxAbsentEntries: 10, clock });
  objects.put(object('of-a-lost-future', '500'));
  objects.put(object('written-after-the-list', '900'));
  assert.equal(objects.put(object('of-a-lost-future', '300'), '800'), 'modified');
  assert.equal(objects.put(object('written-after-the-list', '300'), '800'), 'older');
});

test('older versions are accepted after the history of the cluster went back', () => {
  const objects = createLiveObjects({ maxAbsentEntries: 10, clock });
  objects.put(object('a', '500'));
  objects.put(object('gone', '501'));
  objects.voidHistory('shop');
  assert.equal(objects.put(object('a', '20')), 'modified');
  const dropped = objects.keepOnly({ namespace: '', listedKeys: new Set(['shop/a']), resourceVersion: '21' });
  assert.equal(dropped.length, 1);
  assert.equal(objects.look(id('gone')).state, 'unseen');
});

test('an object that was not confirmed for too long counts as unseen', () => {
  const objects = createLiveObjects({ maxAbsentEntries: 10, clock });
  nowMs = 1_000;
  objects.put(object('read-again', '5'));
  objects.put(object('old', '5'));
  objects.putAbsent(id('absent'));
  nowMs = 2_000;
  objects.put(object('read-again', '5'));
  objects.put(object('old', '4'));
  assert.deepEqual(
    ['read-again', 'old', 'absent'].map((name) => objects.look(id(name), { anyMs: 1_500 }).state),
    ['present', 'unseen', 'unseen'],
  );
  objects.dropNamespace('shop', 1_500);
  assert.equal(objects.put(object('old', '4')), 'added');
  assert.equal(objects.put(object('read-again', '4')), 'older');
});

test('an object without our label counts for a while, and one with it until an event', () => {
  const labels = { 'applyset.kubernetes.io/part-of': 'set' };
  const stored = { namespace: 'shop', resourceVersion: '5', uid: 'u' };
  const marked = toLiveObject(configMaps, { metadata: { ...stored, name: 'marked', labels } });
  assert.ok(marked);
  const objects = createLiveObjects({ maxAbsentEntries: 10, clock });
  nowMs = 1_000;
  objects.put(marked);
  objects.put(object('bare', '5'));
  const statesSince = (unwatchedMs: number) =>
    ['marked', 'bare'].map((name) => objects.look(id(name), { unwatchedMs }).state);
  assert.deepEqual(statesSince(1_000), ['present', 'present']);
  assert.deepEqual(statesSince(1_001), ['present', 'unseen']);
  nowMs = 2_000;
  objects.put(object('bare', '5'));
  assert.deepEqual(statesSince(2_000), ['present', 'present'], 'a read confirms it');
});

test('only the latest proofs of absence are kept, up to the limit', () => {
  const objects = createLiveObjects({ maxAbsentEntries: 2, clock });
  for (const name of ['a', 'b', 'c']) objects.putAbsent(id(name));
  assert.deepEqual(
    ['a', 'b', 'c'].map((name) => objects.look(id(name)).state),
    ['unseen', 'absent', 'absent'],
  );
});

test('only the content of held objects is kept, and an object that is held later is to be read by name', () => {
  const held = new Set(['shop/a']);
  const bodies = { isHeld: (key: string) => held.has(key), take: () => true, giveBack() {} };
  const objects = createLiveObjects({ maxAbsentEntries: 10, clock, bodies });
  objects.put(object('a', '1'));
  assert.equal(objects.put(object('b', '1')), 'added');
  assert.equal(objects.put(object('b', '1')), 'unchanged');
  assert.equal(objects.look(id('a')).state, 'present');
  assert.deepEqual(objects.look(id('b')), { state: 'unseen', isUnread: true });
  held.add('shop/b');
  assert.deepEqual(objects.look(id('b')), { state: 'unseen', isUnread: true });
  assert.equal(objects.put(object('b', '1')), 'unchanged', 'the answer of the read by name');
  assert.equal(objects.look(id('b')).state, 'present');
  objects.dropBody('shop/a');
  assert.deepEqual(objects.look(id('a')), { state: 'unseen', isUnread: true });
  assert.equal(objects.put(object('a', '2')), 'modified');
});

test('without memory an object may exist and is to be read by name, and all memory is given back', () => {
  let freeBytes = 1_200;
  const bodies = {
    isHeld: () => true,
    take: (_id: unknown, bytes: number) => {
      if (bytes > freeBytes) return false;
      freeBytes -= bytes;
      return true;
    },
    giveBack: (_id: unknown, bytes: number) => void (freeBytes += bytes),
  };
  const objects = createLiveObjects({ maxAbsentEntries: 10, clock, bodies });
  assert.deepEqual(objects.look(id('c')), { state: 'unseen' });
  for (const name of ['a', 'b', 'c']) objects.put(object(name, '1'));
  assert.equal(objects.look(id('a')).state, 'present');
  assert.deepEqual(objects.look(id('b')), { state: 'unseen', isUnread: true });
  assert.deepEqual(objects.look(id('c')), { state: 'unseen', isUnread: true });
  objects.put(object('a', '2'));
  objects.markDeleted(object('b', '2'));
  objects.dropBody('shop/a');
  objects.dropNamespace('shop');
  assert.equal(freeBytes, 1_200);
  objects.put(object('a', '1'));
  objects.close();
  objects.put(object('a', '2'));
  assert.equal(freeBytes, 1_200);
});

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

async function heapBytes(): Promise<number> {
  await turn();
  collectGarbage();
  return process.memoryUsage().heapUsed;
}

test('a parsed body does not stay in memory with its object', async () => {
  const objects = createLiveObjects({ maxAbsentEntries: 10, clock });
  const keys = Array.from({ length: 5_000 }, (_, index) => [`key-${index}`, { value: index }] as const);
  const names = Array.from({ length: 10 }, (_, index) => `large-${index}`);
  for (const [index, name] of names.entries()) {
    const plain = object(name, String(index + 1));
    objects.put({ ...plain, body: { ...plain.body, data: Object.fromEntries(keys) } });
  }
  const before = await heapBytes();
  const found = names.map((name) => objects.look(id(name)));
  for (const entry of found) assert.ok(entry.state === 'present' && entry.object.body['data']);
  const grown = (await heapBytes()) - before;
  assert.ok(grown < 1_500_000, `${grown} bytes`);
  assert.ok(found.every((entry) => entry.state === 'present' && entry.object.body.kind === 'ConfigMap'));
});
