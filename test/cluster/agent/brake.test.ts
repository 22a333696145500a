/** Two sides that write one object in turn, and Jobs that are removed after their end: no write loop, no second run. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TestRepository } from '../../support/git-repository.ts';
import { prepare, useWorld } from '../../support/use-world.ts';
import { conditionOf, eventually } from '../../support/world.ts';

const { world } = useWorld();
let repository: TestRepository;
prepare(async () => {
  repository = await world.repository('brake');
});

const configMap = (name: string): string =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\ndata:\n  value: git\n`;

test('the first heal is immediate, the next ones wait, and the condition names manager and field', async () => {
  await repository.commit({ 'fought/a.yaml': configMap('fought') });
  await using agent = await world.agent();
  assert.ok(agent.apiUrl);
  const application = await world.declare('fought', { source: { repoURL: repository.url, path: 'fought' } });
  await application.untilReady();
  const path = '/api/v1/namespaces/apps/configmaps/fought';
  const write = async (value: string): Promise<void> => {
    const metadata = { name: 'fought', namespace: 'apps' };
    await world.apply({ apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { value } }, 'other-side');
  };
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
  const writes = agent.log.filter(({ reason }) => reason === 'Applied').length;
  assert.ok(writes <= 4, `${writes} writes told`);
});

test('a Job that is removed after its end is not run again, neither at once nor after a restart', async () => {
  const job =
    'apiVersion: batch/v1\nkind: Job\nmetadata:\n  name: migrate\nspec:\n  template:\n    spec:\n' +
    '      restartPolicy: Never\n      containers:\n        - name: main\n          image: migrate:1\n';
  await repository.commit({ 'job/a.yaml': job, 'job/b.yaml': configMap('beside') });
  const application = await (async () => {
    await using agent = await world.agent();
    const declared = await world.declare('job', { source: { repoURL: repository.url, path: 'job' } });
    await declared.untilReady();
    const path = '/apis/batch/v1/namespaces/apps/jobs/migrate';
    const now = new Date().toISOString().replace(/\.\d+Z/, 'Z');
    await world.send('PUT', `${path}/status`, {
      ...(await world.read(path)),
      status: {
        startTime: now,
        completionTime: now,
        succeeded: 1,
        uncountedTerminatedPods: {},
        conditions: [
          { type: 'SuccessCriteriaMet', status: 'True', lastTransitionTime: now },
          { type: 'Complete', status: 'True', lastTransitionTime: now },
        ],
      },
    });
    await declared.until('finished', (found) => found['status']?.['finished'] !== undefined);
    await world.send('DELETE', `${path}?propagationPolicy=Background`);
    await declared.refresh();
    assert.equal(await world.read(path), undefined);
    assert.ok(agent.log.length > 0);
    return declared;
  })();
  await using restarted = await world.agent();
  const refreshed = await application.refresh();
  assert.equal(await world.read('/apis/batch/v1/namespaces/apps/jobs/migrate'), undefined);
  assert.equal(String(refreshed['status']?.['sync']?.['status']), 'Synced');
  assert.equal(String(refreshed['status']?.['health']?.['status']), 'Healthy');
  assert.ok(restarted.apiUrl);
});
