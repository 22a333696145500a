/** Git over SSH: keys, host keys and connections. git-source.test.ts runs over each transport. */
import assert from 'node:assert/strict';
import { createPrivateKey } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import ssh2 from 'ssh2';
import type { AddressRules } from '../../../src/source/transport/address-rules.ts';
import { startProxy } from '../../support/front-servers.ts';
import { createRepository } from '../../support/git-repository.ts';
import { makeKey, sshCredential } from '../../support/ssh-server.ts';
import { temporaryFolder } from './source-harness.ts';
import { answer, COMMIT, openClient, rejectsWith, serve } from './ssh-harness.ts';

const ALL_KEYS = [
  ['ed25519', undefined],
  ['ed25519', 'geheim'],
  ['ecdsa', undefined],
  ['ecdsa', 'geheim'],
  ['rsa', undefined],
  ['rsa', 'geheim'],
] as const;

test('a key of each type logs in, with and without a passphrase, under the keys of Flux and of Argo CD', async (t) => {
  const pairs = ALL_KEYS.map(([type, passphrase]) => ({ pair: makeKey(type, passphrase), passphrase }));
  const server = await serve(t, { authorized: pairs.map(({ pair }) => pair.public) });
  const repository = await createRepository(server, 'shop');
  const commit = await repository.commit({ 'a.yaml': 'a: 1\n' });
  const { poll } = openClient(t);
  const { known_hosts } = server.secret;
  for (const { pair, passphrase } of pairs) {
    const values = { known_hosts, ...(passphrase !== undefined && { password: `${passphrase}\n` }) };
    const flux = sshCredential({ identity: pair.private, 'identity.pub': pair.public, ...values });
    assert.equal(await poll(repository.url, flux), commit, pair.public.slice(0, 20));
    const argo = sshCredential({ sshPrivateKey: pair.private.replaceAll('\n', '\r\n'), type: 'git', ...values });
    assert.equal(await poll(repository.url, argo), commit);
  }
});

test('a key in PEM logs in: PKCS#8, PKCS#1 and SEC1', async (t) => {
  const pairs = (['ed25519', 'ecdsa', 'rsa'] as const).map((type) => makeKey(type));
  const server = await serve(t, { authorized: pairs.map((pair) => pair.public), onCommand: answer });
  const { poll } = openClient(t);
  const { known_hosts } = server.secret;
  const [, ecdsa, rsa] = pairs.map((pair) => pemOf(pair.private));
  const { pem: ed25519 } = ed25519Pair();
  const texts = [ecdsa?.pkcs8, ecdsa?.own, rsa?.pkcs8, rsa?.own];
  for (const identity of texts) {
    assert.equal(await poll(`${server.url}/a.git`, sshCredential({ identity: identity ?? '', known_hosts })), COMMIT);
  }
  // Its public key is not known to the server, but the key itself is read.
  await rejectsWith(
    poll(`${server.url}/a.git`, sshCredential({ identity: ed25519, known_hosts })),
    'CredentialsRefused',
  );
});

function ed25519Pair() {
  const key = createPrivateKey({
    key: Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), Buffer.alloc(32, 7)]),
    format: 'der',
    type: 'pkcs8',
  });
  return { pem: String(key.export({ type: 'pkcs8', format: 'pem' })) };
}

/** The library hands out RSA and ECDSA keys in PEM only when it has parsed them. */
function pemOf(openSsh: string): { own: string; pkcs8: string } | undefined {
  const parsed = ssh2.utils.parseKey(openSsh);
  if (parsed instanceof Error || parsed.type === 'ssh-ed25519') return undefined;
  const own = parsed.getPrivatePEM();
  return { own, pkcs8: String(createPrivateKey(own).export({ type: 'pkcs8', format: 'pem' })) };
}

test('a key that cannot be used is refused by a message that names the Secret and what to do', async (t) => {
  const server = await serve(t, { onCommand: answer });
  const { poll } = openClient(t);
  const { known_hosts } = server.secret;
  const sealed = makeKey('ed25519', 'geheim').private;
  const lines = sealed.split('\n');
  const cases: readonly (readonly [Readonly<Record<string, string>>, RegExp])[] = [
    [{ identity: sealed, password: 'geheim-2' }, /Secret apps\/git cannot be opened with the passphrase/],
    [{ identity: sealed }, /Secret apps\/git is encrypted, and the Secret has no passphrase under password/],
    [{ identity: [lines[0], lines[2], ...lines.slice(-2)].join('\n') }, /is damaged/],
    [{ identity: '-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----' }, /ssh-keygen -p/],
    [{ identity: '-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----' }, /is damaged/],
    [{ identity: sealWith(3_000_000), password: 'geheim' }, /is encrypted with 3000000 rounds, more than 512/],
  ];
  for (const [values, message] of cases) {
    await rejectsWith(poll(`${server.url}/a.git`, sshCredential({ ...values, known_hosts })), 'InvalidSecret', message);
  }
  assert.equal(server.connections(), 0, 'no server is asked with such a key');
});

/** A key whose derivation would take hours. */
function sealWith(rounds: number): string {
  const text = makeKey('ed25519', 'geheim').private;
  const data = Buffer.from(text.replace(/-----[^-]+-----/g, ''), 'base64');
  const at = data.indexOf('bcrypt') + 6 + 4;
  data.writeUInt32BE(rounds, at + 4 + data.readUInt32BE(at));
  return `-----BEGIN OPENSSH PRIVATE KEY-----\n${data.toString('base64')}\n-----END OPENSSH PRIVATE KEY-----\n`;
}

test('a key that the server does not know is refused credentials, and no key at all is told before', async (t) => {
  const server = await serve(t);
  const { poll } = openClient(t);
  const { known_hosts } = server.secret;
  const stranger = sshCredential({ identity: makeKey('ed25519').private, known_hosts });
  await rejectsWith(poll(`${server.url}/a.git`, stranger), 'CredentialsRefused', /apps\/git.*deploy key/);
  await rejectsWith(poll(`${server.url}/a.git`), 'AuthenticationRequired', /needs an SSH key/);
  const other = sshCredential({ username: 'me', password: 'geheim' });
  await rejectsWith(poll(`${server.url}/a.git`, other), 'InvalidSecret', /holds no SSH key/);
});

test('a host without a line in known_hosts is not even connected to', async (t) => {
  let connections = 0;
  const listener = createServer(() => connections++);
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  t.after(() => listener.close());
  const { port } = listener.address() as AddressInfo;
  const { poll } = openClient(t);
  const key = makeKey('ed25519');
  const elsewhere = [`127.0.0.1 ${key.public}`, `[127.0.0.1]:${port + 1} ${key.public}`, '# nothing', ''];
  for (const known_hosts of elsewhere) {
    const credential = sshCredential({ identity: key.private, known_hosts });
    await rejectsWith(poll(`ssh://git@127.0.0.1:${port}/a.git`, credential), 'HostKeyUnknown', /was not contacted/);
  }
  const authority = sshCredential({ identity: key.private, known_hosts: `@cert-authority * ${key.public}` });
  await rejectsWith(poll(`ssh://git@127.0.0.1:${port}/a.git`, authority), 'HostKeyUnknown', /@cert-authority/);
  assert.equal(connections, 0);
});

test('a host is known by any one of its keys, and a revoked or another key is refused', async (t) => {
  const server = await serve(t);
  const repository = await createRepository(server, 'shop');
  const commit = await repository.commit({ 'a.yaml': 'a: 1\n' });
  const { poll } = openClient(t);
  const { identity, known_hosts } = server.secret;
  const lines = known_hosts.trim().split('\n');
  assert.equal(lines.length, 3);
  for (const line of lines) {
    assert.equal(await poll(repository.url, sshCredential({ identity, known_hosts: line })), commit, line.slice(0, 40));
  }
  const name = `[127.0.0.1]:${server.port}`;
  const foreign = sshCredential({ identity, known_hosts: `${name} ${makeKey('ed25519').public}` });
  await rejectsWith(poll(repository.url, foreign), 'HostKeyChanged', /known_hosts of the Secret apps\/git/);
  const revoked = sshCredential({ identity, known_hosts: `${lines[0]}\n@revoked ${lines[0]}` });
  await rejectsWith(poll(repository.url, revoked), 'HostKeyRevoked');
});

test('the known hosts of the agent count for a Secret without its own, and a change counts at once', async (t) => {
  const server = await serve(t);
  const repository = await createRepository(server, 'shop');
  const commit = await repository.commit({ 'a.yaml': 'a: 1\n' });
  const knownHostsFile = join(await temporaryFolder(t), 'known_hosts');
  const { poll } = openClient(t, { knownHostsFile });
  const credential = sshCredential({ identity: server.secret.identity });
  await rejectsWith(poll(repository.url, credential), 'HostKeyUnknown', /--ssh-known-hosts/);
  await writeFile(knownHostsFile, server.secret.known_hosts);
  assert.equal(await poll(repository.url, credential), commit);
  await writeFile(knownHostsFile, `# a note\nnot a line\n`);
  await rejectsWith(poll(repository.url, credential), 'KnownHostsUnreadable', /line 2/);
  await writeFile(knownHostsFile, '');
  await rejectsWith(poll(repository.url, credential), 'HostKeyUnknown');
});

test('a host that shows another key at the next connection is refused until the first key is back', async (t) => {
  const first = await serve(t, { onCommand: answer });
  const { poll } = openClient(t);
  const credential = sshCredential(first.secret);
  assert.equal(await poll(`${first.url}/a.git`, credential), COMMIT);
  await first.stop();
  const impostor = await serve(t, { onCommand: answer, port: first.port });
  await rejectsWith(poll(`${first.url}/a.git`, credential), 'HostKeyChanged');
  await rejectsWith(poll(`${first.url}/a.git`, credential), 'HostKeyChanged');
  await impostor.stop();
});

test('rules about addresses hold for ssh', async (t) => {
  const server = await serve(t, { onCommand: answer });
  const credential = sshCredential(server.secret);
  const denied: AddressRules = { allow: [], deny: [{ type: 'network', address: '127.0.0.0', bits: 8 }] };
  await rejectsWith(openClient(t, { addresses: denied }).poll(`${server.url}/a.git`, credential), 'AddressDenied');
  const otherPort: AddressRules = { allow: [{ type: 'host', host: '127.0.0.1', port: '22', path: '' }], deny: [] };
  await rejectsWith(openClient(t, { addresses: otherPort }).poll(`${server.url}/a.git`, credential), 'AddressDenied');
  const port = String(server.port);
  const named: AddressRules = { allow: [{ type: 'host', host: '127.0.0.1', port, path: '' }], deny: [] };
  assert.equal(await openClient(t, { addresses: named }).poll(`${server.url}/a.git`, credential), COMMIT);
});

test('requests share one connection, with at most four channels at a time', async (t) => {
  let open = 0;
  let most = 0;
  const server = await serve(t, {
    onCommand(channel) {
      most = Math.max(most, ++open);
      channel.on('close', () => open--);
      setImmediate(() => answer(channel));
    },
  });
  const { poll } = openClient(t);
  const credential = sshCredential(server.secret);
  const polls = Array.from({ length: 24 }, (_, index) => poll(`${server.url}/a-${index}.git`, credential));
  assert.deepEqual(new Set(await Promise.all(polls)), new Set([COMMIT]));
  assert.equal(server.connections(), 1);
  assert.ok(most > 1 && most <= 4, `${most} channels`);
});

test('1,000 polls leave no descriptor, channel or listener behind', async (t) => {
  const server = await serve(t, { onCommand: answer });
  const { poll } = openClient(t);
  const credential = sshCredential(server.secret);
  const warnings: string[] = [];
  const onWarning = (warning: Error): void => void warnings.push(warning.message);
  process.on('warning', onWarning);
  t.after(() => process.off('warning', onWarning));
  const descriptors = (): number => readdirSync('/proc/self/fd').length;
  await poll(`${server.url}/a.git`, credential);
  const before = descriptors();
  for (let index = 0; index < 1000; index++) assert.equal(await poll(`${server.url}/a.git`, credential), COMMIT);
  assert.equal(descriptors(), before);
  assert.equal(server.connections(), 1);
  assert.deepEqual(warnings, []);
});

test('a poll that its caller has left is cancelled at once and frees its channel', async (t) => {
  let isSilent = true;
  const { promise: asked, resolve } = Promise.withResolvers<void>();
  const server = await serve(t, {
    onCommand(channel) {
      resolve();
      if (!isSilent) answer(channel);
    },
  });
  const { poll } = openClient(t);
  const credential = sshCredential(server.secret);
  const leaving = new AbortController();
  const left = rejectsWith(poll(`${server.url}/a.git`, credential, leaving.signal), 'Cancelled');
  await asked;
  leaving.abort();
  await left;
  isSilent = false;
  assert.equal(await poll(`${server.url}/a.git`, credential), COMMIT);
});

test('a connection that was cut between two polls is opened again by the next one', async (t) => {
  const first = await serve(t, { onCommand: answer });
  const { poll } = openClient(t);
  const credential = sshCredential(first.secret);
  assert.equal(await poll(`${first.url}/a.git`, credential), COMMIT);
  first.cutConnections();
  assert.equal(await poll(`${first.url}/a.git`, credential), COMMIT);
  first.cutConnections();
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(await poll(`${first.url}/a.git`, credential), COMMIT);
});

test('a proxy carries ssh by CONNECT with its own login, and a refusal of the proxy is told', async (t) => {
  const proxy = await startProxy();
  const server = await serve(t, { onCommand: answer });
  const { identity, known_hosts } = server.secret;
  const host = 'git.example.invalid';
  const credential = sshCredential({ identity, known_hosts: known_hosts.replaceAll('127.0.0.1', host) });
  const repoUrl = `ssh://git@${host}:${server.port}/a.git`;
  const address = proxy.url.replace('//', '//agent:geheim@');
  const client = openClient(t, { proxy: address });
  assert.equal(await client.poll(repoUrl, credential), COMMIT);
  const authorization = `Basic ${Buffer.from('agent:geheim').toString('base64')}`;
  assert.deepEqual(proxy.asked, [{ line: `CONNECT ${host}:${server.port}`, authorization }]);
  proxy.refuses = true;
  const refused = openClient(t, { proxy: address }).poll(repoUrl, credential);
  await rejectsWith(refused, 'Network', /the proxy refused \(HTTP status 407\).*--ssh-proxy/);
  const invalid = openClient(t, { proxy: 'socks5://x' }).poll(repoUrl, credential);
  await rejectsWith(invalid, 'InvalidProxy', /--ssh-proxy/);
  // The proxy ends when the connections through it have ended.
  await client.transport.close();
  await proxy[Symbol.asyncDispose]();
});
