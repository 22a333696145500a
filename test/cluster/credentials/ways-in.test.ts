/** Every kind of credential for a private repository, in the Secrets of Flux and of Argo CD. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { makeAuthority, type Authority } from '../../support/certificates.ts';
import { startProxy, startTlsFront } from '../../support/front-servers.ts';
import { prepare, useStarted } from '../../support/use-world.ts';
import { declareTenant, FILES, useScene } from './scene.ts';
import { basic } from '../../support/git-server.ts';
import { makeKey, startSshServer } from '../../support/ssh-server.ts';
import { configMapPath, QUICK_FLAGS, sourceReason, untilFailed } from '../../support/scene.ts';

const scene = useScene();
let authority: Authority;
prepare(async () => {
  authority = await makeAuthority();
});
const encrypted = useStarted('the encrypted front', () =>
  startTlsFront({ server: authority.server, target: scene.world.git.url }),
);
const mutual = useStarted('the front that asks for a certificate', () =>
  startTlsFront({ server: authority.server, target: scene.world.git.url, clientCa: authority.ca }),
);

const sealed = makeKey('ed25519', 'geheim');
const ssh = useStarted('the SSH server', () => startSshServer(scene.world.git.root, { authorized: [sealed.public] }));

const WAYS: readonly (readonly [
  way: string,
  name: string,
  set: () => { readonly secret: Record<string, string>; readonly lock?: string; readonly gitUrl?: string },
])[] = [
  ['user and password', 'basic', () => ({ secret: { username: 'me', password: 'ä:ß' }, lock: basic('me', 'ä:ß') })],
  ['a bearer token', 'bearer', () => ({ secret: { bearerToken: 'token.1' }, lock: 'Bearer token.1' })],
  [
    "a repository Secret of Argo CD's",
    'argo',
    () => ({
      secret: { type: 'git', url: 'https://x', project: 'p', username: 'me', password: 'argo' },
      lock: basic('me', 'argo'),
    }),
  ],
  [
    'a private authority and a password',
    'private-ca',
    () => ({
      secret: { 'ca.crt': authority.ca, username: 'me', password: 'tls' },
      lock: basic('me', 'tls'),
      gitUrl: encrypted.url,
    }),
  ],
  [
    'a client certificate',
    'mutual',
    () => ({
      secret: {
        'ca.crt': authority.ca,
        'tls.crt': authority.client.certificate,
        'tls.key': authority.client.key,
      },
      gitUrl: mutual.url,
    }),
  ],
  [
    "a client certificate under the keys of Argo CD's, with a password",
    'mutual-argo',
    () => ({
      secret: {
        caFile: authority.ca,
        tlsClientCertData: authority.client.certificate,
        tlsClientCertKey: authority.client.key,
        username: 'me',
        password: 'both',
      },
      lock: basic('me', 'both'),
      gitUrl: mutual.url,
    }),
  ],
  ['a deploy key by ssh', 'deploy-key', () => ({ secret: { ...ssh.secret }, gitUrl: ssh.url })],
  [
    "an SSH key with a passphrase in a repository Secret of Argo CD's",
    'argo-key',
    () => ({
      secret: {
        type: 'git',
        url: 'git@x:y',
        sshPrivateKey: sealed.private,
        password: 'geheim',
        known_hosts: ssh.secret.known_hosts,
      },
      gitUrl: ssh.url,
    }),
  ],
];

for (const [way, name, set] of WAYS) {
  test(`a repository behind ${way} is followed`, async () => {
    const { secret, lock, ...place } = set();
    if (lock) scene.locks.set(name, lock);
    const { application, repository } = await declareTenant(scene, name, { secret, ...place });
    await application.untilReady(await repository.resolve('main'));
    const next = await repository.commit({ 'more.yaml': '{apiVersion: v1, kind: ConfigMap, metadata: {name: more}}' });
    await application.refresh();
    await application.untilReady(next);
    assert.ok(await scene.world.read(configMapPath(name, 'more')));
    const shown = scene.shown.filter(({ path }) => path.startsWith(`/${name}.git/`));
    assert.ok(shown.every(({ authorization }) => authorization === lock));
    assert.equal(shown.length === 0, place.gitUrl === ssh.url, 'nothing goes by http for an address by ssh');
  });
}

test('a host key that is not known stops the polls, prunes nothing, and is followed once the Secret holds it', async () => {
  const { identity, known_hosts } = ssh.secret;
  const tenant = await declareTenant(scene, 'host-key', { secret: { identity, known_hosts }, gitUrl: ssh.url });
  await tenant.application.untilReady();
  const foreign = known_hosts.replace(/ssh-ed25519 [^ ]+/, makeKey('ed25519').public.split(' ').slice(0, 2).join(' '));
  const ed25519 = foreign.split('\n').filter((line) => line.includes('ssh-ed25519'));
  await tenant.setSecret({ identity, known_hosts: ed25519.join('\n') });
  const next = await tenant.repository.commit({ 'kept.yaml': null, 'more.yaml': FILES['kept.yaml'] ?? '' });
  await tenant.application.refresh();
  const { message } = await untilFailed(tenant, 'ArtifactFailed');
  assert.match(message, /shows another key than the known one/);
  assert.ok(await scene.world.read(configMapPath('host-key', 'kept')));
  await tenant.setSecret({ identity, known_hosts });
  await tenant.application.refresh();
  await tenant.application.untilReady(next);
});

test('an unknown certificate authority is reported, and trusted once the Secret holds it', async () => {
  const tenant = await declareTenant(scene, 'unknown-ca', {
    secret: { username: 'me', password: 'geheim' },
    gitUrl: encrypted.url,
  });
  const { message } = await untilFailed(tenant, 'ArtifactFailed');
  assert.match(message, /certificate is not trusted.*ca\.crt/);
  await tenant.setSecret({ username: 'me', password: 'geheim', 'ca.crt': authority.ca });
  await tenant.application.untilReady();
});

test('a server that requires a client certificate fails until the Secret holds one', async () => {
  const secret = { 'ca.crt': authority.ca, username: 'me', password: 'geheim' };
  const tenant = await declareTenant(scene, 'no-client', { secret, gitUrl: mutual.url });
  await untilFailed(tenant, 'ArtifactFailed');
  const { certificate, key } = authority.client;
  await tenant.setSecret({ ...secret, 'tls.crt': certificate, 'tls.key': key });
  await tenant.application.untilReady();
});

test("the certificate authority in one tenant's Secret is not trusted for another tenant", async () => {
  const secret = { username: 'me', password: 'geheim' };
  const { application } = await declareTenant(scene, 'other-trust', { secret, gitUrl: encrypted.url });
  await untilFailed({ application }, 'ArtifactFailed');
  assert.equal(await sourceReason({ application }), 'TlsFailed');
});

test('a repository is fetched through a proxy that sees no content, and authorities of the machine are still trusted', async (t) => {
  await using proxy = await startProxy();
  const dir = await mkdtemp(join(tmpdir(), 'tautline-authority-'));
  t.after(() => rm(dir, { recursive: true, force: true }));
  const machine = await makeAuthority();
  await writeFile(join(dir, 'ca.pem'), machine.ca);
  // Only the second agent uses the proxy; the first one is stopped, since it cannot resolve the host.
  await scene.agent.stop();
  const environment = { HTTPS_PROXY: proxy.url, NO_PROXY: '.svc', NODE_EXTRA_CA_CERTS: join(dir, 'ca.pem') };
  await using agent = await scene.world.agent({ environment, flags: QUICK_FLAGS });
  assert.ok(agent.apiUrl);

  scene.locks.set('proxied', basic('me', 'proxied'));
  const secret = { 'ca.crt': authority.ca, username: 'me', password: 'proxied' };
  const gitUrl = encrypted.url.replace('127.0.0.1', 'git.example.invalid');
  const { application } = await declareTenant(scene, 'proxied', { secret, gitUrl });
  await application.untilReady();
  assert.ok(proxy.asked.length > 0);
  assert.ok(proxy.asked.every(({ line }) => line === `CONNECT ${new URL(gitUrl).host}`));
  assert.ok(proxy.asked.every(({ authorization }) => authorization === undefined));

  proxy.refuses = true;
  const refused = { secret, gitUrl: mutual.url.replace('127.0.0.1', 'git.example.invalid') };
  const { message } = await untilFailed(await declareTenant(scene, 'refused', refused), 'ArtifactFailed');
  assert.match(message, /the proxy refused \(HTTP status 407\)/);

  await using known = await startTlsFront({ server: machine.server, target: scene.world.git.url });
  const direct = await declareTenant(scene, 'machine', { secret, gitUrl: known.url });
  await direct.application.untilReady();
});
