/** mayDelete: every occasion against every kind of object and every annotation about deletion. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OWNER_ANNOTATION, ownerOf, PART_OF_LABEL } from '../../../src/object/applyset.ts';
import { mayDelete, type DeleteOccasion } from '../../../src/object/may-delete.ts';
import type { ObjectId } from '../../../src/object/identity.ts';
import { fromGit } from '../../support/changes.ts';

const OWNER = ownerOf({ hubId: 'hub', namespace: 'shop', name: 'me' });
const application = (namespace: string, name: string): ObjectId => ({
  group: 'tautline.dev',
  kind: 'Application',
  namespace,
  name,
});
const namespace = (name: string): ObjectId => ({ group: '', kind: 'Namespace', namespace: '', name });

interface Asked {
  readonly annotations?: Record<string, string>;
  readonly isConfirmed?: boolean;
}

function decide(id: ObjectId, occasion: DeleteOccasion, { annotations = {}, isConfirmed }: Asked = {}): string {
  const metadata = {
    name: id.name,
    labels: { [PART_OF_LABEL]: OWNER.applySetId },
    annotations: { [OWNER_ANNOTATION]: OWNER.ownerAnnotation, ...annotations },
    ...fromGit(annotations),
  };
  const live = { id, body: { apiVersion: 'v1', kind: id.kind, metadata } };
  return mayDelete({ live, owner: OWNER, occasion, ...(isConfirmed === undefined ? {} : { isConfirmed }) }).type;
}

type Expected = Readonly<Record<DeleteOccasion, string>>;

const ALWAYS: Expected = { prune: 'delete', hook: 'delete', recreate: 'delete', deletion: 'delete' };
const NOT_ITSELF: Expected = { prune: 'refuse', hook: 'refuse', recreate: 'refuse', deletion: 'delete' };

const CASES: readonly (readonly [string, ObjectId, Expected])[] = [
  ['its own object', application('shop', 'me'), NOT_ITSELF],
  ['another Application', application('shop', 'other'), ALWAYS],
  ['one of its name elsewhere', application('else', 'me'), ALWAYS],
  ['its own Namespace', namespace('shop'), NOT_ITSELF],
  ['another Namespace', namespace('else'), { ...ALWAYS, recreate: 'refuse' }],
];

for (const [name, id, expected] of CASES) {
  for (const [occasion, decision] of Object.entries(expected)) {
    test(`${name} on the occasion ${occasion}: ${decision}`, () => {
      assert.equal(decide(id, occasion as DeleteOccasion), decision);
    });
  }
}

test('an annotation that forbids the prune releases the own object and the own Namespace', () => {
  for (const id of [application('shop', 'me'), namespace('shop')]) {
    assert.equal(decide(id, 'prune', { annotations: { 'kustomize.toolkit.fluxcd.io/prune': 'disabled' } }), 'release');
  }
});

const OPTIONS = 'argocd.argoproj.io/sync-options';
const NEVER: Expected = { prune: 'release', hook: 'refuse', recreate: 'refuse', deletion: 'release' };

/** The decisions without a confirmation. */
const ANNOTATED: readonly (readonly [Record<string, string>, Expected])[] = [
  [{ [OPTIONS]: 'Prune=confirm' }, { prune: 'confirm', hook: 'refuse', recreate: 'refuse', deletion: 'delete' }],
  [{ [OPTIONS]: 'Delete=confirm' }, { prune: 'delete', hook: 'refuse', recreate: 'refuse', deletion: 'confirm' }],
  [{ [OPTIONS]: 'Prune=false' }, { ...ALWAYS, prune: 'release' }],
  [{ [OPTIONS]: 'Delete=false' }, { ...ALWAYS, deletion: 'release' }],
  [{ [OPTIONS]: 'Prune=false,Delete=false' }, NEVER],
  [{ 'kustomize.toolkit.fluxcd.io/prune': 'disabled' }, NEVER],
  [{ 'helm.sh/resource-policy': 'keep' }, NEVER],
  [
    { 'kustomize.toolkit.fluxcd.io/reconcile': 'disabled' },
    { prune: 'leave', hook: 'leave', recreate: 'leave', deletion: 'leave' },
  ],
];
const SETTINGS: ObjectId = { group: '', kind: 'ConfigMap', namespace: 'shop', name: 'settings' };

for (const [annotations, expected] of ANNOTATED) {
  for (const [occasion, decision] of Object.entries(expected)) {
    test(`an object with ${JSON.stringify(annotations)} on the occasion ${occasion}: ${decision}`, () => {
      assert.equal(decide(SETTINGS, occasion as DeleteOccasion, { annotations }), decision);
    });
    test(`a confirmation lets only a decision to confirm become a deletion: ${JSON.stringify(annotations)}, ${occasion}`, () => {
      const confirmed = decide(SETTINGS, occasion as DeleteOccasion, { annotations, isConfirmed: true });
      assert.equal(confirmed, decision === 'confirm' ? 'delete' : decision);
    });
  }
}

for (const [whenDeleted, expected] of [
  ['Delete', 'refuse'],
  ['Retain', 'delete'],
  [undefined, 'delete'],
] as const) {
  test(`a StatefulSet whose claims are kept by ${whenDeleted ?? 'default'} is recreated: ${expected}`, () => {
    const id: ObjectId = { group: 'apps', kind: 'StatefulSet', namespace: 'shop', name: 'db' };
    const metadata = {
      name: 'db',
      labels: { [PART_OF_LABEL]: OWNER.applySetId },
      annotations: { [OWNER_ANNOTATION]: OWNER.ownerAnnotation },
    };
    const spec = whenDeleted ? { persistentVolumeClaimRetentionPolicy: { whenDeleted } } : {};
    const live = { id, body: { apiVersion: 'apps/v1', kind: id.kind, metadata, spec } };
    const decision = mayDelete({ live, owner: OWNER, occasion: 'recreate' });
    assert.equal(decision.type, expected);
    if (decision.type === 'refuse') assert.match(decision.reason, /set that to Retain/);
    assert.equal(mayDelete({ live, owner: OWNER, occasion: 'prune' }).type, 'delete');
  });
}
