/** Credentials that are wrong, mended, rotated and lost while the agent runs. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { declareTenant, useScene, type Tenant } from './scene.ts';
import { basic } from '../../support/git-server.ts';
import { edit, kubectl } from '../../support/kubectl.ts';
import { configMap, text } from '../../support/objects.ts';
import { at, configMapPath, sourceReason, untilFailed, untilObject } from '../../support/scene.ts';

const scene = useScene();

/** Changes the object by hand, and waits until the agent has healed it. */
async function expectHealed({ namespace }: Tenant): Promise<void> {
  await scene.world.apply(configMap('kept', { a: 'by hand' }, { namespace }));
  await untilObject(scene.world, configMapPath(namespace, 'kept'), (object) => at(object, 'data', 'a') === '1');
}

/** The number of Secrets that the API server has given out one by one, by its own count. */
async function readsOfSecrets(): Promise<number> {
  const exposition = await kubectl(scene.world, ['get', '--raw', '/metrics']);
  const counts = exposition
    .split('\n')
    .filter((line) => /^apiserver_request_total\{.*resource="secrets".*verb="GET"/.test(line))
    .map((line) => Number(line.slice(line.lastIndexOf(' '))));
  assert.ok(counts.length > 0, 'the API server counts no reads of Secrets');
  return counts.reduce((sum, count) => sum + count, 0);
}

test('a wrong password is reported, and a corrected Secret is used without a restart', async () => {
  scene.locks.set('mended', basic('me', 'right'));
  const tenant = await declareTenant(scene, 'mended', { secret: { username: 'me', password: 'wrong' } });
  const { message, isStalled } = await untilFailed(tenant, 'ArtifactFailed');
  assert.match(message, /did not accept the credentials of the Secret mended\/git\. Put valid ones into it/);
  assert.doesNotMatch(message, /wrong|Basic/);
  assert.equal(await sourceReason(tenant), 'CredentialsRefused');
  assert.equal(isStalled, false);
  await tenant.setSecret({ username: 'me', password: 'right' });
  await tenant.application.untilReady();
});

test('a rotated password is used from the next poll on, and the old one no longer', async () => {
  scene.locks.set('rotated', basic('me', 'first'));
  const tenant = await declareTenant(scene, 'rotated', { secret: { username: 'me', password: 'first' } });
  await tenant.application.untilReady();
  scene.locks.set('rotated', basic('me', 'second'));
  await tenant.setSecret({ username: 'me', password: 'second' });
  const before = scene.shown.length;
  const next = await tenant.repository.commit({ 'next.yaml': text(configMap('next', {})) });
  await tenant.application.refresh();
  await tenant.application.untilReady(next);
  const shown = scene.shown.slice(before).filter(({ path }) => path.startsWith('/rotated.git'));
  assert.ok(shown.length > 1 && shown.every(({ authorization }) => authorization === basic('me', 'second')));
});

test('a rotated Secret without a new commit leads to no write', async () => {
  scene.locks.set('same', basic('me', 'first'));
  const tenant = await declareTenant(scene, 'same', { secret: { username: 'me', password: 'first' } });
  await tenant.application.untilReady();
  const before = await scene.world.read(configMapPath('same', 'kept'));
  scene.locks.set('same', basic('me', 'second'));
  await tenant.setSecret({ username: 'me', password: 'second' });
  await tenant.application.refresh();
  await tenant.application.untilReady();
  const after = await scene.world.read(configMapPath('same', 'kept'));
  assert.equal(at(after, 'metadata', 'resourceVersion'), at(before, 'metadata', 'resourceVersion'));
});

const LOSSES: Readonly<Record<string, readonly [Record<string, string> | null, reason: string, message: RegExp]>> = {
  deleted: [null, 'SecretNotFound', /The Secret deleted\/git of spec\.source\.secretRef does not exist/],
  emptied: [{}, 'InvalidSecret', /The Secret emptied\/git holds no credentials/],
  halved: [{ username: 'me' }, 'InvalidSecret', /The Secret halved\/git holds username without password/],
  revoked: [{ username: 'me', password: 'old' }, 'CredentialsRefused', /Secret revoked\/git/],
};

for (const [name, [values, reason, message]] of Object.entries(LOSSES)) {
  test(`while the Secret is ${name}, the last revision stays applied and drift is healed`, async () => {
    scene.locks.set(name, basic('me', 'good'));
    const good = { username: 'me', password: 'good' };
    const tenant = await declareTenant(scene, name, { secret: good });
    await tenant.application.untilReady();
    await tenant.setSecret(values);
    await tenant.application.refresh();
    assert.match((await untilFailed(tenant, 'ArtifactFailed')).message, message);
    assert.equal(await sourceReason(tenant), reason);
    await expectHealed(tenant);
    assert.equal(at(await tenant.application.read(), 'status', 'counts', 'total'), 1);
    await tenant.setSecret(good);
    await tenant.application.untilReady();
  });
}

test('a Secret that the spec no longer names is no longer used', async () => {
  scene.locks.set('dropped', basic('me', 'good'));
  const tenant = await declareTenant(scene, 'dropped', { secret: { username: 'me', password: 'good' } });
  await tenant.application.untilReady();
  await tenant.application.patch({ source: { secretRef: null } });
  await untilFailed(tenant, 'ArtifactFailed');
  assert.equal(await sourceReason(tenant), 'AuthenticationRequired');
  assert.ok(await scene.world.read(configMapPath('dropped', 'kept')), 'nothing is pruned');
});

test('the Secret is read for a poll only', async () => {
  scene.locks.set('quiet', basic('me', 'good'));
  const tenant = await declareTenant(scene, 'quiet', {
    secret: { username: 'me', password: 'good' },
    source: { interval: '24h' },
  });
  await tenant.application.untilReady();
  // The other Applications of this file would poll in between.
  for (const name of ['mended', 'rotated', 'same', 'dropped', ...Object.keys(LOSSES)]) {
    await edit(scene.world, `tla/${name}`, { namespace: name, patch: { spec: { suspend: true } } });
  }
  await tenant.application.refresh();
  await expectHealed(tenant);
  const before = await readsOfSecrets();
  await expectHealed(tenant);
  assert.equal(await readsOfSecrets(), before);
  await tenant.application.refresh();
  assert.ok((await readsOfSecrets()) > before);
});
