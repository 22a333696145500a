import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LiveObject } from '../../../src/cluster/live.ts';
import { assessHealth, podSelectorOf, type HealthStatus } from '../../../src/health/health.ts';
import type { ValueMap } from '../../../src/object/value.ts';
import { condition, live } from './live-object.ts';

/** A Pod status as a kubelet or scheduler writes it, reduced to the fields that are read. */
interface PodCase {
  readonly title: string;
  readonly spec?: ValueMap;
  readonly status: ValueMap;
  readonly health: HealthStatus;
  readonly message: string;
}

const RUNNING = { running: { startedAt: '2026-03-01T10:00:00Z' } };
const NOT_READY = condition('Ready', 'False', 'ContainersNotReady', 'containers with unready status: [app]');

function ended(exitCode: number, reason: string, message = 'password=hunter2'): ValueMap {
  return { terminated: { exitCode, reason, message, finishedAt: '2026-03-01T10:00:00Z' } };
}

function oneContainer(state: ValueMap, more: ValueMap = {}): ValueMap {
  return { containerStatuses: [{ name: 'app', ready: false, restartCount: 0, state, lastState: {}, ...more }] };
}

function waiting(reason: string, message = ''): ValueMap {
  return { waiting: { reason, message } };
}

const CASES: readonly PodCase[] = [
  {
    title: 'an image that cannot be pulled',
    status: {
      phase: 'Pending',
      conditions: [condition('PodScheduled', 'True'), NOT_READY],
      ...oneContainer(waiting('ImagePullBackOff', 'Back-off pulling image "registry.example.com/web:nope"')),
    },
    health: 'Degraded',
    message: 'container app: ImagePullBackOff: Back-off pulling image "registry.example.com/web:nope"',
  },
  {
    title: 'a crash loop',
    status: {
      phase: 'Running',
      conditions: [NOT_READY],
      ...oneContainer(waiting('CrashLoopBackOff', 'back-off 5m0s restarting failed container=app'), {
        restartCount: 7,
        lastState: ended(2, 'Error'),
      }),
    },
    health: 'Degraded',
    message: 'container app: CrashLoopBackOff, last exited with code 2',
  },
  {
    title: 'a crash loop with too little memory',
    status: {
      phase: 'Running',
      ...oneContainer(waiting('CrashLoopBackOff', 'back-off'), { lastState: ended(137, 'OOMKilled') }),
    },
    health: 'Degraded',
    message: 'container app: CrashLoopBackOff, last exited with code 137 (OOMKilled)',
  },
  {
    title: 'a program that is not in its image',
    status: {
      phase: 'Running',
      ...oneContainer(waiting('CrashLoopBackOff', 'back-off'), {
        lastState: ended(128, 'StartError', 'exec: "serve": executable file not found in $PATH'),
      }),
    },
    health: 'Degraded',
    message:
      'container app: CrashLoopBackOff, ' +
      'last exited with code 128 (StartError: exec: "serve": executable file not found in $PATH)',
  },
  {
    title: 'a container between two crashes',
    status: { phase: 'Running', conditions: [NOT_READY], ...oneContainer(ended(1, 'Error')) },
    health: 'Progressing',
    message: 'container app exited with code 1',
  },
  {
    title: 'a missing ConfigMap',
    status: {
      phase: 'Pending',
      ...oneContainer(waiting('CreateContainerConfigError', 'configmap "web-config" not found')),
    },
    health: 'Degraded',
    message: 'container app: CreateContainerConfigError: configmap "web-config" not found',
  },
  {
    title: 'a missing key of a Secret',
    status: {
      phase: 'Pending',
      ...oneContainer(waiting('CreateContainerConfigError', "couldn't find key password in Secret shop/web")),
    },
    health: 'Degraded',
    message: "container app: CreateContainerConfigError: couldn't find key password in Secret shop/web",
  },
  {
    title: 'a container that is being created',
    status: { phase: 'Pending', conditions: [NOT_READY], ...oneContainer(waiting('ContainerCreating')) },
    health: 'Progressing',
    message: 'container app: ContainerCreating',
  },
  {
    title: 'a readiness probe that fails',
    spec: { containers: [{ name: 'app', readinessProbe: { httpGet: { path: '/ready?token=x', port: 8080 } } }] },
    status: { phase: 'Running', conditions: [NOT_READY], ...oneContainer(RUNNING, { started: true }) },
    health: 'Progressing',
    message: 'container app runs, but its readiness probe does not succeed',
  },
  {
    title: 'a startup probe that has not succeeded, after a restart',
    spec: { containers: [{ name: 'app', startupProbe: { exec: { command: ['check', '--password=x'] } } }] },
    status: {
      phase: 'Running',
      conditions: [NOT_READY],
      ...oneContainer(RUNNING, { started: false, lastState: ended(137, 'Error') }),
    },
    health: 'Progressing',
    message: 'container app runs, but its startup probe has not succeeded, last exited with code 137',
  },
  {
    title: 'an init container in a crash loop',
    spec: { initContainers: [{ name: 'migrate' }], containers: [{ name: 'app' }] },
    status: {
      phase: 'Pending',
      ...oneContainer(waiting('PodInitializing')),
      initContainerStatuses: [{ name: 'migrate', state: waiting('CrashLoopBackOff'), lastState: ended(3, 'Error') }],
    },
    health: 'Degraded',
    message: 'init container migrate: CrashLoopBackOff, last exited with code 3',
  },
  {
    title: 'an init container that still runs',
    spec: { initContainers: [{ name: 'migrate' }], containers: [{ name: 'app' }] },
    status: {
      phase: 'Pending',
      ...oneContainer(waiting('PodInitializing')),
      initContainerStatuses: [{ name: 'migrate', ready: false, state: RUNNING }],
    },
    health: 'Progressing',
    message: 'init container migrate is still running',
  },
  {
    title: 'a container that is not ready beside a sidecar and an init container that are',
    spec: { initContainers: [{ name: 'migrate' }, { name: 'proxy', restartPolicy: 'Always' }] },
    status: {
      phase: 'Running',
      ...oneContainer(RUNNING),
      initContainerStatuses: [
        { name: 'migrate', ready: true, state: ended(0, 'Completed') },
        { name: 'proxy', ready: true, started: true, state: RUNNING },
      ],
    },
    health: 'Progressing',
    message: 'container app runs, but is not ready',
  },
  {
    title: 'a readiness gate that is not passed',
    status: {
      phase: 'Running',
      conditions: [
        condition('Ready', 'False', 'ReadinessGatesNotReady', 'the status of pod readiness gate "x" is "False"'),
      ],
      ...oneContainer(RUNNING, { ready: true }),
    },
    health: 'Progressing',
    message: 'ReadinessGatesNotReady: the status of pod readiness gate "x" is "False"',
  },
  {
    title: 'no suitable node',
    status: {
      phase: 'Pending',
      conditions: [
        condition(
          'PodScheduled',
          'False',
          'Unschedulable',
          '0/3 nodes are available: 3 Insufficient memory.\n  no preemption',
        ),
      ],
    },
    health: 'Progressing',
    message: 'Unschedulable: 0/3 nodes are available: 3 Insufficient memory. no preemption',
  },
  {
    title: 'an eviction',
    status: { phase: 'Failed', reason: 'Evicted', message: 'The node was low on resource: ephemeral-storage.' },
    health: 'Degraded',
    message: 'Evicted: The node was low on resource: ephemeral-storage.',
  },
  {
    title: 'a failed init container and restartPolicy Never',
    status: {
      phase: 'Failed',
      initContainerStatuses: [{ name: 'migrate', state: ended(1, 'Error') }],
      ...oneContainer(waiting('PodInitializing')),
    },
    health: 'Degraded',
    message: 'init container migrate exited with code 1',
  },
  { title: 'an empty status', status: {}, health: 'Progressing', message: 'It has not started yet.' },
];

for (const { title, spec = {}, status, health, message } of CASES) {
  test(`a Pod with ${title} is ${health} and says why`, () => {
    assert.deepEqual(assessHealth(live('v1', 'Pod', { spec, status })), { status: health, message });
  });
}

interface PodOptions {
  readonly createdAt?: string;
  readonly labels?: ValueMap;
  readonly metadata?: ValueMap;
}

function pod(
  name: string,
  status: ValueMap,
  { createdAt = '2026-03-01T10:00:00Z', labels = {}, metadata = {} }: PodOptions = {},
) {
  return live('v1', 'Pod', { metadata: { name, creationTimestamp: createdAt, labels, ...metadata }, status });
}

const CRASHING: ValueMap = {
  phase: 'Running',
  ...oneContainer(waiting('CrashLoopBackOff'), { lastState: ended(1, 'Error') }),
};
const UNSCHEDULABLE: ValueMap = {
  phase: 'Pending',
  conditions: [condition('PodScheduled', 'False', 'Unschedulable', 'no room')],
};
const EVICTED: ValueMap = { phase: 'Failed', reason: 'Evicted', message: 'low on memory' };

function deploymentHealth(pods: LiveObject[]) {
  const spec = { replicas: 2 };
  const status = { replicas: 3, updatedReplicas: 2, availableReplicas: 1 };
  return assessHealth(live('apps/v1', 'Deployment', { spec, status }), { pods });
}

test('a rollout is explained by a Pod of the newest revision, even if older Pods are in trouble', () => {
  const pods = [
    pod('web-old-1', CRASHING, { labels: { 'pod-template-hash': 'old' } }),
    pod('web-new-1', UNSCHEDULABLE, { createdAt: '2026-03-01T11:00:00Z', labels: { 'pod-template-hash': 'new' } }),
  ];
  const { status, message } = deploymentHealth(pods);
  assert.equal(status, 'Progressing');
  assert.equal(message, '1 old replicas to be stopped; Pod web-new-1: Unschedulable: no room');
  assert.equal(deploymentHealth([...pods].reverse()).message, message);
});

test('a Pod that does not start takes precedence over an evicted one', () => {
  const { message } = deploymentHealth([pod('web-1', EVICTED), pod('web-2', UNSCHEDULABLE)]);
  assert.match(message, /Pod web-2: Unschedulable: no room$/);
  assert.match(deploymentHealth([pod('web-1', EVICTED)]).message, /Pod web-1: Evicted: low on memory$/);
});

test('a Pod that is being deleted is not named', () => {
  const going = pod('web-1', CRASHING, { metadata: { deletionTimestamp: '2026-03-01T12:00:00Z' } });
  assert.equal(deploymentHealth([going]).message, '1 old replicas to be stopped');
});

test('a DaemonSet is Degraded if a Pod is stuck, and Progressing if a Pod was evicted', () => {
  const set = live('apps/v1', 'DaemonSet', {
    status: { desiredNumberScheduled: 2, updatedNumberScheduled: 2, numberAvailable: 1 },
  });
  assert.equal(assessHealth(set, { pods: [pod('a', EVICTED)] }).status, 'Progressing');
  assert.equal(assessHealth(set, { pods: [pod('a', EVICTED), pod('b', CRASHING)] }).status, 'Degraded');
});

test('a Deployment beyond its deadline is Degraded and names the Pod in trouble', () => {
  const deployment = live('apps/v1', 'Deployment', {
    spec: { replicas: 1 },
    status: {
      replicas: 1,
      updatedReplicas: 1,
      conditions: [condition('Progressing', 'False', 'ProgressDeadlineExceeded', 'ReplicaSet "web-1" has timed out')],
    },
  });
  assert.deepEqual(assessHealth(deployment, { pods: [pod('web-1', CRASHING)] }), {
    status: 'Degraded',
    message:
      'Progress deadline exceeded; 0 of 1 replicas available; ' +
      'Pod web-1: container app: CrashLoopBackOff, last exited with code 1',
  });
});

test('the message of a failed Job holds the exit code of its Pod', () => {
  const failed = condition('Failed', 'True', 'BackoffLimitExceeded', 'out of attempts');
  const job = live('batch/v1', 'Job', { status: { failed: 1, conditions: [failed] } });
  const pods = [pod('migrate-x', { phase: 'Failed', ...oneContainer(ended(3, 'Error')) })];
  assert.deepEqual(assessHealth(job, { pods }), {
    status: 'Degraded',
    message: 'BackoffLimitExceeded: out of attempts; Pod migrate-x: container app exited with code 3',
  });
});

test('no message holds the termination message of a program', () => {
  for (const { spec = {}, status } of CASES) {
    assert.doesNotMatch(assessHealth(live('v1', 'Pod', { spec, status })).message, /hunter2|token|password=/);
  }
});

test('podSelectorOf translates spec.selector, or returns undefined if it is empty or unknown', () => {
  const select = (selector: ValueMap) => podSelectorOf(live('apps/v1', 'Deployment', { spec: { selector } }));
  assert.equal(select({ matchLabels: { app: 'web', tier: 'front' } }), 'app=web,tier=front');
  const expressions = [
    { key: 'tier', operator: 'In', values: ['front', 'back'] },
    { key: 'old', operator: 'DoesNotExist' },
    { key: 'env', operator: 'NotIn', values: ['test'] },
    { key: 'app', operator: 'Exists' },
  ];
  assert.equal(
    select({ matchLabels: { app: 'web' }, matchExpressions: expressions }),
    'app=web,tier in (front,back),!old,env notin (test),app',
  );
  assert.equal(select({}), undefined);
  assert.equal(select({ matchLabels: { a: 'b' }, matchExpressions: [{ key: 'x', operator: 'toString' }] }), undefined);
});

test('a long message is not cut within a surrogate pair', () => {
  const { message } = assessHealth(
    live('v1', 'Pod', { status: { phase: 'Failed', reason: 'Evicted', message: '😀'.repeat(400) } }),
  );
  assert.ok(message.length <= 300);
  assert.ok(message.isWellFormed());
});
