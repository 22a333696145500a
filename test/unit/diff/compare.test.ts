/** Laws of comparisons; compare-owners, compare-values and compare-lists have the cases. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { compareObject } from '../../../src/diff/compare.ts';
import { baselineOf, isAtBaseline } from '../../../src/diff/baseline.ts';
import { cloneValue, type Value } from '../../../src/object/value.ts';
import { desiredOf, liveOf, ours } from './fixtures.ts';

const leaf = fc.oneof(fc.string(), fc.integer(), fc.boolean());
const json = fc.letrec<{ value: Value }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    leaf,
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(fc.stringMatching(/^[a-z]{1,5}$/), tie('value'), { maxKeys: 4 }),
  ),
})).value;
const spec = fc.dictionary(fc.stringMatching(/^[a-z]{1,5}$/), json, { maxKeys: 5 });

test('an object compared with itself is the same for every value and kind', () => {
  fc.assert(
    fc.property(spec, fc.constantFrom('v1', 'apps/v1', 'x.dev/v1'), (value, apiVersion) => {
      const body = ours(apiVersion, 'Thing', 'a', { spec: value });
      const { result, findings } = compareObject(desiredOf(body), liveOf(body), 20);
      assert.equal(result, 'same', JSON.stringify(findings));
    }),
  );
});

test('one changed leaf of a custom kind is never the same, and the comparison modifies neither object', () => {
  fc.assert(
    fc.property(spec, fc.stringMatching(/^[a-z]{1,5}$/), leaf, leaf, (value, key, before, after) => {
      fc.pre(before !== after);
      const desired = ours('x.dev/v1', 'Thing', 'a', { spec: { ...value, [key]: before } });
      const live = liveOf(ours('x.dev/v1', 'Thing', 'a', { spec: { ...value, [key]: after } }), { owned: desired });
      const copies = [cloneValue(desired), cloneValue(live.body)];
      assert.notEqual(compareObject(desiredOf(desired), live, 20).result, 'same');
      assert.deepEqual([cloneValue(desired), cloneValue(live.body)], copies);
    }),
  );
});

test('the answer to an apply is at its own baseline, even if the server changed values', () => {
  fc.assert(
    fc.property(spec, spec, (desired, returned) => {
      const body = ours('v1', 'Thing', 'a', { spec: desired });
      const live = liveOf(ours('v1', 'Thing', 'a', { spec: returned }), { owned: body });
      assert.ok(isAtBaseline(desiredOf(body), live, baselineOf(desiredOf(body), live)));
    }),
  );
});
