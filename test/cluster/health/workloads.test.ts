/** Rollouts of Deployments and StatefulSets, and their failures, in the status of the Application. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { useWorld } from '../../support/use-world.ts';
import { notReady, NOWHERE, playKubelet, readyText } from './scene.ts';
import { text, workload } from '../../support/objects.ts';
import {
  at,
  declareSubject,
  deploymentPath,
  makeNamespace,
  PROGRESS_FLAGS,
  untilHealth,
  untilObject,
} from '../../support/scene.ts';

const { world } = useWorld({ mode: 'full', agent: { flags: PROGRESS_FLAGS } });

test('a rollout becomes Healthy, and so does the next one', async () => {
  const files = { 'web.yaml': text(workload('Deployment', 'web', { spec: { replicas: 3 } })) };
  const { application, repository } = await declareSubject(world, 'rollout', { files });
  const first = await untilHealth(application, 'Healthy');
  assert.equal(at(first, 'status', 'counts', 'healthy'), 1);
  const commit = await repository.commit({
    'web.yaml': text(workload('Deployment', 'web', { spec: { replicas: 3 }, pod: { hostname: 'next' } })),
  });
  await application.refresh();
  await application.untilReady(commit);
  await untilHealth(application, 'Healthy');
  const found = await world.read(deploymentPath('rollout', 'web'));
  assert.equal(at(found, 'status', 'updatedReplicas'), 3);
  assert.equal(at(found, 'status', 'observedGeneration'), 2);
});

test('a Deployment that fits on no node is Progressing with that reason, and Ready does not wait for it', async () => {
  const files = { 'web.yaml': text(workload('Deployment', 'web', { pod: NOWHERE })) };
  const { application } = await declareSubject(world, 'nowhere', { files });
  const found = await untilHealth(
    application,
    'Progressing',
    /^Deployment\.apps nowhere\/web: 0 of 1 replicas available; Pod web-\S+: Unschedulable: 0\/\d+ nodes are /,
  );
  assert.match(readyText(found), /^True ReconciliationSucceeded/);
  assert.equal(at(found, 'status', 'resources', 0, 'health'), 'Progressing');
});

test('a failed image pull and a crash loop are reported without the output of the program', async () => {
  const files = { 'web.yaml': text(workload('Deployment', 'web', { pod: NOWHERE })) };
  const { application } = await declareSubject(world, 'kubelet', { files });
  const message = 'Back-off pulling image "example.invalid/app:1"';
  await playKubelet(
    world,
    'kubelet',
    'web',
    notReady('Pending', { state: { waiting: { reason: 'ImagePullBackOff', message } } }),
  );
  await untilHealth(
    application,
    'Progressing',
    /; Pod web-\S+: container app: ImagePullBackOff: Back-off pulling image "example\.invalid\/app:1"$/,
  );
  const terminated = { exitCode: 137, reason: 'OOMKilled', message: 'password=hunter2' };
  await playKubelet(
    world,
    'kubelet',
    'web',
    notReady('Running', { state: { waiting: { reason: 'CrashLoopBackOff' } }, lastState: { terminated } }),
  );
  const found = await untilHealth(
    application,
    'Progressing',
    /CrashLoopBackOff, last exited with code 137 \(OOMKilled\)$/,
  );
  assert.doesNotMatch(JSON.stringify(found), /hunter2/);
});

test('a Deployment beyond its deadline is Degraded, and Healthy again after a commit that corrects it', async () => {
  const stuck = workload('Deployment', 'web', { pod: NOWHERE, spec: { progressDeadlineSeconds: 1 } });
  const { application, repository } = await declareSubject(world, 'deadline', { files: { 'web.yaml': text(stuck) } });
  await untilHealth(
    application,
    'Degraded',
    /^Deployment\.apps deadline\/web: Progress deadline exceeded; .*Pod web-\S+: Unschedulable/,
  );
  await repository.commit({ 'web.yaml': text(workload('Deployment', 'web')) });
  await application.refresh();
  await untilHealth(application, 'Healthy');
});

test('a used up quota makes a Deployment Degraded, and the quota is named', async () => {
  await makeNamespace(world, 'quota');
  const quotas = '/api/v1/namespaces/quota/resourcequotas';
  await world.send('POST', quotas, {
    apiVersion: 'v1',
    kind: 'ResourceQuota',
    metadata: { name: 'tiny' },
    spec: { hard: { pods: '0' } },
  });
  await untilObject(world, `${quotas}/tiny`, (quota) => at(quota, 'status', 'used', 'pods') !== undefined);
  const files = { 'web.yaml': text(workload('Deployment', 'web')) };
  const { application } = await declareSubject(world, 'quota', { files });
  await untilHealth(
    application,
    'Degraded',
    /^Deployment\.apps quota\/web: 0 of 1 replicas updated; FailedCreate: pods .* exceeded quota: tiny/,
  );
});

test('a paused Deployment is Suspended', async () => {
  const files = { 'web.yaml': text(workload('Deployment', 'web', { spec: { paused: true } })) };
  const { application } = await declareSubject(world, 'paused', { files });
  await untilHealth(application, 'Suspended', /^Deployment\.apps paused\/web: Its rollout is paused/);
});

test('a StatefulSet that waits for its volume claims is Progressing with that reason', async () => {
  const volumeMounts = [{ name: 'data', mountPath: '/data' }];
  const containers = [{ name: 'app', image: 'example.invalid/app:1', volumeMounts }];
  const claim = {
    metadata: { name: 'data' },
    spec: { accessModes: ['ReadWriteOnce'], storageClassName: '', resources: { requests: { storage: '1Gi' } } },
  };
  const set = workload('StatefulSet', 'db', { pod: { containers }, spec: { volumeClaimTemplates: [claim] } });
  const { application } = await declareSubject(world, 'claims', { files: { 'db.yaml': text(set) } });
  await untilHealth(
    application,
    'Progressing',
    /^StatefulSet\.apps claims\/db: 0 of 1 replicas ready; Pod db-0: Unschedulable: .*unbound immediate Persistent/,
  );
  await world.send('POST', '/api/v1/persistentvolumes', {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name: 'data' },
    spec: { capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOnce'], hostPath: { path: '/data' } },
  });
  await untilHealth(application, 'Healthy');
});

test('a StatefulSet with a stuck Pod is Degraded at once, since it has no deadline', async () => {
  const files = { 'db.yaml': text(workload('StatefulSet', 'db', { pod: NOWHERE })) };
  const { application } = await declareSubject(world, 'stuck', { files });
  const waiting = { reason: 'CreateContainerConfigError', message: 'secret "db" not found' };
  await playKubelet(world, 'stuck', 'db', notReady('Pending', { state: { waiting } }));
  await untilHealth(
    application,
    'Degraded',
    /; Pod db-0: container app: CreateContainerConfigError: secret "db" not found$/,
  );
});
