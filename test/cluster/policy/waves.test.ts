/** Waves and hooks. No controller runs here: the tests write the status of Jobs and Deployments. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { useWorld } from '../../support/use-world.ts';
import { eventually } from '../../support/world.ts';
import { configMap, job, text, workload, type Manifest } from '../../support/objects.ts';
import {
  at,
  declareSubject,
  deploymentPath,
  endJob,
  jobPath,
  putStatus,
  readyMessage,
  untilGone,
  untilObject,
} from '../../support/scene.ts';

const { world } = useWorld({ agent: { flags: ['--progress-check', '2s', '--max-backoff', '2s'] } });

const ARGO = 'argocd.argoproj.io';

function hook(name: string, annotations: Record<string, string>, command = 'migrate'): Manifest {
  const containers = [{ name: 'main', image: 'example.com/tool', command: [command] }];
  return job(name, { metadata: { annotations }, pod: { containers } });
}

test('each phase and wave starts once the earlier ones are Healthy, and a finished hook is not run again', async () => {
  const late = configMap('late', { a: '1' }, { annotations: { [`${ARGO}/sync-wave`]: '5' } });
  const post = hook('post', { 'helm.sh/hook': 'post-install', 'helm.sh/hook-delete-policy': 'hook-succeeded' });
  const left = ['test', 'pre-delete', 'post-rollback'].map((type) => hook(type, { 'helm.sh/hook': type }));
  const skipped = configMap('skipped', {}, { annotations: { [`${ARGO}/hook`]: 'Skip' } });
  const pre = hook('pre', { [`${ARGO}/hook`]: 'PreSync' });
  const { application, namespace, ...subject } = await declareSubject(world, 'phases', {
    files: { 'all.yaml': text(late, post, pre, configMap('early', { a: '1' }), skipped, ...left) },
  });
  await untilObject(world, jobPath(namespace, 'pre'), () => true);
  await application.until('the first hook is waited for', (now) =>
    /earlier wave waits for Job.batch phases\/pre: it is Progressing/.test(readyMessage(now)),
  );
  assert.equal(await subject.configMap('early'), undefined);
  await endJob(world, jobPath(namespace, 'pre'));
  await endJob(world, jobPath(namespace, 'post'));
  await untilGone(world, jobPath(namespace, 'post'));
  const ready = await application.untilReady();
  assert.deepEqual(at(ready, 'status', 'counts', 'outOfSync'), 0);
  assert.ok(await subject.configMap('late'));
  assert.equal(await subject.configMap('skipped'), undefined);
  for (const type of ['test', 'pre-delete', 'post-rollback']) {
    assert.equal(await world.read(jobPath(namespace, type)), undefined);
  }
  await application.refresh();
  assert.equal(await world.read(jobPath(namespace, 'post')), undefined);
});

test('a hook that failed is removed by HookFailed, still stops later waves, and runs again with another manifest', async () => {
  const annotations = { [`${ARGO}/hook`]: 'PreSync', [`${ARGO}/hook-delete-policy`]: 'HookFailed' };
  const files = (command: string) => ({
    'all.yaml': text(hook('pre', annotations, command), configMap('main', { value: command })),
  });
  const subject = await declareSubject(world, 'removed', { files: files('one') });
  const path = jobPath(subject.namespace, 'pre');
  await endJob(world, path, 'Failed');
  await untilGone(world, path);
  await subject.application.until('the failure is told', (now) => /failed/.test(readyMessage(now)));
  assert.equal(await subject.configMap('main'), undefined);
  await subject.repository.commit(files('two'));
  await subject.application.refresh();
  await endJob(world, path);
  await subject.application.untilReady();
  assert.equal(at(await subject.configMap('main'), 'data', 'value'), 'two');
});

test('a hook whose manifest changes is recreated, and a failed hook stops later waves', async () => {
  const files = (command: string, value: string): Record<string, string> => ({
    'all.yaml': text(hook('pre', { [`${ARGO}/hook`]: 'PreSync' }, command), configMap('main', { value })),
  });
  const subject = await declareSubject(world, 'hooks', { files: files('one', '1') });
  const path = jobPath(subject.namespace, 'pre');
  await endJob(world, path);
  await subject.application.untilReady();
  const first = at(await world.read(path), 'metadata', 'uid');
  await subject.repository.commit(files('two', '2'));
  await subject.application.refresh();
  await untilObject(world, path, (now) => at(now, 'metadata', 'uid') !== first);
  await endJob(world, path, 'Failed');
  await subject.application.until('the failure is told', (now) => /Degraded/.test(readyMessage(now)));
  assert.equal(at(await subject.configMap('main'), 'data', 'value'), '1');
  const failed = at(await world.read(path), 'metadata', 'uid');
  await world.send('DELETE', `${path}?propagationPolicy=Background`);
  await untilObject(world, path, (now) => at(now, 'metadata', 'uid') !== failed);
  await endJob(world, path);
  await subject.application.untilReady();
  assert.equal(at(await subject.configMap('main'), 'data', 'value'), '2');
});

test('drift of an applied object is healed while an earlier wave is not Healthy, and a new value waits for it', async () => {
  const later = (value: string): Manifest =>
    configMap('later', { value }, { annotations: { [`${ARGO}/sync-wave`]: '1' } });
  const subject = await declareSubject(world, 'heals', {
    files: { 'all.yaml': text(workload('Deployment', 'app'), later('1')) },
  });
  const path = deploymentPath(subject.namespace, 'app');
  const replicas = { replicas: 1, updatedReplicas: 1, readyReplicas: 1, availableReplicas: 1, observedGeneration: 1 };
  await untilObject(world, path, () => true);
  assert.equal(await subject.configMap('later'), undefined);
  await putStatus(world, path, replicas);
  await subject.application.untilReady();
  const overdue = { type: 'Progressing', status: 'False', reason: 'ProgressDeadlineExceeded' };
  await putStatus(world, path, { observedGeneration: 1, replicas: 1, unavailableReplicas: 1, conditions: [overdue] });
  await subject.application.until('it is Degraded', (now) => at(now, 'status', 'health', 'status') === 'Degraded');
  await world.apply(configMap('later', { value: 'hand' }, { namespace: 'heals' }));
  await eventually(async () => at(await subject.configMap('later'), 'data', 'value') === '1' || undefined);
  assert.equal(at(await subject.configMap('later'), 'data', 'value'), '1');
  await subject.repository.commit({ 'all.yaml': text(workload('Deployment', 'app'), later('2')) });
  await subject.application.refresh();
  await subject.application.until('the new value waits', (now) => /waits for Deployment.apps/.test(readyMessage(now)));
  assert.equal(at(await subject.configMap('later'), 'data', 'value'), '1');
  await putStatus(world, path, replicas);
  await subject.application.untilReady();
  assert.equal(at(await subject.configMap('later'), 'data', 'value'), '2');
});
