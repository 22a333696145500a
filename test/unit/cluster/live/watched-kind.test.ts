import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { agentIdentity } from '../../../../src/cluster/identity.ts';
import type { KindInfo } from '../../../../src/cluster/kinds.ts';
import { defaultClusterLimits } from '../../../../src/cluster/limits.ts';
import { toLiveObject } from '../../../../src/cluster/live-object.ts';
import type { LiveObject } from '../../../../src/cluster/live.ts';
import { createWatchedKind, type WatchedKind } from '../../../../src/cluster/live/watched-kind.ts';
import { noMetrics } from '../../../../src/cluster/metrics.ts';
import type { ReadAnswer } from '../../../../src/cluster/ports.ts';
import { configMaps } from '../sample-kinds.ts';
import { endOfList, expired, scriptTransport, settle, type Stream } from '../watches/scripted-watch.ts';

interface Scene {
  readonly watched: WatchedKind;
  /** Changes that were reported: type, name and owner. */
  readonly changes: string[];
  /** Names of objects that were read, whose answers come from `reads`; any other is absent. */
  readonly read: string[];
  readonly reads: Map<string, ReadAnswer>;
  /** The latest stream. */
  stream(): Stream;
  /** The number of streams that were opened. */
  streams(): number;
  /** Holds the namespace shop, with these objects in the first list. */
  start(...objects: object[]): Promise<void>;
}

let watched: WatchedKind | undefined;
afterEach(() => watched?.stop());

function play(kind: KindInfo = configMaps, openStatus = 200): Scene {
  const changes: string[] = [];
  const read: string[] = [];
  const reads = new Map<string, ReadAnswer>();
  const forbidden = { status: 403, headers: {}, text: JSON.stringify({ kind: 'Status', code: 403 }) };
  const { transport, opened } = scriptTransport({ openStatus: () => openStatus, list: () => forbidden });
  const own = createWatchedKind({
    transport,
    limits: defaultClusterLimits,
    clock: { monotonicMs: () => 0 },
    chance: () => 0,
    log: { debug() {}, info() {}, warn() {}, error() {} },
    metrics: noMetrics,
    identity: agentIdentity,
    kind,
    client: {
      get(_kind, { name }) {
        read.push(name);
        return Promise.resolve(reads.get(name) ?? { ok: true, object: undefined });
      },
    },
    events: { onChange: ({ id, owner, type }) => void changes.push(`${type} ${id.name} ${owner ?? '-'}`) },
    onKindNotServed: () => void changes.push('kind is not served'),
    mayWatchEverywhere: () => Promise.resolve(false),
    takeWatch: () => true,
    giveWatchBack() {},
  });
  watched = own;
  const scene: Scene = {
    watched: own,
    changes,
    read,
    reads,
    streams: () => opened.length,
    stream() {
      const stream = opened.at(-1);
      assert.ok(stream);
      return stream;
    },
    async start(...objects) {
      const listed = own.keepWatched('app', new Set(['shop']));
      await settle();
      scene.stream().send(...objects.map((object) => ({ type: 'ADDED', object })), endOfList('100'));
      await listed;
    },
  };
  return scene;
}

function configMap(name: string, resourceVersion: string): object {
  const annotations = { 'tautline.dev/owner': 'hub/shop/app' };
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace: 'shop', name, resourceVersion, annotations } };
}

function live(name: string, resourceVersion: string): LiveObject {
  const object = toLiveObject(configMaps, configMap(name, resourceVersion) as never);
  assert.ok(object);
  return object;
}

const id = (name: string): LiveObject['id'] => ({ group: '', kind: 'ConfigMap', namespace: 'shop', name });

async function tell(scene: Scene, type: string, object: object): Promise<void> {
  scene.stream().send({ type, object });
  await settle();
}

test('objects of the first list are present and are not reported as changes', async () => {
  const scene = play();
  await scene.start(configMap('a', '5'));
  assert.equal(scene.watched.look(id('a')).state, 'present');
  assert.equal(scene.watched.look(id('b')).state, 'unseen');
  assert.deepEqual(scene.changes, []);
});

test('events are reported with the owner of the object', async () => {
  const scene = play();
  await scene.start(configMap('a', '5'));
  await tell(scene, 'MODIFIED', configMap('a', '101'));
  await tell(scene, 'ADDED', configMap('b', '102'));
  await tell(scene, 'MODIFIED', configMap('a', '101'));
  assert.deepEqual(scene.changes, ['modified a hub/shop/app', 'added b hub/shop/app']);
});

test('the echo of our own write is not reported, whether it arrives before or after the answer', async () => {
  const scene = play();
  await scene.start(configMap('a', '5'));
  const endWrite = scene.watched.beginWrite(id('a'));
  await tell(scene, 'MODIFIED', configMap('a', '101'));
  endWrite(live('a', '101'));
  scene.watched.beginWrite(id('a'))(live('a', '102'));
  await tell(scene, 'MODIFIED', configMap('a', '102'));
  assert.deepEqual(scene.changes, []);
});

test('a change by another client during our write is reported after it', async () => {
  const scene = play();
  await scene.start(configMap('a', '5'));
  const endWrite = scene.watched.beginWrite(id('a'));
  await tell(scene, 'MODIFIED', configMap('a', '102'));
  assert.deepEqual(scene.changes, []);
  endWrite(live('a', '101'));
  assert.deepEqual(scene.changes, ['modified a hub/shop/app']);
});

test('a deletion is reported after a GET by name has proven the absence', async () => {
  const scene = play();
  await scene.start(configMap('a', '5'));
  await tell(scene, 'DELETED', configMap('a', '101'));
  assert.deepEqual(scene.read, ['a']);
  assert.equal(scene.watched.look(id('a')).state, 'absent');
  assert.deepEqual(scene.changes, ['deleted a hub/shop/app']);
});

test('an object that only lost its label is still present, and reported as modified', async () => {
  const scene = play();
  await scene.start(configMap('a', '5'));
  scene.reads.set('a', { ok: true, object: live('a', '101') });
  await tell(scene, 'DELETED', configMap('a', '101'));
  assert.equal(scene.watched.look(id('a')).state, 'present');
  assert.deepEqual(scene.changes, ['modified a hub/shop/app']);
});

test('a deletion that cannot be verified is reported, and the object stays unseen', async () => {
  const scene = play();
  await scene.start(configMap('a', '5'));
  const refusal = { code: 'Forbidden', status: 403, message: 'no', retry: 'backoff' } as const;
  scene.reads.set('a', { ok: false, refusal });
  await tell(scene, 'DELETED', configMap('a', '101'));
  assert.equal(scene.watched.look(id('a')).state, 'unseen');
  assert.deepEqual(scene.changes, ['deleted a hub/shop/app']);
});

test('our own deletion is not reported', async () => {
  const scene = play();
  await scene.start(configMap('a', '5'));
  const endWrite = scene.watched.beginWrite(id('a'));
  await tell(scene, 'DELETED', configMap('a', '101'));
  endWrite('gone');
  await settle();
  assert.equal(scene.watched.look(id('a')).state, 'absent');
  assert.deepEqual([scene.changes, scene.read], [[], []]);
});

test('a later list reports the objects that appeared, changed and disappeared', async () => {
  const scene = play();
  await scene.start(configMap('kept', '5'), configMap('changed', '6'), configMap('gone', '7'));
  await tell(scene, 'ERROR', expired.object);
  scene.stream().send(
    ...[configMap('kept', '5'), configMap('changed', '150'), configMap('new', '151')].map((object) => ({
      type: 'ADDED',
      object,
    })),
    endOfList('200'),
  );
  await settle();
  assert.deepEqual(scene.changes.sort(), [
    'added new hub/shop/app',
    'deleted gone hub/shop/app',
    'modified changed hub/shop/app',
  ]);
  assert.equal(scene.watched.look(id('gone')).state, 'unseen');
});

test('a forbidden kind is polled: a recorded read counts, and all else is unseen', async () => {
  const scene = play(configMaps, 403);
  const listed = scene.watched.keepWatched('app', new Set(['shop']));
  await settle();
  scene.stream().end();
  await listed;
  assert.equal(scene.watched.polledFor('app').length, 1);
  scene.watched.record(id('a'), live('a', '5'));
  scene.watched.record(id('b'), undefined);
  assert.deepEqual(
    ['a', 'b', 'c'].map((name) => scene.watched.look(id(name)).state),
    ['present', 'absent', 'unseen'],
  );
});

test('a kind that is not served is reported, and its objects are unknown', async () => {
  const scene = play(configMaps, 404);
  const listed = scene.watched.keepWatched('app', new Set(['shop']));
  await settle();
  scene.stream().end();
  await listed;
  assert.deepEqual(scene.changes, ['kind is not served']);
  assert.deepEqual(scene.watched.look(id('a')), {
    state: 'unknown',
    reason: 'the cluster does not serve ConfigMap',
  });
});

test('an object of a namespace that is not held is unknown', async () => {
  const scene = play();
  await scene.start();
  assert.deepEqual(scene.watched.look({ ...id('a'), namespace: 'other' }), {
    state: 'unknown',
    reason: 'ConfigMap is not watched in this namespace',
  });
});

/** An event of which only the head can be read. */
function broken(name: string, resourceVersion: string): string {
  const metadata = { name, namespace: 'shop', uid: 'u', resourceVersion };
  const text = JSON.stringify({ type: 'MODIFIED', object: { kind: 'ConfigMap', apiVersion: 'v1', metadata } });
  return `${text.slice(0, -3)},"labels": not JSON\n`;
}

test('the echo of our own write is recognised by its head and not parsed, before the answer and after it', async () => {
  const scene = play();
  await scene.start(configMap('a', '5'));
  const endWrite = scene.watched.beginWrite(id('a'));
  scene.stream().sendText(broken('a', '101'));
  await settle();
  endWrite(live('a', '101'));
  scene.stream().sendText(broken('a', '101'));
  await settle();
  await tell(scene, 'MODIFIED', configMap('a', '102'));
  assert.deepEqual(scene.changes, ['modified a hub/shop/app']);
  assert.equal(scene.streams(), 1);
});

test('an event that cannot be parsed ends the watch, also where a write on its object has just ended', async () => {
  for (const isWriting of [false, true]) {
    const scene = play();
    await scene.start(configMap('a', '5'));
    const endWrite = isWriting ? scene.watched.beginWrite(id('a')) : undefined;
    scene.stream().sendText(broken('a', '101'));
    await settle();
    endWrite?.(live('a', '99'));
    await settle();
    assert.ok(scene.stream().isCut || scene.streams() > 1, `a write is under way: ${isWriting}`);
    scene.watched.stop();
  }
});
