/** Conditions: their time changes only with their status, and an unchanged list is returned as it is. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  cutText,
  formatTime,
  getCondition,
  removeCondition,
  setCondition,
} from '../../../src/application/conditions.ts';
import { STATUS_LIMITS } from '../../../src/application/status-schema.ts';

const first = { nowMs: Date.UTC(2026, 0, 2, 3, 4, 5, 678), generation: 1 };
const later = { nowMs: first.nowMs + 60_000, generation: 2 };
const ready = { type: 'Ready', status: 'True', reason: 'ReconciliationSucceeded', message: 'Applied main.' } as const;

test('a new condition carries time and generation', () => {
  assert.deepEqual(setCondition([], ready, first), [
    { ...ready, lastTransitionTime: '2026-01-02T03:04:05Z', observedGeneration: 1 },
  ]);
});

test('the transition time stays while the status stays, even if reason and message change', () => {
  const before = setCondition([], ready, first);
  const after = setCondition(before, { ...ready, reason: 'Other', message: 'Other.' }, later);
  assert.equal(getCondition(after, 'Ready')?.lastTransitionTime, '2026-01-02T03:04:05Z');
  assert.equal(getCondition(after, 'Ready')?.observedGeneration, 2);
  assert.equal(getCondition(after, 'Ready')?.reason, 'Other');
});

test('the transition time changes with the status', () => {
  const after = setCondition(setCondition([], ready, first), { ...ready, status: 'False' }, later);
  assert.equal(getCondition(after, 'Ready')?.lastTransitionTime, '2026-01-02T03:05:05Z');
});

test('a change without effect returns the same list', () => {
  const before = setCondition([], ready, first);
  assert.equal(setCondition(before, ready, { ...later, generation: 1 }), before);
  assert.equal(removeCondition(before, 'Stalled'), before);
});

test('other conditions keep their position', () => {
  const stalled = { ...ready, type: 'Stalled' };
  const both = setCondition(setCondition([], ready, first), stalled, first);
  const after = setCondition(both, { ...ready, status: 'Unknown' }, later);
  assert.deepEqual(
    after.map(({ type }) => type),
    ['Ready', 'Stalled'],
  );
  assert.deepEqual(
    removeCondition(after, 'Ready').map(({ type }) => type),
    ['Stalled'],
  );
});

test('a message is cut to the bound of the CRD, and cutting it again changes nothing', () => {
  const long = { ...ready, message: 'x'.repeat(10_000) };
  const before = setCondition([], long, first);
  assert.equal(getCondition(before, 'Ready')?.message.length, STATUS_LIMITS.maxMessageChars);
  assert.equal(setCondition(before, long, first), before);
});

test('a cut never leaves half a surrogate pair', () => {
  assert.equal(cutText('ab😀cd', 4), 'ab…');
  assert.equal(cutText('abcd', 4), 'abcd');
  assert.equal(formatTime(0), '1970-01-01T00:00:00Z');
});
