import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { createGate } from '../../../../src/cluster/transport/gate.ts';

test('a gate gives out at most its limit of permits, and the next one when one comes back', async () => {
  const gate = createGate(2);
  const leave = await gate.enter('a');
  await gate.enter('b');
  let isIn = false;
  void gate.enter('c').then(() => (isIn = true));
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

test('a key holds at most half of the permits that the others leave, so that slow calls leave some to the next', async () => {
  const gate = createGate(24);
  const inside: Record<string, number> = {};
  const leaves: (() => void)[] = [];
  const call = (key: string): void =>
    void gate.enter(key).then((leave) => {
      inside[key] = (inside[key] ?? 0) + 1;
      leaves.push(leave);
    });
  for (const key of ['one', 'two', 'three']) for (let calls = 0; calls < 30; calls++) call(key);
  await turn();
  assert.deepEqual({ ...inside }, { one: 12, two: 6, three: 3 });
  call('victim');
  await turn();
  assert.deepEqual({ ...inside }, { one: 12, two: 6, three: 3, victim: 1 });
});

test('every call gets its permit in the end, and none is lost', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 9 }),
      fc.array(fc.oneof(fc.constantFrom('a', 'b', 'c'), fc.constant(undefined)), { maxLength: 60, size: 'max' }),
      async (limit, steps) => {
        const gate = createGate(limit);
        const out: (() => void)[] = [];
        let [asked, got] = [0, 0];
        for (const step of steps) {
          if (step === undefined) {
            out.shift()?.();
          } else {
            asked++;
            void gate.enter(step).then((leave) => {
              got++;
              out.push(leave);
            });
          }
          await turn();
          assert.ok(gate.running <= limit);
          assert.equal(gate.running, out.length);
          assert.equal(gate.waiting, asked - got);
        }
        while (out.length > 0) {
          out.shift()?.();
          await turn();
        }
        assert.deepEqual([gate.running, gate.waiting, got], [0, 0, asked]);
      },
    ),
    { numRuns: 50 },
  );
});
