/** Repositories that a GitHub App opens: its tokens, their renewal, and every way in which none is given. */
import assert from 'node:assert/strict';
import { inspect } from 'node:util';
import { test, type TestContext } from 'node:test';
import { StageError } from '../../../src/object/stage-error.ts';
import { parseCredential, type Credential } from '../../../src/source/credential.ts';
import { gitHubRepositoryOf, type GitHubApp } from '../../../src/source/github-app.ts';
import { makeAuthority } from '../../support/certificates.ts';
import { startProxy, startTlsFront } from '../../support/front-servers.ts';
import { createRepository } from '../../support/git-repository.ts';
import { APP_ID, INSTALLATION_ID, makeAppKey, startGitHubApi, type GitHubApi } from '../../support/github-api.ts';
import { startHarness, type HarnessOptions } from './source-harness.ts';

const key = makeAppKey();
const TOKENS = `POST /app/installations/${INSTALLATION_ID}/access_tokens`;

function credentialOf(values: Readonly<Record<string, string>>): Credential {
  const data = new Map(Object.entries(values).map(([name, text]) => [name, Buffer.from(text)]));
  return parseCredential({ secret: 'apps/github', data });
}

/** The Secret of Flux, with an installation by its ID. */
function appSecret(api: Pick<GitHubApi, 'url'>, changes: Readonly<Record<string, string>> = {}): Credential {
  return credentialOf({
    githubAppID: APP_ID,
    githubAppInstallationID: INSTALLATION_ID,
    githubAppPrivateKey: key.privateKey,
    githubAppBaseURL: api.url,
    ...changes,
  });
}

async function startScene(t: TestContext, options: HarnessOptions = {}) {
  let nowMs = 0;
  const clock = { now: () => Date.now(), monotonicMs: () => nowMs };
  const api = await startGitHubApi(key.publicKey);
  t.after(() => api.stop());
  const harness = await startHarness(t, { clock, ...options });
  const { server, source } = harness;
  server.onRequest = ({ headers }) => (api.accepts(headers.authorization) ? undefined : { status: 401 });
  const repository = await createRepository(server, 'acme/shop');
  await repository.commit({ 'a.yaml': 'a: 1\n' });
  const poll = (credential: Credential) => source.poll({ repoUrl: repository.url, credential });
  const bring = async (credential: Credential) =>
    source.fetch({ repoUrl: repository.url, credential, resolved: await poll(credential) });
  const tokenRequests = () => api.requests.filter((request) => request === TOKENS).length;
  return { ...harness, api, repository, poll, bring, tokenRequests, pass: (ms: number) => void (nowMs += ms) };
}

test('a repository is read with a token of the app, for this repository and for reading alone', async (t) => {
  const { api, bring, poll } = await startScene(t);
  await bring(appSecret(api));
  await poll(appSecret(api));
  assert.deepEqual(api.requests, [TOKENS], 'one token is used for all requests');
  assert.deepEqual(api.wanted, [{ repositories: ['shop'], permissions: { contents: 'read' } }]);
});

test('the keys of Argo CD, and an app without an installation ID, are read too', async (t) => {
  const { api, bring } = await startScene(t);
  const argo = { type: 'git', url: 'https://x', githubAppID: APP_ID, githubAppPrivateKey: key.privateKey };
  await bring(credentialOf({ ...argo, githubAppEnterpriseBaseUrl: `${api.url}/` }));
  assert.deepEqual(api.requests, ['GET /repos/acme/shop/installation', TOKENS]);
});

test("an installation is found by Flux's name of its owner, whether that is an organisation or a user", async (t) => {
  const { api, bring } = await startScene(t);
  const secret = (owner: string) => appSecret(api, { githubAppInstallationID: '', githubAppInstallationOwner: owner });
  await bring(secret('acme'));
  assert.deepEqual(api.requests.splice(0), ['GET /orgs/acme/installation', TOKENS]);
  api.owners = { orgs: [], users: ['somebody'] };
  await bring(secret('somebody'));
  assert.deepEqual(api.requests.splice(0), [
    'GET /orgs/somebody/installation',
    'GET /users/somebody/installation',
    TOKENS,
  ]);
});

test('a token is replaced five minutes before its end, and the snapshots stay', async (t) => {
  const { api, bring, tokenRequests, pass, sent } = await startScene(t);
  const first = await bring(appSecret(api));
  pass(3_600_000 - 300_000 - 2_000);
  await bring(appSecret(api));
  assert.equal(tokenRequests(), 1);
  pass(3_000);
  const second = await bring(appSecret(api));
  assert.equal(tokenRequests(), 2);
  assert.equal(second.id, first.id);
  assert.equal(sent.filter(({ operation }) => operation === 'fetch').length, 1);
});

test('the life of a token is told by the clock of the server', async (t) => {
  const { api, poll, tokenRequests, pass } = await startScene(t);
  api.lifeMs = 600_000;
  api.skewMs = -50_000;
  await poll(appSecret(api));
  pass(298_000);
  await poll(appSecret(api));
  assert.equal(tokenRequests(), 1);
  pass(3_000);
  await poll(appSecret(api));
  assert.equal(tokenRequests(), 2);
});

test('a token that the server refuses is replaced once', async (t) => {
  const { api, poll, tokenRequests, server } = await startScene(t);
  await poll(appSecret(api));
  api.tokens.length = 0;
  await poll(appSecret(api));
  assert.equal(tokenRequests(), 2);
  server.onRequest = () => ({ status: 401 });
  await assert.rejects(poll(appSecret(api)), { code: 'CredentialsRefused', message: /Secret apps\/github/ });
  assert.equal(tokenRequests(), 3);
});

test('Applications that ask at the same time share one request for a token', async (t) => {
  const { api, source, repository, tokenRequests } = await startScene(t);
  await repository.branch('other');
  const credential = appSecret(api);
  await Promise.all(
    ['main', 'other', 'HEAD'].map((revision) => source.poll({ repoUrl: repository.url, revision, credential })),
  );
  assert.equal(tokenRequests(), 1);
});

test('a snapshot on disk costs no token', async (t) => {
  const { api, bring, source, repository, tokenRequests, pass } = await startScene(t);
  const credential = appSecret(api);
  const { commit, revision } = await bring(credential);
  pass(7_200_000);
  await source.fetch({ repoUrl: repository.url, credential, resolved: { commit, revision } });
  assert.ok(await source.recall({ repoUrl: repository.url, credential, resolved: { commit, revision } }));
  assert.equal(tokenRequests(), 1);
});

test('the API is asked by TLS with the authority of the Secret, and through the proxy', async (t) => {
  const { ca, server: pair } = await makeAuthority();
  const proxy = await startProxy();
  t.after(() => proxy.stop());
  const options = { proxy: { http: '', https: proxy.url, exceptions: '' } };
  const { api, repository, source, server } = await startScene(t, options);
  const front = await startTlsFront({ server: pair, target: api.url });
  t.after(() => front.stop());
  const gitFront = await startTlsFront({ server: pair, target: server.url });
  t.after(() => gitFront.stop());
  const named = (url: string): string => url.replace('127.0.0.1', 'git.example.invalid');
  const repoUrl = named(repository.url.replace(server.url, gitFront.url));
  const base = `${named(front.url)}/api/v3`;
  const poll = (credential: Credential) => source.poll({ repoUrl, credential });
  await poll(appSecret({ url: base }, { 'ca.crt': ca }));
  assert.ok(proxy.asked.some(({ line }) => line === `CONNECT ${new URL(base).host}`));
  await assert.rejects(poll(appSecret({ url: base })), { code: 'TlsFailed', message: /GitHub API at https/ });
});

test('the API is not asked at an address that the agent denies', async (t) => {
  const { api, poll } = await startScene(t, {
    addresses: { allow: [], deny: [{ type: 'network', address: '127.0.0.0', bits: 8 }] },
  });
  await assert.rejects(poll(appSecret(api)), { code: 'AddressDenied', message: /GitHub API/ });
  assert.deepEqual(api.requests, []);
});

type Failure = readonly [string, string, RegExp, (api: GitHubApi) => void];

const answerWith =
  (status: number, headers: Readonly<Record<string, string>> = {}, body = '{}') =>
  (api: GitHubApi): void => {
    api.intercept = (_request, response) => {
      response.writeHead(status, headers).end(body);
      return true;
    };
  };

const FAILURES: readonly Failure[] = [
  ['a suspended installation', 'AccessDenied', /refuses the GitHub App 4711 .*suspended/, answerWith(403)],
  [
    'a repository outside of the installation',
    'AccessDenied',
    /no token for acme\/shop .*Add the repository to the installation/,
    answerWith(422),
  ],
  ['a limit on requests', 'RateLimited', /limits the requests/, answerWith(403, { 'x-ratelimit-remaining': '0' })],
  ['a second kind of limit', 'RateLimited', /limits the requests/, answerWith(429, { 'retry-after': '120' })],
  ['an outage', 'ServerError', /no token at the moment .*status 503/, answerWith(503)],
  ['an answer that is no JSON', 'MalformedAnswer', /is not JSON/, answerWith(201, {}, '<html>')],
  ['an answer without a token', 'MalformedAnswer', /holds no token/, answerWith(201, {}, '{"token":7}')],
  [
    'a token without an end',
    'MalformedAnswer',
    /does not say when its token ends/,
    answerWith(201, {}, '{"token":"ghs_hidden_word"}'),
  ],
  ['an endless answer', 'TooLarge', /maxPageBytes/, answerWith(201, {}, ' '.repeat(5_000_000))],
  ['another status', 'UnexpectedStatus', /status 418.*githubAppBaseURL/, answerWith(418)],
  [
    'a redirect',
    'RedirectRefused',
    /githubAppBaseURL of the Secret apps\/github/,
    answerWith(307, { location: 'http://127.0.0.1:1/x' }),
  ],
  [
    'a clock that is behind',
    'CredentialsRefused',
    /does not accept the key .*The clock of the agent is 7\d\d s behind that of the server/,
    (api) => (api.skewMs = 720_000),
  ],
  [
    'an unknown installation',
    'AppNotInstalled',
    /knows no installation 815 of the GitHub App 4711 of the Secret apps\/github/,
    answerWith(404),
  ],
  [
    'a connection that breaks',
    'Network',
    /could not be reached/,
    (api) =>
      (api.intercept = (request) => {
        request.socket.destroy();
        return true;
      }),
  ],
];

for (const [name, code, message, prepare] of FAILURES) {
  test(`${name} is an error of its own, without secrets: ${code}`, async (t) => {
    const { api, poll } = await startScene(t);
    prepare(api);
    const error = await poll(appSecret(api)).then(
      () => assert.fail('the poll succeeded'),
      (thrown: unknown) => thrown,
    );
    assert.ok(error instanceof StageError);
    assert.equal(error.code, code, error.message);
    assert.match(error.message, message);
    const shown = inspect(error, { depth: 5 });
    const hidden = [...api.signed, ...api.signed.flatMap((jwt) => jwt.split('.').slice(1)), 'ghs_', 'PRIVATE KEY'];
    for (const text of hidden) assert.ok(!shown.includes(text), shown);
  });
}

test('a key of another app is refused in clear words', async (t) => {
  const { api, poll } = await startScene(t);
  const { privateKey } = makeAppKey();
  await assert.rejects(poll(appSecret(api, { githubAppPrivateKey: privateKey })), {
    code: 'CredentialsRefused',
    message: /does not accept the key of the GitHub App 4711 .* Check githubAppID and githubAppPrivateKey\.$/,
  });
});

test('a token that the Git server repeats in its words is masked', async (t) => {
  const { api, poll, server } = await startScene(t);
  await poll(appSecret(api));
  const [token = ''] = api.tokens;
  const line = `ERR no access for ${token}\n`;
  server.onRequest = ({ method }) => {
    if (method !== 'POST') return undefined;
    const body = `${(line.length + 4).toString(16).padStart(4, '0')}${line}`;
    return { status: 200, headers: { 'content-type': 'application/x-git-upload-pack-result' }, body };
  };
  await assert.rejects(poll(appSecret(api)), { code: 'RemoteError', message: /no access for \*\*/ });
});

test('a token is shown to the host of its API alone', () => {
  const app = (apiBase: string): GitHubApp => ({
    appId: '1',
    installationId: '2',
    owner: undefined,
    privateKey: '',
    apiBase,
  });
  const of = (apiBase: string, repoUrl: string, isArtifact = false) =>
    gitHubRepositoryOf({ app: app(apiBase), secret: 'apps/github', repoUrl, isArtifact });
  const found = { owner: 'acme', name: 'shop' };
  const [cloud, own] = ['https://api.github.com', 'https://ghe.example.com/api/v3'];
  assert.deepEqual(of(cloud, 'https://github.com/acme/shop.git'), found);
  assert.deepEqual(of(cloud, 'https://github.com/acme/shop'), found);
  assert.deepEqual(of(own, 'https://ghe.example.com/acme/shop.git'), found);
  assert.deepEqual(of('https://api.acme.ghe.com', 'https://acme.ghe.com/acme/shop'), found);
  for (const [base, address, isArtifact] of [
    [cloud, 'https://github.com.evil.example/acme/shop', false],
    [cloud, 'https://evil.example/acme/shop', false],
    [own, 'https://github.com/acme/shop', false],
    [cloud, 'git@github.com:acme/shop.git', false],
    [cloud, 'https://github.com/acme', false],
    [cloud, 'https://github.com/acme/shop/more', false],
    [cloud, 'https://github.com/acme/charts', true],
  ] as const) {
    assert.throws(() => of(base, address, isArtifact), {
      code: 'InvalidSecret',
      message: /apps\/github is for a GitHub App/,
    });
  }
});

const REFUSED: readonly (readonly [string, Readonly<Record<string, string>>, RegExp])[] = [
  ['no ID', { githubAppID: '' }, /holds no githubAppID/],
  ['no key', { githubAppPrivateKey: '' }, /holds no githubAppPrivateKey/],
  ['an ID that is none', { githubAppID: 'hidden/word' }, /no ID of a GitHub App under githubAppID/],
  ['an installation that is no number', { githubAppInstallationID: 'hidden' }, /no number under/],
  ['an owner that is no name', { githubAppInstallationOwner: '../hidden' }, /githubAppInstallationOwner/],
  ['a key that is none', { githubAppPrivateKey: 'hidden' }, /no private key in PEM under githubAppPrivateKey/],
  ['an address that is none', { githubAppBaseURL: 'ftp://hidden' }, /https:\/\/<host>\/api\/v3/],
  ['an address with a password', { githubAppBaseURL: 'https://a:hidden@ghe.example.com' }, /githubAppBaseURL/],
  ['a password beside it', { username: 'me', password: 'hidden' }, /holds another login beside it/],
];

for (const [name, changes, message] of REFUSED) {
  test(`a Secret for an app with ${name} is refused, and its values stay hidden`, () => {
    assert.throws(
      () => appSecret({ url: 'https://ghe.example.com/api/v3' }, changes),
      (error: StageError) => {
        assert.equal(error.code, 'InvalidSecret');
        assert.match(error.message, message);
        assert.doesNotMatch(error.message, /hidden|PRIVATE/);
        return true;
      },
    );
  });
}
