/** The Git server of the tests, by the real git as its client. */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { git } from './git-command.ts';
import { createRepository } from './git-repository.ts';
import type { TestRepository } from './git-repository.ts';
import { startGitServer } from './git-server.ts';
import type { GitServer } from './git-server.ts';

let directory: string;
let server: GitServer;
let repository: TestRepository;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tautline-git-'));
  server = await startGitServer(join(directory, 'repositories'));
  repository = await createRepository(server, 'shop');
});
afterEach(async () => {
  await server.stop();
  await rm(directory, { recursive: true, force: true });
});

const clone = (name: string, ...more: string[]): Promise<string> =>
  git(['clone', '--quiet', ...more, repository.url, join(directory, name)]);

test('a clone over HTTP holds the committed files, with modes, links and unusual names', async () => {
  const first = await repository.commit({ 'a.yaml': 'a: 1\n', 'b/c.yaml': 'c: 1\n', 'gone.txt': 'x' });
  const second = await repository.commit({
    'a.yaml': 'a: 2\n',
    'gone.txt': null,
    'run.sh': { executable: '#!/bin/sh\n' },
    link: { symlink: 'b/c.yaml' },
    'odd "name" ü\\.txt': Buffer.from([0, 255, 10]),
  });
  assert.notEqual(first, second);
  await clone('copy');
  const copy = join(directory, 'copy');
  assert.equal(await git(['rev-parse', 'HEAD'], { cwd: copy }), second);
  assert.equal(await readFile(join(copy, 'a.yaml'), 'utf8'), 'a: 2\n');
  assert.equal(await readFile(join(copy, 'link'), 'utf8'), 'c: 1\n');
  assert.deepEqual(await readFile(join(copy, 'odd "name" ü\\.txt')), Buffer.from([0, 255, 10]));
  const modes = await git(['ls-tree', '-r', '--format=%(objectmode) %(path)', 'HEAD'], { cwd: copy });
  assert.match(modes, /^100755 run\.sh$/m);
  assert.match(modes, /^120000 link$/m);
  assert.doesNotMatch(modes, /gone/);
  assert.ok(
    server.requests.every(({ protocol, status, ended }) => protocol === 'version=2' && status === 200 && ended),
  );
  assert.ok(server.requests.some(({ path, bytesSent }) => path.endsWith('/git-upload-pack') && bytesSent > 100));
});

test('a commit can rewrite history, start a new one, and go to another branch', async () => {
  const first = await repository.commit({ a: '1' });
  const second = await repository.commit({ a: '2' });
  const rewritten = await repository.commit({ b: '1' }, { parent: first });
  assert.equal(await repository.git(['rev-list', 'main']), `${rewritten}\n${first}`);
  assert.equal(await repository.branch('old', second), second);
  const orphan = await repository.commit({ c: '1' }, { parent: null });
  assert.equal(await repository.git(['rev-list', 'main']), orphan);
  assert.equal(await repository.git(['ls-tree', '--name-only', 'main']), 'c');
  const other = await repository.commit({ d: '1' }, { branch: 'side/way', message: 'Begin' });
  assert.equal(await repository.resolve('side/way'), other);
  await repository.commit({ only: '1' }, { replaceAll: true });
  assert.equal(await repository.git(['ls-tree', '--name-only', 'main']), 'only');
  await repository.deleteBranch('old');
  await assert.rejects(repository.resolve('old'), /failed/);
});

test('a tag leads to its commit, annotated or not', async () => {
  const commit = await repository.commit({ a: '1' });
  assert.equal(await repository.tag('v1.0.0'), commit);
  assert.equal(await repository.tag('v1.1.0', { message: 'Second' }), commit);
  const refs = await git(['ls-remote', '--tags', repository.url]);
  assert.match(refs, /refs\/tags\/v1\.1\.0\^\{\}/);
  await repository.deleteTag('v1.0.0');
  assert.doesNotMatch(await git(['ls-remote', '--tags', repository.url]), /v1\.0\.0/);
});

test('a partial clone and the fetch of one commit by its id are allowed', async () => {
  const old = await repository.commit({ 'big.txt': 'x'.repeat(100_000) });
  await repository.commit({ 'big.txt': 'small' });
  await clone('partial', '--filter=blob:none', '--depth=1', '--no-checkout');
  const copy = join(directory, 'partial');
  await git(['fetch', '--quiet', '--depth=1', 'origin', old], { cwd: copy });
  assert.equal(await git(['rev-parse', 'FETCH_HEAD'], { cwd: copy }), old);
});

test('a request with a compressed body is understood', async () => {
  const commit = await repository.commit({ a: '1' });
  const line = (text: string): string => (text.length + 4).toString(16).padStart(4, '0') + text;
  const body = gzipSync(`${line('command=ls-refs\n')}0001${line('ref-prefix refs/heads/\n')}0000`);
  const answer = await fetch(`${repository.url}/git-upload-pack`, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-git-upload-pack-request',
      'content-encoding': 'gzip',
      'git-protocol': 'version=2',
    },
    body,
  });
  assert.equal(await answer.text(), `${line(`${commit} refs/heads/main\n`)}0000`);
  assert.equal(server.requests[0]?.bytesReceived, body.length);
});

test('the hook replaces answers, cuts them, and delays them', async () => {
  await repository.commit({ a: 'x'.repeat(1000) });
  server.onRequest = ({ headers }) =>
    headers.authorization ? undefined : { status: 401, headers: { 'www-authenticate': 'Basic realm="test"' } };
  await assert.rejects(git(['ls-remote', repository.url]), /could not read Username/);
  const withPassword = repository.url.replace('//', '//user:password@');
  assert.match(await git(['ls-remote', withPassword]), /refs\/heads\/main/);

  server.onRequest = ({ path }) => (path.endsWith('/git-upload-pack') ? { cutAfterBytes: 20 } : undefined);
  await assert.rejects(clone('cut'));
  assert.equal(server.requests.at(-1)?.bytesSent, 20);

  server.onRequest = () => ({ cutAfterBytes: 0 });
  await assert.rejects(fetch(`${repository.url}/info/refs`));
  assert.equal(server.requests.at(-1)?.status, 0);

  const held = Promise.withResolvers<void>();
  server.onRequest = () => held.promise;
  const listing = git(['ls-remote', repository.url]);
  while (server.requests.at(-1)?.status !== 0 || server.requests.at(-1)?.ended) await new Promise(setImmediate);
  held.resolve();
  assert.match(await listing, /refs\/heads\/main/);
});

test('an absent repository is answered with 404, and nothing outside the root is served', async () => {
  assert.equal((await fetch(`${server.url}/absent.git/info/refs?service=git-upload-pack`)).status, 404);
  const outside = await fetch(`${server.url}/%2e%2e%2f..%2fetc/passwd`);
  assert.ok(outside.status >= 400);
});

test('a push over HTTP is refused', async () => {
  await repository.commit({ a: '1' });
  await clone('writer');
  await assert.rejects(git(['push', 'origin', 'HEAD:refs/heads/evil'], { cwd: join(directory, 'writer') }), /403/);
});
