import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import type { Refusal } from '../../../../src/cluster/answers.ts';
import {
  createCoverage,
  type Coverage,
  type CoverageOptions,
  type OnWatchState,
} from '../../../../src/cluster/watches/coverage.ts';
import { configMaps, namespaces as namespaceKind } from '../sample-kinds.ts';

const forbidden: Refusal = { code: 'Forbidden', status: 403, message: 'may not watch', retry: 'backoff' };
const unavailable: Refusal = { code: 'Unavailable', status: 0, message: 'no answer', retry: 'backoff' };

interface Scene {
  readonly coverage: Coverage;
  /** The running watches: their namespaces with the functions that report their states. */
  readonly running: Map<string, OnWatchState>;
  readonly dropped: string[];
  readonly retried: string[];
  reviews: number;
  mayWatchAll: boolean;
  freeWatches: number;
  nowMs: number;
  /** Holds the namespaces and waits until the watches that this needs have started; they are not open yet. */
  begin(application: string, ...namespaces: string[]): Promise<{ readonly done: Promise<void> }>;
  /** The same, and all running watches open. */
  keepWatched(application: string, ...namespaces: string[]): Promise<void>;
}

function play(options: Partial<CoverageOptions> = {}): Scene {
  const running = new Map<string, OnWatchState>();
  const dropped: string[] = [];
  const retried: string[] = [];
  const coverage = createCoverage({
    kind: configMaps,
    clock: { monotonicMs: () => scene.nowMs },
    limits: { accessReviewMs: 1_000 },
    mayWatchEverywhere() {
      scene.reviews++;
      return Promise.resolve(scene.mayWatchAll);
    },
    takeWatch() {
      if (scene.freeWatches === 0) return false;
      scene.freeWatches--;
      return true;
    },
    giveWatchBack: () => void scene.freeWatches++,
    startWatch(namespace, onState) {
      running.set(namespace, onState);
      return { stop: () => void running.delete(namespace), retryNow: () => void retried.push(namespace) };
    },
    onDropped: (namespace) => void dropped.push(namespace),
    ...options,
  });
  const scene: Scene = {
    coverage,
    running,
    dropped,
    retried,
    reviews: 0,
    mayWatchAll: true,
    freeWatches: 10,
    nowMs: 0,
    async begin(application, ...namespaces) {
      const done = coverage.keepWatched(application, new Set(namespaces));
      await turn();
      return { done };
    },
    async keepWatched(application, ...namespaces) {
      const { done } = await scene.begin(application, ...namespaces);
      for (const onState of running.values()) onState('open');
      await done;
    },
  };
  return scene;
}

const watched = ({ running }: Scene): string[] => [...running.keys()];
const stateOf = ({ coverage }: Scene, namespace: string): string | undefined => coverage.scopeOf(namespace)?.state;

test('one namespace is covered by a watch of its own, without an access review', async () => {
  const scene = play();
  await scene.keepWatched('app', 'shop');
  assert.deepEqual(watched(scene), ['shop']);
  assert.equal(stateOf(scene, 'shop'), 'open');
  assert.equal(stateOf(scene, 'other'), undefined);
  assert.equal(scene.reviews, 0);
});

test('a hold resolves only when its watch has listed or failed', async () => {
  const scene = play();
  const { done } = await scene.begin('app', 'shop');
  let isDone = false;
  void done.then(() => (isDone = true));
  await turn();
  assert.equal(isDone, false);
  assert.deepEqual(scene.coverage.scopeOf('shop')?.reason, 'its first list is not complete yet');
  scene.running.get('shop')?.('failed', unavailable);
  await done;
  assert.equal(stateOf(scene, 'shop'), 'failed');
  assert.equal(scene.coverage.scopeOf('shop')?.reason, 'no answer');
});

test('several namespaces are covered by a cluster-wide watch if the identity may watch all', async () => {
  const scene = play();
  await scene.keepWatched('app', 'shop');
  const { done } = await scene.begin('other', 'blog');
  assert.deepEqual(watched(scene), ['shop', ''], 'the single watch stays until the cluster-wide one is open');
  scene.running.get('')?.('open');
  await done;
  assert.deepEqual(watched(scene), ['']);
  assert.deepEqual(scene.dropped, []);
  assert.equal(stateOf(scene, 'blog'), 'open');
});

test('several namespaces have a watch each if the identity may not watch all', async () => {
  const scene = play();
  scene.mayWatchAll = false;
  await scene.keepWatched('app', 'shop', 'blog');
  assert.deepEqual(watched(scene), ['shop', 'blog']);
  await scene.keepWatched('app', 'shop', 'blog', 'third');
  assert.equal(scene.reviews, 1, 'the result of the review is used for a while');
  scene.nowMs = 1_000;
  await scene.keepWatched('app', 'shop', 'blog', 'third', 'fourth');
  assert.equal(scene.reviews, 2);
});

test('a cluster-wide watch that becomes forbidden is replaced by one for each namespace', async () => {
  const scene = play();
  await scene.keepWatched('app', 'shop', 'blog');
  assert.deepEqual(watched(scene), ['']);
  scene.running.get('')?.('failed', forbidden);
  await turn();
  assert.deepEqual(watched(scene).sort(), ['', 'blog', 'shop']);
  for (const onState of scene.running.values()) onState('open');
  await turn();
  assert.equal(stateOf(scene, 'shop'), 'open');
});

test('a forbidden namespace is polled, and only its Applications get the reason', async () => {
  const scene = play();
  const { done } = await scene.begin('app', 'shop');
  scene.nowMs = 5;
  scene.running.get('shop')?.('failed', forbidden);
  await done;
  assert.deepEqual(scene.coverage.polledFor('app'), [{ namespace: 'shop', reason: 'may not watch' }]);
  assert.deepEqual(scene.coverage.polledFor('other'), []);
  assert.equal(scene.coverage.scopeOf('shop')?.sinceMs, 5);
});

test('a namespace is polled while no watch is free, and watched at a later hold', async () => {
  const scene = play();
  scene.freeWatches = 0;
  await scene.keepWatched('app', 'shop');
  assert.equal(stateOf(scene, 'shop'), 'polled');
  assert.match(scene.coverage.scopeOf('shop')?.reason ?? '', /all watches .* are in use/);
  scene.freeWatches = 1;
  await scene.keepWatched('app', 'shop');
  assert.equal(stateOf(scene, 'shop'), 'open');
  assert.equal(scene.freeWatches, 0);
});

test('a kind whose API serves no watch is polled', async () => {
  const scene = play({ kind: { ...configMaps, isWatchable: false } });
  await scene.keepWatched('app', 'shop');
  assert.deepEqual(scene.coverage.polledFor('app'), [
    { namespace: 'shop', reason: 'the API of ConfigMap serves no watch' },
  ]);
  assert.equal(scene.freeWatches, 10);
});

test('a cluster-scoped kind has one watch, without an access review', async () => {
  const scene = play({ kind: namespaceKind });
  await scene.keepWatched('app', '');
  await scene.keepWatched('other', '');
  assert.deepEqual(watched(scene), ['']);
  assert.equal(scene.reviews, 0);
});

test('a namespace that is no longer held loses its watch, and the last release stops all', async () => {
  const scene = play();
  scene.mayWatchAll = false;
  await scene.keepWatched('app', 'shop');
  await scene.keepWatched('other', 'blog');
  assert.equal(scene.coverage.release('app'), false);
  assert.deepEqual([watched(scene), scene.dropped], [['blog'], ['shop']]);
  assert.equal(scene.coverage.release('other'), true);
  assert.deepEqual(watched(scene), []);
  assert.equal(scene.freeWatches, 10);
});

test('a hold retries a failed watch, but not again and again', async () => {
  const scene = play();
  const { done } = await scene.begin('app', 'shop');
  scene.running.get('shop')?.('failed', unavailable);
  await done;
  scene.nowMs = 2_000;
  await scene.coverage.keepWatched('app', new Set(['shop']));
  assert.deepEqual(scene.retried, []);
  scene.nowMs = 2_001;
  await scene.coverage.keepWatched('app', new Set(['shop']));
  assert.deepEqual(scene.retried, ['shop']);
});

test('stopping settles a hold that still waits', async () => {
  const scene = play();
  const { done } = await scene.begin('app', 'shop');
  scene.coverage.stop();
  await done;
  assert.deepEqual(watched(scene), []);
});
