import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { inFairOrder } from '../../../../src/reconcile/queue/fair-order.ts';
import { storedOf } from '../../../support/applications.ts';

interface Declared {
  readonly namespace: string;
  readonly name: string;
  readonly day: number;
}

const stored = ({ namespace, name, day }: Declared) => ({
  key: `${namespace}/${name}`,
  stored: storedOf({ metadata: { creationTimestamp: `2026-01-${String(day).padStart(2, '0')}T00:00:00Z` } }),
});

const order = (declared: readonly Declared[]): string[] => inFairOrder(declared.map(stored)).map(({ key }) => key);

test('an Application of a namespace with few is taken up before the many of a namespace that comes first by name', () => {
  const many = Array.from({ length: 14 }, (_, index) => ({ namespace: 'a', name: `e${index}`, day: 2 }));
  const all = [...many, { namespace: 'victim', name: 'shop', day: 3 }];
  assert.ok(order(all).indexOf('victim/shop') < 2);
});

test('within a namespace the oldest Applications come first', () => {
  const all = [3, 1, 2].map((day) => ({ namespace: 'a', name: `d${day}`, day }));
  assert.deepEqual(order(all), ['a/d1', 'a/d2', 'a/d3']);
});

test('with room for n Applications, each namespace has its fair share of them, and the order of the list is of no matter', () => {
  const declared = fc.record({
    namespace: fc.constantFrom('a', 'b', 'c'),
    name: fc.string({ minLength: 1, maxLength: 4 }),
    day: fc.integer({ min: 1, max: 28 }),
  });
  const lists = fc.uniqueArray(declared, {
    maxLength: 40,
    size: 'max',
    selector: (one) => `${one.namespace}/${one.name}`,
  });
  fc.assert(
    fc.property(lists, fc.nat({ max: 40 }), (all, room) => {
      const taken = order(all).slice(0, room);
      const countOf = (keys: readonly string[], namespace: string) =>
        keys.filter((key) => key.startsWith(`${namespace}/`)).length;
      const whole = all.map(({ namespace, name }) => `${namespace}/${name}`);
      for (const namespace of ['a', 'b', 'c']) {
        const has = countOf(taken, namespace);
        const isShort = has < countOf(whole, namespace);
        // A namespace that lacks some has at most one fewer than any other.
        for (const other of ['a', 'b', 'c']) if (isShort) assert.ok(countOf(taken, other) <= has + 1);
      }
      assert.deepEqual(order(all.toReversed()), order(all));
    }),
  );
});
