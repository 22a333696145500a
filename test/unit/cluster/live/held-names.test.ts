import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createHeldNames } from '../../../../src/cluster/live/held-names.ts';

test('an object is held until the last Application lets go of it', () => {
  const held = createHeldNames();
  assert.equal(held.isHeld('shop/a'), false);
  assert.deepEqual(held.hold('one', new Set(['shop/a', 'shop/b'])), []);
  assert.deepEqual(held.hold('two', new Set(['shop/a'])), []);
  assert.deepEqual(held.hold('one', new Set(['shop/c'])), ['shop/b']);
  assert.equal(held.isHeld('shop/a'), true);
  assert.deepEqual(held.release('two'), ['shop/a']);
  assert.deepEqual(
    ['shop/a', 'shop/b', 'shop/c'].map((key) => held.isHeld(key)),
    [false, false, true],
  );
  assert.deepEqual(held.hold('one', new Set(['shop/c'])), []);
  assert.deepEqual(held.release('one'), ['shop/c']);
});

test('an Application that names no objects holds all', () => {
  const held = createHeldNames();
  held.hold('one', undefined);
  assert.equal(held.isHeld('shop/a'), true);
  held.hold('one', new Set());
  assert.equal(held.isHeld('shop/a'), false);
});

test('an object that an Application claims is held before its first pass, and after another one lets it go', () => {
  const held = createHeldNames({ isClaimed: (key) => key === 'n/claimed' });
  assert.deepEqual([held.isHeld('n/claimed'), held.isHeld('n/other')], [true, false]);
  held.hold('apps/one', new Set(['n/claimed', 'n/other']));
  assert.deepEqual(held.release('apps/one'), ['n/other']);
  assert.equal(held.isHeld('n/claimed'), true);
});
