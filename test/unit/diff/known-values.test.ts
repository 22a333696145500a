/** Cases for the tables about built-in kinds, one row per case: values that are equal, and values that are not. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compareObject } from '../../../src/diff/compare.ts';
import type { KubeObject, ValueMap } from '../../../src/object/value.ts';
import { desiredOf, kindOf, liveOf, ours, type Entry } from './fixtures.ts';

interface Sides {
  readonly desired: ValueMap;
  readonly live: ValueMap;
  /** Fields of our managedFields entry; default: all desired fields. null: there is no entry. */
  readonly owned?: ValueMap | null;
  readonly entries?: Entry[];
}

function compare(type: string, { desired, live, owned = desired, entries = [] }: Sides) {
  const [apiVersion = '', kind = ''] = type.split(' ');
  const of = (rest: ValueMap): KubeObject => ours(apiVersion, kind, 'a', rest);
  return compareObject(
    desiredOf(of(desired)),
    liveOf(of(live), { owned: owned === null ? null : of(owned), entries }),
    20,
  );
}

function pod(rest: ValueMap): ValueMap {
  return { spec: { containers: [{ name: 'app', ...rest }] } };
}

function projected(source: ValueMap): ValueMap {
  return { spec: { volumes: [{ name: 'v', projected: { sources: [source] } }] } };
}

const admitted = ['not-ready', 'unreachable'].map((name) => ({
  key: `node.kubernetes.io/${name}`,
  operator: 'Exists',
  effect: 'NoExecute',
  tolerationSeconds: 300,
}));
const limits = { type: 'Container', default: { memory: '1Gi' }, max: { cpu: '2' }, min: { disk: '1' } };
const filledLimits = {
  ...limits,
  default: { memory: '1Gi', cpu: '2' },
  defaultRequest: { memory: '1Gi', cpu: '2', disk: '1' },
};

const SAME: readonly [title: string, type: string, sides: Sides][] = [
  [
    'a CA bundle with white space',
    'admissionregistration.k8s.io/v1 ValidatingWebhookConfiguration',
    {
      desired: { webhooks: [{ name: 'a', clientConfig: { caBundle: 'YWJj\nZGVm\n' } }] },
      live: { webhooks: [{ name: 'a', clientConfig: { caBundle: 'YWJjZGVm' } }] },
    },
  ],
  [
    'the default scope of a webhook rule',
    'admissionregistration.k8s.io/v1 ValidatingWebhookConfiguration',
    {
      desired: { webhooks: [{ name: 'a', rules: [{ resources: ['pods'] }] }] },
      live: { webhooks: [{ name: 'a', rules: [{ resources: ['pods'], scope: '*' }] }] },
    },
  ],
  [
    'the default protocol of a network policy port',
    'networking.k8s.io/v1 NetworkPolicy',
    {
      desired: { spec: { ingress: [{ ports: [{ port: 80 }] }] } },
      live: { spec: { ingress: [{ ports: [{ port: 80, protocol: 'TCP' }] }] } },
    },
  ],
  [
    'the default version of a field reference',
    'v1 Pod',
    {
      desired: projected({ downwardAPI: { items: [{ path: 'a', fieldRef: { fieldPath: 'b' } }] } }),
      live: projected({ downwardAPI: { items: [{ path: 'a', fieldRef: { fieldPath: 'b', apiVersion: 'v1' } }] } }),
    },
  ],
  [
    'an empty text that the server fills in',
    'v1 Service',
    { desired: { spec: { sessionAffinity: '' } }, live: { spec: { sessionAffinity: 'None' } } },
  ],
  [
    'a zero that the server fills in',
    'v1 Pod',
    { desired: pod({ livenessProbe: { periodSeconds: 0 } }), live: pod({ livenessProbe: { periodSeconds: 10 } }) },
  ],
  [
    'limits that the server derives from others',
    'v1 LimitRange',
    { desired: { spec: { limits: [limits] } }, live: { spec: { limits: [filledLimits] } } },
  ],
  [
    'tolerations that admission adds to each Pod',
    'v1 Pod',
    {
      desired: { spec: { tolerations: [{ key: 'a' }] } },
      live: { spec: { tolerations: [{ key: 'a' }, ...admitted] } },
    },
  ],
  [
    'empty values that we own and the server does not store',
    'v1 Pod',
    { desired: { spec: { a: 1, nodeSelector: {}, args: [], command: null } }, live: { spec: { a: 1 } } },
  ],
  ['an empty data map', 'v1 ConfigMap', { desired: { data: {} }, live: {} }],
  [
    'an empty list inside an atomic value',
    'networking.k8s.io/v1 NetworkPolicy',
    { desired: { spec: { ingress: [{ from: [] }] } }, live: { spec: { ingress: [{}] } } },
  ],
  [
    'an empty key field that has a default',
    'v1 Pod',
    {
      desired: pod({ ports: [{ containerPort: 80, protocol: '' }] }),
      live: pod({ ports: [{ containerPort: 80, protocol: 'TCP' }] }),
      owned: pod({ ports: [{ containerPort: 80, protocol: 'TCP' }] }),
    },
  ],
];

const NOT_SAME: readonly [title: string, type: string, sides: Sides, path: string][] = [
  [
    'an empty text where the live value is not the default',
    'v1 Service',
    { desired: { spec: { sessionAffinity: '' } }, live: { spec: { sessionAffinity: 'ClientIP' } } },
    '/spec/sessionAffinity',
  ],
  [
    'limits that the server would derive otherwise',
    'v1 LimitRange',
    {
      desired: { spec: { limits: [limits] } },
      live: { spec: { limits: [{ ...filledLimits, default: { memory: '1Gi', cpu: '1' } }] } },
    },
    '/spec/limits/0/default/cpu',
  ],
  [
    'more tolerations than admission adds to each Pod',
    'v1 Pod',
    {
      desired: { spec: { tolerations: [{ key: 'a' }] } },
      live: { spec: { tolerations: [{ key: 'a' }, ...admitted, ...admitted] } },
    },
    '/spec/tolerations',
  ],
  [
    'an empty entry of a map inside an atomic value',
    'policy/v1 PodDisruptionBudget',
    {
      desired: { spec: { selector: { matchLabels: { a: 'b', empty: '' } } } },
      live: { spec: { selector: { matchLabels: { a: 'b' } } } },
    },
    '/spec/selector/matchLabels/empty',
  ],
  [
    'a zero value of a pointer field inside an atomic value',
    'v1 Pod',
    {
      desired: projected({ secret: { name: 'a', optional: false } }),
      live: projected({ secret: { name: 'a' } }),
    },
    '/spec/volumes/0/projected/sources/0/secret/optional',
  ],
  [
    'a zero value in a map that was applied empty before',
    'v1 Pod',
    {
      desired: { spec: { securityContext: { fsGroup: 0 } } },
      live: { spec: { securityContext: {} } },
      owned: { spec: { securityContext: {} } },
    },
    '/spec/securityContext/fsGroup',
  ],
  [
    'an atomic map that another manager took over and added to',
    'x.dev/v1 Thing',
    {
      desired: { spec: { a: 1, map: { k: 'v' } } },
      live: { spec: { a: 1, map: { k: 'v', more: 'x' } } },
      owned: { spec: { a: 1 } },
      entries: [{ manager: 'other', fields: { 'f:spec': { 'f:map': {} } } }],
    },
    '/spec/map/more',
  ],
  [
    'an entry of a map that has no known owner',
    'v1 Service',
    {
      desired: { spec: { selector: { a: 'b' } } },
      live: { spec: { selector: { a: 'b', more: 'x' } } },
      owned: null,
    },
    '/spec/selector/more',
  ],
  [
    'an empty map in place of an empty list',
    'x.dev/v1 Thing',
    { desired: { spec: { a: {} } }, live: { spec: { a: [] } } },
    '/spec/a',
  ],
  [
    'a default in a schema, which holds any JSON',
    'apiextensions.k8s.io/v1 CustomResourceDefinition',
    {
      desired: { spec: { versions: [{ schema: { default: { a: '' } } }] } },
      live: { spec: { versions: [{ schema: { default: {} } }] } },
    },
    '/spec/versions/0/schema/default/a',
  ],
  [
    'an empty value of an enumeration',
    'apiextensions.k8s.io/v1 CustomResourceDefinition',
    {
      desired: { spec: { versions: [{ schema: { enum: [null] } }] } },
      live: { spec: { versions: [{ schema: { enum: [''] } }] } },
    },
    '/spec/versions/0/schema/enum/0',
  ],
  [
    'the same amount in another notation',
    'v1 ResourceQuota',
    { desired: { spec: { hard: { memory: '1073741824' } } }, live: { spec: { hard: { memory: '1Gi' } } } },
    '/spec/hard/memory',
  ],
  [
    'a value deep in an object whose managedFields were wiped',
    'v1 Pod',
    { desired: pod({ image: 'a' }), live: pod({ image: 'b' }), owned: null },
    '/spec/containers/0/image',
  ],
  [
    'a container of another name',
    'v1 Pod',
    { desired: { spec: { containers: [{ name: 'b' }] } }, live: pod({}), owned: pod({}) },
    '/spec/containers/0',
  ],
];

for (const [title, type, sides] of SAME) {
  test(`there is no difference in ${title}`, () => {
    const { result, findings } = compare(type, sides);
    assert.deepEqual([result, findings], ['same', []]);
  });
}

for (const [title, type, sides, path] of NOT_SAME) {
  test(`a difference is named by its path in ${title}`, () => {
    const { result, findings } = compare(type, sides);
    assert.notEqual(result, 'same');
    assert.equal(`/${findings[0]?.tokens.join('/')}`, path);
  });
}

test('a label that the server sets itself is never certain to change', () => {
  const named = (name: string) =>
    ours('v1', 'Namespace', 'a', { metadata: { labels: { 'kubernetes.io/metadata.name': name } } });
  const live = liveOf(named('a'), { owned: ours('v1', 'Namespace', 'a') });
  assert.equal(compareObject(desiredOf(named('b')), live, 20).result, 'inconclusive');
  const unnamed = desiredOf(ours('v1', 'Namespace', 'a'));
  assert.equal(compareObject(unnamed, liveOf(named('a')), 20).result, 'inconclusive', 'nor to be removed');
});

test('status is compared only if the kind has no status subresource', () => {
  const body = ours('x.dev/v1', 'Thing', 'a', { status: { a: 1 } });
  const live = liveOf(ours('x.dev/v1', 'Thing', 'a', { status: { a: 2 } }), { owned: body });
  for (const [hasStatus, result] of [
    [true, 'same'],
    [false, 'inconclusive'],
  ] as const) {
    const desired = { ...desiredOf(body), kind: { ...kindOf(body), hasStatus } };
    assert.equal(compareObject(desired, live, 20).result, result);
  }
});
