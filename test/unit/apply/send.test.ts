/** sendChange: which requests a change needs, and what its answers mean. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Outcome } from '../../../src/apply/applied.ts';
import { ownerOfOther, sendChange } from '../../../src/apply/send.ts';
import type { RefusalCode } from '../../../src/cluster/answers.ts';
import type { Change } from '../../../src/diff/changes.ts';
import { OWNER_ANNOTATION, PART_OF_LABEL, type Owner } from '../../../src/object/applyset.ts';
import { BEFORE_FIRST_APPLY } from '../../../src/object/managers.ts';
import {
  ABSENT,
  changeOf,
  found,
  idOf,
  leftChange,
  liveOf,
  managedBy,
  marksOf,
  OTHER_OWNER,
  OWNER,
  refusedWith,
  written,
} from '../../support/changes.ts';
import { scriptClient, type ScriptedAnswer } from '../../support/scripted-client.ts';

const GET = 'get settings';
const APPLY = 'apply settings';
const FORCE = 'apply settings force';
const TAKE_OVER = 'takeOver settings at 1';

const LIVE = liveOf();
const CHANGED = liveOf({ resourceVersion: '2' });
const UNMARKED = liveOf({ metadata: { labels: {}, annotations: {} } });
const OF_HELM = liveOf({ metadata: managedBy('helm') });
const OF_ANOTHER = liveOf({ metadata: marksOf(OTHER_OWNER) });
const DISABLED = liveOf({ annotations: { 'kustomize.toolkit.fluxcd.io/reconcile': 'disabled' } });
const WIPED = liveOf({ metadata: managedBy(BEFORE_FIRST_APPLY) });

const FIELD_CONFLICT = refusedWith('FieldConflict');
const INVALID = refusedWith('InvalidManifest', { status: 422, fields: ['spec.selector'] });

interface Case {
  readonly change: Change;
  readonly script: readonly ScriptedAnswer[];
  readonly requests: readonly string[];
  readonly outcome: Outcome;
  readonly refusal?: RefusalCode;
  /** Default: OWNER, on whose objects only annotations from Git count. */
  readonly owner?: Owner;
}

const ALLOWING: Owner = { ...OWNER, allowsLiveAnnotations: true };

const create = changeOf('create');
const adopt = changeOf('adopt', { live: LIVE });
const update = changeOf('update', { live: LIVE });
const createIfNotPresent = changeOf('create', { policy: { ssa: 'IfNotPresent' } });
const createWithIgnored = changeOf('create', { isColorIgnored: true });

const CREATES: Readonly<Record<string, Case>> = {
  'an object that turns out to exist is read before it is adopted': {
    change: create,
    script: [{ apply: refusedWith('Modified') }, { get: found(UNMARKED) }, { apply: written(CHANGED) }],
    requests: [APPLY, GET, FORCE],
    outcome: 'adopted',
  },
  'an object that turns out to exist and is disabled is left as it is where the Application allows it': {
    change: create,
    owner: ALLOWING,
    script: [{ apply: refusedWith('Modified') }, { get: found(DISABLED) }],
    requests: [APPLY, GET],
    outcome: 'unchanged',
  },
  'an object that turns out to exist and belongs to another Application is a conflict': {
    change: create,
    script: [{ apply: refusedWith('Modified') }, { get: found(OF_ANOTHER) }],
    requests: [APPLY, GET],
    outcome: 'conflict',
  },
  'a missing object is created without force': {
    change: create,
    script: [{ apply: written(LIVE, true) }],
    requests: [APPLY],
    outcome: 'created',
  },
  'an object that exists and conflicts with no field is adopted': {
    change: create,
    script: [{ apply: written(LIVE) }],
    requests: [APPLY],
    outcome: 'adopted',
  },
  'an object that exists with fields of helm is adopted by a take-over': {
    change: create,
    script: [{ apply: written(OF_HELM) }, { takeOver: written(OF_HELM) }, { apply: written(LIVE) }],
    requests: [APPLY, TAKE_OVER, FORCE],
    outcome: 'adopted',
  },
  'an object with ssa: Merge leaves the fields of helm to helm': {
    change: changeOf('create', { policy: { ssa: 'Merge' } }),
    script: [{ apply: written(OF_HELM) }],
    requests: [APPLY],
    outcome: 'adopted',
  },
  'a conflict of fields leads to an adoption': {
    change: create,
    script: [{ apply: FIELD_CONFLICT }, { get: found(UNMARKED) }, { apply: written(LIVE) }],
    requests: [APPLY, GET, FORCE],
    outcome: 'adopted',
  },
  'a conflict of fields with another Application is a conflict': {
    change: create,
    script: [{ apply: FIELD_CONFLICT }, { get: found(OF_ANOTHER) }],
    requests: [APPLY, GET],
    outcome: 'conflict',
  },
  'a conflict of fields with an object whose reconciliation is disabled changes nothing': {
    change: create,
    owner: ALLOWING,
    script: [{ apply: FIELD_CONFLICT }, { get: found(DISABLED) }],
    requests: [APPLY, GET],
    outcome: 'unchanged',
  },
  'an object that is deleted after a conflict of fields is created': {
    change: create,
    script: [{ apply: FIELD_CONFLICT }, { get: ABSENT }, { apply: written(LIVE, true) }],
    requests: [APPLY, GET, APPLY],
    outcome: 'created',
  },
  'a missing namespace is a failure': {
    change: create,
    script: [{ apply: refusedWith('NamespaceMissing', { status: 404 }) }],
    requests: [APPLY],
    outcome: 'failed',
    refusal: 'NamespaceMissing',
  },
  'an invalid manifest is a failure without a check for immutable fields': {
    change: create,
    script: [{ apply: INVALID }, { get: ABSENT }],
    requests: [APPLY, GET],
    outcome: 'failed',
    refusal: 'InvalidManifest',
  },
  'an object that exists with fields that the server refuses beside those of Git is adopted': {
    change: create,
    script: [{ apply: INVALID }, { get: found(OF_HELM) }, { takeOver: written(OF_HELM) }, { apply: written(LIVE) }],
    requests: [APPLY, GET, TAKE_OVER, FORCE],
    outcome: 'adopted',
  },
  'an object of another Application that is refused beside Git is a conflict': {
    change: create,
    script: [{ apply: INVALID }, { get: found(OF_ANOTHER) }],
    requests: [APPLY, GET],
    outcome: 'conflict',
  },
  'an object with ssa: IfNotPresent is read first and left alone if it exists': {
    change: createIfNotPresent,
    script: [{ get: found(UNMARKED) }],
    requests: [GET],
    outcome: 'unchanged',
  },
  'an object with ssa: IfNotPresent is created if it is absent': {
    change: createIfNotPresent,
    script: [{ get: ABSENT }, { apply: written(LIVE, true) }],
    requests: [GET, APPLY],
    outcome: 'created',
  },
  'an object with ignored fields is read first and sent for its state': {
    change: createWithIgnored,
    script: [{ get: found(UNMARKED) }, { apply: written(LIVE) }],
    requests: [GET, 'apply settings u1 force'],
    outcome: 'adopted',
  },
  'an object with ignored fields is created if it is absent': {
    change: createWithIgnored,
    script: [{ get: ABSENT }, { apply: written(LIVE, true) }],
    requests: [GET, APPLY],
    outcome: 'created',
  },
};

const ADOPTIONS: Readonly<Record<string, Case>> = {
  'an object without marks is applied with force': {
    change: adopt,
    script: [{ get: found(UNMARKED) }, { apply: written(LIVE) }],
    requests: [GET, FORCE],
    outcome: 'adopted',
  },
  'fields of helm are taken over first': {
    change: adopt,
    script: [{ get: found(OF_HELM) }, { takeOver: written(OF_HELM) }, { apply: written(LIVE) }],
    requests: [GET, TAKE_OVER, FORCE],
    outcome: 'adopted',
  },
  'a refused take-over is a failure without an apply': {
    change: adopt,
    script: [{ get: found(OF_HELM) }, { takeOver: refusedWith('Modified') }],
    requests: [GET, TAKE_OVER],
    outcome: 'failed',
    refusal: 'Modified',
  },
  'an object of another Application is a conflict': {
    change: adopt,
    script: [{ get: found(OF_ANOTHER) }],
    requests: [GET],
    outcome: 'conflict',
  },
  'an object whose reconciliation is disabled stays unchanged where the Application allows it': {
    change: adopt,
    owner: ALLOWING,
    script: [{ get: found(DISABLED) }],
    requests: [GET],
    outcome: 'unchanged',
  },
  'an object whose reconciliation is disabled by others is taken over': {
    change: adopt,
    script: [{ get: found(DISABLED) }, { apply: written(CHANGED) }],
    requests: [GET, FORCE],
    outcome: 'adopted',
  },
  'an object that is gone is created': {
    change: adopt,
    script: [{ get: ABSENT }, { apply: written(LIVE, true) }],
    requests: [GET, APPLY],
    outcome: 'created',
  },
  'a refused creation of an object that is gone is a failure': {
    change: adopt,
    script: [{ get: ABSENT }, { apply: refusedWith('Forbidden') }],
    requests: [GET, APPLY],
    outcome: 'failed',
    refusal: 'Forbidden',
  },
  'a refused read is a failure': {
    change: adopt,
    script: [{ get: refusedWith('Unavailable') }],
    requests: [GET],
    outcome: 'failed',
    refusal: 'Unavailable',
  },
};

const UPDATES: Readonly<Record<string, Case>> = {
  'an object is applied with force': {
    change: update,
    script: [{ apply: written(CHANGED) }],
    requests: [FORCE],
    outcome: 'configured',
  },
  'an answer with the same resourceVersion means that nothing changed': {
    change: changeOf('unsure', { live: LIVE }),
    script: [{ apply: written(LIVE) }],
    requests: [FORCE],
    outcome: 'unchanged',
  },
  'an answer with another resourceVersion means that an unsure object was configured': {
    change: changeOf('unsure', { live: LIVE }),
    script: [{ apply: written(CHANGED) }],
    requests: [FORCE],
    outcome: 'configured',
  },
  'an object whose managedFields were emptied is taken over': {
    change: update,
    script: [{ apply: written(WIPED) }, { takeOver: written(LIVE) }, { apply: written(CHANGED) }],
    requests: [FORCE, TAKE_OVER, FORCE],
    outcome: 'configured',
  },
  'a conflict of fields is a failure': {
    change: update,
    script: [{ apply: FIELD_CONFLICT }],
    requests: [FORCE],
    outcome: 'failed',
    refusal: 'FieldConflict',
  },
  'a 422 for an immutable field is a failure': {
    change: update,
    script: [{ apply: INVALID }, { get: found(LIVE) }, { isImmutable: true }],
    requests: [FORCE, GET, 'isImmutable settings'],
    outcome: 'failed',
    refusal: 'Immutable',
  },
  'a 422 for an immutable field leads to a deletion if the manifest asks for it': {
    change: changeOf('update', { live: LIVE, policy: { mayRecreate: true } }),
    script: [
      { apply: INVALID },
      { get: found(LIVE) },
      { isImmutable: true },
      { get: found(LIVE) },
      { remove: { ok: true, outcome: 'gone' } },
    ],
    requests: [FORCE, GET, 'isImmutable settings', GET, 'remove settings u1 at 1'],
    outcome: 'recreating',
  },
  'a 422 for an invalid value is a failure, and nothing is deleted': {
    change: changeOf('update', { live: LIVE, policy: { mayRecreate: true } }),
    script: [{ apply: INVALID }, { get: found(LIVE) }, { isImmutable: false }],
    requests: [FORCE, GET, 'isImmutable settings'],
    outcome: 'failed',
    refusal: 'InvalidManifest',
  },
  'a 400 is a failure without a check for immutable fields': {
    change: update,
    script: [{ apply: refusedWith('InvalidManifest', { status: 400 }) }],
    requests: [FORCE],
    outcome: 'failed',
    refusal: 'InvalidManifest',
  },
  'a terminating namespace is a failure': {
    change: update,
    script: [{ apply: refusedWith('NamespaceTerminating', { status: 403 }) }],
    requests: [FORCE],
    outcome: 'failed',
    refusal: 'NamespaceTerminating',
  },
};

for (const [title, cases] of Object.entries({
  'in a creation': CREATES,
  'in an adoption': ADOPTIONS,
  'in an update': UPDATES,
})) {
  for (const [name, { change, script, requests, outcome, refusal, owner = OWNER }] of Object.entries(cases)) {
    test(`${title}, ${name}`, async () => {
      const { client, expectRequests } = scriptClient(script);
      const result = await sendChange(change, { client, owner });
      assert.equal(result.outcome, outcome);
      assert.equal(result.refusal?.code, refusal);
      assert.equal(result.change, change);
      expectRequests(requests);
    });
  }
}

test('a successful apply hands on the object and the warnings of the answer', async () => {
  const { client } = scriptClient([
    { apply: { ok: true, object: CHANGED, isCreated: false, warnings: ['deprecated'] } },
  ]);
  const result = await sendChange(update, { client, owner: OWNER });
  assert.equal(result.live, CHANGED);
  assert.deepEqual(result.warnings, ['deprecated']);
});

test('an object that is left as it is is handed on as it was read', async () => {
  for (const left of [DISABLED, OF_ANOTHER]) {
    const { client } = scriptClient([{ get: found(left) }]);
    assert.equal((await sendChange(adopt, { client, owner: ALLOWING })).found, left);
  }
});

test('the refusal for an immutable field keeps the fields that the server named, and its words', async () => {
  const { client } = scriptClient([{ apply: INVALID }, { get: found(LIVE) }, { isImmutable: true }]);
  const { refusal } = await sendChange(update, { client, owner: OWNER });
  assert.deepEqual(refusal?.fields, ['spec.selector']);
  assert.equal(
    refusal?.message,
    'a field cannot be changed in place: the server answered InvalidManifest; delete the object to recreate it',
  );
});

for (const [kind, group] of [
  ['PersistentVolumeClaim', ''],
  ['PersistentVolume', ''],
  ['Namespace', ''],
  ['CustomResourceDefinition', 'apiextensions.k8s.io'],
] as const) {
  test(`nothing advises to delete a ${kind}`, async () => {
    const id = idOf('settings', { group, kind });
    const live = liveOf({ id });
    const { client } = scriptClient([{ apply: INVALID }, { get: found(live) }, { isImmutable: true }]);
    const { refusal } = await sendChange(changeOf('update', { id, live }), { client, owner: OWNER });
    assert.equal(refusal?.code, 'Immutable');
    assert.doesNotMatch(refusal.message, /delete|recreate/);
  });
}

test('a change without a desired object is an error of the caller', async () => {
  const { client, expectRequests } = scriptClient([]);
  await assert.rejects(sendChange(leftChange('prune'), { client, owner: OWNER }), RangeError);
  expectRequests([]);
});

test('an object belongs to another Application if it has a label and the annotation names another owner', () => {
  const label = { [PART_OF_LABEL]: OTHER_OWNER.applySetId };
  const annotation = { [OWNER_ANNOTATION]: OTHER_OWNER.ownerAnnotation };
  assert.equal(ownerOfOther(OF_ANOTHER, OWNER), OTHER_OWNER.ownerAnnotation);
  assert.equal(ownerOfOther(LIVE, OWNER), undefined);
  assert.equal(ownerOfOther(liveOf({ metadata: { labels: label, annotations: {} } }), OWNER), undefined);
  assert.equal(ownerOfOther(liveOf({ metadata: { labels: {}, annotations: annotation } }), OWNER), undefined);
});

test('an object that is not known to exist is only created, and one that is known to exist is not', async () => {
  const absent = scriptClient([{ apply: written(LIVE, true) }]);
  await sendChange(create, { client: absent.client, owner: OWNER });
  assert.deepEqual(absent.creations, [true]);
  const existing = scriptClient([{ get: found(UNMARKED) }, { apply: written(CHANGED) }]);
  await sendChange(adopt, { client: existing.client, owner: OWNER });
  const ours = scriptClient([{ apply: written(CHANGED) }]);
  await sendChange(update, { client: ours.client, owner: OWNER });
  assert.deepEqual([existing.creations, ours.creations], [[false], [false]]);
});
