import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { bindManifests, type BindOptions } from '../../../src/bind/bind.ts';
import type { DesiredObject } from '../../../src/bind/desired.ts';
import { kindKey, type KindInfo, type Kinds } from '../../../src/cluster/kinds.ts';
import { ownerOf } from '../../../src/object/applyset.ts';
import { digestValue } from '../../../src/object/digest.ts';
import { isMap, mapAt, valueAt, type KubeObject, type Value } from '../../../src/object/value.ts';
import type { Manifest } from '../../../src/render/manifests.ts';

const owner = ownerOf({ hubId: 'hub', namespace: 'shop', name: 'web' });
const marks = {
  labels: { 'applyset.kubernetes.io/part-of': owner.applySetId },
  annotations: { 'tautline.dev/owner': owner.ownerAnnotation },
};

function kind(group: string, name: string, extra: Partial<KindInfo> = {}): [string, KindInfo] {
  const apiVersion = group ? `${group}/v1` : 'v1';
  const info: KindInfo = {
    group,
    version: 'v1',
    kind: name,
    plural: `${name.toLowerCase()}s`,
    isNamespaced: true,
    hasStatus: false,
    isWatchable: true,
    ...extra,
  };
  return [kindKey(apiVersion, name), info];
}

const kinds: Kinds = {
  served: new Map([
    kind('', 'ConfigMap'),
    kind('', 'Secret'),
    kind('', 'Namespace', { isNamespaced: false, hasStatus: true }),
    kind('apps', 'Deployment', { hasStatus: true }),
    kind('apps', 'StatefulSet', { hasStatus: true }),
    kind('apiextensions.k8s.io', 'CustomResourceDefinition', { isNamespaced: false, hasStatus: true }),
  ]),
  stale: new Set(['metrics.example.com/v1']),
  preferred: new Map(),
};

function manifest(object: Value, file = 'a.yaml', line = 1): Manifest {
  return { object: object as KubeObject, digest: digestValue(object), file, line };
}

function bind(objects: readonly (Manifest | Value)[], options: Partial<BindOptions> = {}) {
  const manifests = objects.map((item) => (isManifest(item) ? item : manifest(item)));
  return bindManifests({
    manifests: { manifests, problems: [] },
    kinds,
    owner,
    destinationNamespace: undefined,
    reach: { namespace: 'shop', mayCross: true },
    ...options,
  });
}

function isManifest(item: Manifest | Value): item is Manifest {
  return typeof item === 'object' && item !== null && 'digest' in item && 'line' in item;
}

/** As plain JSON, so that maps with and without a prototype compare equal. */
function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}

const configMap = (metadata: Value, rest = {}): Value => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata, ...rest });

test('an object gets the destination namespace, else that of its Application, and the owner marks', () => {
  const table: [Value, string | undefined, string][] = [
    [{ name: 'a' }, undefined, 'shop'],
    [{ name: 'a' }, 'dest', 'dest'],
    [{ name: 'a', namespace: 'own' }, 'dest', 'own'],
    [{ name: 'a', namespace: '' }, 'dest', 'dest'],
    [{ name: 'a', namespace: null }, undefined, 'shop'],
  ];
  for (const [metadata, destinationNamespace, namespace] of table) {
    const { objects, problems } = bind([configMap(metadata)], { destinationNamespace });
    assert.deepEqual(problems, []);
    assert.deepEqual(objects[0]?.id, { group: '', kind: 'ConfigMap', namespace, name: 'a' });
    assert.deepEqual(plain(objects[0]?.body.metadata), { name: 'a', namespace, ...marks });
    assert.equal(objects[0]?.digest, digestValue(objects[0]?.body ?? null));
  }
});

test('a cluster-scoped object has no namespace, even if its manifest sets one', () => {
  const { objects } = bind([
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'a', namespace: 'b' }, status: {} },
  ]);
  assert.deepEqual(objects[0]?.id, { group: '', kind: 'Namespace', namespace: '', name: 'a' });
  assert.deepEqual(plain(objects[0]?.body), { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'a', ...marks } });
});

test('fields that belong to the server are not sent', () => {
  const metadata = {
    name: 'a',
    labels: { keep: 'me' },
    annotations: { 'kubectl.kubernetes.io/last-applied-configuration': '{}', keep: 'me' },
    finalizers: ['x.dev/y'],
    managedFields: [],
    uid: 'u',
    resourceVersion: '1',
    generation: 1,
    selfLink: '/x',
    creationTimestamp: null,
    deletionTimestamp: null,
    ownerReferences: [],
    generateName: 'a-',
  };
  const { objects } = bind([configMap(metadata)]);
  assert.deepEqual(plain(objects[0]?.body.metadata), {
    name: 'a',
    namespace: 'shop',
    labels: { keep: 'me', ...marks.labels },
    annotations: { keep: 'me', ...marks.annotations },
    finalizers: ['x.dev/y'],
  });
});

test('status is dropped only if the kind has a status subresource', () => {
  const status = { a: 1 };
  const bodies = bind([
    { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'a' }, status },
    configMap({ name: 'a' }, { status }),
  ]).objects.map(({ body }) => body);
  assert.deepEqual(
    bodies.map((body) => body['status']),
    [undefined, status],
  );
});

test('null timestamps and the status of claims are dropped from templates', () => {
  const template = { metadata: { creationTimestamp: null, labels: { a: 'b' } }, spec: { containers: [{ name: 'a' }] } };
  const claim = { metadata: { name: 'data', creationTimestamp: null }, spec: {}, status: {} };
  const object = {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: { name: 'a' },
    spec: { template, volumeClaimTemplates: [claim] },
  };
  const before = structuredClone(object);
  const { objects } = bind([object]);
  assert.deepEqual(plain(objects[0]?.body['spec']), {
    template: { metadata: { labels: { a: 'b' } }, spec: template.spec },
    volumeClaimTemplates: [{ metadata: { name: 'data' }, spec: {} }],
  });
  assert.deepEqual(object, before, 'the manifest is not modified');
  assert.equal(valueAt(objects[0]?.body, 'spec', 'template', 'spec'), template.spec, 'unchanged parts are shared');
});

test('the rules of a ClusterRole are left out only if a controller aggregates them', () => {
  const role = (name: string, rest: Value): Value => ({
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRole',
    metadata: { name },
    rules: [],
    ...(isMap(rest) ? rest : {}),
  });
  const [rbac, info] = kind('rbac.authorization.k8s.io', 'ClusterRole', { isNamespaced: false });
  const served: Kinds = { ...kinds, served: new Map([...kinds.served, [rbac, info]]) };
  const aggregated = role('a', { aggregationRule: { clusterRoleSelectors: [] } });
  const { objects, problems } = bind([aggregated, role('b', {}), role('c', { aggregationRule: null })], {
    kinds: served,
  });
  assert.deepEqual(problems, []);
  assert.deepEqual(
    objects.map(({ body }) => Object.hasOwn(body, 'rules')),
    [false, true, true],
  );
});

test('stringData is converted to data and takes precedence over it', () => {
  const base64 = (text: string) => Buffer.from(text).toString('base64');
  const { objects, problems } = bind([
    {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'a' },
      data: { a: base64('old'), b: base64('b') },
      stringData: { a: 'näw', c: null },
    },
  ]);
  assert.deepEqual(problems, []);
  assert.deepEqual(plain(objects[0]?.body['data']), { a: base64('näw'), b: base64('b'), c: '' });
  assert.equal(objects[0]?.body['stringData'], undefined);
});

test('an invalid stringData is a problem that does not show its values', () => {
  const { objects, problems } = bind([
    { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'a' }, stringData: { pin: 4711 } },
  ]);
  assert.deepEqual(objects, []);
  assert.equal(problems[0]?.code, 'InvalidObject');
  assert.match(problems[0]?.message ?? '', /stringData\.pin/);
  assert.ok(!JSON.stringify(problems).includes('4711'));
});

test('each manifest that cannot be bound is a problem with file and line, and the others are bound', () => {
  const table: [string, Value, RegExp][] = [
    [
      'KindUnknown',
      { apiVersion: 'x.dev/v1', kind: 'Thing', metadata: { name: 'a' } },
      /does not serve the kind Thing/,
    ],
    [
      'KindUnavailable',
      { apiVersion: 'metrics.example.com/v1', kind: 'M', metadata: { name: 'a' } },
      /does not answer/,
    ],
    ['ReservedField', configMap({ generateName: 'a-' }), /generateName/],
    ['NotAnObject', configMap({}), /metadata\.name/],
    ['NotAnObject', configMap({ name: 1 }), /metadata\.name/],
    ['InvalidObject', configMap({ name: '../x' }), /not a valid object name/],
    ['InvalidObject', configMap({ name: 'a', namespace: 1 }), /namespace/],
    ['InvalidObject', configMap({ name: 'a', namespace: 'a/b' }), /namespace/],
    ['InvalidObject', configMap({ name: 'a', labels: 'x' }), /labels is not a map/],
    ['ReservedField', configMap({ name: 'a', ownerReferences: [{ uid: 'u' }] }), /ownerReferences/],
    ['ReservedField', configMap({ name: 'a', labels: { 'applyset.kubernetes.io/part-of': 'x' } }), /part-of/],
    ['ReservedField', configMap({ name: 'a', annotations: { 'tautline.dev/owner': 'x' } }), /tautline\.dev\/owner/],
  ];
  for (const [code, object, message] of table) {
    const { objects, problems } = bind([manifest(object, 'bad.yaml', 7), configMap({ name: 'good' })]);
    assert.deepEqual(
      objects.map(({ id }) => id.name),
      ['good'],
    );
    assert.equal(problems.length, 1);
    const [problem] = problems;
    assert.equal(problem?.code, code);
    assert.match(problem?.message ?? '', message);
    assert.equal(`${problem?.file}:${problem?.line}`, 'bad.yaml:7');
    assert.ok(problem?.hint);
  }
});

test('the hint for an unknown version names the version that is served', () => {
  const { problems } = bind([{ apiVersion: 'apps/v1beta1', kind: 'Deployment', metadata: { name: 'a' } }]);
  assert.match(problems[0]?.hint ?? '', /in version v1/);
});

test('duplicates are detected after defaulting the namespace, become a problem with every place, and none is bound', () => {
  const { objects, problems } = bind([
    manifest(configMap({ name: 'a' }), 'a.yaml', 3),
    manifest(configMap({ name: 'b' }), 'a.yaml', 9),
    manifest(configMap({ name: 'a', namespace: 'shop' }, { data: {} }), 'b.yaml', 5),
  ]);
  assert.deepEqual(
    objects.map(({ id }) => id.name),
    ['b'],
  );
  assert.equal(problems[0]?.code, 'DuplicateObject');
  assert.match(problems[0]?.message ?? '', /a\.yaml:3, b\.yaml:5/);
});

test('an Application that may not cross namespaces binds only objects of its own namespace', () => {
  const objects = [
    configMap({ name: 'own' }),
    configMap({ name: 'other', namespace: 'kube-system' }),
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'new' } },
  ];
  const bound = bind(objects, { reach: { namespace: 'shop', mayCross: false } });
  assert.deepEqual(
    bound.objects.map(({ id }) => id.name),
    ['own'],
  );
  assert.deepEqual(
    bound.problems.map(({ code, object }) => [code, object?.name]),
    [
      ['NamespaceNotAllowed', 'other'],
      ['NamespaceNotAllowed', 'new'],
    ],
  );
  assert.equal(bind(objects).problems.length, 0);
});

test('a kind that a CRD of the same render defines takes scope, plural and status from it, and waits for it', () => {
  const crd = {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'things.x.dev' },
    spec: {
      group: 'x.dev',
      scope: 'Cluster',
      names: { kind: 'Thing', plural: 'things' },
      versions: [
        { name: 'v1', served: true, subresources: { status: {} } },
        { name: 'v0', served: false },
      ],
    },
  };
  const thing = (version: string) => ({ apiVersion: `x.dev/${version}`, kind: 'Thing', metadata: { name: version } });
  const { objects, problems } = bind([{ ...thing('v1'), status: {} }, thing('v0'), crd]);
  const [first] = objects;
  assert.deepEqual(first?.id, { group: 'x.dev', kind: 'Thing', namespace: '', name: 'v1' });
  assert.deepEqual(first?.kind, {
    group: 'x.dev',
    version: 'v1',
    kind: 'Thing',
    plural: 'things',
    isNamespaced: false,
    hasStatus: true,
    isWatchable: true,
  });
  assert.deepEqual(first?.awaitsCrd, {
    group: 'apiextensions.k8s.io',
    kind: 'CustomResourceDefinition',
    namespace: '',
    name: 'things.x.dev',
  });
  assert.equal(first?.body['status'], undefined);
  assert.deepEqual(
    problems.map(({ code }) => code),
    ['KindUnknown'],
  );
});

test('problems of the render come before those of bind', () => {
  const problem = { code: 'YamlSyntax' as const, message: 'x' };
  const manifests = { manifests: [manifest(configMap({}))], problems: [problem] };
  const desired = bind([], { manifests });
  assert.deepEqual(
    desired.problems.map(({ code }) => code),
    ['YamlSyntax', 'NotAnObject'],
  );
});

test('a manifest that was bound before comes from the cache, with its new place if it moved', () => {
  const cache = new Map<string, DesiredObject>();
  const first = bind([configMap({ name: 'a' })], { cache });
  const again = bind([configMap({ name: 'a' })], { cache });
  assert.equal(again.objects[0], first.objects[0]);
  assert.equal(again.digest, first.digest);
  const moved = bind([manifest(configMap({ name: 'a' }), 'b.yaml', 2)], { cache });
  assert.equal(moved.objects[0]?.body, first.objects[0]?.body);
  assert.equal(`${moved.objects[0]?.file}:${moved.objects[0]?.line}`, 'b.yaml:2');
  assert.equal(cache.size, 1);
  const elsewhere = bind([configMap({ name: 'a' })], { cache, destinationNamespace: 'other' });
  assert.equal(elsewhere.objects[0]?.id.namespace, 'other');
});

test('the digest of the desired set changes with any desired object', () => {
  const one = bind([configMap({ name: 'a' }), configMap({ name: 'b' })]).digest;
  assert.equal(bind([configMap({ name: 'a' }), configMap({ name: 'b' })]).digest, one);
  assert.notEqual(bind([configMap({ name: 'a' })]).digest, one);
  assert.notEqual(bind([configMap({ name: 'a' }), configMap({ name: 'b' }, { data: {} })]).digest, one);
});

test('binding never modifies a manifest, and the body has no null timestamp', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (spec) => {
      const object = configMap(
        { name: 'a', creationTimestamp: null },
        { spec: { ...spec, metadata: { creationTimestamp: null } } },
      );
      const before = JSON.stringify(object);
      const { objects } = bind([object]);
      assert.equal(JSON.stringify(object), before);
      assert.ok(!Object.hasOwn(mapAt(objects[0]?.body, 'spec', 'metadata'), 'creationTimestamp'));
      assert.ok(isMap(objects[0]?.body));
    }),
  );
});

test('a name that YAML reads as a number or a boolean is told to be quoted', () => {
  for (const name of [2024, true]) {
    const { problems } = bind([configMap({ name })]);
    assert.equal(problems[0]?.code, 'NotAnObject');
    assert.match(problems[0]?.message ?? '', new RegExp(`metadata\\.name ${name}, which YAML reads as a`));
    assert.equal(problems[0]?.hint, `Quote it: name: "${name}".`);
  }
});

test('an object that SOPS has sealed is refused by a message that names SOPS', () => {
  const sealed = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'enc' }, sops: { mac: 'ENC[x]', version: '3' } };
  const { objects, problems } = bind([sealed]);
  assert.deepEqual([objects.length, problems[0]?.code], [0, 'Sealed']);
  assert.match(problems[0]?.message ?? '', /^Secret shop\/enc is sealed by SOPS/);
});

test('an unknown kind that the cluster serves in other capitals or in another group is named', () => {
  const wrongCase = { apiVersion: 'apps/v1', kind: 'deployment', metadata: { name: 'a' } };
  const moved = { apiVersion: 'extensions/v1beta1', kind: 'Deployment', metadata: { name: 'a' } };
  const hints = [wrongCase, moved].map((object) => bind([object]).problems[0]?.hint);
  assert.equal(hints[0], 'Write Deployment: kinds are case-sensitive.');
  assert.equal(hints[1], 'It serves Deployment in apps/v1: if that is the same kind, change apiVersion.');
});
