/** What people see who know nothing but kubectl. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configMap, declareSubject, text } from '../agent/scene.ts';
import { useScene } from './scene.ts';

const scene = useScene();

async function kubectl(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await scene.world.plane.kubectl(args);
  assert.equal(code, 0, `kubectl ${args.join(' ')}: ${stderr}`);
  return stdout;
}

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
  await kubectl('wait', '--for=condition=Ready', 'tla/waited', '-n', 'apps', '--timeout=120s');
});

test('kubectl get shows sync, health, readiness, revision and age, and with -o wide why', async () => {
  const subject = await declareSubject(scene.world, 'shown', { files: { 'a.yaml': text(configMap('a', { v: '1' })) } });
  const commit = await subject.repository.resolve('main');
  await subject.application.untilReady();
  const [head, row] = (await kubectl('get', 'tla', 'shown', '-n', 'apps')).split('\n');
  assert.deepEqual(
    head?.split(/\s{2,}/).map((word) => word.trim()),
    ['NAME', 'SYNC', 'HEALTH', 'READY', 'REVISION', 'AGE'],
  );
  assert.match(row ?? '', new RegExp(`^shown +Synced +Healthy +True +${commit.slice(0, 12)} +\\d+s`));
  const wide = await kubectl('get', 'applications.tautline.dev', 'shown', '-n', 'apps', '-o', 'wide');
  assert.match(wide, /1 object in sync/);
  assert.match(await kubectl('get', 'gitops', '-n', 'apps'), /shown/);
});

test('kubectl events tells what happened, the newest last', async () => {
  const subject = await declareSubject(scene.world, 'eventful', {
    files: { 'a.yaml': text(configMap('a', { v: '1' })) },
  });
  await subject.application.untilReady();
  await subject.repository.commit({ 'broken.yaml': '{' });
  await subject.application.refresh();
  await scene.expectBystanderGoesOn();
  const told = await kubectl('events', '-n', 'apps', '--for', 'application.tautline.dev/eventful');
  assert.match(told, /Normal +Applied .*1 created \(ConfigMap eventful\/a\)/);
  assert.match(told, /Warning +BuildFailed .*broken\.yaml/);
  assert.match(await kubectl('get', 'events', '-n', 'apps'), /Applied +application\/eventful/);
});

test('kubectl explain knows every field', async () => {
  assert.match(await kubectl('explain', 'tla.spec.destination.namespace'), /Default:\s+the\s+Application's\s+own/);
  assert.match(await kubectl('explain', 'tla.status.sync'), /lastAppliedRevision/);
});
