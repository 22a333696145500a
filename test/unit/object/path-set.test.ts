import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parsePath, pathSetOf } from '../../../src/object/path-set.ts';

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

test('parts of a pointer may end with selectors, and anything else is a key', () => {
  const named = (...fields: [string, string][]) => ({ fields });
  assert.deepEqual(parsePath('/a/b[name=app]/c'), ['a', 'b', named(['name', 'app']), 'c']);
  assert.deepEqual(parsePath('/ports[port=80][protocol=TCP]'), ['ports', named(['port', '80'], ['protocol', 'TCP'])]);
  assert.deepEqual(parsePath('/[.=x~1y]'), [named(['.', 'x/y'])]);
  for (const key of ['a[b', 'a[]', 'a[=b]', 'a[b]', '[a=b]c', '*']) assert.deepEqual(parsePath(`/${key}`), [key]);
});

test('a selector fits an item by text, all its fields together, and in any of the forms of the item', () => {
  const set = pathSetOf(['/[name=app]/x', '/[port=80][protocol=TCP]/y', '/0/z', '/[.=true]/v'].map(parsePath));
  const keysAt = (...forms: Parameters<typeof set.belowItem>[1]): string =>
    ['x', 'y', 'z', 'v'].filter((key) => set.belowItem('1', forms).leadsTo(key)).join('');
  assert.equal(keysAt({ name: 'app' }), 'x');
  assert.equal(keysAt({ name: 'other' }, { name: 'app' }), 'x');
  assert.equal(keysAt({ protocol: 'TCP', port: 80, name: 'app' }), 'xy');
  assert.equal(keysAt({ port: 80 }), '');
  assert.equal(keysAt(true), 'v');
  assert.equal(keysAt({ name: ['app'] }, undefined, null), '');
  assert.equal(set.belowItem('0', [{ name: 'app' }]).leadsTo('z'), true);
  assert.equal(set.belowItem('0', [{ name: 'app' }]).leadsTo('x'), true);
  assert.equal(set.belowItem('5', [{ name: 'app' }]), set.belowItem('6', [{ name: 'app' }]));
});
