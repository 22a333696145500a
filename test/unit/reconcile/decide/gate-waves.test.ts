import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LiveObject } from '../../../../src/cluster/live.ts';
import type { Change } from '../../../../src/diff/changes.ts';
import { REASONS } from '../../../../src/diff/diff.ts';
import { idKey, type ObjectId } from '../../../../src/object/identity.ts';
import { finish } from '../../../../src/object/steps.ts';
import { gateOf, isRetirementDue, retireHooks } from '../../../../src/reconcile/decide/gate-waves.ts';
import { applicationOf } from '../../../support/applications.ts';
import { changeOf, fromGit, idOf, leftChange, liveOf, marksOf, OTHER_OWNER, OWNER } from '../../../support/changes.ts';

const FIRST = idOf('first', { group: 'batch', kind: 'Job' });
const SECOND = idOf('second');

const jobIn = (type: string, id: ObjectId = FIRST): LiveObject =>
  liveOf({ id, status: { conditions: [{ type, status: 'True', message: 'because' }] } });

/** A change of an object in the first of two waves, and of one in the second. */
function gate(first: Partial<Change> = {}) {
  const changes = [
    { ...changeOf('none', { id: FIRST, policy: { wave: -1 } }), ...first },
    changeOf('none', { id: SECOND, live: liveOf({ id: SECOND }) }),
  ];
  const self = applicationOf().metadata;
  const isAccepted = (id: ObjectId, digest: string): boolean => idKey(id) === idKey(SECOND) && digest === 'digest';
  return finish(gateOf(changes, { self, isAccepted }));
}

const HEALTHS: readonly (readonly [string, Partial<Change>, string | undefined])[] = [
  ['that does not exist', {}, 'it is Missing (The object does not exist.)'],
  ['that runs', { live: liveOf({ id: FIRST }) }, 'it is Progressing (0 of 1 completions)'],
  ['that failed', { live: jobIn('Failed') }, 'it is Degraded (because)'],
  ['that completed', { live: jobIn('Complete') }, undefined],
  ['that its spec suspends', { live: { ...liveOf(), body: { ...liveOf().body, spec: { suspend: true } } } }, undefined],
  ['whose reconciliation is disabled', { reason: REASONS.disabled }, undefined],
  ['that is gone after it had ended', { reason: REASONS.finished }, undefined],
];
for (const [which, first, expected] of HEALTHS) {
  test(`a later wave ${expected === undefined ? 'does not wait' : 'waits'} for the health of an object ${which}`, () => {
    const unwell = gate(first)?.unwell;
    assert.equal(unwell?.get(idKey(FIRST)), expected);
    assert.equal(unwell?.size, expected === undefined ? 0 : 1);
  });
}

/** Another Application among the objects, whose status tells its health in one word. */
function childOf(status: string): LiveObject {
  const id = { group: 'tautline.dev', kind: 'Application', namespace: 'apps', name: 'child' };
  return liveOf({ id, status: { observedGeneration: 1, health: { status } } });
}

test('health without a message is told as one word, and unknown health is not waited for', () => {
  const unwellOf = (live: LiveObject) => gate({ id: live.id, live })?.unwell;
  assert.deepEqual([...(unwellOf(childOf('Degraded'))?.values() ?? [])], ['it is Degraded']);
  assert.equal(unwellOf(childOf('Unknown'))?.size, 0);
});

test('a later wave waits for a custom resource until its controller says that it is ready', () => {
  const id = { group: 'cert-manager.io', kind: 'Certificate', namespace: 'apps', name: 'web' };
  const unwellWith = (status: string) => {
    const conditions = [{ type: 'Ready', status, reason: 'Failed', message: 'the order was refused' }];
    return [...(gate({ id, live: liveOf({ id, status: { conditions } }) })?.unwell.values() ?? [])];
  };
  assert.deepEqual(unwellWith('False'), ['it is Degraded (Failed: the order was refused)']);
  assert.deepEqual(unwellWith('True'), []);
});

test('an Application among its own objects is not waited for', () => {
  const id = { group: 'tautline.dev', kind: 'Application', namespace: 'apps', name: 'shop' };
  assert.equal(gate({ id, live: liveOf({ id }) })?.unwell.size, 0);
  const other = { ...id, name: 'other' };
  assert.equal(gate({ id: other, live: liveOf({ id: other }) })?.unwell.size, 1);
});

test('objects that left Git are not waited for', () => {
  const { desired: _, ...left } = { ...changeOf('none'), ...leftChange('prune', FIRST) };
  const self = applicationOf().metadata;
  const both = [changeOf('none', { id: idOf('a'), policy: { wave: 1 }, live: liveOf() }), left];
  const others = [...both, changeOf('none', { id: SECOND, live: liveOf({ id: SECOND }) })];
  assert.equal(finish(gateOf(others, { self, isAccepted: () => true }))?.unwell.size, 0);
});

test('there is no gate where all objects are in one wave', () => {
  const self = applicationOf().metadata;
  assert.equal(finish(gateOf([changeOf('create'), changeOf('create')], { self, isAccepted: () => true })), undefined);
});

test('the gate takes a manifest as accepted by its digest, and an object that left Git never', () => {
  const isAccepted = gate()?.isAccepted;
  assert.equal(isAccepted?.(changeOf('update', { id: SECOND })), true);
  assert.equal(isAccepted?.(changeOf('update', { id: FIRST })), false);
  assert.equal(isAccepted?.(leftChange('prune', SECOND)), false);
});

const HOOK = changeOf('none', {
  id: FIRST,
  policy: { isHook: true, isDeletedOnSuccess: true },
  live: jobIn('Complete'),
});
const STORED = { [idKey(FIRST)]: 'digest' };

test('a hook that has run becomes a prune once the status says so', () => {
  const [retired] = retireHooks([HOOK], STORED, OWNER);
  assert.equal(retired?.type, 'prune');
  assert.match(retired.reason ?? '', /HookSucceeded/);
  assert.equal(retired.desired, HOOK.desired);
});

test('a hook that failed becomes a prune if its hook-delete-policy is HookFailed', () => {
  const change = {
    ...changeOf('none', { id: FIRST, policy: { isHook: true, isDeletedOnFailure: true } }),
    live: jobIn('Failed'),
  };
  const stored = { [idKey(FIRST)]: `digest:failed` };
  assert.equal(isRetirementDue([change], {}, new Map(Object.entries(stored))), true);
  const [retired] = retireHooks([change], stored, OWNER);
  assert.deepEqual([retired?.type, retired?.reason], ['prune', 'it failed, and its hook-delete-policy is HookFailed']);
  const succeeded = { ...change, live: jobIn('Complete') };
  assert.deepEqual(retireHooks([succeeded], STORED, OWNER), [succeeded]);
});

const KEPT: readonly (readonly [string, Change, Readonly<Record<string, string>>])[] = [
  ['that the status does not know to have run', HOOK, {}],
  ['of which an earlier manifest has run', HOOK, { [idKey(FIRST)]: 'old' }],
  ['that is kept after it has run', changeOf('none', { id: FIRST, live: jobIn('Complete') }), STORED],
  ['that failed', { ...HOOK, live: jobIn('Failed') }, STORED],
  ['that runs', { ...HOOK, live: liveOf({ id: FIRST }) }, STORED],
  ['that is gone', { ...changeOf('none', { id: FIRST, policy: { isDeletedOnSuccess: true } }) }, STORED],
  ['that is to be changed first', { ...HOOK, type: 'update' }, STORED],
  ['whose deletion has begun', { ...HOOK, live: { ...jobIn('Complete'), deletionTimestamp: 'now' } }, STORED],
  [
    'of another Application',
    { ...HOOK, live: { ...jobIn('Complete'), body: { ...jobIn('Complete').body, metadata: marksOf(OTHER_OWNER) } } },
    STORED,
  ],
  ...['Prune=confirm', 'Delete=confirm', 'Prune=false,Delete=false'].map(
    (options) => [`with the annotation ${options}`, annotated(options), STORED] as const,
  ),
];

function annotated(options: string): Change {
  const { body, ...live } = jobIn('Complete');
  const own = { 'argocd.argoproj.io/sync-options': options };
  const annotations = { ...marksOf(OWNER).annotations, ...own };
  const metadata = { ...body.metadata, annotations, ...fromGit(own) };
  return { ...HOOK, live: { ...live, body: { ...body, metadata } } };
}

for (const [which, change, stored] of KEPT) {
  test(`a hook ${which} is not deleted`, () => {
    assert.deepEqual(retireHooks([change], stored, OWNER), [change]);
  });
}

test('the deletion of a hook is due when this pass stores for the first time that it has run', () => {
  const ended = new Map([[idKey(FIRST), 'digest']]);
  assert.equal(isRetirementDue([changeOf('none'), HOOK], {}, ended), true);
  assert.equal(isRetirementDue([HOOK], { [idKey(FIRST)]: 'old' }, ended), true);
  assert.equal(isRetirementDue([HOOK], STORED, ended), false, 'it was stored before');
  assert.equal(isRetirementDue([HOOK], {}, new Map()), false, 'it has not ended');
  assert.equal(isRetirementDue([HOOK], {}, undefined), false, 'the status was not read');
  assert.equal(isRetirementDue([HOOK], {}, new Map([[idKey(FIRST), 'old']])), false, 'another manifest has ended');
  assert.equal(isRetirementDue([{ ...HOOK, type: 'update' }], {}, ended), false, 'it is to be changed');
  const absent = changeOf('none', { id: FIRST, policy: { isDeletedOnSuccess: true } });
  assert.equal(isRetirementDue([absent], {}, ended), false, 'it is gone');
  const kept = changeOf('none', { id: FIRST, live: jobIn('Complete') });
  assert.equal(isRetirementDue([kept], {}, ended), false, 'it is kept');
});

test('objects of one wave are looked at as soon as one of them declares an order', () => {
  const isAccepted = () => true;
  const self = applicationOf().metadata;
  const change = changeOf('none');
  assert.equal(finish(gateOf([change], { self, isAccepted })), undefined);
  const order = { dependsOn: [], groups: ['databases'], rules: [], mistakes: [] };
  const ordered = { ...change, ...(change.desired ? { desired: { ...change.desired, order } } : {}) };
  assert.ok(finish(gateOf([ordered], { self, isAccepted })));
});
