import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LiveObject } from '../../../src/cluster/live.ts';
import { assessHealth, isFinished, needsPods, worstHealth, type HealthStatus } from '../../../src/health/health.ts';
import type { ValueMap } from '../../../src/object/value.ts';
import { condition, live, type Shape } from './live-object.ts';

function waitingPod(reason: string, message: string, lastState: ValueMap = {}): LiveObject {
  return live('v1', 'Pod', {
    metadata: { name: 'web-1' },
    status: {
      phase: 'Pending',
      containerStatuses: [{ name: 'app', state: { waiting: { reason, message } }, lastState }],
    },
  });
}

const deadline = condition('Progressing', 'False', 'ProgressDeadlineExceeded');
const sts = { currentRevision: 'a', updateRevision: 'b' };
const done = { replicas: 3, updatedReplicas: 3, availableReplicas: 3, readyReplicas: 3 };

const TABLE: [title: string, apiVersion: string, kind: string, shape: Shape, status: HealthStatus, message: RegExp][] =
  [
    ['a rolled out Deployment', 'apps/v1', 'Deployment', { spec: { replicas: 3 }, status: done }, 'Healthy', /^$/],
    [
      'a Deployment with zero replicas',
      'apps/v1',
      'Deployment',
      { spec: { replicas: 0 }, status: {} },
      'Healthy',
      /^$/,
    ],
    [
      'a Deployment whose replicas are starting',
      'apps/v1',
      'Deployment',
      { spec: { replicas: 3 }, status: { ...done, availableReplicas: 2 } },
      'Progressing',
      /^2 of 3 replicas available$/,
    ],
    [
      'a Deployment whose change its controller has not seen',
      'apps/v1',
      'Deployment',
      { metadata: { generation: 2 }, spec: { replicas: 3 }, status: { ...done, observedGeneration: 1 } },
      'Progressing',
      /has not seen/,
    ],
    [
      'a Deployment during an update',
      'apps/v1',
      'Deployment',
      { spec: { replicas: 3 }, status: { ...done, updatedReplicas: 1 } },
      'Progressing',
      /^1 of 3 replicas updated$/,
    ],
    [
      'a Deployment with old replicas left',
      'apps/v1',
      'Deployment',
      { spec: { replicas: 3 }, status: { ...done, replicas: 4 } },
      'Progressing',
      /^1 old replicas/,
    ],
    [
      'a Deployment beyond its deadline',
      'apps/v1',
      'Deployment',
      { spec: { replicas: 3 }, status: { ...done, availableReplicas: 0, conditions: [deadline] } },
      'Degraded',
      /deadline exceeded; 0 of 3/,
    ],
    [
      'a Deployment over quota',
      'apps/v1',
      'Deployment',
      { status: { conditions: [condition('ReplicaFailure', 'True', 'FailedCreate', 'exceeded quota')] } },
      'Degraded',
      /FailedCreate: exceeded quota/,
    ],
    ['a paused Deployment', 'apps/v1', 'Deployment', { spec: { paused: true } }, 'Suspended', /paused/],
    [
      'a StatefulSet with missing replicas',
      'apps/v1',
      'StatefulSet',
      { spec: { replicas: 3 }, status: { readyReplicas: 1 } },
      'Progressing',
      /^1 of 3 replicas ready$/,
    ],
    [
      'a StatefulSet during an update',
      'apps/v1',
      'StatefulSet',
      { spec: { replicas: 3 }, status: { ...done, ...sts, updatedReplicas: 1 } },
      'Progressing',
      /^1 of 3 replicas updated$/,
    ],
    [
      'a StatefulSet updated up to its partition',
      'apps/v1',
      'StatefulSet',
      {
        spec: { replicas: 3, updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 2 } } },
        status: { ...done, ...sts, updatedReplicas: 1 },
      },
      'Healthy',
      /^$/,
    ],
    [
      'a StatefulSet with update strategy OnDelete',
      'apps/v1',
      'StatefulSet',
      { spec: { replicas: 3, updateStrategy: { type: 'OnDelete' } }, status: { ...done, ...sts, updatedReplicas: 0 } },
      'Healthy',
      /^$/,
    ],
    [
      'a DaemonSet that is available on some nodes',
      'apps/v1',
      'DaemonSet',
      { status: { desiredNumberScheduled: 3, updatedNumberScheduled: 3, numberAvailable: 2 } },
      'Progressing',
      /available on 2 of 3 nodes/,
    ],
    ['a DaemonSet without nodes', 'apps/v1', 'DaemonSet', { status: { desiredNumberScheduled: 0 } }, 'Healthy', /^$/],
    ['a new DaemonSet', 'apps/v1', 'DaemonSet', {}, 'Progressing', /has not seen/],
    [
      'a ReplicaSet with missing replicas',
      'apps/v1',
      'ReplicaSet',
      { spec: { replicas: 2 }, status: { availableReplicas: 1 } },
      'Progressing',
      /1 of 2/,
    ],
    ['a complete Job', 'batch/v1', 'Job', { status: { conditions: [condition('Complete', 'True')] } }, 'Healthy', /^$/],
    [
      'a failed Job',
      'batch/v1',
      'Job',
      { status: { conditions: [condition('Failed', 'True', 'BackoffLimitExceeded', 'too often')] } },
      'Degraded',
      /BackoffLimitExceeded: too often/,
    ],
    [
      'a running Job',
      'batch/v1',
      'Job',
      { spec: { completions: 3 }, status: { succeeded: 1, failed: 2 } },
      'Progressing',
      /^1 of 3 completions, 2 failed/,
    ],
    ['a suspended Job', 'batch/v1', 'Job', { spec: { suspend: true } }, 'Suspended', /suspend/],
    ['a Pod that succeeded', 'v1', 'Pod', { status: { phase: 'Succeeded' } }, 'Healthy', /^$/],
    [
      'an evicted Pod',
      'v1',
      'Pod',
      { status: { phase: 'Failed', reason: 'Evicted', message: 'low on memory' } },
      'Degraded',
      /Evicted: low on memory/,
    ],
    [
      'a Pod whose container failed',
      'v1',
      'Pod',
      {
        status: {
          phase: 'Failed',
          containerStatuses: [
            { name: 'app', state: { terminated: { exitCode: 137, reason: 'OOMKilled', message: 'pw' } } },
          ],
        },
      },
      'Degraded',
      /^container app exited with code 137 \(OOMKilled\)$/,
    ],
    [
      'a Pod that cannot be scheduled',
      'v1',
      'Pod',
      { status: { phase: 'Pending', conditions: [condition('PodScheduled', 'False', 'Unschedulable', '0/3 nodes')] } },
      'Progressing',
      /Unschedulable: 0\/3 nodes/,
    ],
    [
      'a ready Pod',
      'v1',
      'Pod',
      { status: { phase: 'Running', conditions: [condition('Ready', 'True')] } },
      'Healthy',
      /^$/,
    ],
    [
      'a Pod with a container that is not ready',
      'v1',
      'Pod',
      {
        status: {
          phase: 'Running',
          conditions: [condition('Ready', 'False', 'ContainersNotReady')],
          containerStatuses: [{ name: 'a', ready: true }, { name: 'b' }],
        },
      },
      'Progressing',
      /1 of 2 containers ready/,
    ],
    ['an active Namespace', 'v1', 'Namespace', { status: { phase: 'Active' } }, 'Healthy', /^$/],
    [
      'a Namespace whose deletion is held',
      'v1',
      'Namespace',
      {
        metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' },
        status: {
          phase: 'Terminating',
          conditions: [condition('NamespaceFinalizersRemaining', 'True', '', 'x.dev/y in 1 resource instances')],
        },
      },
      'Progressing',
      /Terminating: x.dev\/y/,
    ],
    [
      'an established CRD',
      'apiextensions.k8s.io/v1',
      'CustomResourceDefinition',
      { status: { conditions: [condition('Established', 'True'), condition('NamesAccepted', 'True')] } },
      'Healthy',
      /^$/,
    ],
    [
      'a CRD whose names are taken',
      'apiextensions.k8s.io/v1',
      'CustomResourceDefinition',
      { status: { conditions: [condition('NamesAccepted', 'False', 'MultipleNamesConflict', 'taken')] } },
      'Degraded',
      /taken/,
    ],
    ['a new CRD', 'apiextensions.k8s.io/v1', 'CustomResourceDefinition', {}, 'Progressing', /established/],
    ['a bound claim', 'v1', 'PersistentVolumeClaim', { status: { phase: 'Bound' } }, 'Healthy', /^$/],
    [
      'a pending claim without a storage class',
      'v1',
      'PersistentVolumeClaim',
      { status: { phase: 'Pending' } },
      'Progressing',
      /waits/,
    ],
    ['a lost claim', 'v1', 'PersistentVolumeClaim', { status: { phase: 'Lost' } }, 'Degraded', /lost/],
    ['a Service', 'v1', 'Service', { spec: { type: 'ClusterIP' } }, 'Healthy', /^$/],
    [
      'a load balancer without an address',
      'v1',
      'Service',
      { spec: { type: 'LoadBalancer' } },
      'Progressing',
      /load balancer/,
    ],
    [
      'a load balancer with an address',
      'v1',
      'Service',
      { spec: { type: 'LoadBalancer' }, status: { loadBalancer: { ingress: [{ ip: '192.0.2.1' }] } } },
      'Healthy',
      /^$/,
    ],
    ['an object of a kind without status', 'v1', 'ConfigMap', {}, 'Healthy', /^$/],
    [
      'an object that is being deleted',
      'v1',
      'ConfigMap',
      {
        metadata: { deletionTimestamp: '2026-01-01T00:00:00Z', finalizers: ['a.dev/b'] },
      },
      'Progressing',
      /Terminating; it waits for a\.dev\/b/,
    ],
    ['a suspended CronJob', 'batch/v1', 'CronJob', { spec: { suspend: true } }, 'Suspended', /suspend/],
    [
      'a stalled custom object',
      'x.dev/v1',
      'Thing',
      {
        status: { conditions: [condition('Ready', 'True'), condition('Stalled', 'True', 'BadSpec', 'no')] },
      },
      'Degraded',
      /BadSpec: no/,
    ],
    [
      'a reconciling custom object',
      'x.dev/v1',
      'Thing',
      {
        status: { conditions: [condition('Ready', 'True'), condition('Reconciling', 'True')] },
      },
      'Progressing',
      /condition Reconciling is True/,
    ],
    [
      'a custom object that is not ready',
      'x.dev/v1',
      'Thing',
      {
        status: { conditions: [condition('Ready', 'False', 'Waiting', 'for it')] },
      },
      'Progressing',
      /Waiting: for it/,
    ],
    [
      'a ready custom object',
      'x.dev/v1',
      'Thing',
      { status: { conditions: [condition('Ready', 'True')] } },
      'Healthy',
      /^$/,
    ],
    [
      'a custom object whose change its controller has not seen',
      'x.dev/v1',
      'Thing',
      {
        metadata: { generation: 3 },
        status: { observedGeneration: 2, conditions: [condition('Ready', 'True')] },
      },
      'Progressing',
      /has not seen/,
    ],
  ];

for (const [title, apiVersion, kind, shape, status, message] of TABLE) {
  test(`${title} is ${status}`, () => {
    const health = assessHealth(live(apiVersion, kind, shape));
    assert.equal(health.status, status);
    assert.match(health.message, message);
  });
}

test('an object that does not exist is Missing', () => {
  assert.equal(assessHealth(undefined).status, 'Missing');
});

test('the message of a workload says why its Pod does not start', () => {
  const deployment = live('apps/v1', 'Deployment', {
    spec: { replicas: 1 },
    status: { updatedReplicas: 1, replicas: 1 },
  });
  const pods = [waitingPod('ImagePullBackOff', 'Back-off pulling image "web:nope"')];
  const health = assessHealth(deployment, { pods });
  assert.equal(health.status, 'Progressing');
  assert.equal(
    health.message,
    '0 of 1 replicas available; Pod web-1: container app: ImagePullBackOff: Back-off pulling image "web:nope"',
  );
  const set = live('apps/v1', 'StatefulSet', { spec: { replicas: 1 }, status: {} });
  assert.equal(assessHealth(set, { pods }).status, 'Degraded');
  assert.ok(needsPods(deployment, health));
  assert.ok(!needsPods(deployment, { status: 'Healthy', message: '' }));
});

test('the message of a crash loop holds the exit code and not the termination message', () => {
  const pod = waitingPod('CrashLoopBackOff', 'back-off 5m', {
    terminated: { exitCode: 1, reason: 'Error', message: 'pw' },
  });
  assert.equal(assessHealth(pod).message, 'container app: CrashLoopBackOff, last exited with code 1');
});

test('a health message is cut at 300 characters', () => {
  assert.ok(assessHealth(waitingPod('ErrImagePull', 'x'.repeat(5000))).message.length <= 300);
});

test('worstHealth returns the worst health and names its object', () => {
  const item = (name: string, status: HealthStatus) => ({
    id: { group: 'apps', kind: 'Deployment', namespace: 'shop', name },
    health: { status, message: 'why' },
  });
  assert.deepEqual(worstHealth([]), { status: 'Healthy', message: '' });
  assert.deepEqual(worstHealth([item('a', 'Healthy')]), { status: 'Healthy', message: '' });
  const all = (['Healthy', 'Suspended', 'Unknown', 'Progressing', 'Missing', 'Degraded'] as const).map((s) =>
    item(s, s),
  );
  for (let count = 2; count <= all.length; count++) {
    const expected = all[count - 1];
    const some = all.slice(0, count).reverse();
    assert.deepEqual(worstHealth(some), {
      status: expected?.health.status,
      message: `Deployment.apps shop/${expected?.id.name}: why`,
    });
  }
});

test('only Jobs and Pods that completed or failed are finished', () => {
  assert.ok(isFinished(live('batch/v1', 'Job', { status: { conditions: [condition('Failed', 'True')] } })));
  assert.ok(isFinished(live('v1', 'Pod', { status: { phase: 'Succeeded' } })));
  assert.ok(!isFinished(live('batch/v1', 'Job', {})));
  assert.ok(!isFinished(live('apps/v1', 'Deployment', { status: { phase: 'Succeeded' } })));
});
