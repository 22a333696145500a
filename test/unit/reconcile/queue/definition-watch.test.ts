import assert from 'node:assert/strict';
import { setImmediate as turn } from 'node:timers/promises';
import { test } from 'node:test';
import { createDefinitionWatch, type DefinitionWatch } from '../../../../src/reconcile/queue/definition-watch.ts';

interface Scene {
  readonly watch: DefinitionWatch;
  /** By group; undefined: the API server does not answer. */
  texts: Record<string, string> | undefined;
  readonly woken: string[];
  looks: number;
}

/** A watch that looks without a pause. */
function sceneOf(): Scene {
  const scene = { texts: {} as Record<string, string> | undefined, woken: [] as string[], looks: 0 };
  const watch = createDefinitionWatch({
    read: () => {
      scene.looks++;
      return Promise.resolve(scene.texts && new Map(Object.entries(scene.texts)));
    },
    wake: (key) => scene.woken.push(key),
    checkMs: 1,
  });
  return Object.assign(scene, { watch });
}

/** By default so often that every wake of a change has come. */
async function untilLooked(scene: Scene, times = 5): Promise<void> {
  const looks = scene.looks + times;
  while (scene.looks < looks) await turn();
  await turn();
}

test('an Application is woken when a group changes that it waits for, and for no other', async () => {
  const scene = sceneOf();
  scene.texts = { 'a.example': '1', 'b.example': '1' };
  scene.watch.note('apps/a', new Set(['a.example']));
  scene.watch.note('apps/both', new Set(['a.example', 'b.example']));
  await untilLooked(scene);
  assert.deepEqual(scene.woken, []);
  scene.texts = { 'a.example': '1', 'b.example': '2' };
  await untilLooked(scene);
  assert.deepEqual(
    scene.woken,
    Array.from({ length: 3 }, () => 'apps/both'),
  );
  scene.texts = { 'a.example': '2', 'b.example': '2' };
  await untilLooked(scene);
  const [a, both] = ['apps/a', 'apps/both'];
  assert.deepEqual(scene.woken.slice(3).sort(), [a, a, a, both, both, both]);
  scene.watch.stop();
});

test('a group that appears, and one that goes, have changed', async () => {
  const scene = sceneOf();
  scene.watch.note('apps/a', new Set(['a.example']));
  await untilLooked(scene);
  scene.texts = { 'a.example': '1' };
  await untilLooked(scene);
  assert.equal(scene.woken.length, 3);
  scene.texts = {};
  await untilLooked(scene);
  assert.equal(scene.woken.length, 6);
  scene.watch.stop();
});

test('an API server that does not answer wakes none, and a change meanwhile is noticed afterwards', async () => {
  const scene = sceneOf();
  scene.texts = { 'a.example': '1' };
  scene.watch.note('apps/a', new Set(['a.example']));
  await untilLooked(scene);
  scene.texts = undefined;
  await untilLooked(scene);
  assert.deepEqual(scene.woken, []);
  scene.texts = { 'a.example': '2' };
  await untilLooked(scene);
  assert.deepEqual(scene.woken, ['apps/a', 'apps/a', 'apps/a']);
  scene.watch.stop();
});

test('an Application that says again that it waits keeps what it knows', async () => {
  const scene = sceneOf();
  scene.texts = { 'a.example': '1' };
  scene.watch.note('apps/a', new Set(['a.example']));
  await untilLooked(scene);
  scene.texts = { 'a.example': '2' };
  scene.watch.note('apps/a', new Set(['a.example']));
  await untilLooked(scene);
  assert.deepEqual(scene.woken, ['apps/a', 'apps/a', 'apps/a']);
  scene.watch.stop();
});

test('an Application that does not wait any more is not woken again', async () => {
  const scene = sceneOf();
  scene.texts = { 'a.example': '1' };
  scene.watch.note('apps/a', new Set(['a.example']));
  scene.watch.note('apps/b', new Set(['a.example']));
  await untilLooked(scene);
  scene.texts = { 'a.example': '2' };
  await untilLooked(scene, 1);
  scene.watch.note('apps/a', new Set());
  await untilLooked(scene);
  assert.deepEqual(scene.woken.filter((key) => key === 'apps/a').length, 1);
  scene.watch.stop();
});

test('nothing is asked while no Application waits, and after the end', async () => {
  const scene = sceneOf();
  scene.watch.note('apps/a', new Set());
  const other = sceneOf();
  other.watch.note('apps/a', new Set(['a.example']));
  await untilLooked(other);
  other.watch.note('apps/a', new Set());
  const third = sceneOf();
  third.watch.note('apps/a', new Set(['a.example']));
  third.watch.stop();
  const fourth = sceneOf();
  fourth.watch.note('apps/a', new Set(['a.example']));
  await untilLooked(fourth, 1);
  const looks = other.looks;
  await untilLooked(fourth, 3);
  assert.ok(other.looks <= looks + 1, 'at most the look that was under way');
  assert.equal(scene.looks + third.looks, 0);
  fourth.watch.stop();
});
