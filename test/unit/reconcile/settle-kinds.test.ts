import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Kinds } from '../../../src/cluster/kinds.ts';
import type { ReconcileContext } from '../../../src/reconcile/context.ts';
import { settleKinds } from '../../../src/reconcile/decide/missing-kinds.ts';
import { emptyMemory } from '../../../src/reconcile/memory.ts';

const widget = { group: 'example.com', kind: 'Widget', namespace: 'shop', name: 'a' };
const info = { ...widget, version: 'v1', plural: 'widgets', isNamespaced: true, hasStatus: false, isWatchable: true };
const serving: Kinds = {
  served: new Map([['example.com/v1/Widget', info]]),
  stale: new Set(),
  preferred: new Map([['example.com', 'v1']]),
};
const lacking: Kinds = { served: new Map(), stale: new Set(), preferred: new Map() };

/** A cluster whose discovery answers one after the other, and a clock that the test sets. */
function contextOf(answers: Kinds[], clock: { nowMs: number }): ReconcileContext {
  let last = answers[0] ?? lacking;
  const kinds = async (options?: { refresh: boolean }): Promise<Kinds> => {
    if (options?.refresh) last = answers.shift() ?? last;
    return last;
  };
  const context = {
    cluster: { kinds },
    clock: { now: () => clock.nowMs, monotonicMs: () => clock.nowMs },
    settings: { discoveryRetryMs: 1000 },
  };
  return context as unknown as ReconcileContext;
}

test('a kind is gone only when discovery still lacks it at a second look, later', async () => {
  const clock = { nowMs: 5 };
  const context = contextOf([lacking, lacking, lacking], clock);
  const state = { memory: emptyMemory() };
  const isGone = async (): Promise<boolean> => (await settleKinds(state, context, [widget])).isUnservedGone;
  assert.equal(await isGone(), false);
  clock.nowMs = 500;
  assert.equal(await isGone(), false);
  clock.nowMs = 1100;
  assert.equal(await isGone(), true);
});

test('a kind that comes back was never gone', async () => {
  const clock = { nowMs: 5 };
  const context = contextOf([lacking, serving], clock);
  const state = { memory: emptyMemory() };
  assert.equal((await settleKinds(state, context, [widget])).isUnservedGone, false);
  clock.nowMs = 1100;
  const settled = await settleKinds(state, context, [widget]);
  assert.equal(settled.isUnservedGone, false);
  assert.equal(settled.kinds, serving);
  assert.equal(state.memory.unserved, undefined);
});
