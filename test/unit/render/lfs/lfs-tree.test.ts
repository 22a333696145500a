import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { createDocumentCache } from '../../../../src/render/document-cache.ts';
import { formatProblem } from '../../../../src/object/problem.ts';
import type { RenderTree } from '../../../../src/render/file-loader.ts';
import { LFS_FILE } from '../../../../src/render/lfs/lfs-tree.ts';
import { isLfsPointer, readLfsPointer } from '../../../../src/render/lfs/lfs-pointer.ts';
import type { Answer } from '../../../../src/render/needs.ts';
import { renderPath } from '../../../../src/render/render.ts';
import { renderWithAnswers } from '../../../../src/render/rounds.ts';
import { LIMITS, memoryTree } from '../memory-tree.ts';

type Files = Parameters<typeof memoryTree>[0];

const REPO = 'https://git.example.com/org/shop.git';
const configMap = (name: string): string => `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}}\n`;

function pointerOf(content: string, sizeBytes = Buffer.from(content).length): string {
  const oid = createHash('sha256').update(content).digest('hex');
  return `version https://git-lfs.github.com/spec/v1\noid sha256:${oid}\nsize ${sizeBytes}\n`;
}

interface Options {
  readonly contents?: readonly string[];
  readonly path?: string;
  readonly lfs?: boolean;
  readonly refused?: boolean;
  readonly cache?: ReturnType<typeof createDocumentCache>;
}

async function render(files: Files, { contents = [], path = '', lfs = true, refused = false, cache }: Options = {}) {
  const trees = new Map<string, RenderTree>();
  const asked: unknown[] = [];
  const byOid = new Map(contents.map((text) => [createHash('sha256').update(text).digest('hex'), text] as const));
  const origin = { repoURL: REPO, submodules: true, lfs };
  const input = { tree: memoryTree(files), origin, path, limits: LIMITS, ...(cache ? { cache } : {}) };
  const { manifests } = await renderWithAnswers<Answer>({
    known: new Map(),
    render: (answers) => renderPath({ ...input, trees, answers, release: { name: 'web', namespace: 'apps' } }),
    bring: async (need) => {
      if (need.type === 'helm') {
        asked.push('helm');
        return { type: 'text', text: '' };
      }
      if (need.type === 'submodule') {
        trees.set(need.key, { tree: memoryTree({ 'x.yaml': pointerOf(contents[0] ?? '') }), path: '' });
        return { type: 'tree' };
      }
      assert.equal(need.type, 'lfs');
      if (need.type !== 'lfs') return { type: 'noData' };
      asked.push([need.file, need.repoURL, need.owner]);
      const problem = { code: 'LfsUnavailable', message: 'the content is missing' } as const;
      if (refused) return { type: 'refused', problem };
      trees.set(need.key, { tree: memoryTree({ [LFS_FILE]: byOid.get(need.oid) ?? '' }), path: '' });
      return { type: 'tree' };
    },
  });
  const names = manifests.manifests.map(({ object }) => object.metadata['name']);
  return { names, problem: manifests.problems.map((one) => formatProblem(one)).join('\n'), asked, manifests };
}

test('pointers are read as the specification writes them', () => {
  const good = pointerOf('x');
  assert.equal(readLfsPointer(Buffer.from(good))?.sizeBytes, 1);
  assert.equal(readLfsPointer(Buffer.from(good.replaceAll('\n', '\r\n')))?.sizeBytes, 1);
  const others = [
    '',
    'version https://git-lfs.github.com/spec/v1\n',
    good.replace('sha256', 'sha1'),
    good.replace('size 1', 'size -1'),
    `${good}more\n`,
    good.replace('oid', 'ext-0-foo sha256:1\noid'),
    `${good}${' '.repeat(1024)}`,
  ];
  for (const text of others) assert.equal(readLfsPointer(Buffer.from(text)), undefined, JSON.stringify(text));
  assert.equal(isLfsPointer(Buffer.from(others[1] ?? '')), true);
  assert.equal(isLfsPointer(Buffer.from(configMap('x'))), false);
});

test('a file in LFS is asked for once, and read as if it were in the repository', async () => {
  const content = configMap('large');
  const files: Files = {
    'kustomization.yaml': 'resources: [a.yaml, b.yaml]\nconfigMapGenerator: [{name: g, files: [b.yaml]}]\n',
    'a.yaml': configMap('a'),
    'b.yaml': pointerOf(content),
    'unread.yaml': pointerOf('unread'),
  };
  const { names, problem, asked } = await render(files, { contents: [content] });
  assert.equal(problem, '');
  assert.deepEqual(
    names.map((name) => String(name).slice(0, 2)),
    ['a', 'g-', 'la'],
  );
  assert.deepEqual(asked, [['b.yaml', REPO, '']]);
});

test('a plain folder asks for all its files at once, and a cache of parsed files does not confuse them', async () => {
  const contents = [configMap('x'), configMap('y')];
  const files: Files = { 'x.yaml': pointerOf(contents[0] ?? ''), 'y.yaml': pointerOf(contents[1] ?? '') };
  const cache = createDocumentCache(1_000_000);
  const { names, problem, asked } = await render(files, { contents, cache });
  assert.deepEqual([problem, names, asked.length], ['', ['x', 'y'], 2]);
  assert.deepEqual((await render(files, { contents, cache })).names, ['x', 'y']);
});

test('files of a submodule are on the LFS server of its repository', async () => {
  const content = configMap('inner');
  const files: Files = {
    '.gitmodules': '[submodule "lib"]\n\tpath = lib\n\turl = ../lib.git\n',
    lib: { submodule: 'a'.repeat(40) },
  };
  const { names, problem, asked } = await render(files, { contents: [content], path: 'lib' });
  assert.deepEqual([problem, names], ['', ['inner']]);
  assert.deepEqual(asked, [['lib/x.yaml', 'https://git.example.com/org/lib.git', '']]);
});

test('helm runs once all files of the chart are there', async () => {
  const values = 'a: 1\n';
  const files: Files = {
    'Chart.yaml': 'apiVersion: v2\nname: web\nversion: 1.0.0\n',
    'values.yaml': 'b: 1\n',
    'templates/deep/x.yaml': pointerOf(values),
  };
  const { asked } = await render(files, { contents: [values] });
  assert.deepEqual(asked, [['templates/deep/x.yaml', REPO, ''], 'helm']);
});

test('without the field, a pointer that is read is a problem that names the file', async () => {
  const content = configMap('large');
  const generator = 'configMapGenerator: [{name: g, files: [b.bin]}]\n';
  for (const [files, file] of [
    [{ 'b.yaml': pointerOf(content) }, 'b.yaml'],
    [{ 'kustomization.yaml': generator, 'b.bin': pointerOf(content) }, 'b.bin'],
  ] as const) {
    const { problem, asked } = await render(files, { lfs: false });
    assert.match(problem, new RegExp(`^${file}:1: the file is a pointer of Git LFS, [^]*spec.source.lfs`));
    assert.deepEqual(asked, []);
  }
});

test('content that cannot be brought, or is beyond a bound, is a problem of the file', async () => {
  const content = configMap('x');
  const refused = await render({ 'b.yaml': pointerOf(content) }, { refused: true });
  assert.equal(refused.problem, 'b.yaml:1: the content is missing');
  const large = await render({ 'b.yaml': pointerOf(content, 10_000_001) });
  assert.match(large.problem, /^b\.yaml: the file has 10000001 bytes; at most 10000000 are allowed/);
  assert.deepEqual(large.asked, []);
  const many = Object.fromEntries(
    Array.from(
      { length: 101 },
      (_, index) => [`${String(index).padStart(3, '0')}.yaml`, pointerOf(`${index}`)] as const,
    ),
  );
  assert.match((await render(many)).problem, /100\.yaml: the render reads more than 100 files in LFS/);
  const heavy = Object.fromEntries(
    Array.from({ length: 9 }, (_, index) => [`${index}.yaml`, pointerOf(`${index}`, 9_999_999)] as const),
  );
  assert.match(
    (await render(heavy)).problem,
    /8\.yaml: the files in LFS that the render reads have more than 80000000 bytes/,
  );
});
