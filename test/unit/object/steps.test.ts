import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { filterSteps, finish, mapSteps, sortSteps, type Steps } from '../../../src/object/steps.ts';
import { planSteps } from '../../../src/plan/plan.ts';
import { composeSteps } from '../../../src/status/compose.ts';
import { changeOf, idOf, planOptions } from '../../support/changes.ts';
import { passReport } from '../status/pass-report.ts';

const ITEM = fc.record({ rank: fc.integer({ min: 0, max: 20 }), text: fc.string() });

test('a sort in steps gives what a sort at once gives, with equal items in their order', () => {
  fc.assert(
    fc.property(fc.array(ITEM, { maxLength: 2_000, size: 'max' }), (items) => {
      const compare = (a: { rank: number }, b: { rank: number }): number => a.rank - b.rank;
      assert.deepEqual(finish(sortSteps(items, compare)), items.toSorted(compare));
    }),
    { numRuns: 50 },
  );
});

test('a sort in steps compares items that are in order once', () => {
  let compared = 0;
  const items = Array.from({ length: 5_000 }, (_, index) => index);
  finish(
    sortSteps(items, (a, b) => {
      compared++;
      return a - b;
    }),
  );
  assert.ok(compared < items.length, `${compared} comparisons`);
});

test('map and filter in steps give what they give at once', () => {
  const items = Array.from({ length: 100 }, (_, index) => index);
  assert.deepEqual(
    finish(mapSteps(items, (item) => item * 2)),
    Array.from(items, (item) => item * 2),
  );
  assert.deepEqual(
    finish(filterSteps(items, (item) => item % 3 === 0)),
    items.filter((item) => item % 3 === 0),
  );
});

const pauses = (steps: Steps<unknown>): number => {
  let count = 0;
  while (!steps.next().done) count++;
  return count;
};

const OBJECTS = 4_000;
const changes = Array.from({ length: OBJECTS }, (_, index) =>
  changeOf('create', { id: idOf(`c${(index * 7) % OBJECTS}`), policy: { wave: index === 0 ? -1 : 0 } }),
);
const gate = { unwell: new Map<string, string>(), isAccepted: () => false };

for (const [name, steps] of [
  ['plan', () => planSteps(planOptions(changes, { gate }))],
  ['status', () => composeSteps({}, passReport({ changes, waitingFor: planned().waitingFor }), { nowMs: 0 })],
] as const) {
  test(`the ${name} of many objects that wait pauses for others`, () => {
    const count = pauses(steps());
    assert.ok(count > OBJECTS / 16, `${count} pauses`);
  });
}

function planned() {
  return finish(planSteps(planOptions(changes, { gate })));
}
