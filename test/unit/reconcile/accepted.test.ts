import assert from 'node:assert/strict';
import { test } from 'node:test';
import { agentIdentity, serviceAccountIdentity, type Identity } from '../../../src/cluster/identity.ts';
import { idKey } from '../../../src/object/identity.ts';
import { acceptanceOf, acceptedDigest } from '../../../src/reconcile/accepted.ts';
import { emptyMemory } from '../../../src/reconcile/memory.ts';
import { applicationOf } from '../../support/applications.ts';
import { idOf } from '../../support/changes.ts';

const A = idOf('a');
const DEPLOYER = serviceAccountIdentity('apps', 'deployer');

interface Known {
  /** `status.sync.digest`. */
  readonly stored?: string;
  readonly identity?: Identity;
}

/** Whether the manifest `digest` of `A` is accepted, as one of the desired set `set`. */
function isAccepted({ stored, identity = agentIdentity }: Known, accepted?: string): boolean {
  const memory = emptyMemory();
  if (accepted !== undefined) memory.evidence.accepted.set(idKey(A), accepted);
  const status = stored === undefined ? {} : { sync: { status: 'Synced', digest: stored } };
  return acceptanceOf({ application: applicationOf({ status }), identity, memory }, { digest: 'set' })(A, 'digest');
}

test('a manifest that the server answered in this process is accepted, and no other of the object', () => {
  assert.equal(isAccepted({}), false);
  assert.equal(isAccepted({}, 'digest'), true);
  assert.equal(isAccepted({}, 'old'), false);
});

test('a set that the status says was accepted need not be shown to the server again', () => {
  assert.equal(isAccepted({ stored: 'set' }), true);
  assert.equal(isAccepted({ stored: 'set' }, 'old'), true);
  assert.equal(isAccepted({ stored: 'other set' }), false);
});

test('a set that another account had accepted is shown to the server again', () => {
  assert.equal(isAccepted({ stored: 'set', identity: DEPLOYER }), false);
  assert.equal(isAccepted({ stored: acceptedDigest(DEPLOYER, 'set'), identity: DEPLOYER }), true);
  assert.equal(isAccepted({ stored: acceptedDigest(DEPLOYER, 'set') }), false);
});

test('the answer is the newest one at each question', () => {
  const memory = emptyMemory();
  const ask = acceptanceOf({ application: applicationOf(), identity: agentIdentity, memory }, { digest: 'set' });
  assert.equal(ask(A, 'digest'), false);
  memory.evidence.accepted.set(idKey(A), 'digest');
  assert.equal(ask(A, 'digest'), true);
});
