/** Cases of drift and of no drift, one row per case. The file has more than 400 lines because it is one table. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { compareObject, type Comparison } from '../../../src/diff/compare.ts';
import { baselineOf, isAtBaseline } from '../../../src/diff/baseline.ts';
import { cloneValue, type KubeObject, type Value, type ValueMap } from '../../../src/object/value.ts';
import { desiredOf, liveOf, ours, type Entry } from './fixtures.ts';

interface Sides {
  desired: ValueMap;
  live: ValueMap;
  /** Fields of our managedFields entry; default: all desired fields. null: there is no entry. */
  owned?: ValueMap | null;
  entries?: Entry[];
}

function compare(apiVersion: string, kind: string, { desired, live, owned = desired, entries = [] }: Sides) {
  const of = (rest: ValueMap): KubeObject => ours(apiVersion, kind, 'a', rest);
  return compareObject(
    desiredOf(of(desired)),
    liveOf(of(live), { owned: owned === null ? null : of(owned), entries }),
    20,
  );
}

function container(rest: ValueMap): ValueMap {
  return { spec: { containers: [{ name: 'app', ...rest }] } };
}

type Result = Comparison['result'];

const TABLE: [title: string, result: Result, apiVersion: string, kind: string, sides: Sides, path?: string][] = [
  ['equal values', 'same', 'v1', 'ConfigMap', { desired: { data: { a: '1' } }, live: { data: { a: '1' } } }],
  [
    'fields that others added',
    'same',
    'v1',
    'ConfigMap',
    {
      desired: { data: { a: '1' } },
      live: { data: { a: '1', b: '2' }, immutable: true },
    },
  ],
  [
    'a field that left Git',
    'differs',
    'v1',
    'ConfigMap',
    {
      desired: { data: { a: '1' } },
      live: { data: { a: '1', b: '2' } },
      owned: { data: { a: '1', b: '2' } },
    },
    '/data/b',
  ],
  [
    'a field that left Git and may have a default',
    'inconclusive',
    'v1',
    'Service',
    {
      desired: { spec: { a: 1 } },
      live: { spec: { a: 1, type: 'ClusterIP' } },
      owned: { spec: { a: 1, type: 'ClusterIP' } },
    },
    '/spec/type',
  ],
  [
    'a field that left Git and that another manager owns too',
    'inconclusive',
    'v1',
    'ConfigMap',
    {
      desired: { data: { a: '1' } },
      live: { data: { a: '1', b: '2' } },
      owned: { data: { a: '1', b: '2' } },
      entries: [{ manager: 'other', fields: { 'f:data': { 'f:b': {} } } }],
    },
    '/data/b',
  ],
  [
    'a value that another manager took over and changed',
    'differs',
    'v1',
    'ConfigMap',
    {
      desired: { data: { a: '1', b: '2' } },
      live: { data: { a: 'x', b: '2' } },
      owned: { data: { b: '2' } },
    },
    '/data/a',
  ],
  [
    'a value that another manager took over and set back',
    'same',
    'v1',
    'ConfigMap',
    {
      desired: { data: { a: '1', b: '2' } },
      live: { data: { a: '1', b: '2' } },
      owned: { data: { b: '2' } },
    },
  ],
  [
    'a value that was removed',
    'differs',
    'v1',
    'ConfigMap',
    {
      desired: { data: { a: '1', b: '2' } },
      live: { data: { b: '2' } },
      owned: { data: { b: '2' } },
    },
    '/data/a',
  ],
  [
    'a zero value that was removed',
    'inconclusive',
    'v1',
    'Pod',
    {
      desired: { spec: { a: 1, hostNetwork: false } },
      live: { spec: { a: 1 } },
      owned: { spec: { a: 1 } },
    },
    '/spec/hostNetwork',
  ],
  [
    'a different value of a field that we own',
    'inconclusive',
    'v1',
    'ConfigMap',
    {
      desired: { data: { a: '1' } },
      live: { data: { a: 'x' } },
    },
    '/data/a',
  ],
  [
    'equal values without our managedFields entry',
    'same',
    'v1',
    'ConfigMap',
    {
      desired: { data: { a: '1' } },
      live: { data: { a: '1' } },
      owned: null,
    },
  ],
  [
    'different values without our managedFields entry',
    'inconclusive',
    'v1',
    'ConfigMap',
    {
      desired: { data: { a: '1' } },
      live: { data: { a: 'x' } },
      owned: null,
    },
    '/data/a',
  ],
  [
    'our managedFields entry in another API version',
    'inconclusive',
    'v1',
    'ConfigMap',
    {
      desired: { data: { a: '1' } },
      live: { data: { a: '1' } },
      owned: null,
      entries: [{ manager: 'tautline', apiVersion: 'v2', fields: { 'f:data': { 'f:a': {} } } }],
    },
  ],
  // Values of built-in kinds are compared by meaning.
  [
    'zero values that are not stored',
    'same',
    'v1',
    'Pod',
    {
      desired: container({ env: [{ name: 'A', value: '' }], stdin: false, count: 0, args: [], command: null }),
      live: container({ env: [{ name: 'A' }] }),
    },
  ],
  [
    'quantities in another spelling',
    'same',
    'v1',
    'Pod',
    {
      desired: container({ resources: { limits: { cpu: 0.5, memory: '1024Mi', 'example.com/gpu': 1 } } }),
      live: container({ resources: { limits: { cpu: '500m', memory: '1Gi', 'example.com/gpu': '1' } } }),
    },
  ],
  [
    'a different quantity',
    'inconclusive',
    'v1',
    'Pod',
    {
      desired: container({ resources: { limits: { cpu: '1' } } }),
      live: container({ resources: { limits: { cpu: '2' } } }),
    },
    '/spec/containers/0/resources/limits/cpu',
  ],
  [
    'a text that reads like a quantity',
    'inconclusive',
    'v1',
    'ConfigMap',
    {
      desired: { data: { storage: '1000m' } },
      live: { data: { storage: '1' } },
    },
    '/data/storage',
  ],
  [
    'an environment variable that reads like a quantity',
    'inconclusive',
    'v1',
    'Pod',
    {
      desired: container({ env: [{ name: 'A', value: '1000m' }] }),
      live: container({ env: [{ name: 'A', value: '1' }] }),
    },
    '/spec/containers/0/env/0/value',
  ],
  [
    'a null in a map of texts',
    'same',
    'v1',
    'ConfigMap',
    { desired: { data: { a: null } }, live: { data: { a: '' } } },
  ],
  [
    'base64 with white space',
    'same',
    'v1',
    'ConfigMap',
    {
      desired: { binaryData: { a: 'YWJj\nZGVm\n' } },
      live: { binaryData: { a: 'YWJjZGVm' } },
    },
  ],
  [
    'a Secret value with the same digest',
    'same',
    'v1',
    'Secret',
    {
      desired: { data: { a: 'YWJj\nZGVm' } },
      live: { data: { a: 'sha256:vvV-x_U6bUC-tkCngKY5yDvCmsipgW8fxsXG3Nk8RyE' } },
    },
  ],
  [
    'a Secret value with a different digest',
    'inconclusive',
    'v1',
    'Secret',
    {
      desired: { data: { a: 'YWJj' } },
      live: { data: { a: 'sha256:vvV-x_U6bUC-tkCngKY5yDvCmsipgW8fxsXG3Nk8RyE' } },
    },
    '/data/a',
  ],
  // Custom kinds are compared strictly.
  [
    'a zero value of a custom kind that is not stored',
    'inconclusive',
    'x.dev/v1',
    'Thing',
    {
      desired: { spec: { a: '', b: 1 } },
      live: { spec: { b: 1 } },
    },
    '/spec/a',
  ],
  [
    'a quantity of a custom kind in another spelling',
    'inconclusive',
    'x.dev/v1',
    'Thing',
    {
      desired: { spec: { resources: { limits: { cpu: '0.5' } } } },
      live: { spec: { resources: { limits: { cpu: '500m' } } } },
    },
    '/spec/resources/limits/cpu',
  ],
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
];

for (const [title, result, apiVersion, kind, sides, path] of TABLE) {
  test(`the result of comparing ${title} is '${result}'`, () => {
    const comparison = compare(apiVersion, kind, sides);
    const pointers = comparison.findings.map(({ tokens }) => `/${tokens.join('/')}`);
    assert.equal(comparison.result, result, pointers.join(', '));
    if (path !== undefined) assert.equal(pointers[0], path);
    else assert.deepEqual(pointers, []);
  });
}

const leaf = fc.oneof(fc.string(), fc.integer(), fc.boolean());
const json = fc.letrec<{ value: Value }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    leaf,
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(fc.stringMatching(/^[a-z]{1,5}$/), tie('value'), { maxKeys: 4 }),
  ),
})).value;
const spec = fc.dictionary(fc.stringMatching(/^[a-z]{1,5}$/), json, { maxKeys: 5 });

test('an object compared with itself is the same for every value and kind', () => {
  fc.assert(
    fc.property(spec, fc.constantFrom('v1', 'apps/v1', 'x.dev/v1'), (value, apiVersion) => {
      const body = ours(apiVersion, 'Thing', 'a', { spec: value });
      const { result, findings } = compareObject(desiredOf(body), liveOf(body), 20);
      assert.equal(result, 'same', JSON.stringify(findings));
    }),
  );
});

test('one changed leaf of a custom kind is never the same, and the comparison modifies neither object', () => {
  fc.assert(
    fc.property(spec, fc.stringMatching(/^[a-z]{1,5}$/), leaf, leaf, (value, key, before, after) => {
      fc.pre(before !== after);
      const desired = ours('x.dev/v1', 'Thing', 'a', { spec: { ...value, [key]: before } });
      const live = liveOf(ours('x.dev/v1', 'Thing', 'a', { spec: { ...value, [key]: after } }), { owned: desired });
      const copies = [cloneValue(desired), cloneValue(live.body)];
      assert.notEqual(compareObject(desiredOf(desired), live, 20).result, 'same');
      assert.deepEqual([cloneValue(desired), cloneValue(live.body)], copies);
    }),
  );
});

test('the answer to an apply is at its own baseline, even if the server changed values', () => {
  fc.assert(
    fc.property(spec, spec, (desired, returned) => {
      const body = ours('v1', 'Thing', 'a', { spec: desired });
      const live = liveOf(ours('v1', 'Thing', 'a', { spec: returned }), { owned: body });
      assert.ok(isAtBaseline(desiredOf(body), live, baselineOf(desiredOf(body), live)));
    }),
  );
});
