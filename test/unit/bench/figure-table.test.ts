import assert from 'node:assert/strict';
import { test } from 'node:test';
import { figuresOf, parseFigures, tableOf } from '../../../bench/figure-table.ts';

test('the figures of a benchmark are all numbers in its answer, by their path', () => {
  const answer = { firstSyncMs: 12, names: ['x'], sizes: [{ ms: 1 }, { ms: 2.5, kind: 'large' }], none: null };
  assert.deepEqual(figuresOf('sync', answer), { 'sync.firstSyncMs': 12, 'sync.sizes.0.ms': 1, 'sync.sizes.1.ms': 2.5 });
});

test('figures that were written are read again, and any other text is refused', () => {
  assert.deepEqual(parseFigures('{"sync.healMs":30}'), { 'sync.healMs': 30 });
  for (const text of ['', '[]', '{"sync":{"healMs":30}}', 'null', '{"a":"1"}']) {
    assert.throws(() => parseFigures(text), RangeError, text);
  }
});

test('the table shows the ratio to an earlier run, where that run has the figure', () => {
  const table = tableOf({ 'a.ms': 150, 'b.share': 0.5, 'c.count': 3 }, { 'a.ms': 100, 'c.count': 0 });
  assert.deepEqual(table.split('\n'), [
    'FIGURE    NOW  BEFORE   RATIO',
    'a.ms      150     100  1.50 x',
    'b.share  0.50',
    'c.count     3       0',
  ]);
  assert.equal(tableOf({ 'a.ms': 1 }), 'FIGURE  NOW\na.ms      1');
});
