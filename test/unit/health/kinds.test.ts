import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assessHealth, type HealthStatus } from '../../../src/health/health.ts';
import { condition, live, type Shape } from './live-object.ts';

interface Case extends Shape {
  readonly title: string;
  readonly health: HealthStatus;
  readonly message: RegExp;
}

const SILENT = /^$/;
const HPA_READY = [condition('AbleToScale', 'True', 'ReadyForNewScale'), condition('ScalingActive', 'True')];
const NO_METRICS = condition(
  'ScalingActive',
  'False',
  'FailedGetResourceMetric',
  'unable to get metrics for resource cpu',
);

const KINDS: Readonly<Record<string, readonly Case[]>> = {
  'apps/v1 Deployment': [
    {
      title: 'over quota',
      spec: { replicas: 2 },
      status: { conditions: [condition('ReplicaFailure', 'True', 'FailedCreate', 'exceeded quota: small')] },
      health: 'Degraded',
      message: /^0 of 2 replicas updated; FailedCreate: exceeded quota: small$/,
    },
    {
      title: 'with an outdated ReplicaFailure',
      spec: { replicas: 1 },
      status: {
        replicas: 1,
        updatedReplicas: 1,
        availableReplicas: 1,
        conditions: [condition('ReplicaFailure', 'True', 'FailedCreate', 'exceeded quota: small')],
      },
      health: 'Healthy',
      message: SILENT,
    },
  ],
  'apps/v1 ReplicaSet': [
    {
      title: 'over quota',
      spec: { replicas: 2 },
      status: { conditions: [condition('ReplicaFailure', 'True', 'FailedCreate', 'exceeded quota: small')] },
      health: 'Degraded',
      message: /^0 of 2 replicas available; FailedCreate: exceeded quota: small$/,
    },
  ],
  'batch/v1 Job': [
    {
      title: 'with one failure so far',
      status: { failed: 1 },
      health: 'Progressing',
      message: /^0 of 1 completions, 1 failed attempt$/,
    },
  ],
  'batch/v1 CronJob': [
    { title: 'that is new', status: {}, health: 'Healthy', message: SILENT },
    { title: 'that is suspended', spec: { suspend: true }, health: 'Suspended', message: /suspend/ },
    {
      title: 'that runs',
      status: {
        active: [{ name: 'x' }],
        lastScheduleTime: '2026-03-02T00:00:00Z',
        lastSuccessfulTime: '2026-03-01T00:01:00Z',
      },
      health: 'Healthy',
      message: SILENT,
    },
    {
      title: 'whose last run failed',
      status: { lastScheduleTime: '2026-03-02T00:00:00Z', lastSuccessfulTime: '2026-03-01T00:01:00Z' },
      health: 'Degraded',
      message: /^Its run of 2026-03-02T00:00:00Z did not succeed; the last success was 2026-03-01T00:01:00Z\.$/,
    },
    {
      title: 'whose last run succeeded',
      status: { lastScheduleTime: '2026-03-02T00:00:00Z', lastSuccessfulTime: '2026-03-02T00:01:00Z' },
      health: 'Healthy',
      message: SILENT,
    },
    {
      title: 'that never succeeded',
      status: { lastScheduleTime: '2026-03-02T00:00:00Z' },
      health: 'Healthy',
      message: SILENT,
    },
  ],
  'networking.k8s.io/v1 Ingress': [
    { title: 'without an address', status: { loadBalancer: {} }, health: 'Healthy', message: /published/ },
    {
      title: 'with an address',
      status: { loadBalancer: { ingress: [{ ip: '192.0.2.1' }] } },
      health: 'Healthy',
      message: SILENT,
    },
  ],
  'v1 PersistentVolumeClaim': [
    {
      title: 'that waits for its first consumer',
      spec: { storageClassName: 'local' },
      status: { phase: 'Pending' },
      health: 'Healthy',
      message: /^It waits for a Pod that uses it; then local provides a volume\.$/,
    },
    {
      title: 'whose consumer has a node',
      metadata: { annotations: { 'volume.kubernetes.io/selected-node': 'node-1' } },
      spec: { storageClassName: 'local' },
      status: { phase: 'Pending' },
      health: 'Progressing',
      message: /^It waits for a volume of local\.$/,
    },
    {
      title: 'whose volume is being provisioned',
      metadata: { annotations: { 'volume.kubernetes.io/storage-provisioner': 'csi.example.com' } },
      spec: { storageClassName: 'fast' },
      status: { phase: 'Pending' },
      health: 'Progressing',
      message: /^It waits for a volume of fast from csi\.example\.com\.$/,
    },
    {
      title: 'that names its volume',
      spec: { storageClassName: 'fast', volumeName: 'pv-1' },
      status: { phase: 'Pending' },
      health: 'Progressing',
      message: /^It waits for the volume pv-1\.$/,
    },
    {
      title: 'without a storage class',
      spec: { storageClassName: '' },
      status: { phase: 'Pending' },
      health: 'Progressing',
      message: /without a storage class/,
    },
    {
      title: 'that cannot grow',
      status: { phase: 'Bound', conditions: [condition('ControllerResizeError', 'True', '', 'no space')] },
      health: 'Degraded',
      message: /^no space$/,
    },
  ],
  'autoscaling/v2 HorizontalPodAutoscaler': [
    { title: 'that is new', status: {}, health: 'Progressing', message: /not been evaluated/ },
    { title: 'that scales', status: { conditions: HPA_READY }, health: 'Healthy', message: SILENT },
    {
      title: 'at its maximum',
      status: { conditions: [...HPA_READY, condition('ScalingLimited', 'True', 'TooManyReplicas', 'at the maximum')] },
      health: 'Healthy',
      message: SILENT,
    },
    {
      title: 'without metrics',
      status: { conditions: [condition('AbleToScale', 'True', 'SucceededGetScale'), NO_METRICS] },
      health: 'Degraded',
      message: /^FailedGetResourceMetric: unable to get metrics for resource cpu$/,
    },
    {
      title: 'without its target',
      status: { conditions: [condition('AbleToScale', 'False', 'FailedGetScale', 'deployments "web" not found')] },
      health: 'Degraded',
      message: /^FailedGetScale: deployments "web" not found$/,
    },
    {
      title: 'whose target has zero replicas',
      status: {
        conditions: [
          condition('AbleToScale', 'True', 'SucceededGetScale'),
          condition('ScalingActive', 'False', 'ScalingDisabled', 'scaling is disabled since the replica count is zero'),
        ],
      },
      health: 'Suspended',
      message: /^ScalingDisabled/,
    },
  ],
  'autoscaling/v1 HorizontalPodAutoscaler': [
    {
      title: 'without metrics',
      metadata: {
        annotations: {
          'autoscaling.alpha.kubernetes.io/conditions': JSON.stringify([condition('AbleToScale', 'True'), NO_METRICS]),
        },
      },
      health: 'Degraded',
      message: /^FailedGetResourceMetric/,
    },
    {
      title: 'whose annotation is not a list of conditions',
      metadata: { annotations: { 'autoscaling.alpha.kubernetes.io/conditions': '[null,{"type":1' } },
      health: 'Progressing',
      message: /not been evaluated/,
    },
  ],
  'policy/v1 PodDisruptionBudget': [
    { title: 'that is new', metadata: { generation: 1 }, status: {}, health: 'Progressing', message: /has not seen/ },
    {
      title: 'that allows no disruption',
      metadata: { generation: 1 },
      status: { observedGeneration: 1, conditions: [condition('DisruptionAllowed', 'False', 'InsufficientPods')] },
      health: 'Healthy',
      message: SILENT,
    },
    {
      title: 'that cannot be computed',
      metadata: { generation: 1 },
      status: { conditions: [condition('DisruptionAllowed', 'False', 'SyncFailed', 'found no controller')] },
      health: 'Degraded',
      message: /^SyncFailed: found no controller$/,
    },
  ],
  'apiregistration.k8s.io/v1 APIService': [
    { title: 'that is new', status: {}, health: 'Progressing', message: /not available yet/ },
    {
      title: 'that is available',
      status: { conditions: [condition('Available', 'True', 'Passed')] },
      health: 'Healthy',
      message: SILENT,
    },
    {
      title: 'without a server',
      status: { conditions: [condition('Available', 'False', 'MissingEndpoints', 'endpoints for service/x')] },
      health: 'Progressing',
      message: /^MissingEndpoints: endpoints/,
    },
  ],
  'apiextensions.k8s.io/v1 CustomResourceDefinition': [
    {
      title: 'that is being deleted',
      status: {
        conditions: [
          condition('Established', 'True'),
          condition('Terminating', 'True', 'InstanceDeletionPending', 'CRs remain'),
        ],
      },
      health: 'Progressing',
      message: /^Terminating: InstanceDeletionPending: CRs remain$/,
    },
    {
      title: 'that is being installed',
      status: { conditions: [condition('NamesAccepted', 'True'), condition('Established', 'False', 'Installing')] },
      health: 'Progressing',
      message: /not established/,
    },
    {
      title: 'that cannot be established',
      status: { conditions: [condition('Established', 'False', 'NotAccepted', 'not all names are accepted')] },
      health: 'Degraded',
      message: /^NotAccepted: not all/,
    },
  ],
  'example.com/v1 Thing': [
    {
      title: 'that is both reconciling and stalled',
      status: {
        conditions: [condition('Stalled', 'True', 'No'), condition('Reconciling', 'True', 'Again', 'at work')],
      },
      health: 'Progressing',
      message: /^Again: at work$/,
    },
    {
      title: 'whose readiness is unknown',
      status: { conditions: [condition('Ready', 'Unknown', 'Init')] },
      health: 'Progressing',
      message: /^Init$/,
    },
  ],
  'tautline.dev/v1alpha1 Application': [
    { title: 'that no agent has seen', metadata: { generation: 1 }, health: 'Progressing', message: /has not seen/ },
    { title: 'that is suspended', spec: { suspend: true }, health: 'Suspended', message: /suspend/ },
    {
      title: 'with a spec that no agent has seen',
      metadata: { generation: 2 },
      status: { observedGeneration: 1, conditions: [condition('Ready', 'True')] },
      health: 'Progressing',
      message: /has not seen/,
    },
    {
      title: 'that is ready',
      status: { observedGeneration: 1, conditions: [condition('Ready', 'True')], health: { status: 'Healthy' } },
      health: 'Healthy',
      message: SILENT,
    },
    {
      title: 'that is stalled',
      status: {
        observedGeneration: 1,
        conditions: [
          condition('Ready', 'False', 'BuildFailed', 'x.yaml:3'),
          condition('Stalled', 'True', 'BuildFailed', 'x.yaml:3'),
        ],
        health: { status: 'Healthy' },
      },
      health: 'Degraded',
      message: /^BuildFailed: x\.yaml:3$/,
    },
    {
      title: 'that retries',
      status: {
        observedGeneration: 1,
        conditions: [
          condition('Ready', 'False', 'ArtifactFailed', 'git.example.com: 503'),
          condition('Reconciling', 'True', 'ProgressingWithRetry', 'git.example.com: 503'),
        ],
        health: { status: 'Healthy' },
      },
      health: 'Progressing',
      message: /^ArtifactFailed: git\.example\.com: 503$/,
    },
    {
      title: 'with a Degraded object',
      status: {
        observedGeneration: 1,
        conditions: [condition('Ready', 'True')],
        health: { status: 'Degraded', message: 'Deployment.apps shop/web: Progress deadline exceeded' },
      },
      health: 'Degraded',
      message: /^Deployment\.apps shop\/web: Progress deadline exceeded$/,
    },
    {
      title: 'that waits for a sync by request',
      spec: { sync: { mode: 'manual' } },
      status: {
        observedGeneration: 1,
        conditions: [condition('Ready', 'False', 'OutOfSync')],
        health: { status: 'Missing', message: 'x' },
      },
      health: 'Suspended',
      message: /waits for a sync/,
    },
    {
      title: 'with a missing object',
      status: {
        observedGeneration: 1,
        conditions: [condition('Ready', 'True')],
        health: { status: 'Missing', message: 'x' },
      },
      health: 'Degraded',
      message: /^x$/,
    },
    {
      title: 'with a Progressing object',
      status: {
        observedGeneration: 1,
        conditions: [condition('Ready', 'True')],
        health: { status: 'Progressing', message: 'Deployment.apps shop/web: 1 of 2 replicas available' },
      },
      health: 'Progressing',
      message: /1 of 2 replicas available$/,
    },
    {
      title: 'whose wait for health timed out',
      status: {
        observedGeneration: 1,
        conditions: [
          condition('Ready', 'False', 'HealthCheckFailed', 'not Healthy for longer than 5m'),
          condition('Reconciling', 'True', 'ProgressingWithRetry'),
        ],
        health: { status: 'Progressing' },
      },
      health: 'Degraded',
      message: /^HealthCheckFailed: not Healthy/,
    },
    {
      title: 'that only reports drift',
      status: {
        observedGeneration: 1,
        conditions: [condition('Ready', 'False', 'OutOfSync', 'ConfigMap shop/a: differs')],
        health: { status: 'Healthy' },
      },
      health: 'Healthy',
      message: SILENT,
    },
  ],
};

for (const [type, cases] of Object.entries(KINDS)) {
  const [apiVersion = '', kind = ''] = type.split(' ');
  for (const { title, health, message, ...shape } of cases) {
    test(`${type} ${title} is ${health}`, () => {
      const found = assessHealth(live(apiVersion, kind, shape));
      assert.equal(found.status, health, found.message);
      assert.match(found.message, message);
    });
  }
}

test('an Application that is one of its own objects does not wait for itself', () => {
  const status = {
    observedGeneration: 1,
    conditions: [condition('Reconciling', 'True')],
    health: { status: 'Progressing' },
  };
  const own = live('tautline.dev/v1alpha1', 'Application', { status });
  assert.equal(assessHealth(own, { self: { namespace: 'shop', name: 'web' } }).status, 'Healthy');
  assert.equal(assessHealth(own, { self: { namespace: 'shop', name: 'root' } }).status, 'Progressing');
});
