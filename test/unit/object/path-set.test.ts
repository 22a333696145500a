import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { pathSetOf } from '../../../src/object/path-set.ts';

const token = fc.constantFrom('*', 'a', 'b', 'c', '0', '');
const paths = fc.array(fc.array(token, { maxLength: 4 }), { maxLength: 6 });
const walk = fc.array(fc.constantFrom('a', 'b', 'c', 'd', '0', ''), { maxLength: 5 });

test('after each step a set holds the rest of every path that leads there', () => {
  fc.assert(
    fc.property(paths, walk, (all, steps) => {
      let left = all;
      let set = pathSetOf(all);
      for (const step of steps) {
        left = left.flatMap(([first, ...rest]) => (first === step || first === '*' ? [rest] : []));
        assert.equal(set.leadsTo(step), left.length > 0);
        set = set.below(step);
        assert.equal(set.isEmpty, left.length === 0);
        assert.equal(
          set.isEnd,
          left.some((path) => path.length === 0),
        );
      }
      const members = left.map((path) => (path[0] ? path : ['*']));
      assert.equal(
        set.withEveryKey().leadsTo('e'),
        members.some(([first]) => first === '*'),
      );
      assert.equal(set.withEveryKey().isEnd, false);
    }),
  );
});

test('a step is computed once, so that thousands of paths cost an object no more than a few', () => {
  const set = pathSetOf(Array.from({ length: 2500 }, (_, at) => ['*', 'x', '*', `z${at}`]));
  assert.equal(set.below('a'), set.below('b'));
  assert.equal(set.below('a').below('x'), set.below('b').below('x'));
  assert.equal(set.below('a').below('y').isEmpty, true);
  assert.equal(set.below('a').below('x').below('0').leadsTo('z2499'), true);
});
