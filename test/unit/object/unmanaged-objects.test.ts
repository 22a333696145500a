/** Annotations that exclude an object from reconciliation or comparison, or change how it is applied. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isExtraneousIgnored, isReconcileDisabled, policyOf } from '../../../src/object/policy.ts';
import type { KubeObject } from '../../../src/object/value.ts';

function annotated(annotations: Record<string, string>, labels: Record<string, string> = {}): KubeObject {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'c', annotations, labels } };
}

const SSA = 'kustomize.toolkit.fluxcd.io/ssa';

for (const [value, mode] of Object.entries({
  Merge: 'Merge',
  merge: 'Merge',
  ' ifnotpresent ': 'IfNotPresent',
  IGNORE: 'Ignore',
  Override: 'Override',
  Unknown: 'Override',
  '': 'Override',
})) {
  test(`ssa: '${value}' means ${mode}, as an annotation and as a label`, () => {
    assert.equal(policyOf(annotated({ [SSA]: value })).ssa, mode);
    assert.equal(policyOf(annotated({}, { [SSA]: value })).ssa, mode);
  });
}

test('reconcile: disabled is read from annotations and labels, and its case does not matter', () => {
  const key = 'kustomize.toolkit.fluxcd.io/reconcile';
  for (const value of ['disabled', 'Disabled', 'DISABLED ']) {
    assert.ok(isReconcileDisabled(annotated({ [key]: value })));
    assert.ok(isReconcileDisabled(annotated({}, { [key]: value })));
    assert.equal(policyOf(annotated({ [key]: value })).reconcile, false);
  }
  for (const value of ['enabled', '', 'no']) assert.ok(!isReconcileDisabled(annotated({ [key]: value })));
  assert.ok(!isReconcileDisabled({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'c' } }));
});

test('IgnoreExtraneous is found among several compare options', () => {
  const key = 'argocd.argoproj.io/compare-options';
  assert.ok(isExtraneousIgnored(annotated({ [key]: 'IgnoreExtraneous' })));
  assert.ok(isExtraneousIgnored(annotated({ [key]: 'ServerSideDiff=true, IgnoreExtraneous' })));
  assert.ok(!isExtraneousIgnored(annotated({ [key]: 'ServerSideDiff=true' })));
  assert.ok(!isExtraneousIgnored(annotated({})));
});
