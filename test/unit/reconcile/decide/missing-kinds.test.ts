import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Kinds } from '../../../../src/cluster/kinds.ts';
import { emptyEvidenceMemory } from '../../../../src/reconcile/decide/memory.ts';
import { lookForMissingKinds, type MissingKindsOptions } from '../../../../src/reconcile/decide/missing-kinds.ts';

const widget = { group: 'example.com', kind: 'Widget', namespace: 'shop', name: 'a' };
const info = { ...widget, version: 'v1', plural: 'widgets', isNamespaced: true, hasStatus: false, isWatchable: true };
const serving: Kinds = {
  served: new Map([['example.com/v1/Widget', info]]),
  stale: new Set(),
  preferred: new Map([['example.com', 'v1']]),
};
const lacking: Kinds = { served: new Map(), stale: new Set(), preferred: new Map() };

/** A cluster whose discovery answers one after the other, and a clock that the test sets. */
function optionsOf(answers: Kinds[], clock: { nowMs: number }): MissingKindsOptions {
  let last = answers[0] ?? lacking;
  const kinds = async (options?: { refresh: boolean }): Promise<Kinds> => {
    if (options?.refresh) last = answers.shift() ?? last;
    return last;
  };
  return {
    evidence: emptyEvidenceMemory(),
    target: { kinds },
    clock: { monotonicMs: () => clock.nowMs },
    discoveryRetryMs: 1000,
  };
}

test('a kind counts as gone only when discovery still lacks it at a second look later', async () => {
  const clock = { nowMs: 5 };
  const options = optionsOf([lacking, lacking, lacking], clock);
  const isGone = async (): Promise<boolean> => (await lookForMissingKinds([widget], options)).isUnservedGone;
  assert.equal(await isGone(), false);
  clock.nowMs = 500;
  assert.equal(await isGone(), false);
  clock.nowMs = 1100;
  assert.equal(await isGone(), true);
});

test('an object is kept when its kind is unserved for a while and then served again', async () => {
  const clock = { nowMs: 5 };
  const options = optionsOf([lacking, serving], clock);
  assert.equal((await lookForMissingKinds([widget], options)).isUnservedGone, false);
  clock.nowMs = 1100;
  const settled = await lookForMissingKinds([widget], options);
  assert.equal(settled.isUnservedGone, false);
  assert.equal(settled.kinds, serving);
  assert.equal(options.evidence.unserved, undefined);
});
