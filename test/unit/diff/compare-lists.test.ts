/** Keyed lists, sets and atomic values: one row a case. */
import { container, testComparisons } from './comparison-rows.ts';

testComparisons([
  // Keyed lists.
  [
    'items that others added to a keyed list',
    'same',
    'v1',
    'Pod',
    {
      desired: { spec: { containers: [{ name: 'a' }, { name: 'b' }] } },
      live: { spec: { containers: [{ name: 'x' }, { name: 'a' }, { name: 'y' }, { name: 'b' }] } },
    },
  ],
  [
    'our items in another order',
    'inconclusive',
    'v1',
    'Pod',
    {
      desired: { spec: { containers: [{ name: 'a' }, { name: 'b' }] } },
      live: { spec: { containers: [{ name: 'b' }, { name: 'a' }] } },
    },
    '/spec/containers',
  ],
  [
    'an item that left Git',
    'differs',
    'v1',
    'Pod',
    {
      desired: { spec: { containers: [{ name: 'a' }] } },
      live: { spec: { containers: [{ name: 'b' }, { name: 'a' }] } },
      owned: { spec: { containers: [{ name: 'a' }, { name: 'b' }] } },
    },
    '/spec/containers/0',
  ],
  [
    'an item that was removed',
    'differs',
    'v1',
    'Pod',
    {
      desired: { spec: { containers: [{ name: 'a' }, { name: 'b' }] } },
      live: { spec: { containers: [{ name: 'a' }] } },
      owned: { spec: { containers: [{ name: 'a' }] } },
    },
    '/spec/containers/1',
  ],
  [
    'an item that is in the live list twice',
    'inconclusive',
    'v1',
    'Pod',
    {
      desired: container({ env: [{ name: 'A', value: '1' }] }),
      live: container({
        env: [
          { name: 'A', value: '1' },
          { name: 'A', value: '2' },
        ],
      }),
    },
    '/spec/containers/0/env/0',
  ],
  [
    'a key field that Git leaves out',
    'same',
    'v1',
    'Pod',
    {
      desired: container({ ports: [{ containerPort: 80, protocol: 'UDP' }, { containerPort: 80 }] }),
      live: container({
        ports: [
          { containerPort: 80, protocol: 'UDP' },
          { containerPort: 80, protocol: 'TCP' },
        ],
      }),
    },
  ],
  [
    'an empty keyed list that others filled',
    'same',
    'v1',
    'Pod',
    {
      desired: container({ env: [] }),
      live: container({ env: [{ name: 'A' }] }),
      owned: container({}),
    },
  ],
  // Sets.
  [
    'members that others added to a set',
    'same',
    'v1',
    'ConfigMap',
    {
      desired: { metadata: { finalizers: ['a/b'] } },
      live: { metadata: { finalizers: ['x/y', 'a/b'] } },
    },
  ],
  [
    'a member that left Git',
    'differs',
    'v1',
    'ConfigMap',
    {
      desired: { metadata: { finalizers: ['a/b'] } },
      live: { metadata: { finalizers: ['a/b', 'c/d'] } },
      owned: { metadata: { finalizers: ['a/b', 'c/d'] } },
    },
    '/metadata/finalizers/1',
  ],
  [
    'a member that was removed',
    'differs',
    'v1',
    'ConfigMap',
    {
      desired: { metadata: { finalizers: ['a/b', 'c/d'] } },
      live: { metadata: { finalizers: ['a/b'] } },
      owned: { metadata: { finalizers: ['a/b'] } },
    },
    '/metadata/finalizers/1',
  ],
  // Atomic values.
  [
    'a known default inside an atomic value',
    'same',
    'rbac.authorization.k8s.io/v1',
    'RoleBinding',
    {
      desired: { subjects: [{ kind: 'User', name: 'jane' }] },
      live: { subjects: [{ kind: 'User', name: 'jane', apiGroup: 'rbac.authorization.k8s.io' }] },
    },
  ],
  [
    'an unknown field inside an atomic value',
    'inconclusive',
    'rbac.authorization.k8s.io/v1',
    'RoleBinding',
    {
      desired: { subjects: [{ kind: 'User', name: 'jane' }] },
      live: { subjects: [{ kind: 'User', name: 'jane', namespace: 'x' }] },
    },
    '/subjects/0/namespace',
  ],
  [
    'a default of a custom kind inside an atomic value',
    'inconclusive',
    'x.dev/v1',
    'Thing',
    {
      desired: { spec: { list: [{ a: 1 }] } },
      live: { spec: { list: [{ a: 1, protocol: 'TCP' }] } },
    },
    '/spec/list/0/protocol',
  ],
  [
    'an atomic list of another length',
    'inconclusive',
    'v1',
    'Pod',
    {
      desired: container({ args: ['a'] }),
      live: container({ args: ['a', 'b'] }),
    },
    '/spec/containers/0/args',
  ],
  [
    'an atomic list that another manager took over',
    'differs',
    'v1',
    'Pod',
    {
      desired: container({ args: ['a'] }),
      live: container({ args: ['a', 'b'] }),
      owned: container({}),
    },
    '/spec/containers/0/args',
  ],
  [
    'an empty atomic map with an entry',
    'inconclusive',
    'v1',
    'Pod',
    {
      desired: { spec: { nodeSelector: {} } },
      live: { spec: { nodeSelector: { a: 'b' } } },
    },
    '/spec/nodeSelector',
  ],
  [
    'an empty atomic map that another manager took over',
    'inconclusive',
    'v1',
    'Pod',
    {
      desired: { spec: { nodeSelector: {}, a: 1 } },
      live: { spec: { nodeSelector: { a: 'b' }, a: 1 } },
      owned: { spec: { a: 1 } },
      entries: [{ manager: 'x', operation: 'Update', fields: { 'f:spec': { 'f:nodeSelector': {} } } }],
    },
    '/spec/nodeSelector',
  ],
  [
    'an empty map that others filled',
    'same',
    'v1',
    'ConfigMap',
    {
      desired: { data: {} },
      live: { data: { a: '1' } },
      entries: [{ manager: 'x', operation: 'Update', fields: { 'f:data': { 'f:a': {} } } }],
    },
  ],
  [
    'an empty struct that defaults filled',
    'same',
    'apps/v1',
    'Deployment',
    {
      desired: { spec: { strategy: {} } },
      live: { spec: { strategy: { type: 'RollingUpdate' } } },
    },
  ],
]);
