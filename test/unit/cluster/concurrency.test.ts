import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { forEachConcurrently, inTurns } from '../../../src/cluster/concurrency.ts';

test('each item is taken once, in order, with a bounded number of calls under way', async () => {
  const taken: number[] = [];
  let running = 0;
  let most = 0;
  await forEachConcurrently([1, 2, 3, 4, 5, 6, 7], { concurrency: 3 }, async (item) => {
    taken.push(item);
    most = Math.max(most, ++running);
    await turn();
    running--;
  });
  assert.deepEqual(taken, [1, 2, 3, 4, 5, 6, 7]);
  assert.equal(most, 3);
});

test('nothing begins after an abort, and calls under way end first', async () => {
  const stopping = new AbortController();
  const ended: number[] = [];
  await forEachConcurrently([1, 2, 3, 4], { concurrency: 2, signal: stopping.signal }, async (item) => {
    if (item === 2) stopping.abort();
    await turn();
    ended.push(item);
  });
  assert.deepEqual(ended, [1, 2]);
});

test('a rejected call rejects the result, and an empty list makes no call', async () => {
  const fails = (): Promise<never> => Promise.reject(new Error('failed'));
  await assert.rejects(forEachConcurrently([1, 2], { concurrency: 1 }, fails), /failed/);
  await forEachConcurrently([], { concurrency: 1 }, fails);
});

test('a long computation lets timers and other work run before it ends', async () => {
  let hasOtherRun = false;
  setImmediate(() => (hasOtherRun = true));
  const computation = function* (): Generator<undefined, string> {
    while (!hasOtherRun) yield;
    return 'done';
  };
  assert.equal(await inTurns(computation()), 'done');
});
