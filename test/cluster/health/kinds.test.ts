/** Health of kinds whose status is written by real controllers. */
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { useWorld } from '../../support/use-world.ts';
import { notReady, NOWHERE, playKubelet } from './scene.ts';
import { edit } from '../../support/kubectl.ts';
import {
  autoscaler,
  job,
  podSpec,
  service,
  text,
  volumeClaim,
  workload,
  type Manifest,
} from '../../support/objects.ts';
import { at, declareSubject, jobPath, PROGRESS_FLAGS, untilHealth, untilObject } from '../../support/scene.ts';

const { world } = useWorld({ mode: 'full', agent: { flags: PROGRESS_FLAGS } });

test('a Job that completes is Healthy', async () => {
  const { application } = await declareSubject(world, 'completes', { files: { 'job.yaml': text(job('migrate')) } });
  await untilHealth(application, 'Healthy');
  const found = await world.read(jobPath('completes', 'migrate'));
  assert.equal(at(found, 'status', 'succeeded'), 1);
});

test('a Job that fails is Degraded, with the exit code in its message', async () => {
  const files = { 'job.yaml': text(job('migrate', { pod: NOWHERE })) };
  const { application } = await declareSubject(world, 'fails', { files });
  await untilHealth(application, 'Progressing', /^Job\.batch fails\/migrate: 0 of 1 completions; Pod .*Unschedulable/);
  const terminated = { exitCode: 3, reason: 'Error', message: 'password=hunter2' };
  await playKubelet(world, 'fails', 'migrate', notReady('Failed', { state: { terminated } }));
  await untilHealth(
    application,
    'Degraded',
    /^Job\.batch fails\/migrate: BackoffLimitExceeded: .*; Pod migrate-\S+: container app exited with code 3$/,
  );
});

test('a suspended CronJob is Suspended, and a running one is Healthy', async () => {
  const cronJob = (suspend: boolean): Manifest => ({
    apiVersion: 'batch/v1',
    kind: 'CronJob',
    metadata: { name: 'nightly' },
    spec: {
      schedule: '0 3 * * *',
      suspend,
      jobTemplate: { spec: { template: { spec: podSpec({ restartPolicy: 'Never' }) } } },
    },
  });
  const files = { 'cron.yaml': text(cronJob(true)) };
  const { application, repository } = await declareSubject(world, 'cron', { files });
  await untilHealth(application, 'Suspended', /^CronJob\.batch cron\/nightly: It is suspended/);
  await repository.commit({ 'cron.yaml': text(cronJob(false)) });
  await application.refresh();
  await untilHealth(application, 'Healthy');
});

test('a HorizontalPodAutoscaler without metrics is Degraded', async () => {
  const target = { type: 'Utilization', averageUtilization: 80 };
  const metrics = [{ type: 'Resource', resource: { name: 'cpu', target } }];
  const scaler = autoscaler('web', { maxReplicas: 3, metrics });
  const files = { 'web.yaml': text(workload('Deployment', 'web'), scaler) };
  const { application } = await declareSubject(world, 'scaler', { files });
  await untilHealth(
    application,
    'Degraded',
    /^HorizontalPodAutoscaler\.autoscaling scaler\/web: FailedGetResourceMetric: .*unable to get metrics/,
  );
});

test('a volume claim that waits for its first consumer is Healthy, and one that waits for its provisioner is Progressing', async () => {
  for (const [name, volumeBindingMode] of [
    ['late', 'WaitForFirstConsumer'],
    ['early', 'Immediate'],
  ]) {
    await world.send('POST', '/apis/storage.k8s.io/v1/storageclasses', {
      apiVersion: 'storage.k8s.io/v1',
      kind: 'StorageClass',
      metadata: { name },
      provisioner: 'csi.example.com',
      volumeBindingMode,
    });
  }
  const claim = (name: string): Manifest => volumeClaim(name, { storageClassName: name });
  const early = { 'claims.yaml': text(claim('late'), claim('early')) };
  const { application } = await declareSubject(world, 'storage', { files: early });
  const found = await untilHealth(
    application,
    'Progressing',
    /^PersistentVolumeClaim storage\/early: It waits for a volume of early from csi\.example\.com\.$/,
  );
  assert.equal(at(found, 'status', 'counts', 'healthy'), 1);
  await world.send('POST', '/api/v1/namespaces/storage/pods', {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'consumer' },
    spec: podSpec({ volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'late' } }] }),
  });
  const path = '/api/v1/namespaces/storage/persistentvolumeclaims/late';
  await untilObject(
    world,
    path,
    (late) => at(late, 'metadata', 'annotations', 'volume.kubernetes.io/selected-node') !== undefined,
  );
  await application.until('both claims wait for volumes', (now) => at(now, 'status', 'counts', 'progressing') === 2);
});

test('a load balancer without an address is Progressing; an Ingress without one and a disruption budget are Healthy', async () => {
  const budget = {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: { name: 'web' },
    spec: { minAvailable: 1, selector: { matchLabels: { app: 'web' } } },
  };
  const balancer = service('web', { type: 'LoadBalancer', ports: [{ port: 80 }] });
  const ingress = {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: { name: 'web' },
    spec: { defaultBackend: { service: { name: 'web', port: { number: 80 } } } },
  };
  const files = { 'web.yaml': text(workload('Deployment', 'web'), budget, balancer, ingress) };
  const { application } = await declareSubject(world, 'edges', { files });
  await application.until('all but the load balancer are Healthy', (now) => {
    const counts = at(now, 'status', 'counts');
    return at(counts, 'healthy') === 3 && at(counts, 'progressing') === 1;
  });
  await untilHealth(application, 'Progressing', /^Service edges\/web: It waits for an address of the load balancer\.$/);
  const status = { loadBalancer: { ingress: [{ ip: '192.0.2.1' }] } };
  await edit(world, 'service/web', { namespace: 'edges', patch: { status }, subresource: 'status', manager: 'cloud' });
  await untilHealth(application, 'Healthy');
});

test('an APIService without a server behind it is Progressing', async () => {
  const registration = {
    apiVersion: 'apiregistration.k8s.io/v1',
    kind: 'APIService',
    metadata: { name: 'v1.nobody.example.com' },
    spec: {
      group: 'nobody.example.com',
      version: 'v1',
      groupPriorityMinimum: 100,
      versionPriority: 10,
      service: { name: 'nobody', namespace: 'aggregated' },
    },
  };
  const { application } = await declareSubject(world, 'aggregated', { files: { 'api.yaml': text(registration) } });
  await untilHealth(
    application,
    'Progressing',
    /^APIService\.apiregistration\.k8s\.io v1\.nobody\.example\.com: ServiceNotFound: /,
  );
  await application.remove();
});
