/** The tree of a commit with its submodules is that of `git submodule update --init --recursive`. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { unused } from '../../../src/render/asking.ts';
import type { RenderTree } from '../../../src/render/file-loader.ts';
import type { FileTree } from '../../../src/render/file-tree.ts';
import type { Answer, SubmoduleNeed } from '../../../src/render/needs.ts';
import { openSourceTrees } from '../../../src/render/source-trees.ts';
import { defaultSourceLimits } from '../../../src/source/limits.ts';
import { openPackTree } from '../../../src/source/packs/pack-tree.ts';
import { git } from '../../support/git-command.ts';
import { createRepository, type TestRepository } from '../../support/git-repository.ts';
import { startHarnessOver, temporaryFolder, TRANSPORTS, type Harness } from './source-harness.ts';

const LIMITS = { ...defaultSourceLimits, maxFileBytes: 1_048_576 };
const entry = (path: string, url: string): string => `[submodule "${path}"]\n\tpath = ${path}\n\turl = ${url}\n`;

/** Brings every submodule that the tree asks for, round by round. */
async function openWithSubmodules(
  t: TestContext,
  { source }: Pick<Harness, 'source'>,
  repoUrl: string,
): Promise<FileTree> {
  const open = async (url: string, commit?: string) => {
    const resolved = commit === undefined ? await source.poll({ repoUrl: url }) : { commit, revision: commit };
    const tree = openPackTree((await source.fetch({ repoUrl: url, resolved })).tree, LIMITS);
    t.after(() => tree.close());
    return tree;
  };
  const main = await open(repoUrl);
  const trees = new Map<string, RenderTree>();
  for (;;) {
    const needs: SubmoduleNeed[] = [];
    const answers = new Map(Array.from(trees.keys(), (key): [string, Answer] => [key, { type: 'tree' }]));
    const asking = { answers, needs, answersUsed: new Set<string>(), limits: LIMITS, usage: unused(), trees };
    const { tree } = openSourceTrees(asking, {
      tree: main,
      origin: { repoURL: repoUrl, submodules: true, lfs: false },
    });
    filesOf(tree);
    if (needs.length === 0) return tree;
    for (const need of needs) trees.set(need.key, { tree: await open(need.repoURL, need.commit), path: '' });
  }
}

type Listed = Readonly<Record<string, string>>;

const digestOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** Each path with the digest of its file, or the mark of a link. */
function filesOf(tree: FileTree, folder = ''): Listed {
  return Object.assign(
    {},
    ...tree.list(folder).map(({ name, type }) => {
      const path = folder === '' ? name : `${folder}/${name}`;
      if (type === 'folder') return filesOf(tree, path);
      if (type === 'link') return { [path]: 'link' };
      return tree.find(path).type === 'file' ? { [path]: digestOf(tree.read(path)) } : {};
    }),
  ) as Listed;
}

function filesOnDisk(root: string, folder = ''): Listed {
  return Object.assign(
    {},
    ...readdirSync(join(root, folder), { withFileTypes: true }).map((one) => {
      const path = join(folder, one.name);
      if (one.name === '.git') return {};
      if (one.isDirectory()) return filesOnDisk(root, path);
      return { [path]: one.isSymbolicLink() ? 'link' : digestOf(readFileSync(join(root, path))) };
    }),
  ) as Listed;
}

/** A repository with a submodule, which has submodules as well, one of them by a whole address. */
async function createNested(server: { readonly url: string; readonly root: string }): Promise<TestRepository> {
  const deep = await createRepository(server, 'deep');
  const first = await deep.commit({ 'x.yaml': 'deep: 1\n', 'dir/y.yaml': 'y: 1\n' });
  await deep.commit({ 'x.yaml': 'deep: 2\n' });
  const lib = await createRepository(server, 'org/lib');
  const libCommit = await lib.commit({
    '.gitmodules': entry('deep', '../../deep.git') + entry('a b/again', './../../deep.git'),
    'base/z.yaml': 'z: 1\n',
    'base/back.yaml': { symlink: '../deep/x.yaml' },
    deep: { submodule: first },
    'a b/again': { submodule: await deep.resolve('main') },
  });
  const shop = await createRepository(server, 'shop');
  await shop.commit({
    '.gitmodules': `# two\n${entry('vendor/lib', '../org/lib.git')}${entry('other', './../deep.git')}`,
    'a.yaml': 'a: 1\n',
    'link.yaml': { symlink: 'vendor/lib/base/z.yaml' },
    'vendor/up': { symlink: 'lib/../lib/deep' },
    'vendor/lib': { submodule: libCommit },
    other: { submodule: first },
  });
  return shop;
}

for (const over of TRANSPORTS) {
  test(`over ${over.name}, the files are those of a recursive clone`, async (t) => {
    const harness = await startHarnessOver(over, t);
    const shop = await createNested(harness.server);
    const tree = await openWithSubmodules(t, harness, shop.url);
    const clone = join(await temporaryFolder(t), 'clone');
    const allow = ['-c', 'protocol.file.allow=always'];
    await git([...allow, 'clone', '--quiet', '--recurse-submodules', shop.dir, clone], { cwd: dirname(shop.dir) });
    const expected = filesOnDisk(clone);
    assert.deepEqual(filesOf(tree), expected);
    assert.equal(Object.keys(expected).length, 13);
    assert.equal(readlinkSync(join(clone, 'link.yaml')), 'vendor/lib/base/z.yaml');
    const text = (path: string) => Buffer.from(tree.read(path)).toString('utf8');
    assert.equal(text('link.yaml'), 'z: 1\n');
    assert.equal(text('vendor/up/dir/y.yaml'), 'y: 1\n');
    assert.equal(text('vendor/lib/base/back.yaml'), 'deep: 1\n');
    assert.equal(tree.resolve('vendor/up/dir'), 'vendor/lib/deep/dir');
    assert.equal(tree.resolve('vendor/lib/deep/../../..'), '');
  });
}
