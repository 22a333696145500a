/** spec.dependsOn: Applications that wait for each other. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { useWorld } from '../../support/use-world.ts';
import { configMap, job, text, type Manifest } from '../../support/objects.ts';
import {
  at,
  configMapPath,
  declareSubject,
  endJob,
  jobPath,
  makeNamespace,
  readyMessage,
  readyReason,
  untilObject,
} from '../../support/scene.ts';

const { world } = useWorld({ agent: { flags: ['--progress-check', '60s'] } });

test('an Application is applied once its dependency is Ready, and not before', async () => {
  const value = (text: string, metadata: Manifest = {}): Manifest => configMap('a', { value: text }, metadata);
  const second = await declareSubject(world, 'second', {
    files: { 'a.yaml': text(value('1')) },
    spec: { dependsOn: [{ name: 'first', namespace: 'elsewhere' }] },
  });
  const missing = await second.application.until('the missing one is named', (now) => /first/.test(readyMessage(now)));
  assert.equal(readyReason(missing), 'False DependencyNotReady');
  assert.match(readyMessage(missing), /Application elsewhere\/first does not exist/);
  assert.equal(await second.configMap('a'), undefined);
  const repository = await world.repository('first');
  // Its Ready waits for its health, and the Job does not end until the test ends it.
  await repository.commit({ 'job.yaml': text(job('main')) });
  const first = await world.declare(
    'first',
    { source: { repoURL: repository.url }, health: { wait: true } },
    'elsewhere',
  );
  await second.application.until('it waits', (now) => /elsewhere\/first is not Ready/.test(readyMessage(now)));
  await endJob(world, jobPath('elsewhere', 'main'));
  await first.untilReady();
  await second.application.untilReady();
  await first.patch({ health: { wait: true }, source: { repoURL: repository.url, revision: 'nowhere' } });
  await first.until('it is broken', (now) => /False/.test(readyReason(now)));
  await world.apply(value('hand', { namespace: 'second' }));
  await untilObject(world, configMapPath('second', 'a'), (now) => at(now, 'data', 'value') === '1');
  await second.repository.commit({ 'a.yaml': text(value('2')) });
  await second.application.refresh();
  await second.application.until('the next revision waits', (now) => /DependencyNotReady/.test(readyReason(now)));
  assert.equal(at(await second.configMap('a'), 'data', 'value'), '1');
  await first.patch({ source: { repoURL: repository.url, revision: 'HEAD' } });
  await second.application.untilReady();
  assert.equal(at(await second.configMap('a'), 'data', 'value'), '2');
});

test('a cycle of dependencies is reported on each of its members, with all of its members', async () => {
  const files = { 'a.yaml': text(configMap('a', {})) };
  const subjects = [
    await declareSubject(world, 'one', { files, spec: { dependsOn: [{ name: 'two', namespace: 'apps' }] } }),
    await declareSubject(world, 'two', { files, spec: { dependsOn: [{ name: 'three' }] } }),
    await declareSubject(world, 'three', { files, spec: { dependsOn: [{ name: 'one' }] } }),
  ];
  const ways = ['one → apps/two → apps/three → apps/one', 'two → apps/three → apps/one → apps/two'];
  for (const [index, way] of ways.entries()) {
    await subjects[index]?.application.until('the cycle is told', (now) => readyMessage(now).includes(`apps/${way}`));
  }
  await subjects[2]?.application.until('the cycle is told', (now) => /is a cycle/.test(readyMessage(now)));
  await subjects[1]?.application.patch({ dependsOn: null });
  for (const { application } of subjects) await application.untilReady();
});

test('a dependency on the same branch is met at a newer commit, and asked to look at it', async () => {
  const repository = await world.repository('busy');
  await repository.commit({
    'web/a.yaml': text(configMap('web', { v: '1' })),
    'database/a.yaml': text(configMap('database', {})),
  });
  await makeNamespace(world, 'busy');
  const declare = (path: string, more: Manifest = {}) =>
    world.declare(path, {
      source: { repoURL: repository.url, path, interval: '1h' },
      destination: { namespace: 'busy' },
      ...more,
    });
  const database = await declare('database');
  await database.untilReady();
  const web = await declare('web', { dependsOn: [{ name: 'database' }] });
  await web.untilReady();
  await repository.commit({ 'web/a.yaml': text(configMap('web', { v: '2' })) });
  const path = new URL(repository.url).pathname;
  let requests = 0;
  // The branch moves on after the poll of the dependent, and at each of the next requests.
  world.git.onRequest = async (request) => {
    if (request.method !== 'POST' || !request.path.startsWith(path)) return;
    requests += 1;
    if (requests > 1 && requests < 10) await repository.commit({ 'readme.md': String(requests) });
  };
  await web.refresh();
  await untilObject(world, configMapPath('busy', 'web'), (now) => at(now, 'data', 'v') === '2');
  world.git.onRequest = undefined;
  assert.ok(requests > 2, 'the dependency polled a moved branch');
});
