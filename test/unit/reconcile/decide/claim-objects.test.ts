/** Claims of `apps/shop` on its objects. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { agentIdentity, serviceAccountIdentity, type Identity } from '../../../../src/cluster/identity.ts';
import { idKey, type ObjectId } from '../../../../src/object/identity.ts';
import {
  claimantOf,
  claimObjects,
  hasStanding,
  keepClaims,
  stopWaiting,
  type Claimant,
  type ClaimResult,
} from '../../../../src/reconcile/decide/claim-objects.ts';
import { Claims } from '../../../../src/reconcile/neighbours/claims.ts';
import type { Intent } from '../../../../src/status/report.ts';
import { createNeighbourhood, inventoryOf, type Neighbourhood } from '../../../support/applications.ts';
import { idOf } from '../../../support/changes.ts';

const A = idOf('a');
const B = idOf('b');
const CLUSTER = 'cluster';

interface PassOptions {
  /** Default: the agent. */
  readonly identity?: Identity;
  /** Default: auto. */
  readonly mode?: Intent['mode'];
  readonly defaultServiceAccount?: string | undefined;
}

interface Scene extends Neighbourhood {
  readonly claims: Claims;
  readonly passOf: (options?: PassOptions) => Claimant;
  /** The claims of `apps/shop` for these desired objects and this inventory. */
  readonly claim: (desired: readonly ObjectId[], inventory?: readonly ObjectId[], options?: PassOptions) => ClaimResult;
  readonly ownerOf: (id: ObjectId) => string | undefined;
}

/** `apps/shop` and `apps/other`; the second one has read its inventory, which is empty. */
function scene(): Scene {
  const neighbourhood = createNeighbourhood();
  const { add, neighbours } = neighbourhood;
  const claims = new Claims();
  add();
  add({ name: 'other', spec: { serviceAccountName: 'deployer' } }).memory.inventory.ids = new Map();
  const passOf = ({ identity = agentIdentity, mode = 'auto', defaultServiceAccount }: PassOptions = {}): Claimant =>
    claimantOf({
      record: { key: 'apps/shop' },
      identity,
      target: { clusterId: CLUSTER },
      goal: { isDryRun: false, intent: { mode } },
      context: { claims, neighbours, settings: { defaultServiceAccount } },
    });
  return {
    ...neighbourhood,
    claims,
    passOf,
    claim: (desired, inventory = [], more = {}) => claimObjects(passOf(more), desired, inventoryOf(...inventory)),
    ownerOf: (id) => claims.ownerOf(CLUSTER, id),
  };
}

const keysOf = ({ claimants }: ClaimResult): Record<string, string> => Object.fromEntries(claimants);

test('the first Application that desires an object owns it', () => {
  const { claim, ownerOf, woken } = scene();
  assert.deepEqual(claim([A, B]), { claimants: new Map(), rivalClaims: [] });
  assert.equal(ownerOf(A), 'apps/shop');
  assert.deepEqual(woken, []);
});

test('an object that another Application holds stays with it, and its owner is woken once', () => {
  const { claim, claims, ownerOf, registry, woken } = scene();
  claims.claim(CLUSTER, A, 'apps/other');
  const other = registry.get('apps/other');
  assert.ok(other);
  other.memory.inventory.ids = inventoryOf(A);
  assert.deepEqual(keysOf(claim([A, B])), { [idKey(A)]: 'apps/other' });
  assert.equal(ownerOf(A), 'apps/other');
  assert.deepEqual(claims.wantedBy(CLUSTER, A), ['apps/shop']);
  assert.deepEqual(woken, ['apps/other']);
  claim([A, B]);
  assert.deepEqual(woken, ['apps/other']);
});

interface Rivalry {
  /** The account of `apps/shop`; undefined: the agent. */
  readonly account?: string;
  readonly id: ObjectId;
  readonly owner?: string;
  /** The inventory of the owner; undefined: not read yet. */
  readonly held?: readonly ObjectId[] | undefined;
  readonly defaultServiceAccount?: string;
}

const IN_APPS = idOf('a', { namespace: 'apps' });
const IN_SHOP = idOf('a', { namespace: 'shop' });

// The owner `apps/other` has the account apps/deployer, so its claims in the namespace shop need a write.
const RIVALRIES: readonly (readonly [string, Rivalry, 'taken' | 'left'])[] = [
  ['the owner may not be able to write it', { id: IN_SHOP, held: [] }, 'taken'],
  ['the owner has written it', { id: IN_SHOP, held: [IN_SHOP] }, 'left'],
  ['the inventory of the owner is not read yet', { id: IN_SHOP, held: undefined }, 'left'],
  ['it is in the namespace of the owner', { id: IN_APPS, held: [] }, 'left'],
  ['the owner is not known', { id: IN_SHOP, owner: 'apps/gone' }, 'left'],
  ['the spec of the owner cannot be read', { id: IN_SHOP, owner: 'apps/broken' }, 'left'],
  ['this account is of another namespace as well', { id: IN_SHOP, held: [], account: 'deployer' }, 'left'],
  ['the owner has the rights of the agent', { id: IN_SHOP, owner: 'apps/plain' }, 'left'],
  [
    'the owner has the default account',
    { id: IN_SHOP, owner: 'apps/plain', defaultServiceAccount: 'deployer' },
    'taken',
  ],
];
for (const [why, rivalry, expected] of RIVALRIES) {
  test(`an object of another Application is ${expected} where ${why}`, () => {
    const { add, claim, claims, ownerOf, registry } = scene();
    add({ name: 'broken', spec: { sync: { mode: 'sometimes' } } }).memory.inventory.ids = new Map();
    add({ name: 'plain' }).memory.inventory.ids = new Map();
    const { id, account, owner = 'apps/other', held, defaultServiceAccount } = rivalry;
    claims.claim(CLUSTER, id, owner);
    const other = registry.get('apps/other');
    assert.ok(other);
    other.memory.inventory.ids = held && inventoryOf(...held);
    const { claimants } = claim([id], [], {
      identity: account === undefined ? agentIdentity : serviceAccountIdentity('apps', account),
      defaultServiceAccount,
    });
    assert.equal(ownerOf(id), expected === 'taken' ? 'apps/shop' : owner);
    assert.deepEqual(claimants, new Map(expected === 'taken' ? [] : [[idKey(id), owner]]));
  });
}

test('an object that others want as well is reported with the first of them', () => {
  const { claim, claims } = scene();
  claim([A, B]);
  claims.claim(CLUSTER, A, 'apps/third');
  claims.claim(CLUSTER, A, 'apps/other');
  assert.deepEqual(claim([A, B]).rivalClaims, [{ id: A, claimant: 'apps/third' }]);
});

test('an object that is neither desired nor held is let go, and those that wait for it are woken', () => {
  const { claim, claims, ownerOf, woken } = scene();
  claim([A, B]);
  claims.claim(CLUSTER, A, 'apps/other');
  claim([], [B]);
  assert.equal(ownerOf(A), undefined);
  assert.equal(ownerOf(B), 'apps/shop');
  assert.deepEqual(woken, ['apps/other']);
});

test('the owner of an object is woken when it is no longer desired here', () => {
  const { claim, claims, woken } = scene();
  claims.claim(CLUSTER, A, 'apps/gone');
  claim([A]);
  woken.length = 0;
  claim([]);
  assert.deepEqual(claims.wantedBy(CLUSTER, A), []);
  assert.deepEqual(woken, ['apps/gone']);
});

test('in mode detect nothing is claimed or waited for, and the owners are told', () => {
  const { claim, claims, ownerOf } = scene();
  claims.claim(CLUSTER, A, 'apps/gone');
  assert.deepEqual(keysOf(claim([A, B], [], { mode: 'detect' })), { [idKey(A)]: 'apps/gone' });
  assert.equal(ownerOf(B), undefined);
  assert.deepEqual(claims.wantedBy(CLUSTER, A), []);
});

test('an Application that changes to mode detect keeps its inventory, and wants nothing', () => {
  const { claim, claims, ownerOf, woken } = scene();
  claims.claim(CLUSTER, idOf('c'), 'apps/gone');
  claim([A, B, idOf('c')]);
  woken.length = 0;
  claim([A, B, idOf('c')], [A], { mode: 'detect' });
  assert.equal(ownerOf(A), 'apps/shop');
  assert.equal(ownerOf(B), undefined);
  assert.deepEqual(woken, ['apps/gone']);
});

test('claims on desired and held objects are kept, and all others given up', () => {
  const { claim, passOf, ownerOf } = scene();
  claim([A, B, idOf('c')]);
  keepClaims(passOf(), [A], inventoryOf(B));
  assert.deepEqual([A, B, idOf('c')].map(ownerOf), ['apps/shop', 'apps/shop', undefined]);
});

test('an Application that is suspended waits for nothing, and keeps its own objects', () => {
  const { claim, claims, passOf, ownerOf, woken } = scene();
  claims.claim(CLUSTER, A, 'apps/gone');
  claim([A, B]);
  woken.length = 0;
  stopWaiting(passOf());
  assert.deepEqual(claims.wantedBy(CLUSTER, A), []);
  assert.equal(ownerOf(B), 'apps/shop');
  assert.deepEqual(woken, ['apps/gone']);
});

test("a claim has standing in the account's own namespace, and with the rights of the agent", () => {
  const deployer = serviceAccountIdentity('apps', 'deployer');
  assert.equal(hasStanding(deployer, IN_APPS), true);
  assert.equal(hasStanding(deployer, IN_SHOP), false);
  assert.equal(hasStanding(deployer, { namespace: '' }), false);
  assert.equal(hasStanding(agentIdentity, IN_SHOP), true);
});
