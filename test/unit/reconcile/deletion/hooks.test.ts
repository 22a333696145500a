/** Hooks before and after the objects of a deleted Application are deleted, one pass at a time. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeInventory } from '../../../../src/application/inventory.ts';
import { withHookRun } from '../../../../src/bind/hook-run.ts';
import type { DesiredObject } from '../../../../src/bind/desired.ts';
import { HOOK_RUN_ANNOTATION } from '../../../../src/object/hooks.ts';
import { idKey, type ObjectId } from '../../../../src/object/identity.ts';
import { StageError } from '../../../../src/object/stage-error.ts';
import type { Value, ValueMap } from '../../../../src/object/value.ts';
import { finalise } from '../../../../src/reconcile/deletion/finalise.ts';
import type { StoredOptions } from '../../../support/applications.ts';
import { ABSENT, desiredOf, found, idOf, liveOf, refusedWith, written } from '../../../support/changes.ts';
import { kindsOf } from '../../../support/reading.ts';
import { scriptDeletion, type DeletionScene, type DeletionScript } from './scene.ts';

const A = idOf('a');
const LIVE_A = liveOf({ id: A });
const JOB: ObjectId = idOf('backup', { group: 'batch', kind: 'Job' });
const KINDS = kindsOf(A, JOB);
const PRE = desiredOf({ id: JOB, policy: { isHook: true, ssa: 'Ignore', isPreDelete: true } });
const POST = desiredOf({ id: JOB, policy: { isHook: true, ssa: 'Ignore', isPostDelete: true } });
const RUNS = { PreDelete: 'PreDelete-uid-shop', PostDelete: 'PostDelete-uid-shop' };

const DONE: ValueMap = { conditions: [{ type: 'Complete', status: 'True' }] };
const BROKEN: ValueMap = { conditions: [{ type: 'Failed', status: 'True', reason: 'BackoffLimitExceeded' }] };

function jobOf(phase: keyof typeof RUNS, status: ValueMap = {}) {
  return liveOf({ id: JOB, annotations: { [HOOK_RUN_ANNOTATION]: RUNS[phase] }, status });
}

const digestOf = (hook: DesiredObject, phase: keyof typeof RUNS): string =>
  withHookRun(hook, RUNS[phase]).digest.slice(0, 16);

interface Stored {
  readonly ids?: readonly ObjectId[];
  readonly hooks?: { readonly preDelete: number; readonly postDelete: number };
  readonly more?: ValueMap;
}

function storing({ ids = [A], hooks = { preDelete: 1, postDelete: 0 }, more }: Stored = {}): StoredOptions {
  return { status: { inventory: encodeInventory(ids) as Value, deletionHooks: hooks, ...more } };
}

async function finish(script: DeletionScript): Promise<DeletionScene> {
  const scene = scriptDeletion({ targetKinds: KINDS, ...script });
  const { deletion, context } = scene;
  await finalise(deletion.deleted, deletion.record, context, deletion.signal);
  return scene;
}

const messageOf = (scene: DeletionScene): string => scene.statuses.at(-1)?.conditions?.[0]?.message ?? '';
const reasonOf = (scene: DeletionScene): string | undefined => scene.statuses.at(-1)?.conditions?.[0]?.reason;

test('an Application without hooks is deleted without its source', async () => {
  const unread = new StageError({ stage: 'source', code: 'Network', retry: 'backoff', message: 'no route' });
  const own = storing({ hooks: { preDelete: 0, postDelete: 0 } });
  const requests = [{ get: found(LIVE_A) }, { remove: { ok: true, outcome: 'gone' } }] as const;
  const scene = await finish({ own, live: [LIVE_A], requests, applied: unread });
  assert.equal(scene.steps.at(-1), 'finalizer-removed');
});

test('a PreDelete hook is stored before it is created, and no object is deleted meanwhile', async () => {
  const requests = [{ get: ABSENT }, { apply: written(jobOf('PreDelete'), true) }] as const;
  const scene = await finish({ own: storing(), live: [LIVE_A], requests, applied: [PRE] });
  scene.client.expectRequests(['get backup', 'apply backup']);
  const [first, last] = [scene.statuses[0], scene.statuses.at(-1)];
  assert.deepEqual(scene.steps.slice(0, 2), ['status', 'inventory-written']);
  assert.deepEqual(first?.inventory, encodeInventory([A, JOB]));
  assert.match(first?.started?.[idKey(JOB)] ?? '', /:sent-/);
  assert.equal(last?.started?.[idKey(JOB)], digestOf(PRE, 'PreDelete'));
  assert.deepEqual(last?.deletion, { phase: 'PreDelete' });
});

test('once the PreDelete hook has succeeded the objects are deleted, and the hook with them', async () => {
  const job = jobOf('PreDelete', DONE);
  const own = storing({ ids: [A, JOB], more: { deletion: { phase: 'PreDelete' } } });
  const gone = { remove: { ok: true, outcome: 'gone' } } as const;
  const requests = [{ get: found(job) }, { get: found(job) }, gone, { get: found(LIVE_A) }, gone] as const;
  const scene = await finish({ own, live: [LIVE_A, job], requests, applied: [PRE] });
  scene.client.expectRequests(['get backup', 'get backup', 'remove backup u1 at 1', 'get a', 'remove a u1 at 1']);
  assert.deepEqual(scene.statuses[0]?.deletion, { phase: 'Objects' });
  assert.equal(scene.steps.at(-1), 'finalizer-removed');
});

test('after a kill the hooks of a phase that has ended do not run again, and are not read', async () => {
  const unread = new StageError({ stage: 'source', code: 'Network', retry: 'backoff', message: 'no route' });
  const own = storing({ more: { deletion: { phase: 'Objects' } } });
  const requests = [{ get: found(LIVE_A) }, { remove: { ok: true, outcome: 'gone' } }] as const;
  const scene = await finish({ own, live: [LIVE_A], requests, applied: unread });
  assert.equal(scene.steps.at(-1), 'finalizer-removed');
});

test('hooks that cannot be read hold the deletion, and the status says how to go on', async () => {
  const unread = new StageError({ stage: 'source', code: 'Network', retry: 'backoff', message: 'no route' });
  const scene = await finish({ own: storing(), live: [LIVE_A], applied: unread });
  scene.client.expectRequests([]);
  assert.equal(reasonOf(scene), 'HookFailed');
  assert.match(messageOf(scene), /cannot be read, so it waits: no route; .*deletionPolicy to Orphan/);
  assert.deepEqual(scene.steps, ['status']);
});

test('with the policy Orphan no hook runs or is read', async () => {
  const unread = new StageError({ stage: 'source', code: 'Network', retry: 'backoff', message: 'no route' });
  const own = { ...storing(), spec: { deletionPolicy: 'Orphan' } };
  const requests = [{ get: found(LIVE_A) }, { release: written(LIVE_A) }] as const;
  const scene = await finish({ own, live: [LIVE_A], requests, applied: unread });
  assert.equal(scene.steps.at(-1), 'finalizer-removed');
});

test('a failed hook is told once, and runs again when its pause is over', async () => {
  const job = jobOf('PreDelete', BROKEN);
  const ids = [A, JOB];
  const live = [LIVE_A, job];
  const first = await finish({ own: storing({ ids }), live, requests: [{ get: found(job) }], applied: [PRE] });
  const retryAt = '2026-03-01T10:00:10Z';
  assert.equal(reasonOf(first), 'HookFailed');
  assert.match(messageOf(first), /PreDelete hook Job.batch shop\/backup has failed: .*BackoffLimitExceeded/);
  assert.deepEqual(first.statuses.at(-1)?.deletion, { phase: 'PreDelete', failures: 1, retryAt });
  assert.deepEqual(
    first.events.map(({ reason }) => reason),
    ['HookFailed'],
  );
  const early = { deletion: { phase: 'PreDelete', failures: 1, retryAt } };
  const second = await finish({
    ...{ own: storing({ ids, more: early }), live, requests: [{ get: found(job) }], applied: [PRE] },
  });
  assert.deepEqual(second.events, []);
  const due = { deletion: { ...early.deletion, retryAt: '2026-03-01T09:59:59Z' } };
  const requests = [{ get: found(job) }, { get: found(job) }, { remove: { ok: true, outcome: 'gone' } }] as const;
  const third = await finish({ own: storing({ ids, more: due }), live, requests, applied: [PRE] });
  third.client.expectRequests(['get backup', 'get backup', 'remove backup u1 at 1']);
  assert.deepEqual(third.statuses[0]?.deletion, { phase: 'PreDelete', failures: 1 });
  assert.equal(third.statuses[0]?.finished, undefined);
});

test('PostDelete hooks start when all objects are gone, and the finalizer stays', async () => {
  const own = storing({ hooks: { preDelete: 0, postDelete: 1 } });
  const requests = [
    { get: found(LIVE_A) },
    { remove: { ok: true, outcome: 'gone' } },
    { get: ABSENT },
    { apply: written(jobOf('PostDelete'), true) },
  ] as const;
  const scene = await finish({ own, live: [LIVE_A], requests, applied: [POST] });
  scene.client.expectRequests(['get a', 'remove a u1 at 1', 'get backup', 'apply backup']);
  const last = scene.statuses.at(-1);
  assert.deepEqual(last?.deletion, { phase: 'PostDelete' });
  assert.deepEqual(last?.inventory, encodeInventory([JOB]));
  assert.equal(scene.steps.includes('removeFinalizer'), false);
});

test('once the PostDelete hook has succeeded it is deleted, and then the Application goes', async () => {
  const job = jobOf('PostDelete', DONE);
  const hooks = { preDelete: 0, postDelete: 1 };
  const own = storing({ ids: [JOB], hooks, more: { deletion: { phase: 'PostDelete' } } });
  const requests = [{ get: found(job) }, { get: found(job) }, { remove: { ok: true, outcome: 'gone' } }] as const;
  const scene = await finish({ own, live: [job], requests, applied: [POST] });
  assert.deepEqual(scene.statuses[0]?.deletion, { phase: 'Cleanup' });
  assert.equal(scene.steps.at(-1), 'finalizer-removed');
});

test('hooks are skipped if the namespace of the Application is being deleted', async () => {
  const home = { ...JOB, namespace: 'apps' };
  const hook = { ...PRE, id: home };
  const requests = [
    { get: ABSENT },
    { apply: refusedWith('NamespaceTerminating') },
    { get: found(LIVE_A) },
    { remove: { ok: true, outcome: 'gone' } },
  ] as const;
  const scene = await finish({ own: storing(), live: [LIVE_A], requests, applied: [hook] });
  scene.client.expectRequests(['get backup', 'apply backup', 'get a', 'remove a u1 at 1']);
  assert.deepEqual(
    scene.events.map(({ reason }) => reason),
    ['HooksSkipped'],
  );
  assert.deepEqual(scene.statuses.at(-1)?.deletion?.phase, 'Objects');
});
