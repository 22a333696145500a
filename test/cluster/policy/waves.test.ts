/** Waves and hooks. No controller runs here: the tests say themselves how Jobs and Deployments do. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { useWorld } from '../../support/use-world.ts';
import { eventually } from '../../support/world.ts';
import {
  at,
  configMap,
  declareSubject,
  readyMessage,
  text,
  untilGone,
  untilObject,
  type Manifest,
} from '../agent/scene.ts';

const { world } = useWorld({ agent: { flags: ['--progress-check', '2s', '--max-backoff', '2s'] } });

const ARGO = 'argocd.argoproj.io';

function job(name: string, annotations: Record<string, string>, command = 'migrate'): Manifest {
  const containers = [{ name: 'main', image: 'example.com/tool', command: [command] }];
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name, annotations },
    spec: { template: { spec: { restartPolicy: 'Never', containers } } },
  };
}

function deployment(name: string): Manifest {
  const labels = { app: name };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name },
    spec: {
      replicas: 1,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [{ name: 'main', image: 'example.com/app' }] } },
    },
  };
}

const jobPath = (namespace: string, name: string): string => `/apis/batch/v1/namespaces/${namespace}/jobs/${name}`;
const deploymentPath = (namespace: string, name: string): string =>
  `/apis/apps/v1/namespaces/${namespace}/deployments/${name}`;

async function setStatus(path: string, status: Record<string, unknown>): Promise<void> {
  const live = await untilObject(world, path, () => true);
  await world.send('PUT', `${path}/status`, { ...live, status });
}

const TIMES = { startTime: '2026-01-01T00:00:00Z' };

async function completeJob(path: string): Promise<void> {
  await setStatus(path, {
    ...TIMES,
    completionTime: '2026-01-01T00:01:00Z',
    succeeded: 1,
    uncountedTerminatedPods: {},
    conditions: ['SuccessCriteriaMet', 'Complete'].map((type) => ({ type, status: 'True' })),
  });
}

async function failJob(path: string): Promise<void> {
  await setStatus(path, {
    ...TIMES,
    failed: 1,
    uncountedTerminatedPods: {},
    conditions: ['FailureTarget', 'Failed'].map((type) => ({ type, status: 'True', reason: 'BackoffLimitExceeded' })),
  });
}

test('phases and waves follow each other as what comes before is Healthy, and a hook that has run stays done', async () => {
  const late = configMap('late', { a: '1' }, { annotations: { [`${ARGO}/sync-wave`]: '5' } });
  const post = job('post', { 'helm.sh/hook': 'post-install', 'helm.sh/hook-delete-policy': 'hook-succeeded' });
  const left = ['test', 'pre-delete', 'post-rollback'].map((hook) => job(hook, { 'helm.sh/hook': hook }));
  const skipped = configMap('skipped', {}, { annotations: { [`${ARGO}/hook`]: 'Skip' } });
  const pre = job('pre', { [`${ARGO}/hook`]: 'PreSync' });
  const { application, namespace, ...subject } = await declareSubject(world, 'phases', {
    files: { 'all.yaml': text(late, post, pre, configMap('early', { a: '1' }), skipped, ...left) },
  });
  await untilObject(world, jobPath(namespace, 'pre'), () => true);
  await application.until('the first hook is waited for', (now) =>
    /earlier wave waits for Job.batch phases\/pre: it is Progressing/.test(readyMessage(now)),
  );
  assert.equal(await subject.configMap('early'), undefined);
  await completeJob(jobPath(namespace, 'pre'));
  await completeJob(jobPath(namespace, 'post'));
  await untilGone(world, jobPath(namespace, 'post'));
  const ready = await application.untilReady();
  assert.deepEqual(at(ready, 'status', 'counts', 'outOfSync'), 0);
  assert.ok(await subject.configMap('late'));
  assert.equal(await subject.configMap('skipped'), undefined);
  for (const hook of ['test', 'pre-delete', 'post-rollback']) {
    assert.equal(await world.read(jobPath(namespace, hook)), undefined);
  }
  await application.refresh();
  assert.equal(await world.read(jobPath(namespace, 'post')), undefined);
});

test('a hook whose manifest changes is made anew, and one that failed stops what comes after it', async () => {
  const files = (command: string, value: string): Record<string, string> => ({
    'all.yaml': text(job('pre', { [`${ARGO}/hook`]: 'PreSync' }, command), configMap('main', { value })),
  });
  const subject = await declareSubject(world, 'hooks', { files: files('one', '1') });
  const path = jobPath(subject.namespace, 'pre');
  await completeJob(path);
  await subject.application.untilReady();
  const first = at(await world.read(path), 'metadata', 'uid');
  await subject.repository.commit(files('two', '2'));
  await subject.application.refresh();
  await untilObject(world, path, (now) => at(now, 'metadata', 'uid') !== first);
  await failJob(path);
  await subject.application.until('the failure is told', (now) => /Degraded/.test(readyMessage(now)));
  assert.equal(at(await subject.configMap('main'), 'data', 'value'), '1');
  const failed = at(await world.read(path), 'metadata', 'uid');
  await world.send('DELETE', `${path}?propagationPolicy=Background`);
  await untilObject(world, path, (now) => at(now, 'metadata', 'uid') !== failed);
  await completeJob(path);
  await subject.application.untilReady();
  assert.equal(at(await subject.configMap('main'), 'data', 'value'), '2');
});

test('what is applied is healed whatever an earlier wave waits for, and what is new waits', async () => {
  const later = (value: string): Manifest =>
    configMap('later', { value }, { annotations: { [`${ARGO}/sync-wave`]: '1' } });
  const subject = await declareSubject(world, 'heals', { files: { 'all.yaml': text(deployment('app'), later('1')) } });
  const path = deploymentPath(subject.namespace, 'app');
  const replicas = { replicas: 1, updatedReplicas: 1, readyReplicas: 1, availableReplicas: 1, observedGeneration: 1 };
  await untilObject(world, path, () => true);
  assert.equal(await subject.configMap('later'), undefined);
  await setStatus(path, replicas);
  await subject.application.untilReady();
  const overdue = { type: 'Progressing', status: 'False', reason: 'ProgressDeadlineExceeded' };
  await setStatus(path, { observedGeneration: 1, replicas: 1, unavailableReplicas: 1, conditions: [overdue] });
  await subject.application.until('it is Degraded', (now) => at(now, 'status', 'health', 'status') === 'Degraded');
  await world.apply({ ...configMap('later', { value: 'hand' }), metadata: { name: 'later', namespace: 'heals' } });
  await eventually(async () => at(await subject.configMap('later'), 'data', 'value') === '1' || undefined);
  assert.equal(at(await subject.configMap('later'), 'data', 'value'), '1');
  await subject.repository.commit({ 'all.yaml': text(deployment('app'), later('2')) });
  await subject.application.refresh();
  await subject.application.until('the new value waits', (now) => /waits for Deployment.apps/.test(readyMessage(now)));
  assert.equal(at(await subject.configMap('later'), 'data', 'value'), '1');
  await setStatus(path, replicas);
  await subject.application.untilReady();
  assert.equal(at(await subject.configMap('later'), 'data', 'value'), '2');
});
