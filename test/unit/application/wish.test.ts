import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { wishOf } from '../../../src/application/wish.ts';
import type { KubeObject, Value } from '../../../src/object/value.ts';
import { storedOf } from '../../support/applications.ts';

/** The parts of a stored Application that a person decides; JSON texts of them tell whether two wishes are equal. */
const anyWish = fc.record({
  generation: fc.constantFrom(1, 2),
  deletionTimestamp: fc.constantFrom(undefined, '2026-01-01T00:00:00Z'),
  finalizers: fc.constantFrom<string[]>([], ['a'], ['a', 'b'], ['a,b']),
  request: fc.constantFrom(undefined, '{"id":"1"}', 'null', ''),
  reconcileAt: fc.constantFrom(undefined, 'now', 'null'),
});
type Wish = typeof anyWish extends fc.Arbitrary<infer T> ? T : never;

/** The parts that Tautline and others keep in it. */
const anyBookkeeping = fc.record({
  resourceVersion: fc.constantFrom('1', '2'),
  label: fc.constantFrom('x', 'y'),
  managedFields: fc.constantFrom<Value[]>([], [{ manager: 'kubectl' }]),
  status: fc.constantFrom({}, { observedGeneration: 2 }),
});
type Bookkeeping = typeof anyBookkeeping extends fc.Arbitrary<infer T> ? T : never;

function stored(wish: Wish, { label, status, ...more }: Bookkeeping): KubeObject {
  const { generation, deletionTimestamp, finalizers, request, reconcileAt } = wish;
  return storedOf({
    status,
    metadata: {
      ...more,
      generation,
      ...(deletionTimestamp !== undefined && { deletionTimestamp }),
      ...(finalizers.length > 0 && { finalizers }),
      labels: { label },
      annotations: {
        note: label,
        ...(request !== undefined && { 'tautline.dev/request': request }),
        ...(reconcileAt !== undefined && { 'reconcile.fluxcd.io/requestedAt': reconcileAt }),
      },
    },
  });
}

test('the texts of two stored Applications are equal exactly where a person wants the same', () => {
  fc.assert(
    fc.property(anyWish, anyWish, anyBookkeeping, anyBookkeeping, (one, other, before, after) => {
      const isSame = JSON.stringify(one) === JSON.stringify(other);
      assert.equal(wishOf(stored(one, before)) === wishOf(stored(other, after)), isSame);
      assert.equal(wishOf(stored(one, before)), wishOf(stored(one, after)));
    }),
    { numRuns: 1_000 },
  );
});

test('a wish differs by each of its parts', () => {
  const wish: Wish = {
    generation: 1,
    deletionTimestamp: undefined,
    finalizers: [],
    request: undefined,
    reconcileAt: undefined,
  };
  const bookkeeping: Bookkeeping = { resourceVersion: '1', label: 'x', managedFields: [], status: {} };
  const changes: readonly Partial<Wish>[] = [
    { generation: 2 },
    { deletionTimestamp: '2026-01-01T00:00:00Z' },
    { finalizers: ['a'] },
    { request: '{"id":"1"}' },
    { reconcileAt: 'now' },
  ];
  const texts = [wish, ...changes.map((change) => ({ ...wish, ...change }))].map((one) =>
    wishOf(stored(one, bookkeeping)),
  );
  assert.equal(new Set(texts).size, texts.length);
});
