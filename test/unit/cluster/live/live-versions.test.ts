/** The versions of what is known of objects: as long as one is the same, every look at a held object is the same. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { agentIdentity } from '../../../../src/cluster/identity.ts';
import { defaultClusterLimits } from '../../../../src/cluster/limits.ts';
import { toLiveObject } from '../../../../src/cluster/live-object.ts';
import type { LiveObject } from '../../../../src/cluster/live.ts';
import { createBodyBudget } from '../../../../src/cluster/live/body-budget.ts';
import { createWatchedKind, type WatchedKind } from '../../../../src/cluster/live/watched-kind.ts';
import { noMetrics } from '../../../../src/cluster/metrics.ts';
import { configMaps } from '../sample-kinds.ts';
import { endOfList, expired, scriptTransport, settle, type Stream } from '../watches/scripted-watch.ts';

const NAMES = ['a', 'b', 'c'];
/** Small enough that the content of some objects is not kept. */
const LIMITS = { maxNamespaceLiveBytes: 3_000, maxTotalLiveBytes: 3_000 };

interface Scene {
  readonly watched: WatchedKind;
  readonly stream: () => Stream;
  version: number;
}

function play(): Scene {
  const forbidden = { status: 403, headers: {}, text: JSON.stringify({ kind: 'Status', code: 403 }) };
  const { transport, opened } = scriptTransport({ list: () => forbidden });
  const bodies = createBodyBudget(LIMITS);
  const watched = createWatchedKind({
    ...{ transport, metrics: noMetrics, identity: agentIdentity, kind: configMaps },
    budget: {
      take: ({ namespace }, bytes) => bodies.take(namespace, bytes),
      giveBack: ({ namespace }, bytes) => bodies.giveBack(namespace, bytes),
    },
    limits: { ...defaultClusterLimits, maxAbsentEntries: 2 },
    clock: { monotonicMs: () => 0 },
    chance: () => 0,
    log: { debug() {}, info() {}, warn() {}, error() {} },
    client: { get: () => Promise.resolve({ ok: true, object: undefined }) },
    events: { onChange() {} },
    onKindNotServed() {},
    mayWatchEverywhere: () => Promise.resolve(false),
    takeWatch: () => true,
    giveWatchBack() {},
  });
  return { watched, stream: () => opened.at(-1) as Stream, version: 100 };
}

const id = (name: string): LiveObject['id'] => ({ group: '', kind: 'ConfigMap', namespace: 'shop', name });

function configMap(name: string, resourceVersion: number): object {
  const metadata = { namespace: 'shop', name, resourceVersion: String(resourceVersion), labels: { 'a/part-of': 'x' } };
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { pad: 'p'.repeat(400) } };
}

const live = (name: string, version: number): LiveObject =>
  toLiveObject(configMaps, configMap(name, version) as never) as LiveObject;

async function keep({ watched, stream, version }: Scene, application: string, names: readonly string[]): Promise<void> {
  const kept = watched.keepWatched(application, new Set(['shop']), new Set(names.map((name) => `shop/${name}`)));
  await settle();
  stream().send(endOfList(String(version)));
  await kept;
}

type Act = (scene: Scene, name: string) => Promise<void> | void;

async function tell(scene: Scene, type: string, object: object): Promise<void> {
  scene.stream().send({ type, object });
  await settle();
}

const ACTS: Readonly<Record<string, Act>> = {
  'an event changes it': (scene, name) => tell(scene, 'MODIFIED', configMap(name, ++scene.version)),
  'an old event comes': (scene, name) => tell(scene, 'MODIFIED', configMap(name, scene.version - 5)),
  'an event deletes it': (scene, name) => tell(scene, 'DELETED', configMap(name, ++scene.version)),
  'a read shows it': (scene, name) => scene.watched.record(id(name), live(name, ++scene.version)),
  'a read shows it again': (scene, name) => scene.watched.record(id(name), live(name, scene.version)),
  'a read shows no object': (scene, name) => scene.watched.record(id(name), undefined),
  'a write changes it': (scene, name) => scene.watched.beginWrite(id(name))(live(name, ++scene.version)),
  'a write removes it': (scene, name) => scene.watched.beginWrite(id(name))('gone'),
  async 'the watch lists again'(scene, name) {
    await tell(scene, 'ERROR', expired.object);
    await settle();
    scene.stream().send({ type: 'ADDED', object: configMap(name, ++scene.version) }, endOfList(String(scene.version)));
    await settle();
  },
  'the other Application holds it': (scene, name) => keep(scene, 'two', [name]),
  'the other Application ends': (scene) => void scene.watched.release('two'),
};

const HELD: Readonly<Record<string, readonly string[]>> = { one: ['a', 'b'] };

test('while the version is the same, every held object looks the same', async () => {
  let same = 0;
  const acts = fc.array(fc.record({ act: fc.constantFrom(...Object.keys(ACTS)), name: fc.constantFrom(...NAMES) }), {
    maxLength: 12,
    size: 'max',
  });
  await fc.assert(
    fc.asyncProperty(acts, async (list) => {
      const scene = play();
      await keep(scene, 'one', HELD['one'] ?? []);
      const seen = new Map<number, unknown>();
      for (const { act, name } of list) {
        await ACTS[act]?.(scene, name);
        const version = scene.watched.versionFor('one');
        if (version === undefined) continue;
        const looks = HELD['one']?.map((held) => JSON.stringify(scene.watched.look(id(held))));
        if (seen.has(version)) same++;
        assert.deepEqual(seen.get(version) ?? looks, looks, act);
        seen.set(version, looks);
      }
      scene.watched.stop();
    }),
    { numRuns: 100 },
  );
  assert.ok(same > 50, `a version was the same only ${same} times`);
});

test('a change of an object that only others hold leaves the version, and other held objects change it', async () => {
  const scene = play();
  await keep(scene, 'one', ['a']);
  await keep(scene, 'two', ['b']);
  const before = ['one', 'two'].map((name) => scene.watched.versionFor(name));
  await tell(scene, 'MODIFIED', configMap('b', 200));
  const after = ['one', 'two'].map((name) => scene.watched.versionFor(name));
  assert.equal(after[0], before[0]);
  assert.notEqual(after[1], before[1]);
  await keep(scene, 'one', ['a', 'c']);
  assert.notEqual(scene.watched.versionFor('one'), before[0]);
  scene.watched.stop();
});

test('there is no version while a watch is not open, and none of an Application that holds nothing', async () => {
  const scene = play();
  const kept = scene.watched.keepWatched('one', new Set(['shop']), new Set());
  await settle();
  assert.equal(scene.watched.versionFor('one'), undefined);
  scene.stream().send(endOfList('100'));
  await kept;
  assert.notEqual(scene.watched.versionFor('one'), undefined);
  assert.equal(scene.watched.versionFor('two'), undefined);
  scene.watched.stop();
});
