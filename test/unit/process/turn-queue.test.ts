/** Work of tenants: a bounded number at a time, in turns. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createTurnQueue } from '../../../src/process/turn-queue.ts';

const FULL = new Error('full');
const never = new AbortController().signal;

/** Work that ends when the test says so, and records its start. */
function gate(started: string[], name: string): { work: () => Promise<string>; end: () => void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  const work = async (): Promise<string> => {
    started.push(name);
    await promise;
    return name;
  };
  return { work, end: resolve };
}

test('tenants take turns, and the work of one tenant keeps its order', async () => {
  const queue = createTurnQueue({ slots: 1, maxWaiting: 10, onFull: () => FULL });
  const started: string[] = [];
  const names = ['a1', 'a2', 'a3', 'b1', 'b2'];
  const gates = names.map((name) => gate(started, name));
  const all = gates.map(({ work }, index) => queue.run({ tenant: names[index]?.[0] ?? '', signal: never }, work));
  for (const { end } of gates) end();
  assert.deepEqual(await Promise.all(all), names);
  assert.deepEqual(started, ['a1', 'a2', 'b1', 'a3', 'b2']);
});

test('no more work runs at the same time than there are slots', async () => {
  const queue = createTurnQueue({ slots: 2, maxWaiting: 10, onFull: () => FULL });
  const started: string[] = [];
  const gates = ['1', '2', '3'].map((name) => gate(started, name));
  const all = gates.map(({ work }) => queue.run({ tenant: '', signal: never }, work));
  await new Promise(setImmediate);
  assert.deepEqual(started, ['1', '2']);
  for (const { end } of gates) end();
  await Promise.all(all);
});

test('work beyond the bound is refused, and cancelled work leaves its place to others', async () => {
  const queue = createTurnQueue({ slots: 1, maxWaiting: 1, onFull: () => FULL });
  const started: string[] = [];
  const first = gate(started, 'first');
  const running = queue.run({ tenant: 'a', signal: never }, first.work);
  await new Promise(setImmediate);
  const cancel = new AbortController();
  const waiting = queue.run({ tenant: 'a', signal: cancel.signal }, () => Promise.resolve(started.push('waiting')));
  await assert.rejects(
    queue.run({ tenant: 'b', signal: never }, () => Promise.resolve()),
    FULL,
  );
  cancel.abort(new Error('cancelled'));
  await assert.rejects(waiting, /cancelled/);
  const last = queue.run({ tenant: 'b', signal: never }, () => Promise.resolve(started.push('last')));
  first.end();
  await Promise.all([running, last]);
  assert.deepEqual(started, ['first', 'last']);
});

test('work that fails frees its slot', async () => {
  const queue = createTurnQueue({ slots: 1, maxWaiting: 5, onFull: () => FULL });
  await assert.rejects(
    queue.run({ tenant: '', signal: never }, () => Promise.reject(new Error('broken'))),
    /broken/,
  );
  assert.equal(await queue.run({ tenant: '', signal: never }, () => Promise.resolve(1)), 1);
});
