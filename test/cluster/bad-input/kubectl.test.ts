/** Applications as kubectl shows them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { useScene } from './scene.ts';
import { kubectl } from '../../support/kubectl.ts';
import { configMap, text } from '../../support/objects.ts';
import { declareSubject } from '../../support/scene.ts';

const scene = useScene();

const run = (...args: string[]): Promise<string> => kubectl(scene.world, args);

test('kubectl wait returns once an Application is Ready, and not before', async () => {
  const { git } = scene.world;
  const { promise: released, resolve: release } = Promise.withResolvers<undefined>();
  git.onRequest = ({ path }) => (path.startsWith('/waited.git') ? released : undefined);
  await declareSubject(scene.world, 'waited', { files: { 'a.yaml': text(configMap('a', { v: '1' })) } });
  const tooSoon = await scene.world.plane.kubectl([
    'wait',
    '--for=condition=Ready',
    'tla/waited',
    '-n',
    'apps',
    '--timeout=1s',
  ]);
  assert.notEqual(tooSoon.code, 0);
  release(undefined);
  git.onRequest = undefined;
  await run('wait', '--for=condition=Ready', 'tla/waited', '-n', 'apps', '--timeout=120s');
});

test('kubectl get shows sync, health, readiness, revision and age, and with -o wide the message', async () => {
  const subject = await declareSubject(scene.world, 'shown', { files: { 'a.yaml': text(configMap('a', { v: '1' })) } });
  const commit = await subject.repository.resolve('main');
  await subject.application.untilReady();
  const [head, row] = (await run('get', 'tla', 'shown', '-n', 'apps')).split('\n');
  assert.deepEqual(
    head?.split(/\s{2,}/).map((word) => word.trim()),
    ['NAME', 'SYNC', 'HEALTH', 'READY', 'REVISION', 'AGE'],
  );
  assert.match(row ?? '', new RegExp(`^shown +Synced +Healthy +True +${commit.slice(0, 12)} +\\d+s`));
  const wide = await run('get', 'applications.tautline.dev', 'shown', '-n', 'apps', '-o', 'wide');
  assert.match(wide, /1 object in sync/);
  assert.match(await run('get', 'gitops', '-n', 'apps'), /shown/);
});

test('kubectl events lists the changes of an Application, the newest last', async () => {
  const subject = await declareSubject(scene.world, 'eventful', {
    files: { 'a.yaml': text(configMap('a', { v: '1' })) },
  });
  await subject.application.untilReady();
  await subject.repository.commit({ 'broken.yaml': '{' });
  await subject.application.refresh();
  await scene.expectBystanderGoesOn();
  const told = await run('events', '-n', 'apps', '--for', 'application.tautline.dev/eventful');
  assert.match(told, /Normal +Applied .*1 created \(ConfigMap eventful\/a\)/);
  assert.match(told, /Warning +BuildFailed .*broken\.yaml/);
  assert.match(await run('get', 'events', '-n', 'apps'), /Applied +application\/eventful/);
});

test('kubectl explain describes the fields of spec and status', async () => {
  assert.match(await run('explain', 'tla.spec.destination.namespace'), /Default:\s+the\s+Application's\s+own/);
  assert.match(await run('explain', 'tla.status.sync'), /lastAppliedRevision/);
});
