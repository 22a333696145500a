import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { defaultSourceLimits } from '../../../src/source/limits.ts';
import { openPackTree, type PackTreeLimits } from '../../../src/source/packs/pack-tree.ts';
import { createRepository, type FileChange } from '../../support/git-repository.ts';
import { startHarness } from './source-harness.ts';

async function openTree(t: TestContext, files: Record<string, FileChange>, limits: Partial<PackTreeLimits> = {}) {
  const { server, source } = await startHarness(t);
  const repository = await createRepository(server, 'shop');
  await repository.commit(files);
  const repoUrl = repository.url;
  const snapshot = await source.fetch({ repoUrl, resolved: await source.poll({ repoUrl }) });
  const tree = openPackTree(snapshot.tree, { ...defaultSourceLimits, maxFileBytes: 1_048_576, ...limits });
  t.after(() => tree.close());
  const text = (path: string) => Buffer.from(tree.read(path)).toString('utf8');
  const typeOf = (path: string) => tree.find(path).type;
  return { tree, text, typeOf, repository, snapshot };
}

test('files and folders are found, listed bytewise and read', async (t) => {
  const { tree, text, typeOf, repository } = await openTree(t, {
    'b/deep/x.yaml': 'x: 1\n',
    'b.yaml': 'b: 1\n',
    'B.yaml': 'upper\n',
    'ü.yaml': 'umlaut\n',
    run: { executable: '#!/bin/sh\n' },
    link: { symlink: 'b' },
    other: { submodule: 'ab'.repeat(20) },
    ['__proto__']: 'odd',
  });
  assert.deepEqual(
    tree.list('').map(({ name, type }) => `${name} ${type}`),
    [
      'B.yaml file',
      '__proto__ file',
      'b folder',
      'b.yaml file',
      'link link',
      'other submodule',
      'run file',
      'ü.yaml file',
    ],
  );
  assert.equal(text('b/deep/x.yaml'), 'x: 1\n');
  assert.equal(text('ü.yaml'), 'umlaut\n');
  assert.equal(text('__proto__'), 'odd');
  assert.deepEqual(tree.find('b.yaml'), {
    type: 'file',
    oid: await repository.git(['rev-parse', 'main:b.yaml']),
    sizeBytes: 5,
  });
  assert.equal(typeOf(''), 'folder');
  assert.equal(typeOf('b/deep'), 'folder');
  for (const path of ['none', 'b/none', 'b.yaml/x', 'other', 'other/x', 'constructor', 'b.yaml/..']) {
    assert.equal(typeOf(path), 'absent', path);
    assert.deepEqual(tree.list(path), []);
    assert.equal(tree.resolve(path), undefined);
  }
});

test('links are followed inside the tree and not out of it', async (t) => {
  const { tree, text, typeOf } = await openTree(t, {
    'apps/a/x.yaml': 'x: 1\n',
    'apps/a/up.yaml': { symlink: '../../top.yaml' },
    'top.yaml': 'top: 1\n',
    here: { symlink: 'apps/a' },
    'apps/via': { symlink: '../here' },
    'apps/a/back': { symlink: '..' },
    'apps/a/odd.yaml': { symlink: '.././a//x.yaml' },
    absolute: { symlink: '/etc/passwd' },
    out: { symlink: '../../etc/passwd' },
    'out-and-in': { symlink: '../shop/top.yaml' },
    'apps/out-folder': { symlink: '../../..' },
    self: { symlink: 'self' },
    ping: { symlink: 'pong' },
    pong: { symlink: 'ping' },
    dangling: { symlink: 'none' },
    'through-file': { symlink: 'top.yaml/..' },
    long: { symlink: 'x/'.repeat(4000) },
  });
  assert.equal(text('here/x.yaml'), 'x: 1\n');
  assert.equal(text('apps/via/x.yaml'), 'x: 1\n');
  assert.equal(text('apps/a/up.yaml'), 'top: 1\n');
  assert.equal(text('here/up.yaml'), 'top: 1\n', 'a link in a linked folder is resolved from its real folder');
  assert.equal(text('here/back/a/odd.yaml'), 'x: 1\n');
  assert.equal(tree.resolve('apps/via/up.yaml'), 'top.yaml');
  assert.equal(tree.resolve('here'), 'apps/a');
  assert.equal(tree.resolve(''), '');
  assert.deepEqual(tree.list('here'), tree.list('apps/a'));
  for (const path of [
    'absolute',
    'out',
    'out-and-in',
    'apps/out-folder',
    'apps/out-folder/etc',
    'self',
    'ping',
    'long',
  ]) {
    assert.equal(typeOf(path), 'outside', path);
    assert.equal(tree.resolve(path), undefined);
    assert.throws(() => tree.read(path), { code: 'FileNotFound' });
  }
  assert.equal(typeOf('dangling'), 'absent');
  assert.equal(typeOf('through-file'), 'absent');
  assert.equal(typeOf('../x'), 'outside');
});

test('the read-set holds every path that was looked up, absent ones included', async (t) => {
  const { tree, repository } = await openTree(t, { 'a/x.yaml': 'x', 'b.yaml': 'b', link: { symlink: 'b.yaml' } });
  tree.find('a/x.yaml');
  tree.list('a');
  tree.read('link');
  tree.find('a/none.yaml');
  tree.resolve('../out');
  const oid = (path: string) => repository.git(['rev-parse', `main:${path}`]);
  assert.deepEqual(
    { ...tree.readSet() },
    {
      'a/x.yaml': await oid('a/x.yaml'),
      'a/': await oid('a'),
      link: `${await oid('b.yaml')} b.yaml`,
      'a/none.yaml': '',
      '../out': '',
    },
  );
});

test('a tree is unchanged for a read-set if every path of it leads to the same', async (t) => {
  const files = { 'app/a.yaml': 'a', 'lib/b.yaml': 'b', link: { symlink: 'lib' } };
  const { tree } = await openTree(t, files);
  tree.list('app');
  tree.find('app');
  tree.find('app/a.yaml');
  tree.find('link/b.yaml');
  tree.find('lib/none.yaml');
  const readSet = tree.readSet();
  const isUnchanged = async (changes: Parameters<typeof openTree>[1]): Promise<boolean> => {
    const other = await openTree(t, { ...files, ...changes });
    return other.tree.isUnchanged(readSet);
  };
  assert.equal(await isUnchanged({ 'other/c.yaml': 'c', 'lib/new.yaml': 'n' }), true);
  assert.equal(await isUnchanged({ 'app/a.yaml': 'A' }), false);
  assert.equal(await isUnchanged({ 'app/new.yaml': 'n' }), false, 'the list of a folder has a new entry');
  assert.equal(await isUnchanged({ 'lib/none.yaml': 'n' }), false, 'absence is remembered');
  assert.equal(await isUnchanged({ 'too/b.yaml': 'b', link: { symlink: 'too' } }), false, 'a link leads elsewhere');
});

test('a file beyond the bound is found but cannot be read', async (t) => {
  const { tree, typeOf } = await openTree(t, { 'a.yaml': 'x'.repeat(200) }, { maxFileBytes: 100 });
  assert.equal(typeOf('a.yaml'), 'file');
  assert.throws(() => tree.read('a.yaml'), { code: 'FileTooLarge', stage: 'render' });
});

test('reading an object that was changed on disk fails', async (t) => {
  const { snapshot } = await openTree(t, {
    'a.bin': Buffer.from(Array.from({ length: 5000 }, () => Math.random() * 256)),
  });
  const { gitDir } = snapshot.tree;
  const pack = join(gitDir, readdirSync(gitDir).find((name) => name.endsWith('.pack')) ?? '');
  const bytes = readFileSync(pack);
  bytes.writeUInt8((bytes[bytes.length - 500] ?? 0) ^ 1, bytes.length - 500);
  writeFileSync(pack, bytes);
  const tree = openPackTree(snapshot.tree, { ...defaultSourceLimits, maxFileBytes: 1_048_576 });
  t.after(() => tree.close());
  assert.throws(() => tree.read('a.bin'), { code: 'CorruptPack' });
});

test('opening a snapshot that is no longer on disk fails with its own code', async (t) => {
  const { snapshot } = await openTree(t, { 'a.yaml': 'a: 1\n' });
  const gone = { ...snapshot.tree, gitDir: `${snapshot.tree.gitDir}-gone` };
  const limits = { ...defaultSourceLimits, maxFileBytes: 1_048_576 };
  assert.throws(() => openPackTree(gone, limits), { code: 'SnapshotGone', stage: 'source' });
});
