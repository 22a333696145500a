import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createUsedTime, isWithinFairShare } from '../../../src/object/fair-share.ts';

/** The parts of each party after all of them took as much as they could, in the order of their index. */
function takenBy(parties: number, bound: number): number[] {
  const held = Array.from({ length: parties }, () => 0);
  const free = (): number => bound - held.reduce((sum, count) => sum + count, 0);
  for (const index of held.keys()) {
    while (isWithinFairShare({ held: held[index] ?? 0, free: free() })) held[index] = (held[index] ?? 0) + 1;
  }
  return held;
}

test('greedy parties never exceed the bound, and each leaves as much as it took', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 8 }), fc.integer({ min: 1, max: 1000 }), (parties, bound) => {
      const held = takenBy(parties, bound);
      let free = bound;
      for (const count of held) {
        free -= count;
        assert.ok(free >= 0);
        assert.ok(count <= free + 1, `${count} taken, ${free} left`);
      }
      assert.ok((held[0] ?? 0) <= Math.ceil(bound / 2));
    }),
  );
});

test('a party may have to leave several times as much as it holds', () => {
  assert.equal(isWithinFairShare({ held: 2, free: 7, leave: 3 }), true);
  assert.equal(isWithinFairShare({ held: 2, free: 6, leave: 3 }), false);
});

test('a party that holds nothing gets a part while one is free', () => {
  assert.equal(isWithinFairShare({ held: 0, free: 1 }), true);
  assert.equal(isWithinFairShare({ held: 0, free: 0 }), false);
});

test('used time counts half after a minute, and a negligible one is forgotten', () => {
  let nowMs = 0;
  const used = createUsedTime(() => nowMs);
  used.add('a', 1000);
  nowMs = 60_000;
  assert.equal(used.of('a'), 500);
  assert.equal(used.of('b'), 0);
  nowMs = 60_000 * 12;
  assert.equal(used.of('a'), 0);
});
