import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatProblem } from '../../../../src/object/problem.ts';
import type { RenderTree } from '../../../../src/render/file-loader.ts';
import type { FileTree } from '../../../../src/render/file-tree.ts';
import type { Answer, SubmoduleNeed } from '../../../../src/render/needs.ts';
import { renderPath } from '../../../../src/render/render.ts';
import { renderWithAnswers } from '../../../../src/render/rounds.ts';
import { LIMITS, memoryTree } from '../memory-tree.ts';

type Files = Parameters<typeof memoryTree>[0];

const SHOP = 'https://git.example.com/org/shop.git';
const configMap = (name: string): string => `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}}\n`;
const entry = (path: string, url: string, more = ''): string =>
  `[submodule "${path}"]\n\tpath = ${path}\n\turl = ${url}\n${more}`;

/** The trees of repositories, or why there is none. */
type Server = Readonly<Record<string, Files | Extract<Answer, { readonly type: 'refused' }>>>;

async function render(files: Files, { server = {}, path = '', submodules = true, others = {}, options = {} }: Options) {
  const asked: SubmoduleNeed[] = [];
  const trees = new Map<string, RenderTree>(Object.entries(others));
  const origin = { repoURL: SHOP, submodules, lfs: false };
  const input = { tree: memoryTree(files), origin, path, limits: LIMITS, options };
  const { manifests } = await renderWithAnswers<Answer>({
    known: new Map(),
    render: (answers) => renderPath({ ...input, trees, answers }),
    bring: async (need) => {
      assert.equal(need.type, 'submodule');
      if (need.type !== 'submodule') return { type: 'tree' };
      asked.push(need);
      const found = server[need.repoURL] ?? {};
      if ('type' in found && found.type === 'refused') return found as Extract<Answer, { readonly type: 'refused' }>;
      trees.set(need.key, { tree: memoryTree(found as Files), path: '' });
      return { type: 'tree' };
    },
  });
  const names = manifests.manifests.map(({ object }) => object.metadata['name']);
  return { names, problem: manifests.problems.map((one) => formatProblem(one)).join('\n'), asked, manifests };
}

interface Options {
  readonly server?: Server;
  readonly path?: string;
  readonly submodules?: boolean;
  readonly others?: Readonly<Record<string, RenderTree>>;
  readonly options?: Parameters<typeof renderPath>[0]['options'];
}

test('a kustomization builds the folders of submodules, and those of their own submodules', async () => {
  const files: Files = {
    '.gitmodules': entry('vendor/lib', '../lib.git') + entry('vendor/unused', '../unused.git'),
    'app/kustomization.yaml': 'resources: [../vendor/lib/base, a.yaml]\n',
    'app/a.yaml': configMap('a'),
    'vendor/lib': { submodule: 'a'.repeat(40) },
    'vendor/unused': { submodule: 'b'.repeat(40) },
  };
  const server: Server = {
    'https://git.example.com/org/lib.git': {
      '.gitmodules': entry('deep', './deep'),
      'base/kustomization.yaml': 'resources: [../deep/x.yaml]\n',
      deep: { submodule: 'c'.repeat(40) },
    },
    'https://git.example.com/org/lib.git/deep': { 'x.yaml': configMap('x') },
  };
  const { problem, asked } = await render(files, { server, path: 'app' });
  // kustomize reads files in or below the folder of a kustomization alone.
  assert.match(problem, /vendor\/lib\/base\/kustomization.yaml:1: .*not in or below vendor\/lib\/base/);
  assert.deepEqual(
    asked.map(({ repoURL, commit, parentURL, path, file, line }) => [repoURL, commit[0], parentURL, path, file, line]),
    [
      ['https://git.example.com/org/lib.git', 'a', SHOP, 'vendor/lib', '.gitmodules', 3],
      [
        ...['https://git.example.com/org/lib.git/deep', 'c', 'https://git.example.com/org/lib.git'],
        ...['vendor/lib/deep', 'vendor/lib/.gitmodules', 3],
      ],
    ],
  );
  const base = {
    ...server['https://git.example.com/org/lib.git'],
    'base/kustomization.yaml': 'resources: [../deep]\n',
  };
  const deep = { 'x.yaml': configMap('x'), 'kustomization.yaml': 'resources: [x.yaml]\n' };
  const mended = await render(files, {
    server: { 'https://git.example.com/org/lib.git': base, 'https://git.example.com/org/lib.git/deep': deep },
    path: 'app',
  });
  assert.deepEqual([mended.problem, mended.names], ['', ['a', 'x']]);
  assert.equal(mended.manifests.manifests[1]?.file, 'vendor/lib/deep/x.yaml');
});

test('a folder of plain files is read with the submodules below it, but for those that git leaves out', async () => {
  const files: Files = {
    '.gitmodules': entry('app/lib', '../lib') + entry('app/none', '../none', '\tupdate = none\n') + entry('x', '../x'),
    'app/a.yaml': configMap('a'),
    'app/lib': { submodule: 'a'.repeat(40) },
    'app/none': { submodule: 'b'.repeat(40) },
    x: { submodule: 'c'.repeat(40) },
  };
  const server: Server = {
    'https://git.example.com/org/lib': { 'b.yaml': configMap('b'), 'c/c.yaml': configMap('c') },
  };
  const recursive = { directory: { recurse: true } };
  const { names, problem, asked } = await render(files, { server, path: 'app', options: recursive });
  assert.deepEqual([problem, names, asked.length], ['', ['a', 'b', 'c'], 1]);
  assert.equal((await render(files, { server, path: 'app' })).asked.length, 0);
  const below = await render(files, { server, path: 'app/lib/c' });
  assert.deepEqual([below.problem, below.names], ['', ['c']]);
});

test('a chart in a submodule has its files', async () => {
  const files: Files = { '.gitmodules': entry('chart', '../chart'), chart: { submodule: 'a'.repeat(40) } };
  const chart: Files = { 'Chart.yaml': 'apiVersion: v2\nname: web\nversion: 1.0.0\n', 'values.yaml': 'a: 1\n' };
  const needs: unknown[] = [];
  const trees = new Map<string, RenderTree>();
  const input = {
    tree: memoryTree(files),
    origin: { repoURL: SHOP, submodules: true, lfs: false },
    path: 'chart',
    limits: LIMITS,
  };
  await renderWithAnswers<Answer>({
    known: new Map(),
    render: (answers) => renderPath({ ...input, trees, answers, release: { name: 'web', namespace: 'apps' } }),
    bring: async (need) => {
      needs.push(need.type === 'helm' ? [need.type, need.run.chart] : need.type);
      trees.set(need.key, { tree: memoryTree(chart), path: '' });
      return need.type === 'helm' ? { type: 'text', text: '' } : { type: 'tree' };
    },
  });
  assert.deepEqual(needs, ['submodule', ['helm', { tree: '', path: 'chart' }]]);
});

test('submodules of spec.sources are asked for on behalf of that source', async () => {
  const values: FileTree = memoryTree({ '.gitmodules': entry('c', './c'), c: { submodule: 'a'.repeat(40) } });
  const others = {
    $shared: {
      tree: values,
      path: '',
      origin: { repoURL: 'git@git.example.com:org/values.git', submodules: true, lfs: false },
    },
  };
  const files: Files = { 'a.yaml': configMap('a'), 'b.yaml': configMap('b') };
  const options = { kustomize: { components: ['$shared/c'] } } as unknown as Options['options'];
  const component = 'apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nnamePrefix: x-\n';
  const server: Server = { 'git@git.example.com:org/values.git/c': { 'kustomization.yaml': component } };
  const { problem, names, asked } = await render(files, { server, others, options });
  assert.deepEqual([problem, names], ['', ['x-a', 'x-b']]);
  assert.deepEqual(
    asked.map(({ owner, path, file }) => [owner, path, file]),
    [['$shared', '$shared/c', '$shared/.gitmodules']],
  );
});

test('each mistake has its own problem, which names the line of .gitmodules', async () => {
  const link = { submodule: 'a'.repeat(40) };
  const app: Files = { 'kustomization.yaml': 'resources: [lib]\n', lib: link };
  const table: readonly (readonly [string, Files, RegExp])[] = [
    ['no .gitmodules', app, /^\.gitmodules: lib is a submodule, and \.gitmodules names no address for it/],
    ['no entry', { ...app, '.gitmodules': entry('other', '../x') }, /names no address for it/],
    ['no address', { ...app, '.gitmodules': '[submodule "x"]\n\tpath = lib\n' }, /^\.gitmodules:2: .*names no address/],
    ['malformed', { ...app, '.gitmodules': '[submodule "x"]\n\tpath = "lib\n' }, /^\.gitmodules:2: git refuses this/],
    ['a link', { ...app, '.gitmodules': { link: 'm' }, m: entry('lib', '../lib') }, /names no address for it/],
    ['a folder', { ...app, '.gitmodules': entry('lib', 'file:///srv/x') }, /^\.gitmodules:3: .*folder of a machine/],
    ['an option', { ...app, '.gitmodules': entry('lib', '-u./payload') }, /^\.gitmodules:3: .*begins with a hyphen/],
    ['left out', { ...app, '.gitmodules': entry('lib', '../x', '\tupdate = none\n') }, /:3: .*update = none/],
    [
      'a name above the folder of git',
      { ...app, '.gitmodules': '[submodule "../../hooks"]\n\tpath = lib\n\turl = ../lib\n' },
      /names no address for it/,
    ],
    ['a file in place', { ...app, '.gitmodules': { link: undefined } }, /names no address for it/],
  ];
  for (const [title, files, expected] of table) {
    const { problem, names, asked } = await render(files, {});
    assert.match(problem, expected, title);
    assert.deepEqual([names, asked.length], [[], 0], title);
  }
});

test('an answer that cannot be brought is a problem at the line of .gitmodules', async () => {
  const files: Files = {
    '.gitmodules': entry('lib', '../lib'),
    'kustomization.yaml': 'resources: [lib]\n',
    lib: { submodule: 'a'.repeat(40) },
  };
  const problem = { code: 'SubmoduleInvalid', message: 'no such commit' } as const;
  const server: Server = { 'https://git.example.com/org/lib': { type: 'refused', problem } };
  assert.equal((await render(files, { server })).problem, '.gitmodules:3: no such commit');
});

test('a submodule that contains itself ends at a bound, and so does a repository with too many', async () => {
  const self: Files = {
    '.gitmodules': entry('me', '../shop.git'),
    'kustomization.yaml': 'resources: [me]\n',
    me: { submodule: 'a'.repeat(40) },
  };
  const own = await render(self, { server: { [SHOP]: self } });
  assert.match(
    own.problem,
    /^me\/me\/me\/me\/\.gitmodules:3: .*more than 4 levels deep: https:\S+ is a submodule of itself/,
  );
  assert.equal(own.asked.length, 1);
  const names = Array.from({ length: 51 }, (_, index) => `m${index}`);
  const many: Files = {
    '.gitmodules': names.map((name) => entry(name, `../${name}`)).join(''),
    ...Object.fromEntries(names.map((name) => [name, { submodule: 'a'.repeat(40) }] as const)),
  };
  const files = (count: number): Files => ({
    ...many,
    'kustomization.yaml': `resources:\n${names
      .slice(0, count)
      .map((name) => `- ${name}\n`)
      .join('')}`,
  });
  const server: Server = Object.fromEntries(
    names.map((name) => {
      const module = { 'kustomization.yaml': 'resources: [x.yaml]\n', 'x.yaml': configMap(name) };
      return [`https://git.example.com/org/${name}`, module] as const;
    }),
  );
  const most = await render(files(50), { server });
  assert.deepEqual([most.problem, most.names.length], ['', 50]);
  assert.match((await render(files(51), { server })).problem, /:153: the render reads more than 50 submodules/);
});

test('without the field, a render that meets a submodule names it', async () => {
  const files: Files = {
    '.gitmodules': entry('vendor/lib', '../lib'),
    'vendor/lib': { submodule: 'a'.repeat(40) },
    'a/kustomization.yaml': 'resources: [../vendor/lib/base]\n',
    'b/kustomization.yaml': 'components: [../vendor/lib]\n',
    'kustomization.yaml': 'configMapGenerator: [{name: x, files: [vendor/lib/x]}]\n',
  };
  for (const path of ['a', 'b', '', 'vendor/lib']) {
    const { problem, asked } = await render(files, { path, submodules: false });
    assert.match(
      problem,
      /vendor\/lib is a submodule, and submodules are not fetched\n[^]*spec\.source\.submodules/,
      path,
    );
    assert.equal(asked.length, 0);
  }
});
