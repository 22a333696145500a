/** The messages for a folder that renders no object, for a path that is absent, and for files that are no manifests. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatProblem, type Problem } from '../../../src/object/problem.ts';
import { renderPath } from '../../../src/render/render.ts';
import { LIMITS, memoryTree } from './memory-tree.ts';

type Files = Parameters<typeof memoryTree>[0];

function render(files: Files, path = 'app') {
  return renderPath({ tree: memoryTree(files), path, limits: LIMITS });
}

function onlyProblem(files: Files, path = 'app'): Problem {
  const { problems } = render(files, path);
  assert.equal(problems.length, 1, JSON.stringify(problems));
  return problems[0] as Problem;
}

const configMap = (name: string): string => `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}}\n`;

test('a folder without objects says which folders below it hold manifests, or why its files are ignored', () => {
  const table: readonly (readonly [Files, RegExp, string?])[] = [
    [{ 'app/sub/cm.yaml': configMap('x') }, /^no manifests in app; there are some in app\/sub\n.*spec\.source\.path/],
    [
      Object.fromEntries(['a', 'b/c', 'd', 'e', 'f'].map((sub) => [`app/${sub}/x.yaml`, configMap('x')])),
      /there are some in app\/a, app\/d, app\/e, app\/f and others\n/,
    ],
    [{ 'app/README.md': 'x', 'app/.hidden.yaml': configMap('x') }, /^no manifests in app: its 2 files are ignored/],
    [{ 'app/values.txt': 'x' }, /^no manifests in app: its only file is ignored; a manifest ends in \.yaml, \.yml/],
    [{ 'app/a.yaml': '# nothing yet\n---\n' }, /^no manifests in app: its YAML and JSON files hold no object/],
    [{ 'app/lib': { submodule: true } }, /^no manifests in app: lib is a submodule, and submodules are not fetched/],
    [{ 'app/kustomization.yaml': 'namespace: x\n' }, /^app\/kustomization\.yaml renders no object/],
    [{ 'shop/a.yaml': configMap('x') }, /^no manifests in the root of the repository; there are some in shop\n/, ''],
  ];
  for (const [files, expected, path] of table) {
    const { manifests, problems, whyEmpty } = render(files, path);
    assert.deepEqual([manifests.length, problems], [0, []]);
    assert.match(whyEmpty ?? '', expected);
  }
});

test('a folder with objects or problems has no reason to be empty', () => {
  assert.equal(render({ 'app/a.yaml': configMap('x') }).whyEmpty, undefined);
  assert.equal(render({ 'app/a.yaml': 'a: [\n' }).whyEmpty, undefined);
});

test('the search for manifests below an empty folder is bounded', () => {
  const files = Object.fromEntries(
    Array.from({ length: 2000 }, (_, index) => [`app/${index}/deep/x.txt`, 'x'] as const),
  );
  const tree = memoryTree(files);
  let lists = 0;
  const counted = { ...tree, list: (path: string) => ((lists += 1), path === 'app' ? tree.list(path) : []) };
  const { whyEmpty } = renderPath({ tree: counted, path: 'app', limits: LIMITS });
  assert.match(whyEmpty ?? '', /it holds no file/);
  assert.ok(lists < 250, `${lists} folders were listed`);
});

test('a path that is absent is explained: a submodule, or a name written another way', () => {
  const files: Files = { 'vendor/lib': { submodule: true }, 'deploy/prod/a.yaml': configMap('x') };
  assert.equal(
    formatProblem(onlyProblem(files, 'vendor/lib')),
    'vendor/lib is a submodule, and submodules are not fetched\n' +
      '  Set spec.source.submodules to true, or make an Application of its repository.',
  );
  assert.match(formatProblem(onlyProblem(files, 'vendor/lib/chart')), /^vendor\/lib is a submodule/);
  assert.match(
    formatProblem(onlyProblem(files, 'delpoy/prod')),
    /no folder delpoy\/prod .*\n {2}Did you mean deploy\/prod\?/,
  );
  assert.match(formatProblem(onlyProblem(files, 'other')), /no folder other .*\n {2}Check spec\.source\.path/);
});

test('a hook with a generateName gets a name, and other objects with one are a problem', () => {
  const hook = (annotation: string): string =>
    `apiVersion: batch/v1\nkind: Job\nmetadata:\n  generateName: migrate-\n  annotations: {${annotation}}\n`;
  const { manifests, problems } = render({ 'app/job.yaml': hook('argocd.argoproj.io/hook: PreSync') });
  assert.deepEqual(problems, []);
  assert.equal(manifests[0]?.object.metadata['name'], 'migrate');
  assert.equal(onlyProblem({ 'app/job.yaml': hook('a: b') }).code, 'ReservedField');
  const overlay = { 'app/kustomization.yaml': 'namePrefix: dev-\nresources: [job.yaml]\n' };
  const prefixed = render({ ...overlay, 'app/job.yaml': hook('argocd.argoproj.io/hook: PreSync') });
  assert.equal(prefixed.manifests[0]?.object.metadata['name'], 'dev-migrate');
});

test('a file that is no manifest says what it is and what to do', () => {
  const job = 'apiVersion: batch/v1\nkind: Job\nmetadata:\n  generateName: migrate-\n';
  const table: readonly (readonly [Files, Problem['code'], RegExp])[] = [
    [
      { 'app/crd.yaml': 'version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n' },
      'Unsupported',
      /^app\/crd\.yaml:1: the file is a pointer of Git LFS, whose content is not fetched\n/,
    ],
    [
      { 'app/job.yaml': job },
      'ReservedField',
      /a Job has metadata\.generateName.*\n {2}Give it a metadata\.name instead/,
    ],
    [
      { 'app/renovate.json': '{"extends": ["config:base"]}' },
      'NotAnObject',
      /an object has no kind\n {2}If the file is not a manifest, move it .* kustomization\.yaml/,
    ],
  ];
  for (const [files, code, expected] of table) {
    const problem = onlyProblem(files);
    assert.equal(problem.code, code);
    assert.match(formatProblem(problem), expected);
  }
});
