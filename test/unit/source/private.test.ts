/** Snapshots of private repositories: with whom they are shared, and when they are removed. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { test, type TestContext } from 'node:test';
import { parseCredential, type Credential } from '../../../src/source/credential.ts';
import { createDispatchers } from '../../../src/source/transport/dispatchers.ts';
import { defaultSourceLimits } from '../../../src/source/limits.ts';
import { makeAuthority } from '../../support/certificates.ts';
import { createRepository } from '../../support/git-repository.ts';
import { noProxy, startHarness } from './source-harness.ts';

function credentialOf(values: Readonly<Record<string, string>>, secret = 'apps/git'): Credential {
  return parseCredential({
    secret,
    data: new Map(Object.entries(values).map(([key, text]) => [key, Buffer.from(text)])),
  });
}

const first = credentialOf({ bearerToken: 'first' });
const second = credentialOf({ bearerToken: 'second' });

async function startShop(t: TestContext) {
  let nowMs = 0;
  const harness = await startHarness(t, { clock: { now: () => Date.now(), monotonicMs: () => nowMs } });
  const { server, source } = harness;
  const repository = await createRepository(server, 'shop');
  await repository.commit({ 'a.yaml': 'a: 1\n' });
  const bring = async (credential: Credential | undefined, from = source) => {
    const resolved = await from.poll({ repoUrl: repository.url, credential });
    return from.fetch({ repoUrl: repository.url, credential, resolved });
  };
  return { ...harness, repository, bring, pass: (ms: number) => void (nowMs += ms) };
}

test('a fetch is shared by equal credentials only, whatever the names of their Secrets', async (t) => {
  const { bring, sent } = await startShop(t);
  const one = await bring(first);
  const fetches = () => sent.filter(({ operation }) => operation === 'fetch').length;
  assert.equal(fetches(), 1);
  const same = await bring({ ...first, secret: 'others/name' });
  assert.deepEqual([same.id, fetches()], [one.id, 1]);
  const other = await bring(second);
  const anonymous = await bring(undefined);
  assert.equal(new Set([one.id, other.id, anonymous.id]).size, 3);
  assert.equal(fetches(), 3);
});

test('a password is sent in the header of basic authentication, a token as a bearer', async (t) => {
  const { server, bring } = await startShop(t);
  const headers = new Set<string | undefined>();
  server.onRequest = (request) => void headers.add(request.headers.authorization);
  const pair = 'me:pä:ß 🔑';
  await bring(credentialOf({ username: 'me', password: 'pä:ß 🔑' }));
  await bring(first);
  assert.deepEqual([...headers], [`Basic ${Buffer.from(pair).toString('base64')}`, 'Bearer first']);
});

test('the id of a commit on disk gives no access to it without the credential', async (t) => {
  const { source, server, repository, bring } = await startShop(t);
  server.onRequest = ({ headers }) => (headers.authorization === 'Bearer first' ? undefined : { status: 401 });
  const { commit } = await bring(first);
  for (const [credential, code] of [
    [undefined, 'AuthenticationRequired'],
    [second, 'CredentialsRefused'],
  ] as const) {
    const resolved = await source.poll({ repoUrl: repository.url, revision: commit, credential });
    await assert.rejects(source.fetch({ repoUrl: repository.url, resolved, credential }), { code });
  }
});

test('all snapshots of a former credential are removed a day after their last use', async (t) => {
  const { source, dataDir, bring, pass } = await startShop(t);
  const old = await bring(first);
  assert.deepEqual(await source.find(old), old);
  pass(defaultSourceLimits.retainSnapshotMs + 1);
  const kept = await bring(second);
  assert.equal(existsSync(old.tree.gitDir), false);
  assert.equal(await source.find(old), undefined);
  assert.deepEqual(await source.find(kept), kept);
  const again = await bring(first);
  assert.deepEqual(await source.find(again), again);
  assert.equal((await readdir(dataDir)).filter((name) => name.startsWith('private-')).length, 2);
});

test('after a restart no snapshot is left that was fetched with a credential', async (t) => {
  const { dataDir, source, reopen, bring, sent } = await startShop(t);
  await bring(first);
  await bring(undefined);
  await source.close();
  sent.length = 0;
  await bring(undefined, reopen());
  assert.ok(!sent.some(({ operation }) => operation === 'fetch'), 'the public one is still there');
  assert.deepEqual(
    (await readdir(dataDir)).filter((name) => name.startsWith('private-')),
    [],
  );
});

test('connections are shared by certificates, not by passwords, and unused ones are closed', async (t) => {
  const { ca, client } = await makeAuthority();
  let nowMs = 0;
  const clock = { now: () => 0, monotonicMs: () => nowMs };
  const limits = { ...defaultSourceLimits, maxPools: 2 };
  const dispatchers = createDispatchers({ limits, clock, proxy: noProxy, addresses: { allow: [], deny: [] } });
  t.after(() => dispatchers.close());
  const poolOf = (credential: Credential | undefined) =>
    dispatchers.dispatcherFor('https://git.example.com/a', { credential, label: 'a' }) as unknown as {
      closed: boolean;
    };
  const plain = poolOf(undefined);
  assert.equal(poolOf(first), plain);
  assert.equal(poolOf(second), plain);
  const trusting = poolOf(credentialOf({ 'ca.crt': ca }));
  assert.notEqual(trusting, plain);
  assert.equal(poolOf(credentialOf({ 'ca.crt': ca, bearerToken: 'first' })), trusting);

  const showing = poolOf(credentialOf({ 'tls.crt': client.certificate, 'tls.key': client.key }));
  assert.deepEqual([plain.closed, trusting.closed, showing.closed], [true, false, false], 'no more than maxPools');
  nowMs += limits.keepPoolMs;
  assert.equal(poolOf(credentialOf({ 'ca.crt': ca })), trusting);
  nowMs += 1;
  poolOf(credentialOf({ 'ca.crt': ca }));
  assert.deepEqual([trusting.closed, showing.closed], [false, true]);
});
