import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isEqualQuantity, isSameQuantity } from '../../../src/object/quantity.ts';
import type { Value } from '../../../src/object/value.ts';

test('quantities are compared by amount', () => {
  const table: [Value, Value, boolean][] = [
    ['0.5', '500m', true],
    [1, '1', true],
    [0.1, '100m', true],
    ['1024Mi', '1Gi', true],
    ['1.5Gi', '1536Mi', true],
    ['1000', '1k', true],
    ['1e3', '1k', true],
    ['1E', '1e18', true],
    ['+1', '1', true],
    ['.5', '500m', true],
    ['100u', '0.0001', true],
    ['0', '-0', true],
    ['1G', '1Gi', false],
    ['1', '2', false],
    ['-1', '1', false],
    ['12345678901234567890', '12345678901234567891', false],
    ['a', 'a', false],
    ['', '', false],
    [true, true, false],
    ['1e999999999', '1e999999999', false],
  ];
  for (const [a, b, expected] of table) assert.equal(isEqualQuantity(a, b), expected, `${String(a)} and ${String(b)}`);
});

test('an amount in millis equals the same amount in units', () => {
  fc.assert(fc.property(fc.integer(), (n) => assert.ok(isEqualQuantity(`${n}000m`, n) && !isEqualQuantity(n, n + 1))));
});

test('the same amount in another notation counts as different, because a server keeps the notation', () => {
  const table: [Value, Value, boolean][] = [
    ['1024Mi', '1Gi', true],
    ['1.5Gi', '1536Mi', true],
    [1073741824, '1Gi', false],
    ['1073741824', '1Gi', false],
    ['0.5Ki', '512', true],
    ['0.1Mi', '104857600m', true],
    ['1e5', '100e3', true],
    ['1e5', '100k', false],
    [0.5, '500m', true],
    ['2Gi', '1Gi', false],
  ];
  for (const [given, stored, expected] of table) {
    assert.equal(isSameQuantity(given, stored), expected, `${String(given)} and ${String(stored)}`);
  }
});
