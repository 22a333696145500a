/** A restart and a loss of memory cost requests at most, never a write. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startAgentInProcess } from '../../support/agent-in-process.ts';
import { useWorld } from '../../support/use-world.ts';
import { configMap, secret, text, workload } from '../../support/objects.ts';
import {
  at,
  configMapPath,
  declareSubject,
  deploymentPath,
  detailOf,
  inventoryOf,
  passesOf,
  readyReason,
  resourceVersion,
  syncOf,
  untilPasses,
  type Subject,
} from '../../support/scene.ts';

const { world } = useWorld();

const web = workload('Deployment', 'web', {
  // No controller runs here; without replicas the Deployment is Healthy at once.
  spec: { replicas: 0 },
  pod: { containers: [{ name: 'main', image: 'example.com/app:1', resources: { limits: { cpu: '1000m' } } }] },
});
const sealed = secret('s', { stringData: { password: 'hunter2' } });
const files = { 'all.yaml': text(configMap('a', { k: '1' }), sealed), 'web.yaml': text(web) };

async function versionsOf(subject: Subject): Promise<string[]> {
  const paths = [
    configMapPath(subject.namespace, 'a'),
    `/api/v1/namespaces/${subject.namespace}/secrets/s`,
    deploymentPath(subject.namespace, 'web'),
    subject.application.path,
  ];
  return Promise.all(paths.map(async (path) => resourceVersion(await world.read(path))));
}

/** Waits until all objects equal Git. Health is left out, since no controller writes the Deployment's status. */
function untilSynced({ application }: Subject): Promise<unknown> {
  return application.until('synced', (a) => syncOf(a) === 'Synced' && /^True/.test(readyReason(a)));
}

test('an agent that starts beside unchanged objects writes nothing and requests none of them', async () => {
  const first = await world.agent();
  const subject = await declareSubject(world, 'restart', { files });
  await untilSynced(subject);
  await first.stop();
  const written = await versionsOf(subject);
  const agent = await startAgentInProcess(world.plane.kubeconfig);
  try {
    await untilPasses(agent, 'restart', 1);
    assert.deepEqual(await versionsOf(subject), written);
    const { object, status, event } = agent.requestCounts();
    assert.deepEqual({ object, status, event }, { object: 0, status: 0, event: 0 });
  } finally {
    await agent.stop();
  }
});

test('memory that is dropped between passes costs no write', async () => {
  const agent = await startAgentInProcess(world.plane.kubeconfig);
  try {
    const subject = await declareSubject(world, 'forgets', { files });
    await untilSynced(subject);
    const written = (await versionsOf(subject)).slice(0, 3);
    for (let n = 0; n < 3; n++) {
      agent.controller.forget();
      await subject.application.refresh();
      await untilSynced(subject);
      assert.deepEqual((await versionsOf(subject)).slice(0, 3), written);
    }
    await subject.repository.commit({ 'all.yaml': text(configMap('a', { k: '2' })) });
    agent.controller.forget();
    await subject.application.refresh();
    await untilSynced(subject);
    assert.equal(at(await subject.configMap('a'), 'data', 'k'), '2');
    assert.equal(await world.read('/api/v1/namespaces/forgets/secrets/s'), undefined);
  } finally {
    await agent.stop();
  }
});

test('an agent that starts with a broken revision prunes nothing and reports nothing as surplus', async () => {
  const first = await world.agent();
  const subject = await declareSubject(world, 'broken-start', { files: { 'app/all.yaml': text(configMap('a', {})) } });
  await subject.application.patch({ source: { path: 'app' } });
  await subject.application.until('synced', (a) => inventoryOf(a).length === 1 && /^True/.test(readyReason(a)));
  await first.stop();
  await subject.repository.commit({ 'app/all.yaml': null, 'elsewhere.yaml': text(configMap('b', {})) });
  const agent = await world.agent();
  const failed = await subject.application.until('no path', (a) => readyReason(a) === 'False BuildFailed');
  assert.deepEqual(inventoryOf(failed), ['ConfigMap broken-start/a']);
  assert.ok(await subject.configMap('a'));
  assert.equal(at(failed, 'status', 'counts', 'pruning'), 0);
  assert.equal(at(await detailOf(agent, 'broken-start'), 'objects', 0, 'sync'), 'Unknown');
  await agent.stop();
});

test('an agent that starts while Git is unavailable keeps the objects, and heals once Git is back', async () => {
  const first = await world.agent();
  const subject = await declareSubject(world, 'no-git', { files: { 'all.yaml': text(configMap('a', { k: '1' })) } });
  await subject.application.untilReady();
  await first.stop();
  const url = subject.repository.url;
  await subject.application.patch({ source: { repoURL: url.replace('no-git', 'nowhere') } });
  const agent = await world.agent();
  const failed = await subject.application.until('no Git', (a) => readyReason(a) === 'False ArtifactFailed');
  assert.deepEqual(inventoryOf(failed), ['ConfigMap no-git/a']);
  await world.send('DELETE', configMapPath('no-git', 'a'));
  await subject.application.patch({ source: { repoURL: url } });
  await subject.application.untilReady();
  assert.equal(at(await subject.configMap('a'), 'data', 'k'), '1');
  assert.ok((await passesOf(agent, 'no-git')) > 1);
  await agent.stop();
});
