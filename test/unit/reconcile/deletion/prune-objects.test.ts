import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeInventory } from '../../../../src/application/inventory.ts';
import { serviceAccountIdentity } from '../../../../src/cluster/identity.ts';
import type { LiveObject } from '../../../../src/cluster/live.ts';
import { idKey, type ObjectId } from '../../../../src/object/identity.ts';
import { OWNER_ANNOTATION, PART_OF_LABEL } from '../../../../src/object/applyset.ts';
import type { ValueMap } from '../../../../src/object/value.ts';
import type { Remainder } from '../../../../src/reconcile/deletion/carry-out.ts';
import { heldEndOf } from '../../../../src/reconcile/deletion/confirmation.ts';
import { pruneObjects } from '../../../../src/reconcile/deletion/prune-objects.ts';
import { ABSENT, found, idOf, liveOf, marksOf, OWNER, refusedWith, written } from '../../../support/changes.ts';
import { applicationOf, statementOf } from '../../../support/applications.ts';
import { kindsOf } from '../../../support/reading.ts';
import type { ScriptedAnswer } from '../../../support/scripted-client.ts';
import { scriptDeletion, type DeletionScene, type DeletionScript } from './scene.ts';

const [A, B] = [idOf('a'), idOf('b')];
const LIVE_A = liveOf({ id: A });
const LIVE_B = liveOf({ id: B });
const CONFIRM = liveOf({ id: A, annotations: { 'argocd.argoproj.io/sync-options': 'Delete=confirm' } });

/** The objects that are left after exactly these requests. */
async function left(
  script: DeletionScript,
  requests: readonly string[],
  { ids = [A], ...more }: Partial<Remainder> = {},
): Promise<{ readonly left: readonly ObjectId[] | 'waiting'; readonly scene: DeletionScene }> {
  const scene = scriptDeletion(script);
  const remainder: Remainder = { ids, kinds: kindsOf(A), isUnservedGone: false, ...more };
  const remaining = await pruneObjects(scene.deletion, remainder);
  scene.client.expectRequests(requests);
  return { left: remaining, scene };
}

/** The answers to a prune of one object that is gone at once. */
const pruning = (live: LiveObject): readonly ScriptedAnswer[] => [
  { get: found(live) },
  { remove: { ok: true, outcome: 'gone' } },
];
const releasing = (live: LiveObject): readonly ScriptedAnswer[] => [{ get: found(live) }, { release: written(live) }];

test('the objects are pruned by uid and resourceVersion, and the fault point follows', async () => {
  const script = { live: [LIVE_A, LIVE_B], requests: [...pruning(LIVE_A), ...pruning(LIVE_B)] };
  const requests = ['get a', 'remove a u1 at 1', 'get b', 'remove b u1 at 1'];
  const { left: ids, scene } = await left(script, requests, { ids: [A, B] });
  assert.deepEqual(ids, []);
  assert.deepEqual(scene.steps, ['objects-pruned']);
  assert.deepEqual(
    scene.metrics.calls.map(([, outcome]) => outcome),
    ['pruned', 'pruned'],
  );
});

test('an object whose deletion is not complete is left, and the status says what it waits for', async () => {
  const held: LiveObject = liveOf({ id: A, metadata: { ...marksOf(OWNER), finalizers: ['example.com/wait'] } });
  const script: DeletionScript = {
    live: [held],
    requests: [{ get: found(held) }, { remove: { ok: true, outcome: 'held' } }],
  };
  const { left: ids, scene } = await left(script, ['get a', 'remove a u1 at 1']);
  assert.deepEqual(ids, [A]);
  assert.match(scene.statuses[0]?.conditions?.[0]?.message ?? '', /^1 left; ConfigMap shop\/a: .*example\.com\/wait$/);
  assert.deepEqual(scene.steps, ['objects-pruned', 'status']);
});

test('an object that was not in the watch is read by name first', async () => {
  const script = { requests: [{ get: found(LIVE_A) }, ...pruning(LIVE_A)] };
  assert.deepEqual((await left(script, ['get a', 'get a', 'remove a u1 at 1'])).left, []);
  assert.deepEqual((await left({ requests: [{ get: ABSENT }, { get: ABSENT }] }, ['get a', 'get a'])).left, []);
});

const disabled = liveOf({ id: A, annotations: { 'kustomize.toolkit.fluxcd.io/reconcile': 'disabled' } });
const kept = liveOf({ id: A, annotations: { 'argocd.argoproj.io/sync-options': 'Delete=false' } });
const owned = liveOf({
  id: A,
  metadata: { ...marksOf(OWNER), ownerReferences: [{ kind: 'Set', name: 's', uid: 'u', controller: true }] },
});

for (const [what, live] of [
  ['whose reconciliation is disabled', disabled],
  ['whose annotations forbid its deletion', kept],
  ['that a controller owns', owned],
] as const) {
  test(`an object ${what} is released`, async () => {
    const { left: ids } = await left({ live: [live], requests: releasing(live) }, ['get a', 'release a at 1']);
    assert.deepEqual(ids, []);
  });
}

test('an object whose annotations came to forbid its deletion since it was seen is released', async () => {
  const script = { live: [LIVE_A], requests: [{ get: found(kept) }, ...releasing(kept)] };
  assert.deepEqual((await left(script, ['get a', 'get a', 'release a at 1'])).left, []);
});

test('an object that is known to be absent is read once more by the prune alone', async () => {
  const entries = { [idKey(A)]: { state: 'absent' } } as const;
  assert.deepEqual((await left({ entries, requests: [{ get: ABSENT }] }, ['get a'])).left, []);
});

test('objects with PruneLast are deleted after all others', async () => {
  const last = liveOf({ id: A, annotations: { 'argocd.argoproj.io/sync-options': 'PruneLast=true' } });
  const script = { live: [last, LIVE_B], requests: [...pruning(LIVE_B), ...pruning(last)] };
  const requests = ['get b', 'remove b u1 at 1', 'get a', 'remove a u1 at 1'];
  assert.deepEqual((await left(script, requests, { ids: [A, B] })).left, []);
});

test('an object that no longer carries the marks stays as it is, and is not waited for', async () => {
  const foreign = liveOf({
    id: A,
    metadata: { labels: { [PART_OF_LABEL]: 'other' }, annotations: { [OWNER_ANNOTATION]: 'x' } },
  });
  assert.deepEqual((await left({ live: [foreign], requests: [{ get: found(foreign) }] }, ['get a'])).left, []);
});

test('an object that cannot be read is left, and nothing is sent for it', async () => {
  const entries = { [idKey(A)]: { state: 'unknown', reason: 'the watch failed' } } as const;
  const { left: ids, scene } = await left({ entries }, []);
  assert.deepEqual(ids, [A]);
  assert.match(scene.statuses[0]?.conditions?.[0]?.message ?? '', /the watch failed$/);
});

test('an object of a kind that is not served is left until the kind counts as gone', async () => {
  assert.deepEqual((await left({}, [], { kinds: kindsOf() })).left, [A]);
  assert.deepEqual((await left({}, [], { kinds: kindsOf(), isUnservedGone: true })).left, []);
});

test('a prune that fails leaves the object', async () => {
  const { left: ids, scene } = await left(
    { live: [LIVE_A], requests: [{ get: found(LIVE_A) }, { remove: refusedWith('Forbidden') }] },
    ['get a', 'remove a u1 at 1'],
  );
  assert.deepEqual(ids, [A]);
  assert.equal(scene.statuses[0]?.conditions?.[0]?.reason, 'PruneFailed');
});

test('an object out of reach stays in the way of a prune', async () => {
  const script = { allowCrossNamespace: false, live: [LIVE_A] };
  assert.deepEqual((await left(script, [])).left, [A]);
  const identity = serviceAccountIdentity('apps', 'deployer');
  const requests = pruning(LIVE_A);
  assert.deepEqual((await left({ ...script, identity, requests }, ['get a', 'remove a u1 at 1'])).left, []);
});

test('an object that asks for a confirmation holds the whole deletion', async () => {
  const { left: ids, scene } = await left({ live: [CONFIRM, LIVE_B] }, [], { ids: [A, B] });
  assert.deepEqual(ids, [A, B]);
  const message = scene.statuses[0]?.conditions?.[0]?.message ?? '';
  assert.match(message, /^ConfigMap shop\/a asks for a confirmation \(Delete=confirm\), so none of the 2 objects/);
  assert.deepEqual(scene.steps, ['status']);
});

test('the first of several objects that ask for a confirmation is named', async () => {
  const other = liveOf({ id: B, annotations: { 'argocd.argoproj.io/sync-options': 'Delete=confirm' } });
  const { scene } = await left({ live: [CONFIRM, other] }, [], { ids: [A, B] });
  assert.match(scene.statuses[0]?.conditions?.[0]?.message ?? '', /^ConfigMap shop\/a and 1 more ask for/);
});

const requestWith = (action: string) => ({
  annotations: { 'tautline.dev/request': JSON.stringify({ id: 'one', action }) },
});

const HELD: ValueMap = { pruneGuard: { held: { ...heldEndOf(applicationOf(), [A]) } as ValueMap } };

const CONFIRMATIONS: readonly (readonly [string, NonNullable<DeletionScript['own']>, boolean])[] = [
  ['a confirmation of the objects that status shows', { metadata: requestWith('confirm-prune'), status: HELD }, true],
  ['a confirmation while status shows none', { metadata: requestWith('confirm-prune') }, false],
  ['a sync', { metadata: requestWith('sync'), status: HELD }, false],
];
for (const [what, own, isConfirmed] of CONFIRMATIONS) {
  test(`${what} ${isConfirmed ? 'lets' : 'does not let'} the deletion go on`, async () => {
    const script = { own, live: [CONFIRM], requests: isConfirmed ? pruning(CONFIRM) : [] };
    const { left: ids } = await left(script, isConfirmed ? ['get a', 'remove a u1 at 1'] : []);
    assert.deepEqual(ids, isConfirmed ? [] : [A]);
  });
}

test('a Namespace and a large number of objects are pruned without a further confirmation', async () => {
  const id = idOf('shop', { kind: 'Namespace', namespace: '' });
  const live = liveOf({ id });
  const script = { live: [live, LIVE_A], requests: [...pruning(LIVE_A), ...pruning(live)] };
  const requests = ['get a', 'remove a u1 at 1', 'get shop', 'remove shop u1 at 1'];
  assert.deepEqual((await left(script, requests, { ids: [id, A], kinds: kindsOf(id, A) })).left, []);
});

const NAMED = serviceAccountIdentity('apps', 'deployer');
const ACCOUNT = idOf('deployer', { kind: 'ServiceAccount', namespace: 'apps' });
const BINDING = idOf('deployer', { group: 'rbac.authorization.k8s.io', kind: 'RoleBinding' });

test('the account of the Application is deleted once the stored inventory holds nothing else', async () => {
  const live = [liveOf({ id: ACCOUNT }), LIVE_A];
  const script = { identity: NAMED, live, requests: live.toReversed().flatMap(pruning) };
  const requests = ['get a', 'remove a u1 at 1', 'get deployer', 'remove deployer u1 at 1'];
  const { left: ids, scene } = await left(script, requests, { ids: [ACCOUNT, A], kinds: kindsOf(ACCOUNT, A) });
  assert.deepEqual(ids, []);
  assert.deepEqual(scene.steps, ['objects-pruned', 'status', 'objects-pruned']);
  assert.deepEqual(scene.statuses[0]?.inventory, encodeInventory([ACCOUNT]));
});

test('the account stays while another object is left', async () => {
  const live = [liveOf({ id: ACCOUNT }), LIVE_A];
  const requests: readonly ScriptedAnswer[] = [{ get: found(LIVE_A) }, { remove: { ok: true, outcome: 'held' } }];
  const remainder = { ids: [ACCOUNT, A], kinds: kindsOf(ACCOUNT, A) };
  const { left: ids } = await left({ identity: NAMED, live, requests }, ['get a', 'remove a u1 at 1'], remainder);
  assert.deepEqual(ids, [ACCOUNT, A]);
});

test('rights that the account lacks already are not waited for, and the log names what is left alive', async () => {
  const entries = { [idKey(BINDING)]: { state: 'unknown', reason: 'forbidden' } } as const;
  const script = { identity: NAMED, entries, requests: [{ get: refusedWith('Forbidden') }] };
  const remainder = { ids: [BINDING], kinds: kindsOf(BINDING) };
  const { left: ids, scene } = await left(script, ['get deployer'], remainder);
  assert.deepEqual(ids, []);
  assert.deepEqual(
    scene.log.lines.map(({ level, fields }) => [level, fields['object']]),
    [['warn', 'RoleBinding.rbac.authorization.k8s.io shop/deployer']],
  );
});

test('nothing is asked about the object of the Application itself', async () => {
  const own = idOf('shop', { group: 'tautline.dev', kind: 'Application', namespace: 'apps' });
  const script = { live: [liveOf({ id: own })] };
  assert.deepEqual((await left(script, [], { ids: [own], kinds: kindsOf(own) })).left, []);
});

test('an object gets the marks of a paused Application that desires it and has stored its id', async () => {
  const scene = scriptDeletion({ live: [LIVE_A], requests: releasing(LIVE_A) });
  const inventory = { objects: { ConfigMap: { [A.namespace]: A.name } } };
  scene.add({ name: 'other', spec: { suspend: true }, status: { inventory } });
  const { nowMs } = scene.clock;
  scene.neighbours.announce('apps/other', statementOf([A], { poll: { begunMs: nowMs, endedMs: nowMs } }), false);
  const remainder = { ids: [A], kinds: kindsOf(A), isUnservedGone: false };
  assert.deepEqual(await pruneObjects(scene.deletion, remainder), []);
  scene.client.expectRequests(['get a', 'release a at 1 to hub/apps/other']);
});

const OTHER_SOURCE = { source: { repoURL: 'https://git.example.com/other.git' } };

for (const [what, spec, requests] of [
  ['of the same repository takes stays in the way', {}, []],
  ['of another repository desires is released', OTHER_SOURCE, ['get a', 'release a at 1']],
] as const) {
  test(`an object that an Application ${what}`, async () => {
    const scene = scriptDeletion({ live: [LIVE_A], requests: requests.length > 0 ? releasing(LIVE_A) : [] });
    scene.add({ name: 'other', spec });
    const { nowMs } = scene.clock;
    scene.neighbours.announce('apps/other', statementOf([A], { poll: { begunMs: nowMs, endedMs: nowMs } }), false);
    const remainder = { ids: [A], kinds: kindsOf(A), isUnservedGone: false };
    assert.deepEqual(await pruneObjects(scene.deletion, remainder), requests.length > 0 ? [] : [A]);
    scene.client.expectRequests(requests);
  });
}
