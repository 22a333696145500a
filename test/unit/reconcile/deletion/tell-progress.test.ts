import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeInventory } from '../../../../src/application/inventory.ts';
import type { Applied, ChangeResult } from '../../../../src/apply/applied.ts';
import type { Live, LiveEntry } from '../../../../src/cluster/live.ts';
import { idKey, type ObjectId } from '../../../../src/object/identity.ts';
import { describeProgress, tellProgress, tellWait } from '../../../../src/reconcile/deletion/tell-progress.ts';
import { idOf, leftChange, refusedWith } from '../../../support/changes.ts';
import { scriptDeletion } from './scene.ts';

const [A, B, C] = [idOf('a'), idOf('b'), idOf('c')];
const LEFT = [A, B, C];

const resultsOf = (...results: readonly (readonly [ObjectId, Omit<ChangeResult, 'change'>])[]): Applied =>
  new Map(results.map(([id, result]) => [idKey(id), { change: leftChange('prune', id), ...result }]));
const liveOf = (...entries: readonly (readonly [ObjectId, LiveEntry])[]): Live =>
  new Map(entries.map(([id, entry]) => [idKey(id), entry]));

const PRUNING = { outcome: 'pruning', message: 'deletion waits for a-finalizer' } as const;
const FAILED = { outcome: 'failed', ...refusedWith('Forbidden') } as const;
const UNKNOWN: LiveEntry = { state: 'unknown', reason: 'the API group does not answer' };

const CASES: readonly (readonly [string, Applied, Live, string, boolean])[] = [
  [
    'an object that failed',
    resultsOf([A, PRUNING], [C, FAILED]),
    liveOf(),
    '3 left; ConfigMap shop/c: the server answered Forbidden',
    true,
  ],
  [
    'an object whose deletion has begun',
    resultsOf([B, PRUNING]),
    liveOf([A, UNKNOWN]),
    '3 left; ConfigMap shop/b: deletion waits for a-finalizer',
    false,
  ],
  [
    'an object that cannot be read',
    resultsOf(),
    liveOf([A, UNKNOWN]),
    '3 left; ConfigMap shop/a: the API group does not answer',
    false,
  ],
  [
    'the first of objects that were not reached',
    resultsOf(),
    liveOf(),
    '3 left; ConfigMap shop/a: waits for the objects before it',
    false,
  ],
];
for (const [what, applied, live, message, isStalled] of CASES) {
  test(`the progress of a deletion names ${what}`, () => {
    assert.deepEqual(describeProgress({ left: LEFT, applied, live }), { message, isStalled });
  });
}

test('without objects there is nothing to tell', () => {
  assert.deepEqual(describeProgress({ left: [], applied: resultsOf(), live: liveOf() }), {
    message: '',
    isStalled: false,
  });
});

test('a wait is written with the objects that are left, and tried again with backoff', async () => {
  const { deletion, statuses } = scriptDeletion();
  assert.deepEqual(await tellWait(deletion, { left: LEFT, reason: 'it waits' }), { type: 'backoff', atMostMs: 10_000 });
  const [status] = statuses;
  assert.deepEqual(status?.inventory, encodeInventory(LEFT));
  assert.deepEqual(
    status.conditions?.map(({ type, status: word, reason, message }) => [type, word, reason, message]),
    [
      ['Ready', 'False', 'Deleting', 'it waits'],
      ['Reconciling', 'True', 'Progressing', 'it waits'],
    ],
  );
  await tellWait(deletion, { left: LEFT, reason: 'it waits' });
  assert.equal(statuses.length, 1, 'nothing has changed');
});

test('a failed prune is written as the reason of Ready', async () => {
  const { deletion, statuses } = scriptDeletion();
  await tellProgress(deletion, { left: LEFT, applied: resultsOf([A, FAILED]), live: liveOf() });
  await tellProgress(deletion, { left: LEFT, applied: resultsOf([A, PRUNING]), live: liveOf() });
  assert.deepEqual(
    statuses.map(({ conditions }) => conditions?.[0]?.reason),
    ['PruneFailed', 'Deleting'],
  );
});
