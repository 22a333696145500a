/** The sync status of objects that differ from Git and may not be applied yet. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configMap, text, workload } from '../../support/objects.ts';
import {
  at,
  declareSubject,
  deploymentPath,
  detailOf,
  PROGRESS_FLAGS,
  putStatus,
  requestsByVerb,
  untilPasses,
  passesOf,
  readyReason,
} from '../../support/scene.ts';
import { useWorld } from '../../support/use-world.ts';

const { world, agent } = useWorld({ agent: { flags: PROGRESS_FLAGS } });

const WAVE = { annotations: { 'argocd.argoproj.io/sync-wave': '1' } };
const HEALTHY = {
  observedGeneration: 1,
  replicas: 1,
  updatedReplicas: 1,
  readyReplicas: 1,
  availableReplicas: 1,
  conditions: [{ type: 'Available', status: 'True' }],
};

async function wordsOf(name: string): Promise<Record<string, unknown>> {
  const objects = (at(await detailOf(agent, name), 'objects') ?? []) as { name: string; sync: string }[];
  return Object.fromEntries(objects.map((object) => [object.name, object.sync]));
}

test('objects that differ and wait for an earlier wave are OutOfSync, and those that are equal to Git are Synced', async () => {
  const name = 'waiting-wave';
  const late = (v: string) => text(configMap('late', { v }, WAVE), configMap('same', {}, WAVE));
  const subject = await declareSubject(world, name, {
    files: { 'web.yaml': text(workload('Deployment', 'web')), 'late.yaml': late('1') },
  });
  await putStatus(world, deploymentPath(name, 'web'), HEALTHY);
  await subject.application.untilReady();
  await subject.repository.commit({
    'web.yaml': text(workload('Deployment', 'web', { pod: { nodeSelector: { pool: 'nowhere' } } })),
    'late.yaml': late('2'),
  });
  await subject.application.refresh();
  const waiting = await subject.application.until('the later wave waits', (application) =>
    /an earlier wave waits/.test(JSON.stringify(at(application, 'status', 'conditions'))),
  );
  assert.equal(readyReason(waiting), 'False Progressing');
  assert.equal(at(waiting, 'status', 'sync', 'status'), 'OutOfSync');
  assert.deepEqual(await wordsOf(name), { late: 'OutOfSync', same: 'Synced', web: 'Synced' });
  assert.equal(at(await subject.configMap('late'), 'data', 'v'), '1');
  // The answers of the dry runs are remembered.
  const before = (await requestsByVerb(agent))['apply'];
  await untilPasses(agent, name, (await passesOf(agent, name)) + 2);
  assert.equal((await requestsByVerb(agent))['apply'], before);
});

test('objects that differ and wait for another Application are OutOfSync', async () => {
  const name = 'waiting-other';
  const files = (v: string) => ({ 'a.yaml': text(configMap('a', { v })) });
  const subject = await declareSubject(world, name, { files: files('1') });
  await subject.application.untilReady();
  await subject.application.patch({ dependsOn: [{ name: 'not-there' }] });
  await subject.repository.commit(files('2'));
  await subject.application.refresh();
  const waiting = await subject.application.until(
    'it waits for the other Application',
    (application) => readyReason(application) === 'False DependencyNotReady',
  );
  assert.equal(at(waiting, 'status', 'sync', 'status'), 'OutOfSync');
  assert.deepEqual(await wordsOf(name), { a: 'OutOfSync' });
  assert.equal(at(await subject.configMap('a'), 'data', 'v'), '1');
});
