import assert from 'node:assert/strict';
import { test } from 'node:test';
import { helmSlotsOf } from '../../../src/helm/open-helm.ts';

test('helm runs once for each processor by default, at most four times, and as often as a setting says', () => {
  const cases = [
    { helmSlots: 0, processors: 1, expected: 1 },
    { helmSlots: 0, processors: 2, expected: 2 },
    { helmSlots: 0, processors: 64, expected: 4 },
    { helmSlots: 1, processors: 64, expected: 1 },
    { helmSlots: 16, processors: 2, expected: 16 },
  ];
  for (const { helmSlots, processors, expected } of cases) {
    assert.equal(helmSlotsOf({ helmSlots }, processors), expected, `${helmSlots} and ${processors}`);
  }
});
