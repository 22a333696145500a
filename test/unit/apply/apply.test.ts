/**
 * applyPlan: the order of requests, and which results hold back others. One request at a time, so the order is fixed.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Applied, ChangeResult, Outcome } from '../../../src/apply/applied.ts';
import { applyPlan } from '../../../src/apply/apply.ts';
import type { WriteAnswer } from '../../../src/cluster/ports.ts';
import type { Change } from '../../../src/diff/changes.ts';
import { formatId, idKey, type ObjectId } from '../../../src/object/identity.ts';
import type { Plan, PlannedChange, Wave } from '../../../src/plan/plan.ts';
import {
  ABSENT,
  changeOf,
  found,
  idOf,
  leftChange,
  liveOf,
  marksOf,
  OTHER_OWNER,
  OWNER,
  refusedWith,
  written,
} from '../../support/changes.ts';
import { scriptClient, type ScriptedAnswer } from '../../support/scripted-client.ts';

const NAMESPACE = idOf('shop', { kind: 'Namespace', namespace: '' });

const createdAnswer = (id: ObjectId): WriteAnswer => written(liveOf({ id }), true);
const refusedAnswer = refusedWith('Forbidden');

function planned(change: Change, ...requires: ObjectId[]): PlannedChange {
  return { change, requires };
}

function wave(name: string, ...changes: PlannedChange[]): Wave {
  return { name, changes };
}

function planOf(more: Partial<Plan>): Plan {
  return { waves: [], prunes: [], releases: [], waitingFor: [], held: undefined, left: [], ...more };
}

interface RunOptions {
  readonly signal?: AbortSignal;
  readonly onResult?: (result: ChangeResult) => void;
}

async function run(
  plan: Plan,
  script: readonly ScriptedAnswer[],
  { signal = new AbortController().signal, onResult = () => undefined }: RunOptions = {},
) {
  const scripted = scriptClient(script);
  const { client } = scripted;
  const applied = await applyPlan(plan, {
    client,
    owner: OWNER,
    occasion: 'prune',
    isConfirmed: false,
    concurrency: 1,
    signal,
    onResult,
  });
  return { applied, outcomes: outcomesOf(applied), expectRequests: scripted.expectRequests };
}

function outcomesOf(applied: Applied): Record<string, Outcome> {
  return Object.fromEntries([...applied.values()].map(({ change, outcome }) => [formatId(change.id), outcome]));
}

const create = (name: string): Change => changeOf('create', { id: idOf(name) });
const gone = (name: string): ScriptedAnswer[] => [
  { get: found(liveOf({ id: idOf(name) })) },
  { remove: { ok: true, outcome: 'gone' } },
];

test('waves are applied in order, then releases are made, then objects are pruned', async () => {
  const plan = planOf({
    waves: [wave('first', planned(create('a')), planned(create('b'))), wave('second', planned(create('c')))],
    releases: [leftChange('release', idOf('d'))],
    prunes: [wave('third', planned(leftChange('prune', idOf('e'))))],
  });
  const { outcomes, expectRequests } = await run(plan, [
    ...['a', 'b', 'c'].map((name) => ({ apply: createdAnswer(idOf(name)) })),
    { get: found(liveOf({ id: idOf('d') })) },
    { release: written(liveOf({ id: idOf('d') })) },
    ...gone('e'),
  ]);
  expectRequests(['apply a', 'apply b', 'apply c', 'get d', 'release d at 1', 'get e', 'remove e u1 at 1']);
  assert.deepEqual(outcomes, {
    'ConfigMap shop/a': 'created',
    'ConfigMap shop/b': 'created',
    'ConfigMap shop/c': 'created',
    'ConfigMap shop/d': 'released',
    'ConfigMap shop/e': 'pruned',
  });
});

test('an object whose namespace could not be applied waits without a request, and others go on', async () => {
  const namespace = changeOf('create', { id: NAMESPACE });
  const plan = planOf({
    waves: [
      wave('first', planned(namespace)),
      wave('second', planned(create('a'), NAMESPACE), planned(create('b'))),
      wave('third', planned(create('c'), idOf('a'))),
    ],
  });
  const { applied, outcomes, expectRequests } = await run(plan, [
    { apply: refusedAnswer },
    { apply: createdAnswer(idOf('b')) },
  ]);
  expectRequests(['apply shop', 'apply b']);
  assert.deepEqual(outcomes, {
    'Namespace shop': 'failed',
    'ConfigMap shop/a': 'waiting',
    'ConfigMap shop/b': 'created',
    'ConfigMap shop/c': 'waiting',
  });
  assert.match(applied.get(idKey(idOf('a')))?.message ?? '', /Namespace shop/);
});

test('an object that requires itself, or an object that the plan does not contain, does not wait', async () => {
  const plan = planOf({ waves: [wave('first', planned(create('a'), idOf('a'), idOf('elsewhere')))] });
  const { outcomes } = await run(plan, [{ apply: createdAnswer(idOf('a')) }]);
  assert.deepEqual(outcomes, { 'ConfigMap shop/a': 'created' });
});

interface HoldingCase {
  readonly changes: readonly PlannedChange[];
  readonly script: readonly ScriptedAnswer[];
  readonly requests: readonly string[];
}

/** By the outcome that holds back the prunes. */
const HOLDING: Readonly<Record<string, HoldingCase>> = {
  failed: { changes: [planned(create('a'))], script: [{ apply: refusedAnswer }], requests: ['apply a'] },
  conflict: {
    changes: [planned(changeOf('adopt', { id: idOf('a') }))],
    script: [{ get: found(liveOf({ id: idOf('a'), metadata: marksOf(OTHER_OWNER) })) }],
    requests: ['get a'],
  },
  waiting: {
    changes: [planned(create('b')), planned(create('a'), idOf('b'))],
    script: [{ apply: refusedAnswer }],
    requests: ['apply b'],
  },
  recreating: {
    changes: [
      planned(changeOf('update', { id: idOf('a'), live: liveOf({ id: idOf('a') }), policy: { mayRecreate: true } })),
    ],
    script: [
      { apply: refusedWith('InvalidManifest', { status: 422 }) },
      { get: ABSENT },
      { isImmutable: true },
      { get: ABSENT },
    ],
    requests: ['apply a force', 'get a', 'isImmutable a', 'get a'],
  },
};

for (const [outcome, { changes, script, requests }] of Object.entries(HOLDING)) {
  test(`nothing is pruned if the outcome of an object is ${outcome}`, async () => {
    const plan = planOf({
      waves: [wave('first', ...changes)],
      prunes: [wave('second', planned(leftChange('prune', idOf('e'))))],
    });
    const { applied, expectRequests } = await run(plan, script);
    assert.equal(applied.get(idKey(idOf('a')))?.outcome, outcome);
    assert.equal(applied.has(idKey(idOf('e'))), false);
    expectRequests(requests);
  });
}

test('a release that failed holds back the prunes', async () => {
  const plan = planOf({
    releases: [leftChange('release', idOf('d'))],
    prunes: [wave('first', planned(leftChange('prune', idOf('e'))))],
  });
  const { outcomes } = await run(plan, [{ get: refusedAnswer }]);
  assert.deepEqual(outcomes, { 'ConfigMap shop/d': 'failed' });
});

/** By the outcome of an object in the first wave of prunes. */
const PRUNE_ANSWERS: Readonly<Record<string, { readonly script: ScriptedAnswer[]; readonly isNextReached: boolean }>> =
  {
    pruned: { script: gone('a'), isNextReached: true },
    unchanged: {
      script: [
        {
          get: found(liveOf({ id: idOf('a'), annotations: { 'kustomize.toolkit.fluxcd.io/reconcile': 'disabled' } })),
        },
      ],
      isNextReached: true,
    },
    pruning: { script: [{ get: found(liveOf({ id: idOf('a'), isTerminating: true })) }], isNextReached: false },
    failed: { script: [{ get: refusedAnswer }], isNextReached: false },
  };

for (const [outcome, { script, isNextReached }] of Object.entries(PRUNE_ANSWERS)) {
  test(`the next wave of prunes ${isNextReached ? 'follows' : 'waits'} if the outcome of an object is ${outcome}`, async () => {
    const plan = planOf({
      prunes: [
        wave('first', planned(leftChange('prune', idOf('a'))), planned(leftChange('prune', idOf('b')))),
        wave('second', planned(leftChange('prune', idOf('c')))),
      ],
    });
    const { outcomes } = await run(plan, [...script, ...gone('b'), ...(isNextReached ? gone('c') : [])]);
    assert.equal(outcomes['ConfigMap shop/a'], outcome);
    assert.equal(outcomes['ConfigMap shop/b'], 'pruned');
    assert.equal(outcomes['ConfigMap shop/c'], isNextReached ? 'pruned' : undefined);
  });
}

test('nothing is sent after the signal is aborted, and the request that is running ends', async () => {
  const abort = new AbortController();
  const plan = planOf({
    waves: [wave('first', planned(create('a')), planned(create('b'))), wave('second', planned(create('c')))],
    releases: [leftChange('release', idOf('d'))],
    prunes: [wave('third', planned(leftChange('prune', idOf('e'))))],
  });
  const { outcomes, expectRequests } = await run(plan, [{ apply: createdAnswer(idOf('a')) }], {
    signal: abort.signal,
    onResult: () => abort.abort(),
  });
  expectRequests(['apply a']);
  assert.deepEqual(outcomes, { 'ConfigMap shop/a': 'created' });
});

test('each result is reported once, as soon as it is known', async () => {
  const reported: string[] = [];
  const plan = planOf({ waves: [wave('first', planned(create('a')), planned(create('b')))] });
  const { applied } = await run(
    plan,
    ['a', 'b'].map((name) => ({ apply: createdAnswer(idOf(name)) })),
    { onResult: ({ change, outcome }) => reported.push(`${change.id.name} ${outcome}`) },
  );
  assert.deepEqual(reported, ['a created', 'b created']);
  assert.equal(applied.size, 2);
});
