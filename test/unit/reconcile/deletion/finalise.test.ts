import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeInventory } from '../../../../src/application/inventory.ts';
import type { ObjectId } from '../../../../src/object/identity.ts';
import type { Value, ValueMap } from '../../../../src/object/value.ts';
import { finalise } from '../../../../src/reconcile/deletion/finalise.ts';
import { StatusConflict, type NextPass } from '../../../../src/reconcile/pass.ts';
import { inventoryOf, type StoredOptions } from '../../../support/applications.ts';
import { ABSENT, found, idOf, liveOf, refusedWith } from '../../../support/changes.ts';
import { kindsOf } from '../../../support/reading.ts';
import type { ScriptedAnswer } from '../../../support/scripted-client.ts';
import { scriptDeletion, type DeletionScene, type DeletionScript } from './scene.ts';

const [A, B] = [idOf('a'), idOf('b')];
const LIVE_A = liveOf({ id: A });
const LIVE_B = liveOf({ id: B });
const NONE: NextPass = { type: 'none' };
const REMOVED = ['removeFinalizer', 'finalizer-removed'];

const storing = (...ids: readonly ObjectId[]): StoredOptions => ({
  status: { inventory: encodeInventory(ids) as Value },
});
/** The answers about one object that does not exist: to the observation and to the prune. */
const GONE: readonly ScriptedAnswer[] = [{ get: ABSENT }, { get: ABSENT }];
const pruningA: readonly ScriptedAnswer[] = [{ get: found(LIVE_A) }, { remove: { ok: true, outcome: 'gone' } }];

function run({ deletion, context }: DeletionScene): Promise<NextPass> {
  return finalise(deletion.deleted, deletion.record, context, deletion.signal);
}

async function finish(script: DeletionScript): Promise<{ readonly next: NextPass; readonly scene: DeletionScene }> {
  const scene = scriptDeletion(script);
  return { next: await run(scene), scene };
}

test('an Application without the finalizer is not finished', async () => {
  const { next, scene } = await finish({ own: { ...storing(A), metadata: { finalizers: ['other'] } } });
  assert.deepEqual(next, NONE);
  assert.deepEqual(scene.steps, []);
});

test('an Application without objects loses its finalizer at once', async () => {
  const { next, scene } = await finish({});
  assert.deepEqual(next, NONE);
  assert.deepEqual(scene.steps, REMOVED);
  assert.deepEqual(scene.deletion.record.stored.metadata['finalizers'], []);
});

test('the finalizer is removed once every object is gone', async () => {
  const { next, scene } = await finish({ own: storing(A), live: [LIVE_A], requests: pruningA });
  assert.deepEqual(next, NONE);
  assert.deepEqual(scene.steps, ['objects-pruned', ...REMOVED]);
  scene.client.expectRequests(['get a', 'remove a u1 at 1']);
  assert.deepEqual(scene.deletion.record.memory.inventory.ids, new Map());
});

test('an object that is left keeps the finalizer, and the next pass looks again', async () => {
  const held: readonly ScriptedAnswer[] = [
    { get: found(LIVE_A) },
    { remove: { ok: true, outcome: 'gone' } },
    { get: found(LIVE_B) },
    { remove: { ok: true, outcome: 'held' } },
  ];
  const { next, scene } = await finish({ own: storing(A, B), live: [LIVE_A, LIVE_B], requests: held });
  assert.deepEqual(next, { type: 'after', delayMs: 10_000 });
  assert.deepEqual(scene.steps, ['objects-pruned', 'status']);
  assert.deepEqual(scene.deletion.record.memory.inventory.ids, inventoryOf(B));
  assert.deepEqual(scene.statuses[0]?.inventory, encodeInventory([B]));
});

test('the objects of the status and of the memory are finished, each of them once', async () => {
  const { scene } = await finish({ own: storing(A), known: [A, B], requests: [...GONE, ...GONE] });
  scene.client.expectRequests(['get a', 'get b', 'get a', 'get b']);
  assert.deepEqual(scene.steps.slice(-2), REMOVED);
});

test('an inventory that cannot be read deletes nothing, and the status says how to go on', async () => {
  const { next, scene } = await finish({ own: { status: { inventory: 'damaged' } } });
  assert.deepEqual(next, NONE);
  assert.deepEqual(scene.steps, ['status']);
  const [status] = scene.statuses;
  assert.equal(status?.inventory, 'damaged');
  assert.equal(status.conditions?.[0]?.reason, 'PruneFailed');
  assert.match(status?.conditions?.[0]?.message ?? '', /^nothing is deleted, since status\.inventory cannot be read/);
  assert.match(status?.conditions?.[0]?.message ?? '', /set spec\.deletionPolicy to Orphan to release all objects$/);
});

test('with the policy Orphan an inventory that cannot be read does not keep the Application', async () => {
  const own = { status: { inventory: 'damaged' }, spec: { deletionPolicy: 'Orphan' } };
  const { next, scene } = await finish({ own });
  assert.deepEqual(next, NONE);
  assert.deepEqual(scene.steps.slice(-2), REMOVED);
});

test('the inventory in memory is finished where the stored one cannot be read', async () => {
  const { scene } = await finish({ own: { status: { inventory: 'damaged' } }, known: [A], requests: GONE });
  assert.deepEqual(scene.steps, ['objects-pruned', ...REMOVED]);
});

test('an account name that is not valid releases all objects, and the log says so', async () => {
  const { next, scene } = await finish({ own: { ...storing(A), spec: { serviceAccountName: 'system:admin' } } });
  assert.deepEqual(next, NONE);
  assert.deepEqual(scene.steps, REMOVED);
  assert.deepEqual(
    scene.log.lines.map(({ level, fields }) => [level, fields['application']]),
    [['warn', 'apps/shop']],
  );
});

const ACCOUNT = { spec: { serviceAccountName: 'deployer' } };
const GOING = found(liveOf({ isTerminating: true }));

test('once the tenant is gone its objects are released alive, and an Event says so', async () => {
  const script = { own: { ...storing(A), ...ACCOUNT }, hubReads: { Namespace: GOING, ServiceAccount: ABSENT } };
  const { next, scene } = await finish(script);
  assert.deepEqual(next, NONE);
  assert.deepEqual(scene.steps, REMOVED);
  assert.deepEqual(
    scene.events.map(({ reason }) => reason),
    ['TenantGone'],
  );
});

test('while the account of the tenant is there its objects are pruned', async () => {
  const script = {
    own: { ...storing(A), ...ACCOUNT },
    hubReads: { Namespace: GOING },
    live: [LIVE_A],
    requests: pruningA,
  };
  const { scene } = await finish(script);
  scene.client.expectRequests(['get a', 'remove a u1 at 1']);
  assert.deepEqual(scene.events, []);
});

test('while the CRD itself is being deleted no object is touched', async () => {
  const { scene } = await finish({ own: storing(A), live: [LIVE_A], hubReads: { CustomResourceDefinition: GOING } });
  assert.deepEqual(scene.steps, REMOVED);
});

test('until the policy can be decided nothing is deleted, and all objects are left', async () => {
  const { next, scene } = await finish({ own: storing(A), live: [LIVE_A], hubKinds: kindsOf() });
  assert.deepEqual(next, { type: 'backoff', atMostMs: 10_000 });
  assert.deepEqual(scene.statuses[0]?.inventory, encodeInventory([A]));
  assert.deepEqual(scene.steps, ['status']);
});

const SPECS: readonly (readonly [string, ValueMap, boolean])[] = [
  ['prunes its objects waits', {}, true],
  ['releases its objects does not wait', { deletionPolicy: 'Orphan' }, false],
];
for (const [what, spec, isWaiting] of SPECS) {
  test(`an Application that ${what} for others of its repository`, async () => {
    const scene = scriptDeletion({ own: { ...storing(A), spec }, requests: isWaiting ? [] : GONE });
    scene.add({ name: 'other' });
    const next = await run(scene);
    assert.equal(next.type, isWaiting ? 'backoff' : 'none');
    assert.deepEqual(scene.woken, isWaiting ? ['apps/other'] : []);
    assert.deepEqual(scene.steps, isWaiting ? ['status'] : ['objects-pruned', ...REMOVED]);
  });
}

test('an Application that is gone already needs no finalizer removed', async () => {
  const { next, scene } = await finish({ removal: refusedWith('NotFound') });
  assert.deepEqual(next, NONE);
  assert.equal(scene.steps.at(-1), 'finalizer-removed');
});

test('a conflict at the removal of the finalizer starts the pass over', async () => {
  await assert.rejects(finish({ removal: refusedWith('Modified') }), StatusConflict);
});

test('a kind that is served no more is looked for again before its objects count as gone', async () => {
  const scene = scriptDeletion({ own: storing(A), targetKinds: kindsOf() });
  assert.equal((await run(scene)).type, 'after');
  assert.deepEqual(scene.steps, ['objects-pruned', 'status']);
  scene.clock.nowMs += 1_000;
  assert.deepEqual(await run(scene), NONE);
  assert.deepEqual(scene.steps.slice(2), ['objects-pruned', ...REMOVED]);
});
