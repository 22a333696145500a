/** A dry run names every object that differs, with the effect of a sync on it or the reason why there is none. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { ChangeResult, Outcome } from '../../../../src/apply/applied.ts';
import type { Change, ChangeType } from '../../../../src/diff/changes.ts';
import { formatId, idKey } from '../../../../src/object/identity.ts';
import { planChanges, type Plan, type PlanOptions } from '../../../../src/plan/plan.ts';
import { answerDryRun } from '../../../../src/reconcile/effect/dry-run.ts';
import { trialsOf, type TrialQuestion } from '../../../../src/reconcile/effect/trials.ts';
import type { Pass } from '../../../../src/reconcile/pass.ts';
import type { Findings } from '../../../../src/reconcile/report/report-of.ts';
import { applicationOf, snapshotOf, storedOf } from '../../../support/applications.ts';
import { createClock } from '../../../support/clock.ts';
import { changeOf, idOf, leftChange, liveOf, refusedWith } from '../../../support/changes.ts';

const AUTO: TrialQuestion['intent'] = { mode: 'auto', prune: true, objects: undefined };
const A = idOf('a');
const LIVE = liveOf({ id: A });

function planOf(changes: readonly Change[], more: Partial<PlanOptions> = {}): Plan {
  const guard = { maxShare: 1, maxObjects: 100 };
  const options = {
    mode: 'auto',
    mayPrune: true,
    isComplete: true,
    objectsBefore: 10,
    guard,
    isConfirmed: false,
  } as const;
  return planChanges({ changes, ...options, ...more });
}

type Told = Partial<Omit<TrialQuestion, 'changes' | 'plan' | 'applied'>> & {
  readonly results?: readonly ChangeResult[];
  readonly plan?: Plan;
};

/** `WORD detail` for each object, by its name. */
function told(changes: readonly Change[], { results = [], plan, ...more }: Told = {}): Record<string, string> {
  const trials = trialsOf({
    application: applicationOf(),
    intent: AUTO,
    isComplete: true,
    isEmptyRender: false,
    ...more,
    changes,
    plan: plan ?? planOf(changes),
    applied: new Map(results.map((result) => [idKey(result.change.id), result])),
  });
  return Object.fromEntries(
    trials.map(({ id, word, detail }) => [id.name, [word, ...(detail ? [detail] : [])].join(' ')]),
  );
}

const UPDATE = changeOf('update', { id: A, live: LIVE });
const CREATE = changeOf('create', { id: A });

const SENT: readonly (readonly [string, Change, Omit<ChangeResult, 'change'>, string])[] = [
  ['is left alone although it exists', CREATE, { outcome: 'unchanged' }, 'unchanged'],
  [
    'turns out to be of another Application',
    CREATE,
    { outcome: 'conflict', message: 'managed by Application apps/other' },
    'refused managed by Application apps/other',
  ],
  ['is refused', CREATE, { outcome: 'failed', ...refusedWith('Forbidden') }, 'refused the server answered Forbidden'],
  [
    'needs another one',
    CREATE,
    { outcome: 'waiting', message: 'Namespace shop, which it requires, could not be applied' },
    'waiting Namespace shop, which it requires, could not be applied',
  ],
  ['is created', CREATE, { outcome: 'created', live: LIVE }, 'created would be created'],
  ['stays the same', UPDATE, { outcome: 'unchanged', live: LIVE }, 'unchanged'],
];
for (const [what, change, result, expected] of SENT) {
  test(`an object that ${what} is told as '${expected}'`, () => {
    assert.deepEqual(told([change], { results: [{ change, ...result }] }), { a: expected });
  });
}

const LEFT = leftChange('prune', A);
const GONE: readonly (readonly [string, Omit<ChangeResult, 'change'> | undefined, string])[] = [
  ['is deleted', { outcome: 'pruned' }, 'pruned would be pruned'],
  ['was not reached', undefined, 'pruned would be pruned'],
  ['asks for a confirmation by now', { outcome: 'waiting', message: 'it asks for one' }, 'held it asks for one'],
  ['is kept', { outcome: 'unchanged', message: 'it is disabled' }, 'kept would be kept: it is disabled'],
  ['is released', { outcome: 'released', message: 'it is not ours' }, 'released would be released: it is not ours'],
];
for (const [what, result, expected] of GONE) {
  test(`an object that left Git and ${what} is told as '${expected}'`, () => {
    assert.deepEqual(told([LEFT], { results: result ? [{ change: LEFT, ...result }] : [] }), { a: expected });
  });
}

test('nothing is told to be pruned while an object is refused', () => {
  const results = [{ change: CREATE, outcome: 'failed', ...refusedWith('Forbidden') } as const];
  const { b } = told([CREATE, leftChange('prune', idOf('b'))], { results });
  assert.equal(b, 'waiting would be pruned once every object can be applied');
});

test('an object whose place is held by one that would be pruned first is told as created', () => {
  const service = (name: string) => idOf(name, { kind: 'Service' });
  const created = changeOf('create', { id: service('new') });
  const holder = { ...leftChange('prune', service('old')), live: liveOf({ id: service('old') }) };
  const taken = refusedWith('Taken', { message: 'port 30000 is held by old' });
  const results: ChangeResult[] = [
    { change: created, outcome: 'failed', ...taken },
    { change: holder, outcome: 'pruned' },
  ];
  assert.deepEqual(told([created, holder], { results }), {
    new: 'created would be created once Service shop/old, which has its place, is pruned',
    old: 'pruned would be pruned',
  });
});

const OUTSIDE: readonly (readonly [string, Change, Told, string | undefined])[] = [
  ['that another Application owns', changeOf('conflict', { id: A }), {}, 'refused managed by another Application'],
  ['that cannot be read', { ...changeOf('unknown', { id: A }), reason: 'forbidden' }, {}, 'unknown forbidden'],
  ['that is as in Git', changeOf('none', { id: A, live: LIVE }), {}, undefined],
  [
    'that left Git, where the request does not prune',
    LEFT,
    { intent: { ...AUTO, prune: false }, plan: planOf([LEFT], { mayPrune: false }) },
    'kept left Git; kept, since the request does not prune',
  ],
  [
    'that left Git, where not everything could be read',
    LEFT,
    { isComplete: false, plan: planOf([LEFT], { isComplete: false }) },
    'kept kept: nothing is pruned until every manifest and every API can be read',
  ],
  [
    'that the request does not name',
    changeOf('conflict', { id: A }),
    { intent: { ...AUTO, objects: new Set(['another']) } },
    undefined,
  ],
];
for (const [which, change, more, expected] of OUTSIDE) {
  test(`an object ${which} is told as ${expected ?? 'nothing'}`, () => {
    assert.deepEqual(told([change], more), expected === undefined ? {} : { a: expected });
  });
}

const TYPES: readonly ChangeType[] = ['create', 'update', 'adopt', 'unsure', 'conflict', 'unknown', 'none'];
const OUTCOMES: readonly Outcome[] = ['created', 'unchanged', 'failed', 'conflict', 'waiting', 'recreating'];

const anyChange = fc.record({
  name: fc.nat(20),
  type: fc.constantFrom<ChangeType>(...TYPES, 'prune', 'release'),
  outcome: fc.constantFrom<Outcome | undefined>(...OUTCOMES, undefined),
});

test('every object that differs is told once, whatever the plan and the answers of the server', () => {
  const options = fc.record({ mayPrune: fc.boolean(), isComplete: fc.boolean() });
  const objects = fc.uniqueArray(anyChange, { selector: ({ name }) => name, maxLength: 12 });
  fc.assert(
    fc.property(objects, options, (picked, { mayPrune, isComplete }) => {
      const changes = picked.map(({ name, type }) => {
        const id = idOf(`o${name}`);
        return type === 'prune' || type === 'release' ? leftChange(type, id) : changeOf(type, { id });
      });
      const results = picked.flatMap(({ outcome }, index): ChangeResult[] => {
        const change = changes[index];
        return change && outcome
          ? [{ change, outcome, ...(outcome === 'failed' ? refusedWith('Forbidden') : {}) }]
          : [];
      });
      const trials = trialsOf({
        application: applicationOf(),
        intent: { ...AUTO, prune: mayPrune },
        isComplete,
        isEmptyRender: false,
        changes,
        plan: planOf(changes, { mayPrune, isComplete }),
        applied: new Map(results.map((result) => [idKey(result.change.id), result])),
      });
      const differing = changes.filter(({ type }) => type !== 'none').map(({ id }) => formatId(id));
      assert.deepEqual(trials.map(({ id }) => formatId(id)).sort(), differing.sort());
      for (const { word, detail } of trials) assert.ok(word === 'unchanged' || detail !== undefined, word);
    }),
    { numRuns: 300 },
  );
});

/** The answer that is written for a plan whose sends were all answered with an outcome. */
async function answerTo(changes: readonly Change[], more: Partial<Findings> = {}, failures: Pass['failures'] = []) {
  const written: { lastRequest?: { outcome?: string; message?: string } }[] = [];
  const stored = storedOf();
  const pass = {
    application: applicationOf(),
    goal: { request: { id: 'one', action: 'sync' }, intent: AUTO },
    failures,
    base: stored,
    record: { stored },
    context: {
      clock: createClock(0),
      hub: {
        applications: {
          putStatus: (object: object, status: object) => {
            written.push(status);
            return Promise.resolve({ ok: true, object: { ...object, status } });
          },
        },
      },
    },
  };
  const findings = { snapshot: snapshotOf('1'), changes, plan: planOf(changes), isComplete: true, ...more };
  await answerDryRun(pass as unknown as Pass, findings as unknown as Findings);
  return written[0]?.lastRequest ?? {};
}

test('a dry run in which an object is of another Application or cannot be read fails', async () => {
  for (const type of ['conflict', 'unknown'] as const) {
    const { outcome, message } = await answerTo([{ ...changeOf(type, { id: A }), reason: 'because' }]);
    assert.equal(outcome, 'Failed');
    assert.match(message ?? '', /^dry run of .*: 1 (refused|unknown)\nConfigMap shop\/a: because$/);
  }
});

test('a problem is told beside what a sync would do with the other objects', async () => {
  const failures: Pass['failures'] = [{ stage: 'source', code: 'Network', message: 'Git is down', retry: 'backoff' }];
  const applied = new Map([[idKey(A), { change: CREATE, outcome: 'created', live: LIVE } as const]]);
  const { outcome, message } = await answerTo([CREATE], { applied }, failures);
  assert.equal(outcome, 'Failed');
  assert.match(message ?? '', /^Git is down\ndry run of .*: 1 created\nConfigMap shop\/a: would be created$/);
});

test('a render without objects fails as a sync would', async () => {
  const plan = planOf([LEFT], { isComplete: false });
  const { outcome, message } = await answerTo([LEFT], { isEmptyRender: true, plan });
  assert.equal(outcome, 'Failed');
  assert.match(message ?? '', /since the revision renders no object at all/);
});

test('as many objects are named as status has room for, first those that make the sync fail', async () => {
  const creates = Array.from({ length: 200 }, (_, index) => changeOf('create', { id: idOf(`a${index}`) }));
  const applied = new Map(
    creates.map((change, index): [string, ChangeResult] => {
      const failed = { change, outcome: 'failed', ...refusedWith('Forbidden') } as const;
      return [idKey(change.id), index === 150 ? failed : { change, outcome: 'created', live: LIVE }];
    }),
  );
  const { message = '' } = await answerTo(creates, { applied });
  const lines = message.split('\n');
  assert.match(lines[0] ?? '', /: 199 created, 1 refused$/);
  assert.equal(lines[1], 'ConfigMap shop/a150: the server answered Forbidden');
  const more = Number(/^… and (\d+) more$/.exec(lines.at(-1) ?? '')?.[1]);
  assert.equal(lines.length - 2 + more, 200);
  assert.ok(more < 120 && message.length <= 4096, `${more} of 200 are not named`);
});
