/**
 * Overrides of an Application. The expected objects are those that Argo CD (by `kustomize edit`) and Flux give for the
 * cases of their documentation.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Value } from '../../../../src/object/value.ts';
import type { Manifests } from '../../../../src/render/manifests.ts';
import type { Overrides } from '../../../../src/render/kustomize/overrides.ts';
import { buildObjects } from '../../../../src/render/kustomize/build.ts';
import { readObjects } from '../../../../src/render/manifest-text.ts';
import { renderPath } from '../../../../src/render/render.ts';
import { unused } from '../../../../src/render/asking.ts';
import { LIMITS, memoryTree } from '../memory-tree.ts';

const DEPLOYMENT = `apiVersion: apps/v1
kind: Deployment
metadata:
  name: guestbook-ui
  labels: {app: guestbook}
spec:
  replicas: 1
  selector: {matchLabels: {app: guestbook}}
  template:
    metadata: {labels: {app: guestbook}}
    spec:
      containers:
      - {name: ui, image: 'gcr.io/heptio-images/ks-guestbook-demo:0.1'}
      volumes:
      - {name: v, configMap: {name: settings}}
`;

const SETTINGS = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {a: b}\n';

const PLAIN = { 'app/deployment.yaml': DEPLOYMENT, 'app/settings.yaml': SETTINGS };

function kustomized(fields: string): Readonly<Record<string, string>> {
  return { ...PLAIN, 'app/kustomization.yaml': `resources: [deployment.yaml, settings.yaml]\n${fields}` };
}

interface Given {
  readonly files: Readonly<Record<string, string>>;
  readonly overrides: Overrides;
  readonly sources?: Readonly<Record<string, { files: Readonly<Record<string, string>>; path: string }>>;
}

function render({ files, overrides, sources = {} }: Given): Manifests {
  const trees = new Map(
    Object.entries(sources).map(([name, source]) => [name, { tree: memoryTree(source.files), path: source.path }]),
  );
  return renderPath({ tree: memoryTree(files), path: 'app', limits: LIMITS, options: { kustomize: overrides }, trees });
}

/** The rendered Deployment, without maps that have no prototype. */
function deploymentOf(given: Given): Record<string, Value> {
  const { manifests, problems } = render(given);
  assert.deepEqual(problems, []);
  const found = manifests.find(({ object }) => object.kind === 'Deployment')?.object;
  return JSON.parse(JSON.stringify(found)) as Record<string, Value>;
}

/** A value by its path: `spec.template.spec.containers.0.image`. */
function at(value: Value | undefined, path: string): Value | undefined {
  return path
    .split('.')
    .reduce<Value | undefined>((found, key) => (found as Record<string, Value> | undefined)?.[key], value);
}

const IMAGE = 'spec.template.spec.containers.0.image';
const DEMO = 'gcr.io/heptio-images/ks-guestbook-demo';

/** Title, files, overrides, and values of the Deployment by their path. */
const CASES: readonly (readonly [string, Given['files'], Overrides, Readonly<Record<string, Value>>])[] = [
  ['a prefix', PLAIN, { namePrefix: 'staging-' }, { 'metadata.name': 'staging-guestbook-ui' }],
  ['a suffix', PLAIN, { nameSuffix: '-01' }, { 'metadata.name': 'guestbook-ui-01' }],
  [
    'a prefix, which references follow',
    PLAIN,
    { namePrefix: 'staging-' },
    { 'spec.template.spec.volumes.0.configMap.name': 'staging-settings' },
  ],
  [
    'a prefix in place of that of the kustomization',
    kustomized('namePrefix: dev-\nnameSuffix: -x\n'),
    { namePrefix: 'staging-' },
    { 'metadata.name': 'staging-guestbook-ui-x' },
  ],
  ['a namespace', kustomized('namespace: old\n'), { namespace: 'new' }, { 'metadata.namespace': 'new' }],
  [
    'labels, which selectors and templates do not get',
    PLAIN,
    { labels: { team: 'web', app: 'other' } },
    {
      'metadata.labels': { app: 'other', team: 'web' },
      'spec.selector.matchLabels': { app: 'guestbook' },
      'spec.template.metadata.labels': { app: 'guestbook' },
    },
  ],
  [
    'a label in place of a common label of the kustomization',
    kustomized('commonLabels: {app: common}\n'),
    { labels: { app: 'mine' } },
    { 'metadata.labels.app': 'mine', 'spec.selector.matchLabels.app': 'common' },
  ],
  [
    'annotations, which templates get too',
    kustomized('commonAnnotations: {a: old, b: kept}\n'),
    { annotations: { a: 'new' } },
    {
      'metadata.annotations': { a: 'new', b: 'kept' },
      'spec.template.metadata.annotations': { a: 'new', b: 'kept' },
    },
  ],
  ['the tag of an image', PLAIN, { images: [{ name: DEMO, newTag: '0.2' }] }, { [IMAGE]: `${DEMO}:0.2` }],
  [
    'the name and tag of an image',
    PLAIN,
    { images: [{ name: DEMO, newName: 'mirror.example.com/demo', newTag: 'v1' }] },
    { [IMAGE]: 'mirror.example.com/demo:v1' },
  ],
  [
    'the digest of an image, which replaces the tag',
    PLAIN,
    { images: [{ name: DEMO, digest: 'sha256:24a0c4b4' }] },
    { [IMAGE]: `${DEMO}@sha256:24a0c4b4` },
  ],
  [
    'one field of an image that the kustomization changes too',
    kustomized(`images: [{name: ${DEMO}, newName: my/demo, newTag: '1', digest: 'sha256:0'}]\n`),
    { images: [{ name: DEMO, newTag: '2' }] },
    { [IMAGE]: 'my/demo:2' },
  ],
  ['replicas', PLAIN, { replicas: [{ name: 'guestbook-ui', count: 4 }] }, { 'spec.replicas': 4 }],
  [
    'replicas in place of those of the kustomization',
    kustomized('replicas: [{name: guestbook-ui, count: 2}]\n'),
    { replicas: [{ name: 'guestbook-ui', count: 5 }] },
    { 'spec.replicas': 5 },
  ],
  [
    'a JSON patch with a target',
    PLAIN,
    {
      patches: [
        {
          target: { kind: 'Deployment', name: 'guestbook-ui' },
          patch: '- op: replace\n  path: /spec/template/spec/containers/0/name\n  value: web\n',
        },
      ],
    },
    { 'spec.template.spec.containers.0.name': 'web' },
  ],
  [
    'a strategic merge patch by the name that the files have',
    kustomized('namePrefix: dev-\n'),
    {
      patches: [
        { patch: 'apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: guestbook-ui}\nspec: {paused: true}\n' },
      ],
    },
    { 'metadata.name': 'dev-guestbook-ui', 'spec.paused': true },
  ],
  [
    'a patch for a selector of labels',
    PLAIN,
    {
      patches: [{ target: { labelSelector: 'app=guestbook' }, patch: '[{"op": "remove", "path": "/spec/replicas"}]' }],
    },
    { 'spec.replicas': undefined as unknown as Value },
  ],
];

for (const [title, files, overrides, expected] of CASES) {
  test(`overrides set ${title}`, () => {
    const deployment = deploymentOf({ files, overrides });
    for (const [path, value] of Object.entries(expected)) assert.deepEqual(at(deployment, path), value, path);
  });
}

const COMPONENT = `apiVersion: kustomize.config.k8s.io/v1alpha1
kind: Component
resources: [added.yaml]
patches:
- target: {kind: Deployment}
  patch: '[{"op": "add", "path": "/spec/paused", "value": true}]'
`;

const ADDED = SETTINGS.replace('settings', 'added');

test('a component beside the folder works on the objects and adds its own', () => {
  const files = { ...PLAIN, 'extra/kustomization.yaml': COMPONENT, 'extra/added.yaml': ADDED };
  const given = { files, overrides: { components: ['../extra'], namePrefix: 'p-' } };
  assert.equal(at(deploymentOf(given), 'spec.paused'), true);
  assert.deepEqual(
    render(given)
      .manifests.map(({ object }) => object.metadata['name'])
      .sort(),
    ['p-added', 'p-guestbook-ui', 'p-settings'],
  );
});

test('a component of another source begins at the path of the source, and reads the files of that source', () => {
  const sources = {
    $shared: {
      files: { 'components/x/kustomization.yaml': COMPONENT, 'components/x/added.yaml': ADDED },
      path: 'components',
    },
  };
  const given = { files: PLAIN, overrides: { components: ['$shared/x'] }, sources };
  assert.equal(at(deploymentOf(given), 'spec.paused'), true);
  assert.ok(render(given).manifests.some(({ file }) => file === '$shared/components/x/added.yaml'));
});

/** Components with the problem that they are. */
const WRONG_COMPONENTS: readonly (readonly [string, string, RegExp])[] = [
  ['../none', 'PathNotFound', /components\[0\]: there is no folder \.\.\/none/],
  ['$none/x', 'PathNotFound', /\$none\/x names no entry of spec\.sources/],
  ['$shared/none', 'PathNotFound', /there is no folder \$shared\/none/],
  ['../../x', 'PathEscapesRoot', /leaves the repository/],
  ['$shared/../../x', 'PathEscapesRoot', /leaves the repository/],
  ['../$shared/plain', 'PathEscapesRoot', /leaves the repository/],
  ['/extra', 'PathEscapesRoot', /leaves the repository/],
  ['$shared/leaving', 'PathEscapesRoot', /leaves the repository|is in the tree/],
  ['deployment.yaml', 'PathNotFound', /there is no folder deployment\.yaml/],
];

for (const [path, code, message] of WRONG_COMPONENTS) {
  test(`the component ${path} is refused`, () => {
    const leaving = 'apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nresources: [../../app]\n';
    const sources = {
      $shared: { files: { 'plain/a.yaml': SETTINGS, 'leaving/kustomization.yaml': leaving }, path: '' },
    };
    const { manifests, problems } = render({ files: PLAIN, overrides: { components: [path] }, sources });
    assert.equal(manifests.length, 0);
    assert.equal(problems[0]?.code, code);
    assert.match(problems[0]?.message ?? '', message);
  });
}

test('a component that is missing may be left out, but only if its folder does not exist', () => {
  const overrides = { components: ['../none'], ignoreMissingComponents: true };
  assert.deepEqual(render({ files: PLAIN, overrides }).problems, []);
  const broken = { ...PLAIN, 'none/kustomization.yaml': 'kind: Component\nresources: [none.yaml]\n' };
  assert.equal(render({ files: broken, overrides }).problems.length, 1);
});

test('a component that the kustomization names already is built once', () => {
  const files = { ...kustomized('components: [../extra]\n'), 'extra/kustomization.yaml': COMPONENT };
  const given = { ...files, 'extra/added.yaml': ADDED };
  assert.deepEqual(render({ files: given, overrides: { components: ['../extra/'] } }).problems, []);
});

/** Overrides with the beginning of their problem. */
const WRONG: readonly (readonly [Overrides, RegExp])[] = [
  [{ patches: [{ patch: 'no: object' }] }, /^spec\.render\.kustomize\.patches\[0\]: the patch is neither an object/],
  [
    { patches: [{ patch: '' }, { patch: 'apiVersion: v1\nkind: Pod\nmetadata: {name: x}\n' }].slice(1) },
    /^spec\.render\.kustomize\.patches\[0\]: a patch is for .*there is no such object/,
  ],
  [{ replicas: [{ name: 'none', count: 1 }] }, /^spec\.render\.kustomize\.replicas\[0\]: replicas names none/],
];

for (const [overrides, message] of WRONG) {
  test(`${JSON.stringify(overrides)} is a problem that names the field`, () => {
    const files = kustomized('patches: [{target: {kind: Pod}, patch: "[]"}]\n');
    const { manifests, problems } = render({ files, overrides });
    assert.equal(manifests.length, 0);
    assert.match(problems[0]?.message ?? '', message);
  });
}

test('overrides without any change leave a plain folder as it is', () => {
  const plain = render({ files: PLAIN, overrides: {} });
  const ignoring = render({ files: PLAIN, overrides: { ignoreMissingComponents: true, labels: {}, patches: [] } });
  assert.deepEqual(ignoring, plain);
});

test('objects that come from no kustomization are built with the overrides', () => {
  const text = `${DEPLOYMENT}---\n${SETTINGS}`;
  const objects = readObjects({ text, file: 'chart.yaml', limits: LIMITS }).map((one) => ({
    ...one,
    file: 'chart.yaml',
  }));
  const context = {
    tree: memoryTree({}),
    limits: LIMITS,
    warnings: [],
    filesRead: new Set<string>(),
    usage: unused(),
    opensSealed: false,
    sealedFiles: new Map(),
    cache: undefined,
    trees: new Map(),
    answers: new Map(),
    answersUsed: new Set<string>(),
    needs: [],
  };
  const built = buildObjects(context, { folder: '', objects, overrides: { namePrefix: 'p-' } });
  assert.deepEqual(
    built.map(({ object, file, line }) => [at(object, 'metadata.name'), file, line]),
    [
      ['p-settings', 'chart.yaml', 17],
      ['p-guestbook-ui', 'chart.yaml', 1],
    ],
  );
});
