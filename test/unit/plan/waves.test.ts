import assert from 'node:assert/strict';
import { test } from 'node:test';
import { waveOf, WAVES } from '../../../src/plan/waves.ts';

/** `group/Kind`; the core group is empty. */
function waveOfKind(groupKind: string): number {
  const slash = groupKind.indexOf('/');
  return waveOf({ group: groupKind.slice(0, slash), kind: groupKind.slice(slash + 1), namespace: '', name: 'x' });
}

/** Pairs of kinds of which the first is applied before the second. */
const BEFORE: readonly (readonly [string, string])[] = [
  ['/Namespace', '/ServiceAccount'],
  ['apiextensions.k8s.io/CustomResourceDefinition', 'example.com/Widget'],
  ['scheduling.k8s.io/PriorityClass', 'apps/Deployment'],
  ['/ServiceAccount', 'rbac.authorization.k8s.io/RoleBinding'],
  ['rbac.authorization.k8s.io/Role', 'rbac.authorization.k8s.io/RoleBinding'],
  ['rbac.authorization.k8s.io/RoleBinding', '/ConfigMap'],
  ['/ConfigMap', 'apps/Deployment'],
  ['/Secret', 'batch/Job'],
  ['/PersistentVolumeClaim', 'apps/StatefulSet'],
  ['/Service', 'apps/StatefulSet'],
  ['apps/Deployment', 'autoscaling/HorizontalPodAutoscaler'],
  ['/Service', 'networking.k8s.io/Ingress'],
  ['apps/Deployment', 'admissionregistration.k8s.io/ValidatingWebhookConfiguration'],
  ['/Service', 'apiregistration.k8s.io/APIService'],
  ['example.com/Widget', 'admissionregistration.k8s.io/MutatingWebhookConfiguration'],
];

for (const [first, second] of BEFORE) {
  test(`the kind ${first} is applied before the kind ${second}`, () => {
    assert.ok(waveOfKind(first) < waveOfKind(second));
  });
}

test('every kind of the table is in the wave that names it, and in no other one', () => {
  const kinds = WAVES.flatMap((wave, index) => wave.kinds.map((kind) => [kind, index] as const));
  for (const [kind, index] of kinds) assert.equal(waveOfKind(kind), index, kind);
  assert.equal(new Set(kinds.map(([kind]) => kind)).size, kinds.length);
});

test('a kind that the table does not name is applied after workloads, also if it shares its name with one', () => {
  const other = WAVES.findIndex(({ name }) => name === 'other kinds');
  assert.equal(waveOfKind('example.com/Widget'), other);
  assert.equal(waveOfKind('example.com/Deployment'), other);
  assert.ok(waveOfKind('apps/Deployment') < other);
});
