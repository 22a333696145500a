/** The files of a chart for helm: regular files alone, within the bounds. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { collectChartFiles, type ChartFile, type ChartFilesLimits } from '../../../src/render/helm/chart-files.ts';
import type { FileTree } from '../../../src/render/file-tree.ts';
import type { HelmRun } from '../../../src/render/needs.ts';
import { memoryTree } from './memory-tree.ts';

const LIMITS: ChartFilesLimits = { maxFiles: 100, maxFileBytes: 1000, maxChartBytes: 10_000 };

type Run = Pick<HelmRun, 'chart' | 'dependencies' | 'values'>;
const RUN: Run = { chart: { tree: '', path: 'web' }, dependencies: [], values: [] };

function collectFrom(trees: ReadonlyMap<string, FileTree>, run: Run): readonly ChartFile[] {
  const collected = collectChartFiles(trees, run, LIMITS);
  assert.ok(collected.ok, JSON.stringify(collected));
  return collected.files;
}

function collect(files: Parameters<typeof memoryTree>[0], run = RUN): Record<string, string> {
  const found = collectFrom(new Map([['', memoryTree(files)]]), run);
  return Object.fromEntries(found.map(({ path, bytes }) => [path, Buffer.from(bytes).toString()]));
}

test('the files of the folder are given below chart, and nothing beside it', () => {
  assert.deepEqual(collect({ 'web/Chart.yaml': 'a', 'web/templates/x.yaml': 'b', 'other/x': 'c' }), {
    'chart/Chart.yaml': 'a',
    'chart/templates/x.yaml': 'b',
  });
});

test('a chart in the root of the repository is given as a whole', () => {
  const run: Run = { ...RUN, chart: { tree: '', path: '' } };
  assert.deepEqual(Object.keys(collect({ 'Chart.yaml': 'a', 'templates/x.yaml': 'b' }, run)), [
    'chart/Chart.yaml',
    'chart/templates/x.yaml',
  ]);
});

test('a link within the repository becomes a file, and a submodule an empty folder', () => {
  const files = { 'web/Chart.yaml': 'a', 'web/x.yaml': { link: 'shared/x.yaml' }, 'shared/x.yaml': 'b' } as const;
  assert.deepEqual(collect({ ...files, 'web/sub': { submodule: true } }), {
    'chart/Chart.yaml': 'a',
    'chart/x.yaml': 'b',
  });
});

test('dependencies and files with values come from their own trees', () => {
  const run: Run = {
    chart: { tree: '', path: 'web' },
    dependencies: [{ name: 'db', place: { tree: 'need', path: '' }, oid: 'x' }],
    values: [
      { type: 'text', text: 'a: 1', isSecret: false },
      { type: 'file', place: { tree: 'envs', path: 'prod.yaml' }, oid: 'x' },
    ],
  };
  const trees = new Map([
    ['', memoryTree({ 'web/Chart.yaml': 'a' })],
    ['need', memoryTree({ 'Chart.yaml': 'db' })],
    ['envs', memoryTree({ 'prod.yaml': 'b: 2' })],
  ]);
  assert.deepEqual(
    collectFrom(trees, run).map(({ path }) => path),
    ['chart/Chart.yaml', 'chart/charts/db/Chart.yaml', 'values/1.yaml'],
  );
});

const REFUSED: readonly (readonly [
  title: string,
  files: Parameters<typeof memoryTree>[0],
  code: string,
  text: RegExp,
])[] = [
  ['a link that leaves the repository', { 'web/x': { link: undefined } }, 'PathEscapesRoot', /web\/x is a link/],
  ['a file that is too large', { 'web/x': 'x'.repeat(1001) }, 'LimitExceeded', /web\/x has 1001 bytes/],
  [
    'too many bytes',
    Object.fromEntries(Array.from({ length: 11 }, (_, index) => [`web/${index}`, 'x'.repeat(999)])),
    'LimitExceeded',
    /more than 10000 bytes/,
  ],
  [
    'too many files',
    Object.fromEntries(Array.from({ length: 101 }, (_, index) => [`web/${index}`, ''])),
    'LimitExceeded',
    /more than 100 files/,
  ],
  ['folders without an end', { [`web/${'a/'.repeat(50)}x`]: '' }, 'LimitExceeded', /levels deep/],
];

/** The place of the problem is left to the render, which knows how the tree is shown. */
function assertRefused(tree: FileTree, code: string, text: RegExp): void {
  const collected = collectChartFiles(new Map([['', tree]]), RUN, LIMITS);
  assert.ok(!collected.ok);
  assert.equal(collected.problem.code, code);
  assert.match(collected.problem.message, text);
  assert.ok(!('file' in collected.problem) && !('line' in collected.problem));
}

test('a chart with a link to nothing is refused', () => {
  const tree = memoryTree({ 'web/x': { link: 'web/absent' } });
  const broken: FileTree = { ...tree, find: (path) => (path === 'web/x' ? { type: 'absent' } : tree.find(path)) };
  assertRefused(broken, 'PathNotFound', /web\/x is a link to a file that does not exist/);
});

for (const [title, files, code, text] of REFUSED) {
  test(`a chart with ${title} is refused`, () => {
    assertRefused(memoryTree(files), code, text);
  });
}
