/** A repository that one tenant's credential opens is out of reach for all other tenants. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { basic, startGitServer } from '../../support/git-server.ts';
import { startTlsFront } from '../../support/front-servers.ts';
import { makeAuthority } from '../../support/certificates.ts';
import { declareTenant, useScene } from './scene.ts';
import { configMap, secret, text } from '../../support/objects.ts';
import { grant, makeAccount, rule } from '../../support/rights.ts';
import {
  configMapPath,
  makeNamespace,
  readyReason,
  sourceReason,
  untilFailed,
  untilGone,
} from '../../support/scene.ts';

const scene = useScene();

const SECRET = { username: 'me', password: 'geheim-1' };
const OPENS = basic('me', 'geheim-1');

test('a tenant without the credential gets nothing of a private repository, not even by the id of a commit', async () => {
  scene.locks.set('owned', OPENS);
  const owner = await declareTenant(scene, 'owned', { secret: SECRET });
  await owner.application.untilReady();
  const commit = await owner.repository.resolve('main');
  const { world } = scene;
  for (const [name, more] of [
    ['thief-none', {}],
    ['thief-wrong', { secretRef: { name: 'git' } }],
  ] as const) {
    await makeNamespace(world, name);
    if ('secretRef' in more) {
      await world.apply(secret('git', { stringData: { bearerToken: 'x' } }, { namespace: name }));
    }
    const source = { repoURL: owner.repository.url, revision: commit, ...more };
    const application = await world.declare('thief', { source }, name);
    const { message } = await untilFailed({ application }, 'ArtifactFailed');
    const isAnonymous = name === 'thief-none';
    assert.equal(
      await sourceReason({ application }),
      isAnonymous ? 'AuthenticationRequired' : 'CredentialsRefused',
      JSON.stringify(await application.read()),
    );
    assert.match(message, isAnonymous ? /spec\.source\.secretRef/ : /credentials of the Secret thief-wrong\/git/);
    assert.equal(await world.read(configMapPath(name, 'kept')), undefined);
  }
  await owner.application.refresh();
  await owner.application.untilReady();
});

test('tenants with the same credential share one fetch', async () => {
  scene.locks.set('shared', OPENS);
  const first = await declareTenant(scene, 'shared', { secret: SECRET });
  await first.application.untilReady();
  const { world } = scene;
  await makeNamespace(world, 'sharing');
  await world.apply(secret('other-name', { stringData: SECRET }, { namespace: 'sharing' }));
  const before = scene.shown.length;
  const source = { repoURL: first.repository.url, secretRef: { name: 'other-name' } };
  const application = await world.declare('second', { source }, 'sharing');
  await application.untilReady();
  const paths = scene.shown.slice(before).filter(({ path }) => path.startsWith('/shared.git'));
  assert.equal(paths.length, 1, 'a poll and no fetch');
});

test('a Secret of another namespace cannot be used', async () => {
  const { world } = scene;
  await makeNamespace(world, 'nosy');
  const source = { repoURL: `${world.git.url}/owned.git`, secretRef: { name: 'git' } };
  const application = await world.declare('nosy', { source }, 'nosy');
  const { message } = await untilFailed({ application }, 'ArtifactFailed');
  assert.match(message, /The Secret nosy\/git of spec\.source\.secretRef does not exist/);
  assert.equal(await sourceReason({ application }), 'SecretNotFound');
});

test('an account that may not read the Secret fails, although the agent may; with the right it works', async () => {
  const { world } = scene;
  scene.locks.set('account', OPENS);
  await makeNamespace(world, 'account');
  await makeAccount(world, 'account');
  await grant(world, { namespace: 'account', name: 'objects', rules: [rule('', 'configmaps', ['*'])] });
  const spec = { serviceAccountName: 'deployer' };
  const { application } = await declareTenant(scene, 'account', { secret: SECRET, spec });
  const { message } = await untilFailed({ application }, 'ArtifactFailed');
  assert.match(message, /may not be read by the ServiceAccount account\/deployer/);
  assert.equal(await sourceReason({ application }), 'SecretForbidden');

  const reading = { ...rule('', 'secrets', ['get']), resourceNames: ['git'] };
  await grant(world, { namespace: 'account', name: 'credentials', rules: [reading] });
  await application.untilReady();
});

test('no other host, port or scheme is sent a credential, wherever the server redirects', async () => {
  const { world } = scene;
  await using other = await startGitServer(world.git.root);
  const authority = await makeAuthority();
  await using front = await startTlsFront({ server: authority.server, target: world.git.url });
  const seen: unknown[] = [];
  other.onRequest = ({ headers }) => void seen.push(headers);
  const port = new URL(world.git.url).port;
  const targets = { port: other.url, host: `http://localhost:${port}`, scheme: front.url };
  for (const [what, target] of Object.entries(targets)) {
    const name = `redirect-${what}`;
    scene.locks.set(name, ({ path }) => ({ status: 302, headers: { location: `${target}/led${path}` } }));
    const { application } = await declareTenant(scene, name, { secret: SECRET });
    const { message } = await untilFailed({ application }, 'ArtifactFailed');
    assert.equal(await sourceReason({ application }), 'RedirectRefused');
    assert.match(message, /another origin/);
  }
  assert.deepEqual(
    scene.shown.filter(({ path }) => path.startsWith('/led/')),
    [],
  );
  assert.deepEqual(seen, []);
});

test('a suspended Application of another tenant gets nothing when a private repository is read for its owner', async () => {
  const { world } = scene;
  scene.locks.set('moving', OPENS);
  const files = {
    'one/kept.yaml': text(configMap('kept', {})),
    'one/left.yaml': text(configMap('left', {})),
    'two/treasure.yaml': text(configMap('treasure', { map: 'X' })),
  };
  const owner = await declareTenant(scene, 'moving', { secret: SECRET, files, source: { path: 'one' } });
  await owner.application.untilReady();
  await makeNamespace(world, 'sleeper');
  const asleep = { suspend: true, source: { repoURL: owner.repository.url, path: 'two' } };
  const thief = await world.declare('thief', asleep, 'sleeper');
  await thief.until('suspended', (application) => readyReason(application) === 'False Suspended');
  await owner.repository.commit({ 'one/left.yaml': null });
  await owner.application.refresh();
  await untilGone(world, configMapPath('moving', 'left'));
  const broken = await world.repository('sleeper');
  await broken.commit({ 'two/kustomization.yaml': 'resources: [nowhere.yaml]' });
  await thief.patch({ suspend: false, source: { repoURL: broken.url } });
  await thief.until('broken', (application) => readyReason(application) === 'False BuildFailed');
  await thief.refresh();
  assert.equal(await world.read(configMapPath('sleeper', 'treasure')), undefined);
});
