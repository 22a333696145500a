/** Watches of an API server that is killed and started again, and watches that end in their time. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { listAt, stringAt, type Value } from '../../../src/object/value.ts';
import { prepare } from '../../support/use-world.ts';
import { NAMESPACE, startScene, useScene } from './scene.ts';
import { untilTrue } from '../../support/world.ts';

const scene = useScene();

prepare(async () => {
  await scene.keepWatched(NAMESPACE);
});

const PATH = `/api/v1/namespaces/${NAMESPACE}/configmaps`;

/** Names and values of all ConfigMaps, read from the API server. */
async function stored(): Promise<Map<string, string | undefined>> {
  const { body } = await scene.plane.request('GET', PATH);
  const items = listAt(body as Value, 'items');
  return new Map(items.map((item) => [stringAt(item, 'metadata', 'name') ?? '', stringAt(item, 'data', 'v')]));
}

/** Creates, changes and deletes objects all the time and ignores failures. Resolves to their names. */
async function writeUntil(isOver: () => boolean): Promise<Set<string>> {
  const names = new Set<string>();
  for (let n = 0; !isOver(); n++) {
    const name = `busy-${Math.floor(n / 4) % 40}`;
    names.add(name);
    const v = String(n);
    const act = n % 4 === 0 ? scene.create(name, v) : n % 4 === 3 ? scene.remove(name) : scene.change(name, v);
    await act.catch(() => sleep(20));
  }
  return names;
}

test('no event is lost when the API server is killed several times in the middle of writes', async () => {
  let isOver = false;
  const writing = writeUntil(() => isOver);
  for (let round = 0; round < 3; round++) {
    await sleep(300);
    await scene.plane.kill('kube-apiserver', 'SIGKILL');
    await scene.plane.restart('kube-apiserver');
  }
  await sleep(300);
  isOver = true;
  const names = await writing;
  await scene.create('last');
  await untilTrue(() => scene.look('last').state === 'present', 'what comes last is seen');
  const truth = await stored();
  await untilTrue(() => [...truth].every(([name, v]) => scene.valueOf(name) === v), 'all are as they are stored');
  await untilTrue(
    () => [...names].every((name) => truth.has(name) || scene.look(name).state !== 'present'),
    'deleted objects are not present',
  );
});

test('watches are open again within seconds after the API server was killed, and no warning stays without its all-clear', async (t) => {
  await scene.create('marker');
  await untilTrue(() => scene.look('marker').state === 'present', 'the watch is open');
  scene.logged.splice(0);
  await scene.plane.kill('kube-apiserver', 'SIGKILL');
  const killedMs = performance.now();
  await scene.plane.restart('kube-apiserver');
  const readyMs = performance.now();
  await scene.change('marker', 'after');
  await untilTrue(() => scene.valueOf('marker') === 'after', 'the change is seen');
  const seenMs = performance.now();
  const [sinceKill, sinceReady] = [killedMs, readyMs].map((fromMs) => Math.round(seenMs - fromMs));
  t.diagnostic(`next event ${sinceKill} ms after the kill, ${sinceReady} ms after the server was ready`);
  // On a slow machine the outage may be long enough for a warning; then an all-clear follows.
  const [warnings, reliefs] = ['warn', 'info'].map((level) => scene.logged.filter((line) => line.startsWith(level)));
  assert.equal(reliefs?.length, warnings?.length);
  assert.ok((warnings?.length ?? 0) <= 1);
});

test('objects that did not change while the API server was away are not reported again', async () => {
  await scene.plane.kill('kube-apiserver', 'SIGKILL');
  scene.changes.splice(0);
  scene.restarts.splice(0);
  await scene.plane.restart('kube-apiserver');
  await scene.create('news');
  await untilTrue(() => scene.look('news').state === 'present', 'news are seen');
  assert.deepEqual(scene.changes, [`added ConfigMap ${NAMESPACE}/news`]);
});

test('a watch that ends in its time is opened again at its revision, and misses nothing between two streams', async () => {
  const short = await startScene({ limits: { watchTimeoutSeconds: 1 } });
  try {
    await short.keepWatched(NAMESPACE);
    const seen = short.proxy.requests.length;
    for (let n = 0; n < 150; n++) {
      await short.create(`steady-${n}`);
      await sleep(20);
    }
    await untilTrue(() => short.look('steady-149').state === 'present', 'the last one is seen');
    const isKnown = (_: unknown, n: number): boolean => short.look(`steady-${n}`).state === 'present';
    assert.ok(Array.from({ length: 150 }).every(isKnown));
    const opened = short.proxy.requests.slice(seen);
    assert.ok(opened.length >= 3, `${opened.length} streams`);
    assert.ok(opened.every(({ path }) => /watch=1.*resourceVersion=\d+$/.test(path)));
    assert.deepEqual(short.restarts, []);
    assert.deepEqual(short.logged, []);
  } finally {
    await short[Symbol.asyncDispose]();
  }
});
