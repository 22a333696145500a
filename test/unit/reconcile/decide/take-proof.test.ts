/** An object that left `apps/shop` goes over to another Application of the branch only with a proof. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Change, ChangeType } from '../../../../src/diff/changes.ts';
import { idKey, type ObjectId } from '../../../../src/object/identity.ts';
import type { ValueMap } from '../../../../src/object/value.ts';
import { foreseeHandOver, handOver, type HandOverQuestion } from '../../../../src/reconcile/decide/hand-over.ts';
import { hasGivenUp } from '../../../../src/reconcile/decide/claim-objects.ts';
import { reviewSay, reviewStanding, type StandingOptions } from '../../../../src/reconcile/decide/standing.ts';
import { createRecord } from '../../../../src/reconcile/memory.ts';
import { Claims } from '../../../../src/reconcile/neighbours/claims.ts';
import { createNeighbourhood, statementOf, storedOf } from '../../../support/applications.ts';
import { createClock } from '../../../support/clock.ts';
import { idOf } from '../../../support/changes.ts';
import { kindsOf } from '../../../support/reading.ts';

const RBAC = 'rbac.authorization.k8s.io';
const RESOURCES: Readonly<Record<string, { readonly id: ObjectId; readonly isAccess: boolean }>> = {
  ConfigMap: { id: idOf('a'), isAccess: false },
  Namespace: { id: idOf('a', { kind: 'Namespace', namespace: '' }), isAccess: false },
  ResourceQuota: { id: idOf('a', { kind: 'ResourceQuota' }), isAccess: true },
  RoleBinding: { id: idOf('a', { group: RBAC, kind: 'RoleBinding' }), isAccess: true },
  ClusterRoleBinding: { id: idOf('a', { group: RBAC, kind: 'ClusterRoleBinding', namespace: '' }), isAccess: true },
  NetworkPolicy: { id: idOf('a', { group: 'networking.k8s.io', kind: 'NetworkPolicy' }), isAccess: true },
  ValidatingWebhookConfiguration: {
    id: idOf('a', { group: 'admissionregistration.k8s.io', kind: 'ValidatingWebhookConfiguration', namespace: '' }),
    isAccess: true,
  },
};

/** How the other Application desires the object. `after`: the change with a proof; none: it is kept for that one. */
const WISHERS: Readonly<Record<string, { readonly spec: ValueMap; readonly after: 'none' | 'release' | 'wait' }>> = {
  'in mode auto': { spec: {}, after: 'wait' },
  'in mode manual': { spec: { sync: { mode: 'manual' } }, after: 'none' },
  'in mode detect': { spec: { sync: { mode: 'detect' } }, after: 'release' },
  suspended: { spec: { suspend: true }, after: 'none' },
  'behind a dependency on this one': { spec: { dependsOn: [{ name: 'shop', namespace: 'apps' }] }, after: 'none' },
};

interface Scene {
  readonly id: ObjectId;
  readonly namespace: string;
  readonly spec: ValueMap;
  readonly mayWrite: boolean;
  /** The other Application desired the object before, and cannot be read now. */
  readonly isUnreadable?: boolean;
}

function scene({ id, namespace, spec, mayWrite, isUnreadable = false }: Scene) {
  const clock = createClock(100_000);
  const { add, neighbours, registry } = createNeighbourhood(clock);
  add();
  const key = `${namespace}/other`;
  const account = { ...spec, serviceAccountName: 'deployer' };
  registry.note(createRecord(key, storedOf({ name: 'other', spec: account, metadata: { namespace } })));
  neighbours.announce('apps/shop', statementOf(), false);
  neighbours.announce(key, statementOf([id]), false);
  if (isUnreadable) neighbours.announce(key, statementOf([], { isComplete: false }), false);
  const reviews: string[] = [];
  const target: StandingOptions['target'] = {
    kinds: () => Promise.resolve(kindsOf(id)),
    writableNames: (_identity, { kind }) => {
      reviews.push(kind);
      return Promise.resolve(mayWrite ? 'all' : 'none');
    },
    mayWriteName: () => Promise.reject(new Error('all or none may be written')),
  };
  const settings = { allowCrossNamespace: false, defaultServiceAccount: undefined };
  const change: Change = { type: 'prune', id, kind: undefined, fields: [] };
  const question: HandOverQuestion = {
    key: 'apps/shop',
    state: { commit: '1'.repeat(40), readByMs: 0 },
    changes: [change],
    isActing: true,
    isPinned: false,
    nowMs: clock.nowMs,
    handOverWaitMs: 60_000,
    neighbours,
    ownerOf: () => undefined,
    readForSuspended: () => Promise.resolve(),
    reviewStanding: (pairsOf) => reviewStanding(pairsOf, { neighbours, target, settings }),
    reviewSay: (pairs) => reviewSay(pairs, { neighbours, target, settings }),
  };
  return { question, neighbours, reviews };
}

async function fateOf(options: Scene): Promise<ChangeType | 'wait'> {
  const { changes, waits } = await handOver(scene(options).question);
  return waits.has(idKey(options.id)) ? 'wait' : (changes[0]?.type ?? 'none');
}

for (const [kind, { id, isAccess }] of Object.entries(RESOURCES)) {
  for (const [how, { spec, after }] of Object.entries(WISHERS)) {
    for (const namespace of ['apps', 'tenant']) {
      const place = namespace === 'apps' ? 'of the same namespace' : 'of another namespace';
      const able = isAccess && namespace === 'tenant' ? 'prune' : after;
      test(`a ${kind} that an Application ${place} ${how} desires: ${able} with the right, else pruned`, async () => {
        assert.equal(await fateOf({ id, namespace, spec, mayWrite: true }), able);
        assert.equal(await fateOf({ id, namespace, spec, mayWrite: false }), 'prune');
        const foreseen = await foreseeHandOver(scene({ id, namespace, spec, mayWrite: false }).question);
        assert.equal(foreseen[0]?.type, 'prune', 'in a dry run');
      });
    }
  }

  test(`a ${kind} is kept for an Application that cannot be read only if that one may write it`, async () => {
    const options = { id, namespace: 'apps', spec: { suspend: true }, isUnreadable: true };
    assert.equal(await fateOf({ ...options, mayWrite: true }), 'wait');
    const { question } = scene({ ...options, mayWrite: false });
    const { waits, changes } = await handOver({ ...question, nowMs: question.nowMs + 120_000 });
    assert.match([...waits.values()].join(), /has read the revision|^$/);
    assert.equal(changes[0]?.type, 'prune');
  });

  test(`a ${kind} that its owner does not desire is ${isAccess ? 'not taken' : 'taken'} across namespaces`, () => {
    const { neighbours } = scene({ id, namespace: 'tenant', spec: {}, mayWrite: true });
    const claims = new Claims();
    const settings = { defaultServiceAccount: undefined };
    const claimant = { key: 'tenant/other', clusterId: 'c', isReporting: false, isActing: true };
    const isTaken = hasGivenUp({ ...claimant, claims, neighbours, settings }, 'apps/shop', id);
    assert.equal(isTaken, !isAccess);
  });
}

test('many objects of one kind and namespace need one review, and those that no other Application desires none', async () => {
  const ids = Array.from({ length: 50 }, (_, index) => idOf(`a${index}`));
  const { question, neighbours, reviews } = scene({ id: idOf('a'), namespace: 'tenant', spec: {}, mayWrite: false });
  neighbours.announce('tenant/other', statementOf(ids), false);
  const changes = ids.map((id): Change => ({ type: 'prune', id, kind: undefined, fields: [] }));
  await handOver({ ...question, changes });
  assert.deepEqual(reviews, ['ConfigMap']);
  neighbours.announce('tenant/other', statementOf(), false);
  await handOver({ ...question, changes });
  assert.deepEqual(reviews, ['ConfigMap']);
});

test('a review without an answer decides nothing', async () => {
  const { question } = scene({ id: idOf('a'), namespace: 'tenant', spec: {}, mayWrite: true });
  const unanswered = { ...question, reviewStanding: () => Promise.reject(new Error('no answer')) };
  await assert.rejects(handOver(unanswered), /no answer/);
});

test('a prune of an object that gives rights waits for no Application of another namespace', async () => {
  for (const { id, isAccess } of Object.values(RESOURCES)) {
    const { question, neighbours } = scene({ id, namespace: 'tenant', spec: {}, mayWrite: false });
    neighbours.announce('tenant/other', statementOf([], { commit: '0'.repeat(40) }), false);
    const { waits } = await handOver(question);
    assert.equal(waits.size, isAccess ? 0 : 1, id.kind);
  }
});

test('a prune waits for a silent Application of another namespace only for a moment, unless that one may write', async () => {
  for (const mayWrite of [true, false]) {
    const { question, neighbours, reviews } = scene({ id: idOf('a'), namespace: 'tenant', spec: {}, mayWrite });
    neighbours.announce('tenant/other', statementOf([], { commit: '0'.repeat(40) }), false);
    const first = await handOver(question);
    assert.equal(first.waits.size, 1);
    assert.ok(first.againInMs <= 5_000, 'it looks again soon');
    assert.deepEqual(reviews, [], 'an Application that reads the commit by itself costs no review');
    const later = await handOver({ ...question, nowMs: question.nowMs + 5_000 });
    assert.equal(later.waits.size, mayWrite ? 1 : 0);
    assert.deepEqual(reviews, ['ConfigMap']);
  }
});

test('the folder of a suspended Application is rendered by another one only if it may write what left', async () => {
  for (const [namespace, mayWrite, expected] of [
    ['tenant', true, ['tenant/other']],
    ['tenant', false, []],
    ['apps', false, ['apps/other']],
  ] as const) {
    const { question, neighbours } = scene({ id: idOf('a'), namespace, spec: { suspend: true }, mayWrite });
    neighbours.announce(`${namespace}/other`, statementOf([], { commit: '0'.repeat(40) }), false);
    const read: string[] = [];
    const readForSuspended: HandOverQuestion['readForSuspended'] = (suspended) => {
      read.push(...suspended.map(({ key }) => key));
      return Promise.resolve();
    };
    const { waits } = await handOver({ ...question, readForSuspended });
    assert.deepEqual(read, expected);
    assert.equal(waits.size, expected.length);
  }
});
