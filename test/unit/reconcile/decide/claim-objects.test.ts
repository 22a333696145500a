/** Claims of `apps/shop` on its objects. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { idKey, type ObjectId } from '../../../../src/object/identity.ts';
import {
  claimantOf,
  claimObjects,
  disputedPairs,
  keepClaims,
  stopWaiting,
  type Claimant,
  type ClaimResult,
} from '../../../../src/reconcile/decide/claim-objects.ts';
import { Claims } from '../../../../src/reconcile/neighbours/claims.ts';
import type { Intent } from '../../../../src/status/report.ts';
import {
  createNeighbourhood,
  inventoryOf,
  storedOf,
  type Neighbourhood,
  type StoredOptions,
} from '../../../support/applications.ts';
import { idOf } from '../../../support/changes.ts';

const A = idOf('a');
const B = idOf('b');
const CLUSTER = 'cluster';

interface PassOptions {
  /** Default: auto. */
  readonly mode?: Intent['mode'];
  readonly defaultServiceAccount?: string | undefined;
  /** The Applications whose accounts may write all objects. Default: all. */
  readonly allowed?: readonly string[];
}

interface Scene extends Neighbourhood {
  readonly claims: Claims;
  readonly passOf: (options?: PassOptions) => Claimant;
  /** The claims of `apps/shop` for these desired objects and this inventory. */
  readonly claim: (desired: readonly ObjectId[], inventory?: readonly ObjectId[], options?: PassOptions) => ClaimResult;
  readonly ownerOf: (id: ObjectId) => string | undefined;
  /** Lets `apps/other` own an object that it has written. */
  readonly hold: (id: ObjectId) => void;
}

/** `apps/shop` and `apps/other`; the second one has read its inventory, which is empty. */
function scene(): Scene {
  const neighbourhood = createNeighbourhood();
  const { add, neighbours } = neighbourhood;
  const claims = new Claims();
  add();
  add({ name: 'other', spec: { serviceAccountName: 'deployer' } }).memory.inventory.ids = new Map();
  const passOf = ({ mode = 'auto', defaultServiceAccount }: PassOptions = {}): Claimant =>
    claimantOf({
      record: { key: 'apps/shop' },
      target: { clusterId: CLUSTER },
      goal: { isDryRun: false, intent: { mode } },
      context: { claims, neighbours, settings: { defaultServiceAccount } },
    });
  return {
    ...neighbourhood,
    claims,
    passOf,
    claim: (desired, inventory = [], more = {}) =>
      claimObjects(
        passOf(more),
        { desired, inventory: inventoryOf(...inventory) },
        (key) => more.allowed?.includes(key) ?? true,
      ),
    ownerOf: (id) => claims.ownerOf(CLUSTER, id),
    hold(id) {
      claims.claim(CLUSTER, id, 'apps/other');
      neighbourhood.registry.get('apps/other')?.memory.inventory.written.add(idKey(id));
    },
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

/** By what an Application may claim an object, the weakest title first. */
const TITLES = ['none', 'allowed', 'at home', 'held', 'written'] as const;
type Title = (typeof TITLES)[number];

/** Resources that a squatter would like to keep from those who may write them. */
const RESOURCES: readonly (readonly [string, ObjectId])[] = [
  ['ClusterRole', idOf('viewer', { group: 'rbac.authorization.k8s.io', kind: 'ClusterRole', namespace: '' })],
  ['ClusterRoleBinding', idOf('b', { group: 'rbac.authorization.k8s.io', kind: 'ClusterRoleBinding', namespace: '' })],
  ['RoleBinding', idOf('b', { group: 'rbac.authorization.k8s.io', kind: 'RoleBinding', namespace: 'team' })],
  ['Namespace', idOf('team', { kind: 'Namespace', namespace: '' })],
  ['ResourceQuota', idOf('default', { kind: 'ResourceQuota', namespace: 'team' })],
  ['NetworkPolicy', idOf('deny', { group: 'networking.k8s.io', kind: 'NetworkPolicy', namespace: 'team' })],
  ['ConfigMap', idOf('a', { namespace: 'team' })],
];

interface Rivalry {
  readonly id: ObjectId;
  readonly owner: Title;
  readonly claimant: Title;
}

/** `apps/other` owns the object, and `apps/shop` claims it, each by its title. Returns the owner after the pass. */
function dispute({ id, owner, claimant }: Rivalry): string | undefined {
  const { claim, claims, ownerOf, registry } = scene();
  const titles = { 'apps/shop': claimant, 'apps/other': owner };
  claims.claim(CLUSTER, id, 'apps/other');
  const allowed: string[] = [];
  for (const [key, title] of Object.entries(titles)) {
    const record = registry.get(key);
    assert.ok(record);
    if (title !== 'none' && title !== 'written') allowed.push(key);
    record.memory.inventory.ids = inventoryOf(...(title === 'held' ? [id] : []));
    if (title === 'written') record.memory.inventory.written.add(idKey(id));
    // The account of another namespace is not at home; the agent is at home everywhere.
    const account = title === 'allowed' ? { serviceAccountName: 'deployer' } : {};
    record.stored = storedOf({ name: key.slice('apps/'.length), spec: account });
  }
  claim([id], [], { allowed });
  return ownerOf(id);
}

for (const [kind, id] of RESOURCES) {
  for (const [strength, owner] of TITLES.entries()) {
    for (const [rank, claimant] of TITLES.entries()) {
      // Where no review shows a right, the write of the claimant decides.
      const isTaken = rank > strength || rank + strength === 0;
      test(`a ${kind} that its owner claims by '${owner}' ${isTaken ? 'goes to' : 'is kept from'} '${claimant}'`, () => {
        assert.equal(dispute({ id, owner, claimant }), isTaken ? 'apps/shop' : 'apps/other');
      });
    }
  }
}

const SQUATTERS: readonly (readonly [string, StoredOptions])[] = [
  ['in mode manual', { spec: { sync: { mode: 'manual' } } }],
  ['suspended', { spec: { suspend: true } }],
  ['behind a dependency', { spec: { dependsOn: [{ name: 'never' }] } }],
  ['with a spec that cannot be read', { spec: { sync: { mode: 'sometimes' } } }],
  ['with an inventory that it never wrote', {}],
];
for (const [kind, id] of RESOURCES) {
  for (const [how, options] of SQUATTERS) {
    test(`a squatter ${how} does not keep a ${kind} from an Application that may write it`, () => {
      const { add, claim, claims, ownerOf } = scene();
      add({ ...options, name: 'squatter' }).memory.inventory.ids = inventoryOf(id);
      claims.claim(CLUSTER, id, 'apps/squatter');
      assert.deepEqual(keysOf(claim([id], [], { allowed: ['apps/shop'] })), {});
      assert.equal(ownerOf(id), 'apps/shop');
    });
  }
}

test('an owner whose inventory is not read yet holds what status says, as far as it may write it', () => {
  for (const allowed of [['apps/shop', 'apps/other'], ['apps/shop']]) {
    const { claim, claims, ownerOf, registry } = scene();
    const other = registry.get('apps/other');
    assert.ok(other);
    other.memory.inventory.ids = undefined;
    claims.claim(CLUSTER, A, 'apps/other');
    claim([A], [], { allowed });
    assert.equal(ownerOf(A), allowed.length === 2 ? 'apps/other' : 'apps/shop');
  }
});

test('only objects that two Applications claim or want need a review, and none that its owner has written', () => {
  const { claims, passOf, registry } = scene();
  const pairs = (desired: readonly ObjectId[], ...held: readonly ObjectId[]): readonly string[] =>
    disputedPairs(passOf(), { desired, inventory: inventoryOf(...held) }).map(({ key, id }) => `${key} ${id.name}`);
  claims.claim(CLUSTER, B, 'apps/other');
  assert.deepEqual(pairs([A], A), []);
  assert.deepEqual(pairs([A, B]), ['apps/shop b', 'apps/other b']);
  registry.get('apps/other')?.memory.inventory.written.add(idKey(B));
  assert.deepEqual(pairs([A, B]), []);
  claims.claim(CLUSTER, A, 'apps/shop');
  claims.claim(CLUSTER, A, 'elsewhere/wanting');
  assert.deepEqual(pairs([], A), ['elsewhere/wanting a']);
});

test('an object that left Git is released only to an Application that may write it', () => {
  for (const [allowed, expected] of [
    [['elsewhere/able'], { [idKey(A)]: 'elsewhere/able' }],
    [[], {}],
  ] as const) {
    const { claim, claims } = scene();
    claim([A]);
    claims.claim(CLUSTER, A, 'elsewhere/weak');
    claims.claim(CLUSTER, A, 'elsewhere/able');
    assert.deepEqual(keysOf(claim([], [A], { allowed })), expected);
  }
});

for (const [kind, id] of RESOURCES) {
  const isKept = kind !== 'ConfigMap' && kind !== 'Namespace';
  test(`a ${kind} that left Git ${isKept ? 'never goes' : 'may go'} over to another namespace`, () => {
    const { claim, claims } = scene();
    claim([id]);
    claims.claim(CLUSTER, id, 'elsewhere/able');
    assert.deepEqual(keysOf(claim([], [id])), isKept ? {} : { [idKey(id)]: 'elsewhere/able' });
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
  const { claim, claims, hold, woken } = scene();
  hold(A);
  claim([A]);
  woken.length = 0;
  claim([]);
  assert.deepEqual(claims.wantedBy(CLUSTER, A), []);
  assert.deepEqual(woken, ['apps/other']);
});

test('in mode detect nothing is claimed or waited for, and the owners are told', () => {
  const { claim, claims, hold, ownerOf } = scene();
  hold(A);
  assert.deepEqual(keysOf(claim([A, B], [], { mode: 'detect' })), { [idKey(A)]: 'apps/other' });
  assert.equal(ownerOf(B), undefined);
  assert.deepEqual(claims.wantedBy(CLUSTER, A), []);
});

test('an Application that changes to mode detect keeps its inventory, and wants nothing', () => {
  const { claim, hold, ownerOf, woken } = scene();
  hold(idOf('c'));
  claim([A, B, idOf('c')]);
  woken.length = 0;
  claim([A, B, idOf('c')], [A], { mode: 'detect' });
  assert.equal(ownerOf(A), 'apps/shop');
  assert.equal(ownerOf(B), undefined);
  assert.deepEqual(woken, ['apps/other']);
});

test('claims on desired and held objects are kept, and all others given up', () => {
  const { claim, passOf, ownerOf } = scene();
  claim([A, B, idOf('c')]);
  keepClaims(passOf(), [A], inventoryOf(B));
  assert.deepEqual([A, B, idOf('c')].map(ownerOf), ['apps/shop', 'apps/shop', undefined]);
});

test('an Application that is suspended waits for nothing, and keeps its own objects', () => {
  const { claim, claims, hold, ownerOf, passOf, woken } = scene();
  hold(A);
  claim([A, B]);
  woken.length = 0;
  stopWaiting(passOf());
  assert.deepEqual(claims.wantedBy(CLUSTER, A), []);
  assert.equal(ownerOf(B), 'apps/shop');
  assert.deepEqual(woken, ['apps/other']);
});
