import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createWritesUnderWay } from '../../../../src/cluster/live/writes-under-way.ts';

test('events on an object wait in order for all writes on it, and events on other objects do not wait', () => {
  const writes = createWritesUnderWay();
  const order: string[] = [];
  const note = (text: string) => (): void => void order.push(text);
  const endFirst = writes.begin('a');
  const endSecond = writes.begin('a');
  writes.whenSettled('a', note('a1'));
  writes.whenSettled('b', note('b'));
  endFirst();
  writes.whenSettled('a', note('a2'));
  assert.deepEqual(order, ['b']);
  endSecond();
  writes.whenSettled('a', note('a3'));
  assert.deepEqual(order, ['b', 'a1', 'a2', 'a3']);
});
