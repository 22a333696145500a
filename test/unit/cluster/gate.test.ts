import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { createGate } from '../../../src/cluster/gate.ts';

test('a gate lets in no more than its limit, and the next one when another leaves', async () => {
  const gate = createGate(2);
  const leave = await gate.enter('a');
  await gate.enter('a');
  let isIn = false;
  void gate.enter('a').then(() => (isIn = true));
  await turn();
  assert.equal(isIn, false);
  leave();
  leave();
  await turn();
  assert.equal(isIn, true);
  assert.deepEqual([gate.running, gate.waiting], [2, 0]);
});

test('a gate serves waiting keys in turn, so that many of one key do not hold up one of another', async () => {
  const gate = createGate(1);
  const order: string[] = [];
  const leave = await gate.enter('first');
  const queue = ['big', 'big', 'big', 'small', 'big', 'other'].map(async (key, index) => {
    const done = await gate.enter(key);
    order.push(`${key}${index}`);
    done();
  });
  leave();
  await Promise.all(queue);
  assert.deepEqual(order, ['big0', 'small3', 'other5', 'big1', 'big2', 'big4']);
  assert.deepEqual([gate.running, gate.waiting], [0, 0]);
});
