/**
 * Objects that were applied are healed, also after a restart, while a newer revision waits for a wave, a dependency or
 * room. An object with a newer manifest is healed with the one of the applied revision.
 */
import assert from 'node:assert/strict';
import { mkdtempDisposable } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { RunningAgent } from '../../support/agent.ts';
import { configMap, text, workload } from '../../support/objects.ts';
import {
  at,
  configMapPath,
  declareSubject,
  deploymentPath,
  putStatus,
  QUICK_FLAGS,
  readyMessage,
  readyReason,
  untilObject,
  type Subject,
} from '../../support/scene.ts';
import { useWorld } from '../../support/use-world.ts';

const { world } = useWorld();

const startAgent = (): Promise<RunningAgent> => world.agent({ flags: [...QUICK_FLAGS] });
const inWave = (wave: string) => ({ annotations: { 'argocd.argoproj.io/sync-wave': wave } });

function wavesAt(image: string): Record<string, string> {
  const web = workload('Deployment', 'web', {
    metadata: inWave('0'),
    spec: { replicas: 1 },
    pod: { containers: [{ name: 'main', image: `example.com/app:${image}` }] },
  });
  const later = configMap('later', { v: 'git' }, inWave('1'));
  return { 'all.yaml': text(web, later, configMap('changed', { image }, inWave('1'))) };
}

async function makeHealthy(namespace: string): Promise<void> {
  const path = deploymentPath(namespace, 'web');
  const { metadata } = await untilObject(world, path, () => true);
  const counts = { replicas: 1, updatedReplicas: 1, readyReplicas: 1, availableReplicas: 1 };
  await putStatus(world, path, { ...counts, observedGeneration: metadata?.['generation'] });
}

async function expectHealed(namespace: string, name: string, field = 'v', value = 'git'): Promise<void> {
  const path = configMapPath(namespace, name);
  await world.send('PATCH', path, { data: { [field]: 'hand' } });
  await untilObject(world, path, (object) => at(object, 'data', field) === value);
}

async function expectRestored(namespace: string, name: string, data: Record<string, string>): Promise<void> {
  const path = configMapPath(namespace, name);
  await world.send('DELETE', path);
  const restored = await untilObject(world, path, () => true);
  assert.deepEqual(at(restored, 'data'), data);
}

function untilReason({ application }: Subject, reason: string): Promise<unknown> {
  return application.until(reason, (now) => readyReason(now) === `False ${reason}`);
}

test('an unchanged object of a later wave is healed after a restart, while an earlier wave rolls out', async () => {
  let agent = await startAgent();
  const subject = await declareSubject(world, 'waves', { files: wavesAt('1') });
  await makeHealthy('waves');
  await subject.application.untilReady();
  await subject.repository.commit(wavesAt('2'));
  await subject.application.refresh();
  await untilReason(subject, 'Progressing');
  await expectHealed('waves', 'later');
  await expectHealed('waves', 'changed', 'image', '1');
  await agent.stop();
  agent = await startAgent();
  await expectHealed('waves', 'later');
  await expectRestored('waves', 'changed', { image: '1' });
  await makeHealthy('waves');
  await subject.application.untilReady();
  assert.equal(at(await subject.configMap('changed'), 'data', 'image'), '2');
  await agent.stop();
});

test('an unchanged object is healed after a restart, while a new revision waits for a dependency', async () => {
  let agent = await startAgent();
  const filesAt = (v: string) => ({ 'all.yaml': text(configMap('kept', { v: 'git' }), configMap('new', { v })) });
  const subject = await declareSubject(world, 'needs', { files: filesAt('1') });
  await subject.application.untilReady();
  await subject.application.patch({ dependsOn: [{ name: 'absent' }] });
  await subject.repository.commit(filesAt('2'));
  await subject.application.refresh();
  await untilReason(subject, 'DependencyNotReady');
  await agent.stop();
  agent = await startAgent();
  await expectHealed('needs', 'kept');
  await expectHealed('needs', 'new', 'v', '1');
  await subject.application.until(
    'it tells the difference to Git',
    (now) => at(now, 'status', 'counts', 'outOfSync') === 1,
  );
  await agent.stop();
  // A commit that arrives while no agent runs is the first that the next one reads.
  await subject.repository.commit(filesAt('3'));
  agent = await startAgent();
  await expectHealed('needs', 'kept');
  assert.equal(at(await subject.configMap('new'), 'data', 'v'), '1');
  await agent.stop();
});

test('an unchanged object is healed after a restart, while Git is down and a new revision waits', async (t) => {
  const folder = await mkdtempDisposable(join(tmpdir(), 'tautline-data-'));
  t.after(() => folder.remove());
  const start = (): Promise<RunningAgent> => world.agent({ flags: [...QUICK_FLAGS, '--data-dir', folder.path] });
  let agent = await start();
  const filesAt = (v: string) => ({ 'all.yaml': text(configMap('kept', { v: 'git' }), configMap('new', { v })) });
  const subject = await declareSubject(world, 'outage', { files: filesAt('1') });
  await subject.application.untilReady();
  await subject.application.patch({ dependsOn: [{ name: 'absent' }] });
  await subject.repository.commit(filesAt('2'));
  await subject.application.refresh();
  await untilReason(subject, 'DependencyNotReady');
  await agent.stop();
  world.git.onRequest = () => ({ status: 503 });
  agent = await start();
  await expectHealed('outage', 'kept');
  assert.equal(at(await subject.configMap('new'), 'data', 'v'), '1');
  world.git.onRequest = undefined;
  await agent.stop();
});

test('applied objects are healed, also after a restart, while a new revision has no room in the status', async () => {
  let agent = await startAgent();
  const filesAt = (v: string) => ({ 'all.yaml': text(configMap('kept', { v: 'git' }), configMap('new', { v })) });
  const subject = await declareSubject(world, 'wide', { files: filesAt('1') });
  await subject.application.untilReady();
  await world.send('PATCH', subject.application.path, { metadata: { annotations: { note: 'x'.repeat(250 * 1024) } } });
  const elsewhere = Array.from({ length: 120 }, (_, index) =>
    configMap('c', {}, { namespace: `team-${index}-${'x'.repeat(50)}` }),
  );
  await subject.repository.commit({ ...filesAt('2'), 'more.yaml': text(...elsewhere) });
  await subject.application.refresh();
  await subject.application.until('it is refused', (now) => /too large to be recorded/.test(String(readyMessage(now))));
  await expectHealed('wide', 'kept');
  await expectHealed('wide', 'new', 'v', '1');
  await agent.stop();
  agent = await startAgent();
  await expectHealed('wide', 'kept');
  await expectRestored('wide', 'new', { v: '1' });
  await agent.stop();
});
