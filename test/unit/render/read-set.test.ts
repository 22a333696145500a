/** Read-sets of several trees in one record. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { joinReadSets, splitReadSet } from '../../../src/render/read-set.ts';

test('read-sets that are joined come apart as they were', () => {
  const name = fc.string({ minLength: 1 }).filter((text) => !text.includes('\0'));
  const readSet = fc.dictionary(name, fc.string(), { minKeys: 1 });
  fc.assert(
    fc.property(readSet, fc.uniqueArray(fc.tuple(name, readSet), { selector: ([key]) => key }), (main, others) => {
      const split = splitReadSet(joinReadSets(main, others));
      const plain = Array.from(split, ([key, entries]) => [key, { ...entries }]);
      assert.deepEqual(plain, [['', { ...main }], ...others.map(([key, entries]) => [key, { ...entries }])]);
    }),
  );
});
