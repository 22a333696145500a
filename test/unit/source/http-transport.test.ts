import assert from 'node:assert/strict';
import { gzipSync } from 'node:zlib';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test, type TestContext } from 'node:test';
import { StageError } from '../../../src/object/stage-error.ts';
import { createRepository } from '../../support/git-repository.ts';
import type { GitReaction } from '../../support/git-server.ts';
import { startHarness } from './source-harness.ts';

const ADVERTISEMENT = { 'content-type': 'application/x-git-upload-pack-advertisement' };

async function startShop(t: TestContext) {
  const harness = await startHarness(t);
  const repository = await createRepository(harness.server, 'shop');
  const commit = await repository.commit({ 'a.yaml': 'a: 1\n' });
  return { ...harness, commit, repoUrl: repository.url };
}

async function failureOf(work: Promise<unknown>): Promise<StageError> {
  const error = await work.then(
    () => assert.fail('expected a failure'),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof StageError, String(error));
  assert.doesNotMatch(error.message, /geheim|    at /);
  return error;
}

test('each answer that does not come from a Git server has its own code and message', async (t) => {
  const { source, server, repoUrl } = await startShop(t);
  const page = '<html>geheim</html>';
  const html = { 'content-type': 'text/html' };
  const cases: [GitReaction, string, RegExp][] = [
    [{ status: 200, headers: html, body: page }, 'NotGit', /text\/html.*git clone/],
    [{ status: 200, headers: {}, body: page }, 'NotGit', /missing/],
    [{ status: 200, headers: ADVERTISEMENT, body: page }, 'TruncatedAnswer', /ended early/],
    [{ status: 200, headers: ADVERTISEMENT, body: '0000' }, 'MalformedAnswer', /protocol/],
    [{ status: 200, headers: ADVERTISEMENT, body: '' }, 'TruncatedAnswer', /ended early/],
    [
      { status: 200, headers: { ...ADVERTISEMENT, 'content-encoding': 'gzip' }, body: gzipSync('0000') },
      'EncodedAnswer',
      /gzip/,
    ],
    [{ status: 203, headers: html, body: page }, 'AuthenticationRequired', /Secret/],
    [{ status: 401, headers: html, body: page }, 'AuthenticationRequired', /401/],
    [{ status: 403, headers: html, body: page }, 'AccessDenied', /403/],
    [{ status: 404, headers: html, body: page }, 'RepositoryNotFound', /404/],
    [{ status: 429, headers: { 'retry-after': '7' }, body: page }, 'RateLimited', /429/],
    [{ status: 503, headers: { 'retry-after': '3' }, body: page }, 'ServerError', /503/],
    [{ status: 500, headers: html, body: page }, 'ServerError', /500/],
    [{ status: 418, headers: html, body: page }, 'UnexpectedStatus', /418/],
    [{ cutAfterBytes: 0 }, 'Network', /could not be reached/],
  ];
  for (const [reaction, code, message] of cases) {
    server.onRequest = () => reaction;
    const error = await failureOf(source.poll({ repoUrl }));
    assert.equal(error.code, code, error.message);
    assert.match(error.message, message);
    assert.match(error.message, /shop\.git/);
    if (code === 'RateLimited') assert.deepEqual(error.retry, { afterMs: 7000 });
    if ('status' in reaction && reaction.status === 503) assert.deepEqual(error.retry, { afterMs: 3000 });
  }
});

test('a poll and a fetch are requests of the smart HTTP protocol, and only a poll asks for version 2', async (t) => {
  const { source, server, repoUrl } = await startShop(t);
  const resolved = await source.poll({ repoUrl });
  await source.fetch({ repoUrl, resolved });
  assert.deepEqual(
    server.requests.map(({ method, path, protocol }) => `${method} ${path} ${protocol}`),
    [
      'GET /shop.git/info/refs?service=git-upload-pack version=2',
      'POST /shop.git/git-upload-pack version=2',
      'POST /shop.git/git-upload-pack undefined',
    ],
  );
});

test('a redirect within the origin is followed once and then remembered', async (t) => {
  const { source, server, repoUrl, commit } = await startShop(t);
  server.onRequest = ({ path }) =>
    path.startsWith('/old') ? { status: 301, headers: { location: path.replace('/old', '') } } : undefined;
  const old = repoUrl.replace('/shop.git', '/old/shop.git');
  const resolved = await source.poll({ repoUrl: old });
  assert.equal(resolved.commit, commit);
  await source.fetch({ repoUrl: old, resolved });
  await source.poll({ repoUrl: old });
  assert.deepEqual(
    server.requests.map(({ path }) => path.startsWith('/old')),
    [true, false, false, false, false],
  );
});

test('redirects to other origins, in a circle or of a request with a body are refused', async (t) => {
  const { source, server, repoUrl } = await startShop(t);
  const elsewhere = createServer((_, response) => response.end('geheim'));
  await new Promise<void>((resolve) => elsewhere.listen(0, '127.0.0.1', resolve));
  t.after(() => elsewhere.close());
  const other = `http://127.0.0.1:${(elsewhere.address() as AddressInfo).port}`;
  let asked = 0;
  elsewhere.on('request', () => asked++);
  for (const location of [`${other}/shop.git/info/refs`, 'http://localhost:1/', 'file:///etc/passwd', `/again`, '']) {
    server.onRequest = () => ({ status: 302, headers: { location } });
    assert.equal((await failureOf(source.poll({ repoUrl }))).code, 'RedirectRefused', location);
  }
  server.onRequest = ({ method, path }) =>
    method === 'POST' ? { status: 307, headers: { location: path } } : undefined;
  assert.equal((await failureOf(source.poll({ repoUrl }))).code, 'RedirectRefused');
  assert.equal(asked, 0);
});

test('a server that is silent, refuses connections or has no address fails within the deadline', async (t) => {
  const { source, server, repoUrl, reopen } = await startShop(t);
  let hold = () => undefined as void;
  server.onRequest = () => new Promise((resolve) => (hold = () => resolve(undefined)));
  const silent = await failureOf(reopen({ requestTimeoutMs: 200 }).poll({ repoUrl }));
  assert.equal(silent.code, 'Timeout');
  hold();
  server.onRequest = undefined;
  const refused = await failureOf(source.poll({ repoUrl: 'http://127.0.0.1:1/shop.git' }));
  assert.equal(refused.code, 'Network', refused.message);
  const nowhere = await failureOf(source.poll({ repoUrl: 'http://host.invalid/shop.git' }));
  assert.equal(nowhere.code, 'Network', nowhere.message);
  const words = ({ message }: Error): string => message.replace(/^http:\S+/, '');
  assert.equal(words(nowhere), words(refused), 'the words do not tell which hosts and ports exist');
});

test('an endless answer ends at its bound', async (t) => {
  const { reopen } = await startShop(t);
  const endless = createServer((_, response) => {
    response.writeHead(200, ADVERTISEMENT);
    const write = () => {
      while (!response.destroyed && response.write('x'.repeat(65_536)));
    };
    response.on('drain', write);
    write();
  });
  await new Promise<void>((resolve) => endless.listen(0, '127.0.0.1', resolve));
  t.after(() => endless.closeAllConnections());
  t.after(() => endless.close());
  const repoUrl = `http://127.0.0.1:${(endless.address() as AddressInfo).port}/shop.git`;
  const error = await failureOf(reopen({ maxRefsBytes: 1_000_000 }).poll({ repoUrl }));
  assert.equal(error.code, 'TooLarge');
});

test('after a failure the server is asked again for its address and protocol', async (t) => {
  const { source, server, repoUrl, commit } = await startShop(t);
  await source.poll({ repoUrl });
  server.onRequest = ({ method }) => (method === 'POST' ? { status: 405 } : undefined);
  await failureOf(source.poll({ repoUrl }));
  server.onRequest = undefined;
  server.requests.length = 0;
  assert.equal((await source.poll({ repoUrl })).commit, commit);
  assert.equal(server.requests[0]?.method, 'GET', 'the advertisement is asked for again');
});
