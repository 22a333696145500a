import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Problem } from '../../../src/object/problem.ts';
import type { Manifests } from '../../../src/render/manifests.ts';
import { renderPath } from '../../../src/render/render.ts';
import { LIMITS, memoryTree } from './memory-tree.ts';

type Files = Parameters<typeof memoryTree>[0];

const configMap = (name: string, rest = ''): string =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}}\n${rest}`;

function render(files: Files, path = 'app', limits = {}): Manifests {
  return renderPath({ tree: memoryTree(files), path, limits: { ...LIMITS, ...limits } });
}

function onlyProblem(files: Files, path = 'app', limits = {}): Problem {
  const { problems, manifests } = render(files, path, limits);
  assert.equal(problems.length, 1, JSON.stringify(problems));
  assert.deepEqual(manifests, []);
  return problems[0] as Problem;
}

const names = ({ manifests }: Manifests): unknown[] => manifests.map(({ object }) => object.metadata['name']);

test('a plain folder renders its YAML and JSON files in the order of their names, without subfolders', () => {
  const rendered = render({
    'app/b.yml': configMap('b'),
    'app/a.yaml': `${configMap('a1')}---\n# nothing\n---\n${configMap('a2')}`,
    'app/c.json': '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"c"}}',
    'app/.hidden.yaml': configMap('hidden'),
    'app/sub/d.yaml': configMap('below'),
    'app/README.md': '# not YAML',
  });
  assert.deepEqual(rendered.problems, []);
  assert.deepEqual(names(rendered), ['a1', 'a2', 'b', 'c']);
  assert.deepEqual(
    rendered.manifests.map(({ file, line }) => `${file}:${line}`),
    ['app/a.yaml:1', 'app/a.yaml:7', 'app/b.yml:1', 'app/c.json:1'],
  );
});

test('a broken file of a plain folder is a problem with its line, and the other files are rendered', () => {
  const rendered = render({
    'app/a.yaml': configMap('a'),
    'app/b.yaml': 'kind: X\n\tname: y\n',
    'app/c.yaml': configMap('c'),
  });
  assert.deepEqual(names(rendered), ['a', 'c']);
  const [problem] = rendered.problems;
  assert.equal(problem?.code, 'YamlSyntax');
  assert.equal(problem?.file, 'app/b.yaml');
  assert.equal(problem?.line, 2);
  assert.equal(problem?.excerpt, '1 | kind: X\n2 | \tname: y\n  | ^');
  assert.match(problem?.hint ?? '', /tabs/);
});

test('the lines of a broken Secret are never shown', () => {
  const text = 'apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData:\n  password: @hunter2\n';
  const problem = onlyProblem({ 'app/s.yaml': text });
  assert.equal(problem.line, 5);
  assert.ok(!JSON.stringify(problem).includes('hunter2'));
});

test('the problem of a broken JSON patch shows no line of it, because the patch may be for a Secret', () => {
  const patch = '- {op: replace, path: /data/key, value: "aHVudGVy}\n';
  const kustomization = 'patches:\n- path: p.yaml\n  target: {name: s}\nresources: [c.yaml]\n';
  const config = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: s}\n';
  const files = { 'app/kustomization.yaml': kustomization, 'app/p.yaml': patch, 'app/c.yaml': config };
  const { problems } = renderPath({ tree: memoryTree(files), path: 'app', limits: LIMITS });
  assert.equal(problems[0]?.file, 'app/p.yaml', JSON.stringify(problems));
  assert.ok(!JSON.stringify(problems).includes('aHVudGVy'));
});

test('the text of a broken kustomization that generates Secrets is never shown', () => {
  const text = 'secretGenerator:\n- name: s\n  literals: [password=hunter2\n';
  assert.ok(!JSON.stringify(onlyProblem({ 'app/kustomization.yaml': text })).includes('hunter2'));
  const unexpected = 'apiVersion: v1\nkind: Secret\ndata:\n  a: b\n  "hunter2" "hunter2"\n';
  assert.ok(!JSON.stringify(onlyProblem({ 'app/s.yaml': unexpected })).includes('hunter2'));
});

test('the problem of a failed replacement does not show the copied value', () => {
  const kustomization =
    'resources: [a.yaml]\nreplacements:\n- source: {kind: Secret, name: s, fieldPath: stringData.p}\n  targets:\n  - {select: {kind: Pod}, fieldPaths: [spec.n]}\n';
  const objects =
    'apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {p: hunter2}\n---\napiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {n: 1}\n';
  const problem = onlyProblem({ 'app/kustomization.yaml': kustomization, 'app/a.yaml': objects });
  assert.match(problem.message, /a field where a number is/);
  assert.ok(!JSON.stringify(problem).includes('hunter2'));
});

test('text after a document separator is refused, as in kustomize', () => {
  const problem = onlyProblem({
    'app/a.yaml': `${configMap('a')}--- # fine\n${configMap('b')}--- {a: b}\n${configMap('c')}`,
  });
  assert.deepEqual([problem.code, problem.line], ['YamlSyntax', 8]);
});

test('the value of a malformed literal of a generator is never shown', () => {
  const text = 'secretGenerator: [{name: s, literals: [hunter2]}]\n';
  assert.ok(!JSON.stringify(onlyProblem({ 'app/kustomization.yaml': text })).includes('hunter2'));
});

test('a document without kind, apiVersion or name is a problem that names its file', () => {
  for (const text of [
    'a: 1\n',
    '- a\n',
    'text\n',
    'apiVersion: v1\nkind: ConfigMap\n',
    'kind: X\nmetadata: {name: a}\n',
  ]) {
    const problem = onlyProblem({ 'app/values.yaml': text });
    assert.equal(problem.code, 'NotAnObject', text);
    assert.equal(problem.file, 'app/values.yaml');
  }
});

test('an object that occurs twice in a plain folder is a problem that names both places', () => {
  const { problems } = render({ 'app/a.yaml': configMap('a'), 'app/b.yaml': configMap('a') });
  assert.deepEqual(
    problems.map(({ code, file, message }) => [code, file, message]),
    [['DuplicateObject', 'app/b.yaml', 'ConfigMap a occurs twice; first in app/a.yaml:1']],
  );
});

test('each mistake in the input has its code and a message that names the cause', () => {
  const kustomization = (text: string): Files => ({ 'app/kustomization.yaml': text, 'app/a.yaml': configMap('a') });
  const table: readonly (readonly [string, Files, Problem['code'], RegExp])[] = [
    ['absent', { 'other/a.yaml': '' }, 'PathNotFound', /no folder app/],
    ['a file', { app: 'x' }, 'PathNotFound', /is a file/],
    ['a chart', { 'app/Chart.yaml': '[]' }, 'ChartInvalid', /is no map/],
    ['two', { 'app/kustomization.yml': '', 'app/kustomization.yaml': '' }, 'KustomizationInvalid', /only one/],
    ['empty', kustomization(''), 'KustomizationInvalid', /empty/],
    ['unknown field', kustomization('resources: [a.yaml]\nfoo: 1\n'), 'KustomizationInvalid', /"foo" is unknown/],
    [
      'wrong type',
      kustomization('images: [{name: a, newTag: 1.1}]\n'),
      'KustomizationInvalid',
      /newTag must be a string/,
    ],
    ['chart inside', kustomization('helmCharts: [{name: x}]\n'), 'PathNotFound', /there is no chart/],
    ['missing', kustomization('resources: [nope.yaml]\n'), 'PathNotFound', /nope.yaml/],
    ['above', kustomization('resources: [../../x]\n'), 'PathEscapesRoot', /leaves the repository/],
    [
      'beside',
      { ...kustomization('resources: [../b.yaml]\n'), 'b.yaml': configMap('b') },
      'PathEscapesRoot',
      /not in or below/,
    ],
    ['twice', kustomization('resources: [a.yaml, a.yaml]\n'), 'DuplicateObject', /occurs twice/],
    [
      'link',
      { ...kustomization('resources: [l.yaml]\n'), 'app/l.yaml': { link: undefined } },
      'PathEscapesRoot',
      /out of/,
    ],
    ['kind', kustomization('kind: Foo\nresources: [a.yaml]\n'), 'KustomizationInvalid', /kind must be/],
    [
      'cycle',
      { ...kustomization('resources: [../b]\n'), 'b/kustomization.yaml': 'resources: [../app]' },
      'KustomizationInvalid',
      /cycle/,
    ],
  ];
  for (const [title, files, code, message] of table) {
    const problem = onlyProblem(files);
    assert.equal(problem.code, code, `${title}: ${problem.message}`);
    assert.match(problem.message, message, title);
  }
});

test('the problem of a broken base names the file of the base', () => {
  const files = { 'app/kustomization.yaml': 'resources: [../base]\n', 'base/kustomization.yaml': 'foo: 1\n' };
  assert.equal(onlyProblem(files).file, 'base/kustomization.yaml');
});

test('links inside the tree are followed', () => {
  const files = { 'app/kustomization.yaml': 'resources: [linked]\n', 'app/linked': { link: 'base' } };
  const rendered = render({
    ...files,
    'base/kustomization.yaml': 'resources: [a.yaml]\n',
    'base/a.yaml': configMap('a'),
  });
  assert.deepEqual(names(rendered), ['a']);
});

test('a render beyond any of its bounds fails with LimitExceeded', () => {
  const big = { 'app/a.yaml': configMap('a', 'data: {a: b, c: d}\n'), 'app/b.yaml': configMap('b') };
  for (const limits of [{ maxFileBytes: 10 }, { maxNodes: 5 }, { maxDepth: 1 }]) {
    for (const { code } of render(big, 'app', limits).problems)
      assert.equal(code, 'LimitExceeded', JSON.stringify(limits));
  }
  assert.equal(render(big, 'app', { maxObjects: 1 }).problems[0]?.code, 'LimitExceeded');
  assert.equal(render(big, 'app', { maxFiles: 1 }).problems[0]?.code, 'LimitExceeded');
  const bomb = `a: &a [x, x, x, x, x, x, x, x, x, x]\nb: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a, *a]\nc: [*b, *b, *b, *b, *b, *b, *b]\n`;
  assert.equal(onlyProblem({ 'app/a.yaml': configMap('a', bomb) }, 'app', { maxNodes: 500 }).code, 'LimitExceeded');
});

test('a deprecated field is rendered with a warning', () => {
  const rendered = render({
    'app/kustomization.yaml': 'bases: [../base]\n',
    'base/kustomization.yaml': 'resources: [a.yaml]\n',
    'base/a.yaml': configMap('a'),
  });
  assert.deepEqual(names(rendered), ['a']);
  assert.equal(rendered.warnings.length, 1);
  assert.match(rendered.warnings[0] ?? '', /'bases' is deprecated/);
});

test('the read-set contains every path that was looked up, and an empty id for an absent one', () => {
  const { readSet } = render({ 'app/a.yaml': configMap('a') });
  assert.equal(readSet['app/kustomization.yaml'], '');
  assert.match(readSet['app/a.yaml'] ?? '', /^[0-9a-f]{40}$/);
});

test('a key such as __proto__ is rendered like any other key', () => {
  const text = configMap('a', 'data:\n  __proto__: x\n  constructor: y\n');
  const { manifests } = render({
    'app/kustomization.yaml': 'resources: [a.yaml]\nnamePrefix: p-\n',
    'app/a.yaml': text,
  });
  assert.deepEqual(Object.keys(manifests[0]?.object['data'] ?? {}), ['__proto__', 'constructor']);
  assert.equal(({} as Record<string, unknown>)['x'], undefined);
});

test('the problem of a plugin or function names its type', () => {
  const config = (rest: string): string => `apiVersion: example.com/v1\nkind: Made\nmetadata:\n  name: m\n${rest}`;
  const runtime = (text: string): string =>
    config(`  annotations:\n    config.kubernetes.io/function: |\n      ${text}\n`);
  const table: readonly (readonly [string, RegExp])[] = [
    [config(''), /Made is a Go or exec plugin/],
    [runtime('container: {image: example.com/x}'), /Made is a container function/],
    [runtime('exec: {path: ./run.sh}'), /Made is an exec function/],
    [runtime('starlark: {path: x.star}'), /Made is a Starlark function/],
  ];
  for (const [text, message] of table) {
    for (const field of ['generators', 'transformers', 'validators']) {
      const files = { 'app/kustomization.yaml': `${field}: [x.yaml]\n`, 'app/x.yaml': text };
      const problem = onlyProblem(files);
      assert.equal(problem.code, 'Unsupported', problem.message);
      assert.match(problem.message, message);
      assert.deepEqual([problem.file, problem.line], ['app/x.yaml', 1]);
    }
  }
});

test('a validator that changes an object is refused', () => {
  const validator = `apiVersion: builtin\nkind: LabelTransformer\nmetadata: {name: v}\nlabels: {other: x}\nfieldSpecs: [{path: metadata/labels, create: true}]\n`;
  const files = {
    'app/kustomization.yaml': 'resources: [a.yaml]\nvalidators: [v.yaml]\n',
    'app/a.yaml': configMap('a'),
  };
  assert.match(onlyProblem({ ...files, 'app/v.yaml': validator }).message, /validator changes an object/);
});
