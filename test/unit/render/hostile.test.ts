/**
 * Hostile input: it is rendered or refused with a clear problem, within bounds. No problem shows a part of a file
 * outside the kustomization.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Problem } from '../../../src/object/problem.ts';
import type { RenderLimits } from '../../../src/render/manifests.ts';
import { renderPath } from '../../../src/render/render.ts';
import { memoryTree } from './memory-tree.ts';

type Files = Parameters<typeof memoryTree>[0];

/** The default limits of the agent. */
const LIMITS: RenderLimits = {
  maxFileBytes: 8 * 1024 * 1024,
  maxNodes: 1_000_000,
  maxDepth: 200,
  maxObjects: 50_000,
  maxFiles: 20_000,
};

/** CPU time for one hostile input. A linear algorithm takes far less, any other one takes minutes. */
const MAX_CPU_MS = 20_000;

const CONFIG_MAP = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n';

function render(files: Files): { problems: readonly Problem[]; count: number } {
  const start = process.cpuUsage();
  const { problems, manifests } = renderPath({ tree: memoryTree(files), path: 'app', limits: LIMITS });
  const { user, system } = process.cpuUsage(start);
  assert.ok((user + system) / 1000 < MAX_CPU_MS);
  return { problems, count: manifests.length };
}

function onlyProblem(files: Files): Problem {
  const { problems, count } = render(files);
  assert.deepEqual([problems.length, count], [1, 0], JSON.stringify(problems).slice(0, 500));
  return problems[0] as Problem;
}

const withResource = (text: string): Files => ({
  'app/kustomization.yaml': 'resources: [a.yaml]\n',
  'app/a.yaml': text,
});

test('texts with exponential aliases or deep nesting are refused', () => {
  const repeat = (name: string): string => Array.from({ length: 10 }, () => `*${name}`).join(', ');
  const aliases = ['a0: &a0 [x, x, x, x, x, x, x, x, x, x]'];
  const merges = ['m0: &m0 {k0: v}'];
  for (let level = 1; level < 12; level += 1) {
    aliases.push(`a${level}: &a${level} [${repeat(`a${level - 1}`)}]`);
    merges.push(`m${level}: &m${level} {<<: [${repeat(`m${level - 1}`)}], k${level}: [${repeat(`m${level - 1}`)}]}`);
  }
  const deep = 50_000;
  const table: Readonly<Record<string, string>> = {
    'aliases of aliases': aliases.join('\n'),
    'merges of merges': merges.join('\n'),
    'flow lists in lists': `d: ${'['.repeat(deep)}${']'.repeat(deep)}`,
    'flow lists without end': `d: ${'['.repeat(deep)}`,
    'flow maps in maps': `d: ${'{a: '.repeat(deep)}1${'}'.repeat(deep)}`,
    'block lists in lists': `d:\n  ${'- '.repeat(deep)}x`,
    'block maps in maps': `d:\n${Array.from({ length: 1_000 }, (_, i) => `${' '.repeat(i + 1)}a:`).join('\n')}`,
    'an alias of itself': 'd: &d [*d]',
  };
  for (const [title, text] of Object.entries(table)) {
    for (const files of [withResource(`${CONFIG_MAP}${text}\n`), { 'app/kustomization.yaml': `${text}\n` }]) {
      const problem = onlyProblem(files);
      assert.ok(['LimitExceeded', 'YamlSyntax'].includes(problem.code), `${title}: ${problem.code} ${problem.message}`);
      assert.ok((problem.line ?? 0) > 0, title);
      assert.ok(JSON.stringify(problem).length < 1_500, `${title}: a problem is short`);
    }
  }
});

test('a file of 100 MB is refused, and a file below the bound is rendered', () => {
  const problem = onlyProblem(withResource(`${CONFIG_MAP}data: {x: "${'x'.repeat(100_000_000)}"}\n`));
  assert.equal(problem.code, 'LimitExceeded');
  assert.equal(render(withResource(`${CONFIG_MAP}data: {x: "${'x'.repeat(7_000_000)}"}\n`)).count, 1);
  assert.equal(render(withResource(`${CONFIG_MAP}data:\n  x: ${'word '.repeat(1_000_000)}\n`)).count, 1);
});

test('keys that are special in JavaScript are rendered like other keys', () => {
  const keys =
    '{__proto__: {polluted: "1"}, constructor: {prototype: {polluted: "1"}}, toString: x, hasOwnProperty: y}';
  const patch = `${CONFIG_MAP}extra: ${keys}\n`;
  const kustomization = `resources: [a.yaml]\npatches: [{path: p.yaml}]\ncommonLabels: {__proto__: "x"}\nimages: [{name: __proto__, newTag: "1"}]\n`;
  const tree = memoryTree({
    'app/kustomization.yaml': kustomization,
    'app/a.yaml': `${CONFIG_MAP}data: {__proto__: "z"}\n`,
    'app/p.yaml': patch,
  });
  const { problems, manifests } = renderPath({ tree, path: 'app', limits: LIMITS });
  assert.deepEqual(problems, []);
  const text = JSON.stringify(manifests[0]?.object);
  assert.match(text, /"extra":\{[^}]*"__proto__":\{"polluted":"1"\}/);
  assert.match(text, /"data":\{"__proto__":"z"\}/);
  assert.equal(({} as { polluted?: string }).polluted, undefined);
  assert.match(onlyProblem({ 'app/kustomization.yaml': '__proto__: {resources: [a.yaml]}\n' }).message, /unknown/);
});

test('regular expressions that take exponential time in a backtracking engine are matched in time', () => {
  const evil = '(a+)+$';
  const long = `${'a'.repeat(5_000)}!`;
  const pod = `apiVersion: v1\nkind: Pod\nmetadata: {name: p, labels: {l: "${'a'.repeat(60)}"}}\nspec: {containers: [{name: "${long}", image: "${long}"}]}\n`;
  const table: readonly string[] = [
    `images: [{name: "${evil}", newTag: x}]`,
    `images: [{name: "(a|a)*b|(a*)*c", newTag: x}]`,
    `patches: [{target: {name: "${evil}", kind: "(P|o|d|.)*x"}, patch: "- {op: add, path: /x, value: 1}"}]`,
    `replacements: [{sourceValue: x, targets: [{select: {kind: Pod}, fieldPaths: ["spec.containers.[name=${evil}].image"]}]}]`,
    `replacements: [{sourceValue: x, targets: [{select: {name: "(.*)*(.*)*y"}, fieldPaths: [spec.x]}]}]`,
  ];
  for (const row of table) {
    render({ 'app/kustomization.yaml': `resources: [a.yaml]\n${row}\n`, 'app/a.yaml': pod });
  }
});

test('cycles of kustomizations are refused: direct, in three steps, through a link, among components', () => {
  const component = 'apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n';
  const table: readonly Files[] = [
    { 'app/kustomization.yaml': 'resources: [.]\n' },
    { 'app/kustomization.yaml': 'resources: [../app]\n' },
    {
      'app/kustomization.yaml': 'resources: [../b]\n',
      'b/kustomization.yaml': 'resources: [../c]\n',
      'c/kustomization.yaml': 'resources: [../app]\n',
    },
    {
      'app/kustomization.yaml': 'resources: [../b]\n',
      'b/kustomization.yaml': 'resources: [l]\n',
      'b/l': { link: 'app' },
    },
    {
      'app/kustomization.yaml': 'components: [../b]\n',
      'b/kustomization.yaml': `${component}components: [../c]\n`,
      'c/kustomization.yaml': `${component}components: [../b]\n`,
    },
    { 'app/sub/kustomization.yaml': 'resources: [..]\n', 'app/kustomization.yaml': 'resources: [sub]\n' },
  ];
  for (const files of table) {
    const problem = onlyProblem(files);
    assert.equal(problem.code, 'KustomizationInvalid');
    assert.match(problem.message, /cycle/);
    assert.ok(problem.file?.endsWith('kustomization.yaml') && (problem.line ?? 0) > 0 && problem.excerpt !== undefined);
  }
});

/** Every field that contains a path, with PATH as the placeholder. */
const PATH_FIELDS: readonly string[] = [
  'resources: [PATH]',
  'bases: [PATH]',
  'components: [PATH]',
  'crds: [PATH]',
  'configurations: [PATH]',
  'openapi: {path: PATH}',
  'patches: [{path: PATH}]',
  'patchesStrategicMerge: [PATH]',
  'patchesJson6902: [{path: PATH, target: {version: v1, kind: ConfigMap, name: a}}]',
  'replacements: [{path: PATH}]',
  'configMapGenerator: [{name: g, files: [PATH]}]',
  'configMapGenerator: [{name: g, files: ["key=" PATH]}]',
  'configMapGenerator: [{name: g, envs: [PATH]}]',
  'configMapGenerator: [{name: g, env: PATH}]',
  'secretGenerator: [{name: g, files: [PATH]}]',
  'generators: [PATH]',
  'transformers: [PATH]',
  'validators: [PATH]',
];

const OUTSIDE: readonly string[] = [
  '../outside.yaml',
  '../../outside.yaml',
  'sub/../../outside.yaml',
  '/outside.yaml',
  '/etc/passwd',
  '..\\outside.yaml',
  '..%2foutside.yaml',
  'x\0/../../outside.yaml',
  'file:///outside.yaml',
  'file:../outside.yaml',
  'https://127.0.0.1:1/outside.yaml',
  'link-out',
  'link-beside',
  'link-folder/outside.yaml',
];

test('no field of a kustomization can read a file outside its folder', () => {
  const canary = 'hunter2-canary';
  for (const field of PATH_FIELDS) {
    for (const path of OUTSIDE) {
      const text = JSON.stringify(field.includes('"key="') ? `key=${path}` : path);
      const entry = field.replace('"key=" PATH', text).replace('PATH', text);
      const problem = onlyProblem({
        'app/kustomization.yaml': `${field.startsWith('resources') ? '' : 'resources: [a.yaml]\n'}${entry}\n`,
        'app/a.yaml': CONFIG_MAP,
        'app/sub/x.yaml': CONFIG_MAP,
        'app/link-out': { link: undefined },
        'app/link-beside': { link: 'outside.yaml' },
        'app/link-folder': { link: 'beside' },
        'outside.yaml': `${CONFIG_MAP}data: {password: ${canary}}\n`,
        'beside/outside.yaml': `${CONFIG_MAP}data: {password: ${canary}}\n`,
      });
      const shown = `${entry}: ${JSON.stringify(problem)}`;
      assert.ok(!shown.includes(canary), shown);
      assert.ok(
        ['PathNotFound', 'PathEscapesRoot', 'Unsupported', 'KustomizationInvalid'].includes(problem.code),
        shown,
      );
      assert.equal(problem.file, 'app/kustomization.yaml', shown);
      assert.ok((problem.line ?? 0) > 0, shown);
    }
  }
});
