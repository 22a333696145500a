import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULT_POLICY, isDefaultPolicy, policyOf, type ObjectPolicy } from '../../../src/object/policy.ts';

const ARGO = 'argocd.argoproj.io';
const FLUX = 'kustomize.toolkit.fluxcd.io';

const policy = (annotations: Record<string, string>): ObjectPolicy =>
  policyOf({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a', annotations } });

const CASES: readonly (readonly [Record<string, string>, Partial<ObjectPolicy>])[] = [
  [{}, {}],
  [{ [`${ARGO}/sync-options`]: 'Validate=true, Prune=false' }, { prune: 'keep' }],
  [{ [`${ARGO}/sync-options`]: 'Delete=false' }, { deletion: 'keep' }],
  [{ [`${ARGO}/sync-options`]: 'Prune=confirm,Delete=confirm' }, { prune: 'confirm', deletion: 'confirm' }],
  [{ [`${ARGO}/sync-options`]: 'Prune=confirm,Prune=false' }, { prune: 'keep' }],
  [{ [`${FLUX}/prune`]: 'Disabled' }, { prune: 'keep', deletion: 'keep' }],
  [{ 'helm.sh/resource-policy': 'keep' }, { prune: 'keep', deletion: 'keep' }],
  [{ [`${ARGO}/sync-options`]: 'PruneLast=true' }, { isPrunedLast: true }],
  [{ [`${ARGO}/sync-options`]: 'Replace=true' }, { mayRecreate: true }],
  [{ [`${FLUX}/force`]: 'enabled' }, { mayRecreate: true }],
  [{ [`${ARGO}/sync-wave`]: ' -5 ' }, { wave: -5 }],
  [{ [`${ARGO}/sync-wave`]: 'soon' }, {}],
  [{ 'helm.sh/hook-weight': '3' }, {}],
  [
    { 'helm.sh/hook': 'pre-install,pre-upgrade', 'helm.sh/hook-weight': '-2' },
    { ...hook('PreSync'), wave: -2 },
  ],
  [
    { 'helm.sh/hook': 'post-upgrade', [`${ARGO}/sync-wave`]: '1', 'helm.sh/hook-weight': '2' },
    { ...hook('PostSync'), wave: 1 },
  ],
  [{ 'helm.sh/hook': 'crd-install' }, {}],
  [{ [`${ARGO}/hook`]: 'PostSync', 'helm.sh/hook': 'pre-install' }, hook('PostSync')],
  [{ [`${ARGO}/hook`]: 'PreSync,PostSync' }, hook('PreSync')],
  [
    { [`${ARGO}/hook`]: 'Sync', [`${ARGO}/hook-delete-policy`]: 'HookSucceeded' },
    { ...hook('Sync'), isDeletedOnSuccess: true },
  ],
  [
    { 'helm.sh/hook': 'pre-install', 'helm.sh/hook-delete-policy': 'hook-failed' },
    { ...hook('PreSync'), isDeletedOnFailure: true },
  ],
  [{ [`${ARGO}/hook`]: 'Whenever' }, {}],
  [{ [`${ARGO}/hook`]: 'PreSync,Skip' }, { ...hook('Sync'), ssa: 'Ignore' }],
  [{ [`${ARGO}/hook`]: 'PreDelete' }, { ...hook('Sync'), ssa: 'Ignore', isPreDelete: true }],
  [{ [`${ARGO}/hook`]: 'PostDelete' }, { ...hook('Sync'), ssa: 'Ignore', isPostDelete: true }],
  [{ [`${ARGO}/hook`]: 'PreDelete,PostDelete,Skip' }, { ...hook('Sync'), ssa: 'Ignore' }],
  [{ [`${ARGO}/hook`]: 'PostSync,PreDelete' }, { ...hook('PostSync'), isPreDelete: true }],
  [{ 'helm.sh/hook': 'pre-delete' }, { ...hook('Sync'), ssa: 'Ignore', isPreDelete: true }],
  [
    { 'helm.sh/hook': 'pre-install,post-delete,pre-delete', 'helm.sh/hook-weight': '4' },
    { ...hook('PreSync'), wave: 4, isPreDelete: true, isPostDelete: true },
  ],
  [{ [`${ARGO}/hook`]: 'PreSync', 'helm.sh/hook': 'pre-delete' }, hook('PreSync')],
  [{ [`${ARGO}/hook`]: 'Skip' }, { ...hook('Sync'), ssa: 'Ignore' }],
  [{ [`${ARGO}/hook`]: 'SyncFail' }, { ...hook('Sync'), ssa: 'Ignore', isSyncFail: true }],
  [{ [`${ARGO}/hook`]: 'PostSync,SyncFail' }, hook('PostSync')],
  [
    { [`${ARGO}/hook`]: 'PreSync', [`${ARGO}/hook-delete-policy`]: 'HookSucceeded, BeforeHookCreation' },
    { ...hook('PreSync'), isDeletedOnSuccess: true, runsEachSync: true },
  ],
  [{ 'helm.sh/hook': 'pre-install', 'helm.sh/hook-delete-policy': 'before-hook-creation' }, hook('PreSync')],
  ...['test', 'pre-rollback', 'post-rollback'].map(
    (word) => [{ 'helm.sh/hook': word }, { ...hook('Sync'), ssa: 'Ignore' }] as const,
  ),
];

function hook(phase: ObjectPolicy['phase']): Partial<ObjectPolicy> {
  return { phase, isHook: true, mayRecreate: true };
}

for (const [annotations, expected] of CASES) {
  test(`the annotations ${JSON.stringify(annotations)} give the policy ${JSON.stringify(expected)}`, () => {
    assert.deepEqual(policy(annotations), { ...DEFAULT_POLICY, ...expected });
    assert.equal(isDefaultPolicy(policy(annotations)), Object.keys(expected).length === 0);
  });
}
