/** The account that a pass acts as, and the memory that one account leaves to the next. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isOutOfReach, reachOf } from '../../../src/bind/reach.ts';
import { agentIdentity, serviceAccountIdentity } from '../../../src/cluster/identity.ts';
import { acceptedDigest } from '../../../src/reconcile/accepted.ts';
import type { ReconcileContext } from '../../../src/reconcile/context.ts';
import { identityToFinish } from '../../../src/reconcile/deletion/tenant-gone.ts';
import { createRecord, emptyMemory } from '../../../src/reconcile/memory.ts';
import { changeAccount, identityOf } from '../../../src/reconcile/pass.ts';

const metadata = { namespace: 'shop' } as Parameters<typeof identityOf>[0]['metadata'];
const deployer = serviceAccountIdentity('shop', 'deployer');
const viewer = serviceAccountIdentity('shop', 'viewer');
const stored = { apiVersion: 'tautline.dev/v1alpha1', kind: 'Application', metadata: {} };

test('another account starts with the inventory alone, and watches with the old rights end', () => {
  const released: string[] = [];
  const cluster = { live: { release: (key: string) => void released.push(key) } };
  const record = createRecord('shop/app', stored);
  const { memory } = record;
  changeAccount(deployer, record, cluster);
  const id = { group: '', kind: 'ConfigMap', namespace: 'shop', name: 'a' };
  memory.inventory.ids = new Map([['x', id]]);
  memory.evidence.accepted.set('x', 'digest');
  memory.place.isNamespaceKnown = true;
  changeAccount(deployer, record, cluster);
  assert.equal(memory.evidence.accepted.size, 1);
  assert.deepEqual(released, []);
  changeAccount(viewer, record, cluster);
  const expected = emptyMemory();
  expected.run.account = 'shop/viewer';
  expected.inventory.ids = new Map([['x', id]]);
  assert.deepEqual(memory, expected);
  assert.deepEqual(released, ['shop/app']);
});

test('manifests that one account had accepted are not accepted of another', () => {
  const digests = [agentIdentity, deployer, viewer].map((identity) => acceptedDigest(identity, 'sha256:1'));
  assert.equal(new Set(digests).size, 3);
});

test("the agent's own rights reach the Application's namespace only, unless they may cross", () => {
  const foreign = { namespace: 'other' };
  const narrow = reachOf(agentIdentity, metadata, { allowCrossNamespace: false });
  assert.equal(isOutOfReach({ namespace: 'shop' }, narrow), false);
  assert.equal(isOutOfReach(foreign, narrow), true);
  assert.equal(isOutOfReach({ namespace: '' }, narrow), true);
  assert.equal(isOutOfReach(foreign, reachOf(agentIdentity, metadata, { allowCrossNamespace: true })), false);
  assert.equal(isOutOfReach(foreign, reachOf(deployer, metadata, { allowCrossNamespace: false })), false);
});

test('the account of the spec comes before the default one, and that before the agent', () => {
  const named = { metadata, spec: { serviceAccountName: 'viewer' } };
  assert.deepEqual(identityOf(named, { defaultServiceAccount: 'deployer' }), viewer);
  assert.deepEqual(identityOf({ metadata, spec: {} }, { defaultServiceAccount: 'deployer' }), deployer);
  assert.deepEqual(identityOf({ metadata, spec: {} }, { defaultServiceAccount: undefined }), agentIdentity);
});

test('an unreadable spec is finished as the account that it names, and as no account if the name is not one', () => {
  const settings = { defaultServiceAccount: undefined } as ReconcileContext['settings'];
  const finishAs = (serviceAccountName?: string | null | number) => {
    const spec = serviceAccountName === undefined ? {} : { serviceAccountName };
    return identityToFinish({ metadata, spec: undefined }, { stored: { ...stored, spec } }, { settings });
  };
  assert.deepEqual(finishAs('viewer'), viewer);
  assert.deepEqual(finishAs(), agentIdentity);
  assert.deepEqual(finishAs(null), agentIdentity);
  for (const hostile of ['', ' ', 'system:admin', '../x', 7]) assert.equal(finishAs(hostile), undefined);
});
