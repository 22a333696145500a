import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { helmBinary } from '../../control-plane/binaries.ts';
import { builtFile } from '../../support/built-program.ts';

const cli = builtFile('cli.js');

function render(t: TestContext, files: Record<string, string>, ...args: string[]) {
  const root = mkdtempSync(join(tmpdir(), 'tautline-render-'));
  t.after(() => rmSync(root, { recursive: true }));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  const { status, stdout, stderr } = spawnSync(process.execPath, [cli, 'render', ...args], {
    cwd: root,
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
}

const files = {
  'app/kustomization.yaml': 'resources: [../base]\nnamePrefix: p-\ncommonLabels: {a: b}\n',
  'base/kustomization.yaml': 'resources: [a.yaml]\n',
  'base/a.yaml':
    'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: ns}\n---\napiVersion: v1\nkind: Namespace\nmetadata: {name: ns}\n',
};

test('render prints the objects on stdout and the warnings of kustomize on stderr', (t) => {
  const { status, stdout, stderr } = render(t, files, 'app');
  assert.equal(status, 0);
  assert.match(stdout, /^apiVersion: v1\nkind: Namespace\n[^]*\n---\napiVersion: v1\nkind: ConfigMap\n/);
  assert.match(stderr, /^# Warning: 'commonLabels' is deprecated\./);
});

test('render prints names or JSON with --output', (t) => {
  assert.equal(render(t, files, 'app', '-o', 'name').stdout, 'namespace/ns\nconfigmap/p-a\n');
  const list: unknown = JSON.parse(render(t, files, 'app', '--output=json').stdout);
  assert.ok(typeof list === 'object' && list !== null && 'items' in list && 'kind' in list);
  assert.deepEqual([list.kind, Array.isArray(list.items) && list.items.length], ['List', 2]);
  const one = {
    'app/kustomization.yaml': 'resources: [a.yaml]\n',
    'app/a.yaml': 'apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\n',
  };
  assert.match(
    render(t, one, 'app', '-o', 'json').stdout,
    /^\{\n {4}"apiVersion": "apps\/v1",\n {4}"kind": "Deployment"/,
  );
  assert.equal(render(t, one, 'app', '-o', 'name').stdout, 'deployment.apps/a\n');
});

test('render prints no object and ends with exit code 1 when the input is wrong', (t) => {
  const { status, stdout, stderr } = render(t, { 'app/kustomization.yaml': 'resources: [nope.yaml]\n' }, 'app');
  assert.deepEqual([status, stdout], [1, '']);
  assert.match(
    stderr,
    /^Error: app\/kustomization\.yaml:1: there is no file nope\.yaml in \S*app\n {2}resources: \[nope\.yaml\]\n$/,
  );
});

test('render names a missing folder as it was given on the command line', (t) => {
  const { status, stderr } = render(t, files, 'nowhere');
  assert.equal(status, 1);
  assert.match(stderr, /^Error: there is no folder \S*nowhere\n$/);
});

test('render ends with exit code 2 when the command line is invalid', (t) => {
  assert.equal(render(t, {}).status, 2);
  assert.equal(render(t, files, 'app', '-o', 'toml').status, 2);
});

test('a folder without a kustomization is refused, and rendered with --directory', (t) => {
  const plain = { 'app/a.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n' };
  const refused = render(t, plain, 'app');
  assert.equal(refused.status, 1);
  assert.equal(refused.stdout, '');
  assert.match(refused.stderr, /there is no kustomization\.yaml.*\n.*--directory/);
  assert.equal(render(t, plain, 'app', '--directory', '-o', 'name').stdout, 'configmap/a\n');
});

const plain = {
  'app/a.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {k: "${name} ${other:-default}"}\n',
  'app/sub/b.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: b}\n',
  'app/sub/c.json': '{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}}',
};

test('render chooses files of a folder with --recurse, --include and --exclude', (t) => {
  assert.equal(render(t, plain, 'app', '--recurse', '-o', 'name').stdout, 'configmap/a\nconfigmap/b\nconfigmap/c\n');
  const { stdout } = render(t, plain, 'app', '--recurse', '--include=*.yaml', '--exclude=sub/*', '-o', 'name');
  assert.equal(stdout, 'configmap/a\n');
});

const workload = {
  'app/kustomization.yaml': 'resources: [a.yaml]\n',
  'app/a.yaml':
    'apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n  template:\n    spec:\n      containers:\n      - {name: main, image: "nginx:1"}\n',
  'patch.yaml': 'apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {paused: true}\n',
  'shared/extra/kustomization.yaml':
    'apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\ncommonAnnotations: {extra: "yes"}\n',
};

test('render overrides the objects of a folder by flags', (t) => {
  const flags = ['--namespace=team', '--name-prefix=p-', '--name-suffix=-s', '--label=l=1', '--annotation=a=2'];
  flags.push('--image=nginx=example.com/nginx:2', '--replicas=web=3', '--patch=patch.yaml', '--source=s=shared');
  const { status, stdout, stderr } = render(t, workload, 'app', ...flags, '--component=$s/extra');
  assert.deepEqual([status, stderr], [0, '']);
  const annotations = '    a: "2"\n    extra: "yes"\n';
  const metadata = `metadata:\n  annotations:\n${annotations}  labels:\n    l: "1"\n  name: p-web-s\n  namespace: team\n`;
  assert.ok(stdout.includes(metadata), stdout);
  assert.match(stdout, /spec:\n {2}paused: true\n {2}replicas: 3\n/);
  assert.match(stdout, /image: example\.com\/nginx:2\n/);
});

const application = {
  ...plain,
  'application.yaml': `apiVersion: tautline.dev/v1alpha1
kind: Application
metadata: {name: shop}
spec:
  source: {repoURL: 'https://git.example.com/shop.git'}
  render:
    kustomize: {namePrefix: shop-}
    substitute: {name: from the Application}
    substituteFrom:
    - {kind: Secret, name: settings}
`,
  'settings.yaml': `apiVersion: v1
kind: Secret
metadata: {name: settings}
data: {other: ${Buffer.from('from the Secret').toString('base64')}}
stringData: {name: hidden}
`,
};

test('render takes spec.render of an Application, and a flag wins over it', (t) => {
  const file = ['--application=application.yaml', '--data=settings.yaml'];
  const { status, stdout } = render(t, application, 'app', ...file);
  assert.equal(status, 0);
  assert.match(stdout, /k: from the Application from the Secret\n[^]*name: shop-a\n/);
  const changed = render(t, application, 'app', ...file, '--substitute=name=flag', '--name-prefix=x-');
  assert.match(changed.stdout, /k: flag from the Secret\n[^]*name: x-a\n/);
});

test('render says which ConfigMap or Secret is missing', (t) => {
  const { status, stdout, stderr } = render(t, application, 'app', '-f', 'application.yaml');
  assert.deepEqual([status, stdout], [1, '']);
  assert.match(stderr, /^Error: the Secret settings of spec\.render\.substituteFrom does not exist/);
});

/** Flags with the sentence that refuses them. */
const WRONG_FLAGS: readonly (readonly [string, RegExp])[] = [
  ['--label=x', /^Error: --label must be key=value, but is x\n$/],
  ['--image=nginx', /^Error: --image must be name=new-name:tag/],
  ['--replicas=web=many', /^Error: --replicas must be name=count/],
  ['--patch=none.yaml', /^Error: none\.yaml cannot be read \(ENOENT\)\n$/],
  ['--source=x=none', /^Error: there is no folder none\n$/],
  ['--application=patch.yaml', /^Error: patch\.yaml has no Application\n$/],
];

for (const [flag, message] of WRONG_FLAGS) {
  test(`render refuses ${flag} with exit code 2`, (t) => {
    const { status, stdout, stderr } = render(t, workload, 'app', flag);
    assert.deepEqual([status, stdout], [2, '']);
    assert.match(stderr, message);
  });
}

const chart = {
  'Chart.yaml': 'apiVersion: v2\nname: web\nversion: 1.0.0\n',
  'templates/map.yaml':
    'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: "{{ .Release.Name }}", namespace: "{{ .Release.Namespace }}"}\n' +
    'data: {color: "{{ .Values.color }}", size: "{{ .Values.size }}"}\n',
};
const chartApplication = `
apiVersion: tautline.dev/v1alpha1
kind: Application
metadata: {name: shop, namespace: apps}
spec:
  source: {repoURL: https://git.example.com/shop.git}
  destination: {namespace: live}
  render:
    helm: {values: {color: red}, valuesFrom: [{kind: ConfigMap, name: web}]}
    kustomize: {namePrefix: p-}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: web, namespace: apps}
data: {values.yaml: "size: large"}
`;

test('render runs helm for a chart, with the release and values of an Application', async (t) => {
  const helm = await helmBinary();
  const withApplication = { ...chart, 'app.yaml': chartApplication };
  const args = ['-f', 'app.yaml', '--data', 'app.yaml', '--helm', helm, '-o', 'json'];
  const { status, stdout, stderr } = render(t, withApplication, '.', ...args);
  assert.equal(status, 0, stderr);
  const { metadata, data } = JSON.parse(stdout) as Record<string, Record<string, string>>;
  assert.deepEqual(
    [metadata?.['name'], metadata?.['namespace'], data],
    ['p-shop', 'live', { color: 'red', size: 'large' }],
  );
});

test('render says what to do when helm is missing', (t) => {
  const { status, stderr } = render(t, chart, '.', '--helm', './no-such-program');
  assert.equal(status, 1);
  assert.match(stderr, /Install helm 4, or name it with --helm\.$/m);
});
