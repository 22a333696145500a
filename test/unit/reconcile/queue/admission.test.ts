import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Admission } from '../../../../src/reconcile/queue/admission.ts';
import { storedOf } from '../../../support/applications.ts';

const named = (key: string, day = 1) => ({
  key,
  stored: storedOf({ metadata: { creationTimestamp: `2026-01-${String(day).padStart(2, '0')}T00:00:00Z` } }),
});

test('a namespace has no more Applications than its bound, and the oldest of them', () => {
  const admission = new Admission({ maxApplications: 100, maxPerNamespace: 2 });
  for (const [name, day] of [
    ['c', 3],
    ['a', 1],
    ['b', 2],
  ] as const)
    admission.add(named(`many/${name}`, day));
  assert.deepEqual(
    ['a', 'b', 'c'].map((name) => admission.has(`many/${name}`)),
    [true, true, false],
  );
  assert.deepEqual(admission.add(named('other/a', 9)), { admitted: ['other/a'], refused: [] });
});

test('a namespace with few gets the place of the youngest one of the namespace with the most', () => {
  const admission = new Admission({ maxApplications: 4, maxPerNamespace: 100 });
  for (let n = 0; n < 6; n++) admission.add(named(`many/e${n}`, n + 1));
  assert.deepEqual(admission.add(named('victim/shop', 20)), { admitted: ['victim/shop'], refused: ['many/e3'] });
  assert.deepEqual(admission.add(named('victim/web', 21)), { admitted: ['victim/web'], refused: ['many/e2'] });
  // Now both have two.
  assert.deepEqual(admission.add(named('victim/db', 22)), { admitted: [], refused: ['victim/db'] });
});

test('the place of an Application that is gone goes to the namespace with the fewest', () => {
  const admission = new Admission({ maxApplications: 2, maxPerNamespace: 2 });
  for (const key of ['a/1', 'a/2', 'b/1', 'b/2', 'a/3']) admission.add(named(key));
  assert.deepEqual([admission.has('a/1'), admission.has('b/1')], [true, true]);
  assert.deepEqual(admission.remove('b/1'), { admitted: ['b/2'], refused: [] });
  assert.deepEqual(admission.remove('b/2'), { admitted: ['a/2'], refused: [] });
  assert.deepEqual(admission.remove('a/3'), { admitted: [], refused: [] });
});

test('in any order of additions and removals the bounds hold, no place stays empty, and shares are equal', () => {
  const key = fc.tuple(fc.constantFrom('a', 'b', 'c'), fc.nat(9)).map(([namespace, n]) => `${namespace}/${n}`);
  const steps = fc.array(fc.record({ key, isRemoved: fc.boolean() }), { maxLength: 60, size: 'max' });
  fc.assert(
    fc.property(steps, (all) => {
      const bounds = { maxApplications: 7, maxPerNamespace: 4 };
      const admission = new Admission(bounds);
      const known = new Set<string>();
      for (const { key, isRemoved } of all) {
        if (isRemoved && known.delete(key)) admission.remove(key);
        else if (!isRemoved && !known.has(key)) admission.add((known.add(key), named(key, (key.length % 9) + 1)));
        const counts = ['a', 'b', 'c'].map((namespace) => {
          const own = [...known].filter((one) => one.startsWith(`${namespace}/`));
          const worked = own.filter((one) => admission.has(one)).length;
          return { own: own.length, worked, mayHaveMore: worked < Math.min(own.length, bounds.maxPerNamespace) };
        });
        const worked = counts.reduce((sum, count) => sum + count.worked, 0);
        const possible = counts.reduce((sum, { own }) => sum + Math.min(own, bounds.maxPerNamespace), 0);
        assert.ok(counts.every((count) => count.worked <= bounds.maxPerNamespace));
        assert.equal(worked, Math.min(possible, bounds.maxApplications));
        const most = Math.max(...counts.map((count) => count.worked));
        assert.ok(counts.every((count) => !count.mayHaveMore || count.worked >= most - 1));
      }
    }),
  );
});
