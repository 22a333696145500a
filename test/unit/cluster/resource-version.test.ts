import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { compareResourceVersions } from '../../../src/cluster/resource-version.ts';

test('resourceVersions are ordered as numbers of any length', () => {
  const version = fc.bigInt({ min: 0n, max: 10n ** 30n });
  fc.assert(
    fc.property(version, version, (a, b) => {
      const expected = a < b ? -1 : a > b ? 1 : 0;
      assert.equal(compareResourceVersions(String(a), String(b)), expected);
    }),
  );
});

test('texts that are not decimal numbers cannot be compared', () => {
  for (const text of ['', '-1', '1.0', '0x1', 'abc', ' 1']) {
    assert.equal(compareResourceVersions(text, '1'), undefined);
    assert.equal(compareResourceVersions('1', text), undefined);
  }
});
