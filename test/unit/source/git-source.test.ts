import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { StageError } from '../../../src/object/stage-error.ts';
import { defaultSourceLimits, type SourceLimits } from '../../../src/source/limits.ts';
import { openPackTree } from '../../../src/source/packs/pack-tree.ts';
import type { Snapshot } from '../../../src/source/snapshot.ts';
import type { Source } from '../../../src/source/source.ts';
import { createRepository, type TestRepository } from '../../support/git-repository.ts';
import { overHttp, startHarnessOver, TRANSPORTS, type TestTransport } from './source-harness.ts';

const treeLimits = { ...defaultSourceLimits, maxFileBytes: 1_048_576 };

async function bring(source: Source, repoUrl: string, revision?: string): Promise<Snapshot> {
  const resolved = await source.poll({ repoUrl, revision });
  return source.fetch({ repoUrl, resolved });
}

function readText(snapshot: Snapshot, path: string): string {
  const tree = openPackTree(snapshot.tree, treeLimits);
  try {
    return Buffer.from(tree.read(path)).toString('utf8');
  } finally {
    tree.close();
  }
}

async function rejectsWith(work: Promise<unknown>, code: string, message = /./): Promise<StageError> {
  const error = await work.then(
    () => assert.fail(`expected ${code}, got success`),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof StageError, String(error));
  assert.equal(error.code, code, error.message);
  assert.match(error.message, message);
  return error;
}

/** Declares the test once for each transport. A snapshot that is kept over a restart was fetched without credential. */
function overEach(name: string, run: (t: TestContext, over: TestTransport) => Promise<void>): void {
  for (const over of TRANSPORTS) test(`${name} (over ${over.name})`, (t) => run(t, over));
}

async function startShop(t: TestContext, over: TestTransport, limits: Partial<SourceLimits> = {}) {
  const harness = await startHarnessOver(over, t, { limits });
  const repository = await createRepository(harness.server, 'shop');
  return { harness, ...harness, repository, repoUrl: repository.url };
}

overEach('a revision may be a branch, a tag, a full reference, a commit or nothing', async (t, over) => {
  const { source, repository, repoUrl } = await startShop(t, over);
  const first = await repository.commit({ 'a.yaml': 'version: one\n' });
  await repository.tag('light');
  await repository.tag('v1.0', { message: 'The first' });
  const second = await repository.commit({ 'a.yaml': 'version: two\n' });
  await repository.branch('team/next', first);
  await repository.branch('light-2', second);
  const cases: [string | undefined, string, string][] = [
    [undefined, second, `main@sha1:${second}`],
    ['', second, `main@sha1:${second}`],
    ['HEAD', second, `main@sha1:${second}`],
    ['main', second, `main@sha1:${second}`],
    ['team/next', first, `team/next@sha1:${first}`],
    ['light', first, `light@sha1:${first}`],
    ['v1.0', first, `v1.0@sha1:${first}`],
    ['refs/heads/main', second, `refs/heads/main@sha1:${second}`],
    ['refs/tags/v1.0', first, `refs/tags/v1.0@sha1:${first}`],
    [first, first, `sha1:${first}`],
    [second.toUpperCase(), second, `sha1:${second}`],
  ];
  for (const [revision, commit, text] of cases) {
    const snapshot = await bring(source, repoUrl, revision);
    assert.deepEqual([snapshot.commit, snapshot.revision, snapshot.repoUrl], [commit, text, repoUrl]);
    assert.equal(readText(snapshot, 'a.yaml'), commit === first ? 'version: one\n' : 'version: two\n');
  }
});

overEach('a poll is one request, and a fetch of a commit on disk is none', async (t, over) => {
  const { source, sent, repository, repoUrl } = await startShop(t, over);
  await repository.commit({ 'a.yaml': 'a: 1\n' });
  const resolved = await source.poll({ repoUrl });
  await source.fetch({ repoUrl, resolved });
  const operations = () => sent.map(({ operation }) => operation);
  const poll = over.isProtocol0 ? 'advertise' : 'list-refs';
  assert.deepEqual(operations(), [...new Set(['advertise', poll, 'fetch'])]);
  sent.length = 0;
  await source.poll({ repoUrl, revision: 'main' });
  await source.fetch({ repoUrl, resolved });
  assert.deepEqual(operations(), [poll], 'what the server understands is remembered');
});

overEach(
  'simultaneous callers share one poll and one fetch, and the rest are served if one leaves',
  async (t, over) => {
    const { source, sent, repository, repoUrl } = await startShop(t, over);
    await repository.commit({ 'a.yaml': 'a: 1\n' });
    const resolved = await source.poll({ repoUrl });
    sent.length = 0;
    await Promise.all(Array.from({ length: 5 }, () => source.poll({ repoUrl })));
    assert.equal(sent.length, 1);
    const leaving = new AbortController();
    const left = rejectsWith(source.fetch({ repoUrl, resolved, signal: leaving.signal }), 'Cancelled');
    const stayed = Promise.all(Array.from({ length: 4 }, () => source.fetch({ repoUrl, resolved })));
    leaving.abort();
    await left;
    assert.equal(new Set((await stayed).map(({ tree }) => tree.gitDir)).size, 1);
    assert.equal(sent.length, 2);
  },
);

overEach('a fetch that all callers have left is cancelled and leaves nothing on disk', async (t, over) => {
  const { harness, source, repository, repoUrl, dataDir } = await startShop(t, over);
  await repository.commit({ 'a.yaml': 'a: 1\n' });
  const resolved = await source.poll({ repoUrl });
  const leaving = new AbortController();
  const { promise: asked, resolve: sayAsked } = Promise.withResolvers<void>();
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  harness.onAnswer = () => {
    sayAsked();
    return released;
  };
  const left = rejectsWith(source.fetch({ repoUrl, resolved, signal: leaving.signal }), 'Cancelled');
  await asked;
  leaving.abort();
  await left;
  harness.onAnswer = undefined;
  release();
  await source.fetch({ repoUrl, resolved });
  assert.deepEqual(snapshotsIn(dataDir), [resolved.commit]);
});

overEach('after a one-line commit the fetch is a few hundred bytes', async (t, over) => {
  const { source, sent, repository, repoUrl } = await startShop(t, over);
  const files = Object.fromEntries(
    Array.from({ length: 2000 }, (_, index) => [
      `team-${index % 20}/app-${index}.yaml`,
      `name: app-${index}\nvalue: ${Math.sin(index)}\n`,
    ]),
  );
  await repository.commit(files);
  await bring(source, repoUrl);
  await repository.commit({ 'team-3/app-3.yaml': 'name: app-3\nvalue: changed\n' });
  sent.length = 0;
  const snapshot = await bring(source, repoUrl);
  const bytes = sent.reduce((sum, { receivedBytes }) => sum + receivedBytes, 0);
  assert.ok(bytes < 1500, `${bytes} bytes`);
  assert.equal(readText(snapshot, 'team-3/app-3.yaml'), 'name: app-3\nvalue: changed\n');
  assert.equal(readText(snapshot, 'team-4/app-4.yaml'), files['team-4/app-4.yaml']);
});

overEach(
  'files that change back and forth stay readable over packs whose deltas build on each other',
  async (t, over) => {
    const { repository, source, repoUrl } = await startShop(t, over);
    const file = (word: string) => `${'a line that stays\n'.repeat(200)}${word}\n`;
    const others = Array.from(
      { length: 40 },
      (_, index) => [`app/other-${index}.yaml`, `name: other-${index}\n`] as const,
    );
    await repository.commit(Object.fromEntries(others));
    for (let round = 0; round < 12; round++) {
      const word = ['one', 'two', 'one', 'three'][round % 4] ?? '';
      await repository.commit({ 'app/a.yaml': file(word), 'app/b.yaml': word === 'two' ? null : word });
      const snapshot = await bring(source, repoUrl);
      assert.equal(readText(snapshot, 'app/a.yaml'), file(word));
      assert.equal(readText(snapshot, 'app/other-7.yaml'), 'name: other-7\n');
    }
  },
);

overEach('a force-push to an unrelated history is followed', async (t, over) => {
  const { source, repository, repoUrl } = await startShop(t, over);
  await repository.commit({ 'a.yaml': 'a: 1\n', 'b.yaml': 'b: 1\n' });
  const before = await bring(source, repoUrl);
  const commit = await repository.commit({ 'c.yaml': 'c: 1\n' }, { parent: null, replaceAll: true });
  const after = await bring(source, repoUrl);
  assert.equal(after.commit, commit);
  assert.equal(readText(after, 'c.yaml'), 'c: 1\n');
  assert.equal(readText(before, 'b.yaml'), 'b: 1\n', 'the older snapshot stays as it was');
});

overEach('a repository whose default branch does not exist can be fetched by another branch', async (t, over) => {
  const { source, repository, repoUrl } = await startShop(t, over);
  const commit = await repository.commit({ 'a.yaml': 'a: 1\n' }, { branch: 'trunk' });
  assert.equal((await bring(source, repoUrl, 'trunk')).commit, commit);
  await rejectsWith(source.poll({ repoUrl }), 'RevisionNotFound', /default branch of .*shop\.git does not exist/);
});

overEach('a missing repository, branch or commit is named, each with its own code', async (t, over) => {
  const { source, server, repository, repoUrl } = await startShop(t, over);
  await rejectsWith(source.poll({ repoUrl }), 'EmptyRepository', /shop\.git holds no commit/);
  await repository.commit({ 'a.yaml': 'a: 1\n' });
  await rejectsWith(
    source.poll({ repoUrl, revision: 'gone' }),
    'RevisionNotFound',
    /shop\.git has no branch or tag "gone"/,
  );
  await rejectsWith(
    source.poll({ repoUrl: `${server.url}/none.git` }),
    'RepositoryNotFound',
    /none\.git was not found/,
  );
  await repository.git(['branch', 'release-1']);
  const advice: readonly (readonly [string, RegExp])[] = [
    ['e7c34ad', /If it is a commit, write all its 40 hex digits\./],
    ['>=1.0.0', /Write semver: before a range/],
    ['origin/main', /Write main: a server knows its branches without origin\//],
    ['relaese-1', /Did you mean release-1\?/],
  ];
  for (const [revision, expected] of advice) {
    await rejectsWith(source.poll({ repoUrl, revision }), 'RevisionNotFound', expected);
  }
  const unknown = 'ab'.repeat(20);
  await rejectsWith(
    bring(source, repoUrl, unknown),
    'RevisionNotFound',
    new RegExp(`shop\\.git has no commit ${unknown}`),
  );
  const blob = await repository.git(['rev-parse', 'main:a.yaml']);
  await rejectsWith(bring(source, repoUrl, blob), 'NotACommit');
});

overEach('a repository of the object format sha256 is refused by a message that names it', async (t, over) => {
  const { source, server } = await startHarnessOver(over, t);
  const repository = await createRepository(server, 'new', { objectFormat: 'sha256' });
  await repository.commit({ 'a.yaml': 'a: 1\n' });
  await rejectsWith(source.poll({ repoUrl: repository.url }), 'UnsupportedObjectFormat', /sha256/);
});

test('after a restart snapshots are still there and unfinished ones are removed', async (t) => {
  const { source, sent, repository, repoUrl, dataDir, reopen } = await startShop(t, overHttp);
  await repository.commit({ 'a.yaml': 'a: 1\n' });
  const before = await bring(source, repoUrl);
  await source.close();
  const unfinished = join(before.tree.gitDir, '..', 'tmp-unfinished');
  await writeFile(unfinished, '');
  sent.length = 0;
  const after = await bring(reopen(), repoUrl);
  assert.deepEqual(after, before);
  assert.ok(!sent.some(({ operation }) => operation === 'fetch'), 'polled, not fetched');
  assert.ok(!existsSync(unfinished));
  assert.deepEqual(snapshotsIn(dataDir), [before.commit]);
});

test('a snapshot on disk is recalled after a restart without a request, and another one is not', async (t) => {
  const { source, sent, repository, repoUrl, reopen } = await startShop(t, overHttp);
  await repository.commit({ 'a.yaml': 'a: 1\n' });
  const before = await bring(source, repoUrl);
  await source.close();
  sent.length = 0;
  const next = reopen();
  assert.deepEqual(await next.recall({ repoUrl, resolved: before }), before);
  assert.equal(await next.recall({ repoUrl: `${repoUrl}/x`, resolved: before }), undefined);
  assert.equal(await next.recall({ repoUrl, resolved: { ...before, commit: 'ab'.repeat(20) } }), undefined);
  assert.deepEqual(sent, []);
});

overEach('a snapshot names the parents of its commit and the time of its committer', async (t, over) => {
  const { source, repository, repoUrl } = await startShop(t, over);
  const parent = await repository.commit({ 'a.yaml': 'a: 1\n' });
  await repository.commit({ 'a.yaml': 'a: 2\n' }, { atSeconds: 1_700_000_000, message: 'one\n\nparent 1\n' });
  const { lineage } = await bring(source, repoUrl);
  assert.deepEqual(lineage, { parents: [parent], committedS: 1_700_000_000 });
});

overEach('a snapshot that was damaged on disk is fetched again after a restart', async (t, over) => {
  const { source, repository, repoUrl, reopen } = await startShop(t, over);
  await repository.commit({ 'a.yaml': 'a: 1\n' });
  const before = await bring(source, repoUrl);
  await source.close();
  const pack = readdirSync(before.tree.gitDir).find((name) => name.endsWith('.pack')) ?? '';
  await writeFile(join(before.tree.gitDir, pack), 'PACK');
  assert.equal(readText(await bring(reopen(), repoUrl), 'a.yaml'), 'a: 1\n');
});

overEach('a data directory that cannot be created at first is used as soon as it can', async (t, over) => {
  const { source, repository, repoUrl, dataDir } = await startShop(t, over);
  const commit = await repository.commit({ 'a.yaml': 'a: 1\n' });
  await rm(dataDir, { recursive: true, force: true });
  await writeFile(dataDir, 'a file in its place');
  await rejectsWith(bring(source, repoUrl), 'StorageFailed', /Check the disk/);
  await rm(dataDir);
  assert.equal((await bring(source, repoUrl)).commit, commit);
});

overEach(
  'a fetch that cannot build on the last snapshot brings everything and leaves nothing else',
  async (t, over) => {
    const { source, repository, repoUrl, dataDir } = await startShop(t, over);
    await repository.commit({ 'a.yaml': 'a: 1\n' });
    const before = await bring(source, repoUrl);
    await rm(before.tree.gitDir, { recursive: true });
    const commit = await repository.commit({ 'a.yaml': 'a: 2\n' });
    assert.equal(readText(await bring(source, repoUrl), 'a.yaml'), 'a: 2\n');
    assert.deepEqual(snapshotsIn(dataDir), [commit]);
  },
);

overEach('packs are replaced by one after a while, and old snapshots leave the disk', async (t, over) => {
  const limits = { maxPacksPerSnapshot: 3, maxSnapshotsPerRepository: 2 };
  const { source, repository, repoUrl, dataDir } = await startShop(t, over, limits);
  const commits: string[] = [];
  for (let index = 0; index < 6; index++) {
    commits.push(await repository.commit({ [`a-${index}.yaml`]: `a: ${index}\n` }));
    const snapshot = await bring(source, repoUrl);
    const packs = readdirSync(snapshot.tree.gitDir).filter((name) => name.endsWith('.pack'));
    assert.equal(packs.length, (index % 3) + 1);
    assert.equal(readText(snapshot, 'a-0.yaml'), 'a: 0\n');
  }
  assert.deepEqual(snapshotsIn(dataDir), commits.slice(-2).sort());
});

overEach('a repository beyond a bound is refused by a message that names the bound', async (t, over) => {
  const { reopen, repository, repoUrl } = await startShop(t, over);
  const noise = Array.from({ length: 3000 }, (_, index) => Math.sin(index)).join('\n');
  await repository.commit({ 'a.txt': noise, 'b/b.txt': 'b', 'b/c.txt': 'c' });
  const cases = [
    [{ maxPackBytes: 2000 }, /maxPackBytes/],
    [{ maxPackObjects: 3 }, /maxPackObjects/],
    [{ maxObjectBytes: 10_000 }, /maxObjectBytes/],
    [{ maxInflatedBytes: 20_000 }, /maxInflatedBytes/],
    [{ maxFiles: 2 }, /maxFiles/],
    [{ maxTreeDepth: 0 }, /maxTreeDepth/],
    [{ maxRefsBytes: 20 }, /maxRefsBytes/],
  ] as const;
  for (const [limits, name] of cases) {
    const error = await rejectsWith(bring(reopen(limits), repoUrl), 'TooLarge', name);
    assert.equal(error.retry, 'never');
  }
});

overEach('a repository with a huge object does not disturb the fetch of another one', async (t, over) => {
  const { source, server } = await startHarnessOver(over, t, { limits: { maxObjectBytes: 1_048_576 } });
  const bomb = await createRepository(server, 'bomb');
  const good = await createRepository(server, 'good');
  await bomb.commit({ 'a.yaml': Buffer.alloc(20 * 1_048_576) });
  const commit = await good.commit({ 'a.yaml': 'a: 1\n' });
  const [failed, snapshot] = await Promise.all([
    rejectsWith(bring(source, bomb.url), 'TooLarge', /maxObjectBytes/),
    bring(source, good.url),
  ]);
  assert.equal(failed.stage, 'source');
  assert.equal(snapshot.commit, commit);
});

overEach('a tree that git would not check out is refused by a message that names the entry', async (t, over) => {
  const { source, repository, repoUrl } = await startShop(t, over);
  const blob = await repository.git(['hash-object', '-w', '--stdin'], { input: 'x' });
  const names = ['..', '.', '.git', '.GIT', 'git~1', '.git ', '.git.', '.g\u200cit', '.git::$INDEX_ALLOCATION', 'a/b'];
  for (const [index, name] of names.entries()) {
    const treeOid = await hostileTree(repository, [[name, '100644', blob]]);
    const commit = await repository.git(['commit-tree', treeOid, '-m', 'hostile']);
    const branch = `hostile-${index}`;
    await repository.git(['update-ref', `refs/heads/${branch}`, commit]);
    const error = await rejectsWith(bring(source, repoUrl, branch), 'MalformedTree', /refuses to check out/);
    assert.equal(error.retry, 'never');
  }
  const twice = await hostileTree(repository, [
    ['a', '100644', blob],
    ['a', '100644', blob],
  ]);
  await repository.git(['update-ref', 'refs/heads/twice', await repository.git(['commit-tree', twice, '-m', 'x'])]);
  await rejectsWith(bring(source, repoUrl, 'twice'), 'MalformedTree', /"a" twice/);
});

overEach('names of references like __proto__ or ../ do no harm', async (t, over) => {
  const { source, repository, repoUrl } = await startShop(t, over);
  const commit = await repository.commit({ 'a.yaml': 'a: 1\n' });
  await repository.git(['update-ref', 'refs/heads/__proto__/corsProxy', commit]);
  assert.equal((await bring(source, repoUrl, '__proto__/corsProxy')).commit, commit);
  assert.equal(({} as Record<string, unknown>)['corsProxy'], undefined);
  await rejectsWith(source.poll({ repoUrl, revision: '__proto__' }), 'RevisionNotFound');
  await rejectsWith(source.poll({ repoUrl, revision: '../../x' }), 'InvalidRevision');
});

function snapshotsIn(dataDir: string): string[] {
  return readdirSync(dataDir)
    .flatMap((folder) => readdirSync(join(dataDir, folder)))
    .sort();
}

/** A tree with names that `git mktree` refuses. */
function hostileTree(
  repository: TestRepository,
  entries: readonly (readonly [string, string, string])[],
): Promise<string> {
  const input = Buffer.concat(
    entries.flatMap(([name, mode, oid]) => [Buffer.from(`${mode} ${name}\0`), Buffer.from(oid, 'hex')]),
  );
  return repository.git(['hash-object', '-t', 'tree', '--literally', '-w', '--stdin'], { input });
}
