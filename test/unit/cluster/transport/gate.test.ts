import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { createGate } from '../../../../src/cluster/transport/gate.ts';

test('a gate gives out at most its limit of permits, and the next one when one comes back', async () => {
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

test('waiting keys take turns, so that many calls of one key do not hold up another key', async () => {
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
