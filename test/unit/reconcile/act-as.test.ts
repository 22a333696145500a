import assert from 'node:assert/strict';
import { test } from 'node:test';
import { agentIdentity, serviceAccountIdentity } from '../../../src/cluster/identity.ts';
import { isOutOfReach, reachOf } from '../../../src/bind/reach.ts';
import { acceptedDigest, actAs } from '../../../src/reconcile/act-as.ts';
import type { ReconcileContext } from '../../../src/reconcile/context.ts';
import { identityOf } from '../../../src/reconcile/pass.ts';
import { emptyMemory, type ApplicationState } from '../../../src/reconcile/memory.ts';
import { identityToFinish } from '../../../src/reconcile/deletion/tenant-gone.ts';

const metadata = { namespace: 'shop' } as Parameters<typeof identityOf>[0]['metadata'];
const deployer = serviceAccountIdentity('shop', 'deployer');
const viewer = serviceAccountIdentity('shop', 'viewer');

function scene(): { state: ApplicationState; released: string[]; context: Pick<ReconcileContext, 'cluster'> } {
  const released: string[] = [];
  const cluster = { live: { release: (holder: string) => released.push(holder) } };
  const stored = { apiVersion: 'tautline.dev/v1alpha1', kind: 'Application', metadata: {} };
  const state = { key: 'shop/app', stored, memory: emptyMemory(), view: undefined };
  return { state, released, context: { cluster } as unknown as Pick<ReconcileContext, 'cluster'> };
}

test('another account starts with nothing but the inventory, and nothing is watched with the old one', () => {
  const { state, released, context } = scene();
  actAs(deployer, state, context);
  const id = { group: '', kind: 'ConfigMap', namespace: 'shop', name: 'a' };
  state.memory.inventory = new Map([['x', id]]);
  state.memory.accepted.set('x', 'digest');
  state.memory.isNamespaceEnsured = true;
  actAs(deployer, state, context);
  assert.equal(state.memory.accepted.size, 1);
  assert.deepEqual(released, []);
  actAs(viewer, state, context);
  assert.deepEqual(state.memory, { ...emptyMemory(), identity: 'shop/viewer', inventory: new Map([['x', id]]) });
  assert.deepEqual(released, ['shop/app']);
});

test('what one account had accepted is not accepted of another', () => {
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

test('an unreadable spec is finished as the account that it names, and as nobody if that is no account', () => {
  const { state } = scene();
  const settings = { defaultServiceAccount: undefined } as ReconcileContext['settings'];
  const finishAs = (serviceAccountName?: string | null | number) => {
    const spec = serviceAccountName === undefined ? {} : { serviceAccountName };
    return identityToFinish({ metadata, spec: undefined }, { stored: { ...state.stored, spec } }, { settings });
  };
  assert.deepEqual(finishAs('viewer'), viewer);
  assert.deepEqual(finishAs(), agentIdentity);
  assert.deepEqual(finishAs(null), agentIdentity);
  for (const hostile of ['', ' ', 'system:admin', '../x', 7]) assert.equal(finishAs(hostile), undefined);
});
