/** A tenant who may only patch an object tries to take it from its Application by what the live object says. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isAccessKind } from '../../../src/object/access-kinds.ts';
import { ownerOf, type Owner } from '../../../src/object/applyset.ts';
import type { ObjectId } from '../../../src/object/identity.ts';
import { isLeftToOthers } from '../../../src/object/live-policy.ts';
import { mayDelete, type DeleteDecision } from '../../../src/object/may-delete.ts';
import type { ValueMap } from '../../../src/object/value.ts';
import { fromGit, idOf, liveOf, marksOf, OTHER_OWNER, OWNER } from '../../support/changes.ts';

const RBAC = 'rbac.authorization.k8s.io';
const ADMISSION = 'admissionregistration.k8s.io';

/** Objects that give or bound the rights of those who may patch them. */
const ACCESS: Readonly<Record<string, ObjectId>> = {
  Role: idOf('a', { group: RBAC, kind: 'Role' }),
  RoleBinding: idOf('a', { group: RBAC, kind: 'RoleBinding' }),
  ClusterRole: idOf('a', { group: RBAC, kind: 'ClusterRole', namespace: '' }),
  ClusterRoleBinding: idOf('a', { group: RBAC, kind: 'ClusterRoleBinding', namespace: '' }),
  ValidatingWebhookConfiguration: idOf('a', {
    group: ADMISSION,
    kind: 'ValidatingWebhookConfiguration',
    namespace: '',
  }),
  MutatingWebhookConfiguration: idOf('a', { group: ADMISSION, kind: 'MutatingWebhookConfiguration', namespace: '' }),
  ValidatingAdmissionPolicy: idOf('a', { group: ADMISSION, kind: 'ValidatingAdmissionPolicy', namespace: '' }),
  NetworkPolicy: idOf('a', { group: 'networking.k8s.io', kind: 'NetworkPolicy' }),
  CiliumNetworkPolicy: idOf('a', { group: 'cilium.io', kind: 'CiliumNetworkPolicy' }),
  AdminNetworkPolicy: idOf('a', { group: 'policy.networking.k8s.io', kind: 'AdminNetworkPolicy', namespace: '' }),
  ResourceQuota: idOf('a', { kind: 'ResourceQuota' }),
  LimitRange: idOf('a', { kind: 'LimitRange' }),
};
const ORDINARY: Readonly<Record<string, ObjectId>> = {
  ConfigMap: idOf('a'),
  Deployment: idOf('a', { group: 'apps', kind: 'Deployment' }),
  PersistentVolumeClaim: idOf('a', { kind: 'PersistentVolumeClaim' }),
};

const FLUX = 'kustomize.toolkit.fluxcd.io';
const ARGO = 'argocd.argoproj.io/sync-options';
const ANNOTATIONS: readonly ValueMap[] = [
  { [`${FLUX}/reconcile`]: 'disabled' },
  { [`${FLUX}/prune`]: 'disabled' },
  { [ARGO]: 'Prune=false,Delete=false' },
  { [ARGO]: 'Prune=confirm,Delete=confirm' },
  { 'helm.sh/resource-policy': 'keep' },
];

type Patch = Readonly<Record<string, ValueMap>>;

/** The object after a patch of its metadata by a tenant; its managed fields are those of the platform's apply. */
const patched = (id: ObjectId, metadata: ValueMap) => liveOf({ id, metadata: { ...fromGit({}), ...metadata } });

const annotated = (annotations: ValueMap): ValueMap => ({
  annotations: { ...marksOf(OWNER).annotations, ...annotations },
});

const ELSEWHERE = ownerOf({ hubId: 'hub', namespace: 'tenant', name: 'other' });
const FOREIGN = ownerOf({ hubId: 'x', namespace: 'apps', name: 'other' });

const MARKS: Patch = {
  'without our label': { labels: {} },
  'without our annotation': { annotations: {} },
  'without marks': { labels: {}, annotations: {} },
  'with the marks of an Application of another namespace': marksOf(ELSEWHERE),
  'with the marks of an Application of another cluster': marksOf(FOREIGN),
  'with the annotation of another Application': { annotations: marksOf(OTHER_OWNER).annotations },
  'with a controller': { ownerReferences: [{ kind: 'Widget', name: 'w', uid: 'w', controller: true }] },
};

const decide = (id: ObjectId, metadata: ValueMap, occasion: 'prune' | 'deletion', owner: Owner = OWNER) =>
  mayDelete({ live: patched(id, metadata), owner, occasion }).type;

for (const [kind, id] of Object.entries({ ...ACCESS, ...ORDINARY })) {
  const isAccess = kind in ACCESS;
  test(`a ${kind} ${isAccess ? 'gives or bounds rights' : 'gives and bounds no rights'}`, () => {
    assert.equal(isAccessKind(id), isAccess);
  });
  for (const annotations of ANNOTATIONS) {
    const expected: DeleteDecision['type'] = isAccess ? 'delete' : 'confirm';
    test(`a ${kind} with ${JSON.stringify(annotations)} that is not from Git: ${expected}`, () => {
      for (const occasion of ['prune', 'deletion'] as const) {
        assert.equal(decide(id, annotated(annotations), occasion), expected, occasion);
        const label = { labels: { ...marksOf(OWNER).labels, ...annotations } };
        const isLabel = Object.keys(annotations).some((key) => key.startsWith(FLUX));
        assert.equal(decide(id, label, occasion), isLabel ? expected : 'delete', `${occasion}, as a label`);
      }
    });
  }
  for (const [how, metadata] of Object.entries(MARKS)) {
    const expected: DeleteDecision['type'] = isAccess ? 'refuse' : 'release';
    test(`a ${kind} ${how} that left Git: ${expected}`, () => {
      for (const occasion of ['prune', 'deletion'] as const) assert.equal(decide(id, metadata, occasion), expected);
    });
  }
}

test('an annotation from Git decides, and every annotation where the Application allows it', () => {
  const allowing: Owner = { ...OWNER, allowsLiveAnnotations: true };
  for (const id of [...Object.values(ACCESS), ...Object.values(ORDINARY)]) {
    const annotations = { [`${FLUX}/prune`]: 'disabled' };
    assert.equal(mayDelete({ live: liveOf({ id, annotations }), owner: OWNER, occasion: 'prune' }).type, 'release');
    assert.equal(decide(id, annotated(annotations), 'prune', allowing), 'release');
    assert.equal(decide(id, { labels: {}, annotations: {} }, 'prune', allowing), 'release');
  }
});

test('an object with the marks of an Application of the same namespace is released to it', () => {
  for (const id of [...Object.values(ACCESS), ...Object.values(ORDINARY)]) {
    assert.equal(decide(id, marksOf(OTHER_OWNER), 'prune'), 'release');
  }
});

test('reconcile: disabled on a desired live object counts only where the Application allows it', () => {
  const live = liveOf({ annotations: { [`${FLUX}/reconcile`]: 'disabled' } });
  assert.equal(isLeftToOthers(live.body, OWNER), false);
  assert.equal(isLeftToOthers(live.body, { allowsLiveAnnotations: true }), true);
  assert.equal(isLeftToOthers(liveOf().body, { allowsLiveAnnotations: true }), false);
});
