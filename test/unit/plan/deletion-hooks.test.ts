/** The states of hooks of a deletion, their groups and their plan. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withHookRun } from '../../../src/bind/hook-run.ts';
import type { DesiredObject } from '../../../src/bind/desired.ts';
import type { LiveEntry } from '../../../src/cluster/live.ts';
import type { Health } from '../../../src/health/health.ts';
import { HOOK_RUN_ANNOTATION } from '../../../src/object/hooks.ts';
import type { ValueMap } from '../../../src/object/value.ts';
import { groupHooks, hookRetryMs, judgeHook, planHooks, type HookState } from '../../../src/plan/deletion-hooks.ts';
import { desiredOf, idOf, liveOf, marksOf, OTHER_OWNER, OWNER } from '../../support/changes.ts';

const JOB = idOf('backup', { group: 'batch', kind: 'Job' });
const RUN = 'PreDelete-uid';
const JOB_HOOK = withHookRun(desiredOf({ id: JOB }), RUN);
const MAP_HOOK = withHookRun(desiredOf({ id: idOf('settings') }), RUN);

const HEALTHY: Health = { status: 'Healthy', message: '' };
const FAILED: Health = { status: 'Degraded', message: 'BackoffLimitExceeded' };
const BUSY: Health = { status: 'Progressing', message: '1 active' };
const PAUSED: Health = { status: 'Suspended', message: 'it is suspended' };
const ABSENT: LiveEntry = { state: 'absent' };

const liveWith = (hook: DesiredObject, run: string, more: ValueMap = {}): LiveEntry => ({
  state: 'present',
  object: liveOf({ id: hook.id, annotations: { [HOOK_RUN_ANNOTATION]: run }, metadata: more }),
});
const foreign: ValueMap = marksOf(OTHER_OWNER);
const going: LiveEntry = { state: 'present', object: liveOf({ id: JOB, isTerminating: true }) };

interface Case {
  readonly title: string;
  readonly hook: DesiredObject;
  readonly entry: LiveEntry;
  readonly health?: Health;
  /** The type of the state, with the type of its change. */
  readonly state: string;
}

const CASES: readonly Case[] = [
  { title: 'a hook that is absent is created', hook: JOB_HOOK, entry: ABSENT, state: 'send create' },
  { title: 'a Job that ran and is gone is done', hook: JOB_HOOK, entry: ABSENT, health: HEALTHY, state: 'done' },
  { title: 'a Job that failed and is gone has failed', hook: JOB_HOOK, entry: ABSENT, health: FAILED, state: 'failed' },
  {
    title: 'a hook that cannot be read is neither created nor done',
    hook: JOB_HOOK,
    entry: { state: 'unknown', reason: 'forbidden' },
    state: 'blocked',
  },
  { title: 'a complete Job is done', hook: JOB_HOOK, entry: liveWith(JOB_HOOK, RUN), health: HEALTHY, state: 'done' },
  {
    title: 'a Job at work is waited for',
    hook: JOB_HOOK,
    entry: liveWith(JOB_HOOK, RUN),
    health: BUSY,
    state: 'running',
  },
  {
    title: 'a suspended Job is waited for',
    hook: JOB_HOOK,
    entry: liveWith(JOB_HOOK, RUN),
    health: PAUSED,
    state: 'running',
  },
  { title: 'a failed Job has failed', hook: JOB_HOOK, entry: liveWith(JOB_HOOK, RUN), health: FAILED, state: 'failed' },
  {
    title: 'a Job of another run is deleted first',
    hook: JOB_HOOK,
    entry: liveWith(JOB_HOOK, 'PostDelete-uid'),
    state: 'remove prune',
  },
  {
    title: 'a Job without the marks of the Application is left alone',
    hook: JOB_HOOK,
    entry: liveWith(JOB_HOOK, RUN, foreign),
    health: HEALTHY,
    state: 'blocked',
  },
  { title: 'a Job that is being deleted is waited for', hook: JOB_HOOK, entry: going, state: 'running' },
  {
    title: 'an object of another kind is changed in place',
    hook: MAP_HOOK,
    entry: liveWith(MAP_HOOK, 'PostDelete-uid'),
    state: 'send update',
  },
  {
    title: 'an object of another kind without the marks is adopted',
    hook: MAP_HOOK,
    entry: liveWith(MAP_HOOK, RUN, foreign),
    health: HEALTHY,
    state: 'send adopt',
  },
  {
    title: 'an object that is Healthy is done',
    hook: MAP_HOOK,
    entry: liveWith(MAP_HOOK, RUN),
    health: HEALTHY,
    state: 'done',
  },
  {
    title: 'an object that is Suspended is done',
    hook: MAP_HOOK,
    entry: liveWith(MAP_HOOK, RUN),
    health: PAUSED,
    state: 'done',
  },
  {
    title: 'a Degraded object has no run that could be repeated',
    hook: MAP_HOOK,
    entry: liveWith(MAP_HOOK, RUN),
    health: FAILED,
    state: 'running',
  },
];

function textOf(state: HookState): string {
  return 'change' in state ? `${state.type} ${state.change.type}` : state.type;
}

for (const { title, hook, entry, health, state } of CASES) {
  test(`for a deletion ${title}`, () => {
    assert.equal(textOf(judgeHook({ desired: hook, entry, health, owner: OWNER })), state);
  });
}

test('two runs of one manifest have different digests, and the manifest is not modified', () => {
  const manifest = desiredOf({ id: JOB });
  const [first, second] = [withHookRun(manifest, 'one'), withHookRun(manifest, 'two')];
  assert.notEqual(first.digest, second.digest);
  assert.deepEqual(manifest, desiredOf({ id: JOB }));
  assert.deepEqual(withHookRun(first, 'two'), second);
});

test('hooks are grouped by wave, and ordered by kind and name within one', () => {
  const hookOf = (name: string, wave: number, kind = 'Job'): DesiredObject =>
    desiredOf({ id: idOf(name, { group: kind === 'Job' ? 'batch' : '', kind }), policy: { wave } });
  const hooks = [hookOf('b', 1), hookOf('c', -1), hookOf('a', 1), hookOf('account', 1, 'ServiceAccount')];
  const names = groupHooks(hooks).map((group) => group.map(({ id }) => id.name));
  assert.deepEqual(names, [['c'], ['account', 'a', 'b']]);
});

test('the plan of a group sends and deletes hooks and nothing else', () => {
  const plan = planHooks([
    judgeHook({ desired: JOB_HOOK, entry: ABSENT, health: undefined, owner: OWNER }),
    { type: 'running', why: '' },
    judgeHook({ desired: JOB_HOOK, entry: liveWith(JOB_HOOK, 'other'), health: undefined, owner: OWNER }),
  ]);
  const typesOf = (waves: typeof plan.waves): string[] =>
    waves.flatMap(({ changes }) => changes.map(({ change }) => change.type));
  assert.deepEqual([typesOf(plan.waves), typesOf(plan.prunes)], [['create'], ['prune']]);
  assert.deepEqual([plan.releases, plan.left], [[], []]);
});

test('the pause before a failed hook runs again doubles up to five minutes', () => {
  assert.deepEqual([1, 2, 3, 6, 7, 1000].map(hookRetryMs), [10_000, 20_000, 40_000, 300_000, 300_000, 300_000]);
});
