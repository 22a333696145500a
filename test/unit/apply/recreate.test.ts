/** recreateObject: an object is deleted only if a GET shows that it is ours and deletes nothing else. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Outcome } from '../../../src/apply/applied.ts';
import { recreateObject } from '../../../src/apply/recreate.ts';
import type { RefusalCode } from '../../../src/cluster/answers.ts';
import type { LiveObject } from '../../../src/cluster/live.ts';
import type { ObjectId } from '../../../src/object/identity.ts';
import { PART_OF_LABEL } from '../../../src/object/applyset.ts';
import {
  ABSENT,
  changeOf,
  desiredOf,
  found,
  idOf,
  liveOf,
  marksOf,
  OTHER_OWNER,
  OWNER,
  refusedWith,
} from '../../support/changes.ts';
import { scriptClient, type ScriptedAnswer } from '../../support/scripted-client.ts';

const { refusal: IMMUTABLE } = refusedWith('Immutable', { status: 422, fields: ['spec.selector'] });

interface Case {
  readonly id?: ObjectId;
  readonly script: readonly ScriptedAnswer[];
  readonly requests: readonly string[];
  readonly outcome: Outcome;
  readonly refusal?: RefusalCode;
}

const GET = 'get settings';

/** A live object that must not be deleted. */
function kept(live: LiveObject): Case {
  const { id } = live;
  return { id, script: [{ get: found(live) }], requests: [`get ${id.name}`], outcome: 'failed', refusal: 'Immutable' };
}

function clusterScoped(group: string, kind: string): LiveObject {
  return liveOf({ id: { group, kind, namespace: '', name: 'settings' } });
}

const CASES: Readonly<Record<string, Case>> = {
  'an object with both marks is deleted by its uid and resourceVersion': {
    script: [{ get: found(liveOf({ resourceVersion: '7' })) }, { remove: { ok: true, outcome: 'gone' } }],
    requests: [GET, 'remove settings u1 at 7'],
    outcome: 'recreating',
  },
  'an object whose deletion a finalizer holds counts as recreating': {
    script: [{ get: found(liveOf()) }, { remove: { ok: true, outcome: 'held' } }],
    requests: [GET, 'remove settings u1 at 1'],
    outcome: 'recreating',
  },
  'an absent object needs no deletion': { script: [{ get: ABSENT }], requests: [GET], outcome: 'recreating' },
  'an object that is being deleted is not deleted again': {
    script: [{ get: found(liveOf({ isTerminating: true })) }],
    requests: [GET],
    outcome: 'recreating',
  },
  'a refused read is a failure': {
    script: [{ get: refusedWith('Forbidden') }],
    requests: [GET],
    outcome: 'failed',
    refusal: 'Forbidden',
  },
  'a refused deletion is a failure': {
    script: [{ get: found(liveOf()) }, { remove: refusedWith('Modified') }],
    requests: [GET, 'remove settings u1 at 1'],
    outcome: 'failed',
    refusal: 'Modified',
  },
  'an object without marks is not deleted': kept(liveOf({ metadata: { labels: {}, annotations: {} } })),
  'an object with our label alone is not deleted': kept(liveOf({ metadata: { annotations: {} } })),
  'an object with our annotation alone is not deleted': kept(liveOf({ metadata: { labels: {} } })),
  'an object whose label is of another ApplySet is not deleted': kept(
    liveOf({ metadata: { labels: { [PART_OF_LABEL]: OTHER_OWNER.applySetId } } }),
  ),
  'an object of another Application is not deleted': kept(liveOf({ metadata: marksOf(OTHER_OWNER) })),
  'an object that a controller owns is not deleted': kept(
    liveOf({ metadata: { ownerReferences: [{ kind: 'Widget', name: 'w', uid: 'w1', controller: true }] } }),
  ),
  'an object whose reconciliation is disabled is not deleted': kept(
    liveOf({ annotations: { 'kustomize.toolkit.fluxcd.io/reconcile': 'disabled' } }),
  ),
  'an object that asks for a confirmation is not deleted': kept(
    liveOf({ annotations: { 'argocd.argoproj.io/sync-options': 'Replace=true,Prune=confirm' } }),
  ),
  'an object whose annotation forbids deleting it is not deleted': kept(
    liveOf({ annotations: { 'helm.sh/resource-policy': 'keep' } }),
  ),
  'a Namespace is not deleted': kept(clusterScoped('', 'Namespace')),
  'a PersistentVolume is not deleted': kept(clusterScoped('', 'PersistentVolume')),
  'a PersistentVolumeClaim is not deleted': kept(liveOf({ id: idOf('claim', { kind: 'PersistentVolumeClaim' }) })),
  'a CustomResourceDefinition is not deleted': kept(clusterScoped('apiextensions.k8s.io', 'CustomResourceDefinition')),
};

for (const [name, { id = idOf('settings'), script, requests, outcome, refusal }] of Object.entries(CASES)) {
  test(`in a recreation, ${name}`, async () => {
    const { client, expectRequests } = scriptClient(script);
    const desired = desiredOf({ id, policy: { mayRecreate: true } });
    const change = changeOf('update', { id, live: liveOf({ id }) });
    const result = await recreateObject({ change, desired, refusal: IMMUTABLE, client, owner: OWNER });
    assert.equal(result.outcome, outcome);
    assert.equal(result.refusal?.code, refusal);
    assert.equal(result.change, change);
    expectRequests(requests);
  });
}

test('the result of a recreation names the fields that made it necessary', async () => {
  const { client } = scriptClient([{ get: found(liveOf()) }, { remove: { ok: true, outcome: 'gone' } }]);
  const result = await recreateObject({
    change: changeOf('update'),
    desired: desiredOf(),
    refusal: IMMUTABLE,
    client,
    owner: OWNER,
  });
  assert.match(result.message ?? '', /spec\.selector/);
});

test('a refused recreation keeps the fields of the refusal and says why the object is kept', async () => {
  const { client } = scriptClient([{ get: found(liveOf({ metadata: marksOf(OTHER_OWNER) })) }]);
  const result = await recreateObject({
    change: changeOf('update'),
    desired: desiredOf(),
    refusal: IMMUTABLE,
    client,
    owner: OWNER,
  });
  assert.deepEqual(result.refusal?.fields, IMMUTABLE.fields);
  assert.ok(result.refusal?.message.includes(IMMUTABLE.message));
  assert.ok(result.refusal?.message.includes(OTHER_OWNER.ownerAnnotation));
});
