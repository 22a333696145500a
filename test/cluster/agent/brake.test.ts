/** No endless loop with another manager that writes the same object, nor over Jobs that are removed when done. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TestRepository } from '../../support/git-repository.ts';
import { prepare, useWorld } from '../../support/use-world.ts';
import { conditionOf, eventually } from '../../support/world.ts';
import { configMap, job, text } from '../../support/objects.ts';
import { at, configMapPath, endJob, jobPath, syncOf } from '../../support/scene.ts';

const { world } = useWorld();
let repository: TestRepository;
prepare(async () => {
  repository = await world.repository('brake');
});

const fromGit = (name: string): string => text(configMap(name, { value: 'git' }));

test('the first heal is immediate, later ones are delayed, and the condition names manager and field', async () => {
  await repository.commit({ 'fought/a.yaml': fromGit('fought') });
  await using agent = await world.agent();
  assert.ok(agent.apiUrl);
  const application = await world.declare('fought', { source: { repoURL: repository.url, path: 'fought' } });
  await application.untilReady();
  const path = configMapPath('apps', 'fought');
  const write = (value: string): Promise<void> =>
    world.apply(configMap('fought', { value }, { namespace: 'apps' }), 'other-side');
  const isHealed = async (): Promise<true | undefined> =>
    String((await world.read(path))?.['data']?.['value']) === 'git' ? true : undefined;
  await write('one');
  assert.ok(await eventually(isHealed), 'the first heal');
  await write('two');
  const contested = await application.until('contested', (found) => conditionOf(found, 'Contested') !== undefined);
  const message = String(conditionOf(contested, 'Contested')?.['message']);
  assert.match(message, /ConfigMap apps\/fought/);
  assert.match(message, /other-side at \/data\/value/);
  assert.doesNotMatch(message, /two/, 'no value');
  assert.ok(await eventually(isHealed), 'the second heal comes after its pause');
  const writes = agent.log.filter(({ reason }) => reason === 'DriftCorrected').length;
  assert.ok(writes <= 4, `${writes} writes told`);
});

test('an object that another writer replaces without the owner marks is healed ever more slowly', async () => {
  await repository.commit({ 'replaced/a.yaml': fromGit('replaced') });
  await using agent = await world.agent();
  assert.ok(agent.apiUrl);
  const application = await world.declare('replaced', { source: { repoURL: repository.url, path: 'replaced' } });
  await application.untilReady();
  const path = configMapPath('apps', 'replaced');
  const replace = (): Promise<unknown> =>
    world.send('PUT', path, configMap('replaced', { value: 'other' }, { namespace: 'apps' }));
  const isHealed = async (): Promise<true | undefined> =>
    valueIn(await world.read(path)) === 'git' ? true : undefined;
  for (let turn = 1; turn <= 3; turn++) {
    await replace();
    assert.ok(await eventually(isHealed), `heal ${turn}`);
  }
  await replace();
  const contested = await application.until('contested', (found) => conditionOf(found, 'Contested') !== undefined);
  assert.match(String(conditionOf(contested, 'Contested')?.['message']), /ConfigMap apps\/replaced/);
});

function valueIn(object: unknown): unknown {
  return at(object, 'data', 'value');
}

test('a finished Job that is removed is not run again, neither at once nor after a restart', async () => {
  await repository.commit({ 'job/a.yaml': text(job('migrate')), 'job/b.yaml': fromGit('beside') });
  const path = jobPath('apps', 'migrate');
  const application = await (async () => {
    await using agent = await world.agent();
    const declared = await world.declare('job', { source: { repoURL: repository.url, path: 'job' } });
    await declared.untilReady();
    await endJob(world, path);
    await declared.until('finished', (found) => found['status']?.['finished'] !== undefined);
    await world.send('DELETE', `${path}?propagationPolicy=Background`);
    await declared.refresh();
    assert.equal(await world.read(path), undefined);
    assert.ok(agent.log.length > 0);
    return declared;
  })();
  await using restarted = await world.agent();
  const refreshed = await application.refresh();
  assert.equal(await world.read(path), undefined);
  assert.equal(syncOf(refreshed), 'Synced');
  assert.equal(at(refreshed, 'status', 'health', 'status'), 'Healthy');
  assert.ok(restarted.apiUrl);
});
