import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test, type TestContext } from 'node:test';

const cli = join(import.meta.dirname, '../../../src/cli.ts');

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
