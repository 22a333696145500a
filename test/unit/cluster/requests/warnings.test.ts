import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readWarnings } from '../../../../src/cluster/requests/warnings.ts';

test('several warnings are read from one header and from many', () => {
  assert.deepEqual(readWarnings(['299 - "one \\"x\\"", 299 - "two"', '299 kube "three"']), ['one "x"', 'two', 'three']);
  assert.deepEqual(readWarnings(undefined), []);
});
