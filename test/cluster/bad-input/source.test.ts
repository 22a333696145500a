/** Repositories, branches, paths and servers that are missing or broken: reported by name, and healed once mended. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { useScene } from './scene.ts';
import { configMap, text } from '../../support/objects.ts';
import {
  at,
  configMapPath,
  declareSubject,
  fingerprint,
  sourceReason,
  syncOf,
  untilFailed,
  untilObject,
} from '../../support/scene.ts';

const scene = useScene();

const FILES = { 'kept.yaml': text(configMap('kept', { a: '1' })) };

test('an unknown repository is reported, and followed once it exists', async () => {
  const { world } = scene;
  const application = await world.declare('norepo', {
    source: { repoURL: `${world.git.url}/norepo.git` },
    destination: { namespace: 'apps' },
  });
  const { message, isStalled } = await untilFailed({ application }, 'ArtifactFailed');
  assert.match(message, /norepo\.git/);
  assert.equal(await sourceReason({ application }), 'RepositoryNotFound');
  assert.equal(isStalled, false);
  await scene.expectBystanderGoesOn();

  await (await world.repository('norepo')).commit(FILES);
  await application.untilReady();
});

test('an unknown branch is reported by name, and followed once it is pushed; applied objects stay', async () => {
  const subject = await declareSubject(scene.world, 'nobranch', { files: FILES });
  await subject.application.untilReady();
  const applied = fingerprint(await subject.configMap('kept'));
  await subject.application.patch({ source: { revision: 'next' } });
  const { message } = await untilFailed(subject, 'ArtifactFailed');
  assert.match(message, /next/);
  assert.equal(await sourceReason(subject), 'RevisionNotFound');
  assert.equal(fingerprint(await subject.configMap('kept')), applied);
  await scene.expectBystanderGoesOn();

  const commit = await subject.repository.branch('next');
  await subject.application.untilReady(commit);
});

test('an unknown path is reported by name, prunes nothing, and is followed once a commit creates it', async () => {
  const subject = await declareSubject(scene.world, 'nopath', {
    files: FILES,
    spec: { source: { repoURL: `${scene.world.git.url}/nopath.git`, interval: '10s' } },
  });
  await subject.application.untilReady();
  await subject.application.patch({ source: { path: 'deploy/prod' } });
  const { message, isStalled } = await untilFailed(subject, 'BuildFailed');
  assert.match(message, /deploy\/prod/);
  assert.ok(isStalled, 'only a new commit or spec mends it');
  assert.ok(await subject.configMap('kept'));
  await scene.expectBystanderGoesOn();

  // No refresh is requested: the next poll finds the commit.
  const commit = await subject.repository.commit({ 'deploy/prod/kept.yaml': text(configMap('kept', { a: '2' })) });
  await subject.application.untilReady(commit);
  assert.equal(at(await subject.configMap('kept'), 'data', 'a'), '2');
});

test('a branch that is deleted prunes nothing', async () => {
  const subject = await declareSubject(scene.world, 'gone', { files: FILES });
  await subject.repository.branch('live');
  await subject.application.patch({ source: { revision: 'live' } });
  await subject.application.untilReady();
  await subject.repository.deleteBranch('live');
  await subject.application.refresh();
  await untilFailed(subject, 'ArtifactFailed');
  assert.ok(await subject.configMap('kept'));
});

test('while Git is unavailable drift is healed and the failure reported; the failure ends once Git is back', async () => {
  const { git } = scene.world;
  const subject = await declareSubject(scene.world, 'down', { files: FILES });
  await subject.application.untilReady();
  git.onRequest = ({ path }) => (path.startsWith('/down.git') ? { cutAfterBytes: 0 } : undefined);
  await subject.application.refresh();
  await untilFailed(subject, 'ArtifactFailed');
  assert.notEqual(syncOf(await subject.application.read()), 'OutOfSync');

  await scene.world.apply(configMap('kept', { a: 'by hand' }, { namespace: 'down' }));
  await untilObject(scene.world, configMapPath('down', 'kept'), (object) => at(object, 'data', 'a') === '1');
  await scene.expectBystanderGoesOn();

  git.onRequest = undefined;
  await subject.application.untilReady();
});

test('a page of a login proxy is reported as not Git, without its text', async () => {
  const { git } = scene.world;
  const subject = await declareSubject(scene.world, 'html', { files: FILES });
  await subject.application.untilReady();
  const page = '<html><title>Sign in</title><input value="canary-csrf-token"></html>';
  git.onRequest = ({ path }) =>
    path.startsWith('/html.git') ? { status: 200, headers: { 'content-type': 'text/html' }, body: page } : undefined;
  await subject.application.refresh();
  const { message } = await untilFailed(subject, 'ArtifactFailed');
  assert.equal(await sourceReason(subject), 'NotGit');
  assert.doesNotMatch(message, /canary|<html/);
  assert.ok(await subject.configMap('kept'));
  git.onRequest = undefined;
  await subject.application.untilReady();
});

for (const [status, reason] of [
  [401, 'AuthenticationRequired'],
  [403, 'AccessDenied'],
  [429, 'RateLimited'],
  [500, 'ServerError'],
] as const) {
  test(`HTTP ${status} of the Git server is reported as ${reason} while it lasts`, async () => {
    const { git } = scene.world;
    const name = `http${status}`;
    const subject = await declareSubject(scene.world, name, { files: FILES });
    await subject.application.untilReady();
    git.onRequest = ({ path }) => (path.startsWith(`/${name}.git`) ? { status } : undefined);
    await subject.application.refresh();
    await untilFailed(subject, 'ArtifactFailed');
    assert.equal(await sourceReason(subject), reason);
    git.onRequest = undefined;
    await subject.application.untilReady();
  });
}

test('answers that are cut at any place apply and prune nothing', async () => {
  const { git } = scene.world;
  const files = { ...FILES, 'other.yaml': text(configMap('other', { a: '1' })) };
  const subject = await declareSubject(scene.world, 'cut', { files });
  await subject.application.untilReady();
  const before = await Promise.all(['kept', 'other'].map((name) => subject.configMap(name)));
  let cutAfterBytes = 10;
  git.onRequest = ({ path }) => (path.startsWith('/cut.git') ? { cutAfterBytes } : undefined);
  await subject.repository.commit({ 'kept.yaml': text(configMap('kept', { a: '2' })), 'other.yaml': null });
  for (cutAfterBytes of [10, 60, 150, 300]) {
    await subject.application.refresh();
    await untilFailed(subject, 'ArtifactFailed');
    await sleep(300);
    const now = await Promise.all(['kept', 'other'].map((name) => subject.configMap(name)));
    assert.deepEqual(now.map(fingerprint), before.map(fingerprint), `cut after ${cutAfterBytes} bytes`);
  }
  git.onRequest = undefined;
  const application = await subject.application.untilReady(await subject.repository.resolve('main'));
  assert.equal(at(application, 'status', 'counts', 'total'), 1);
});
