/** Alternatives of workloads and of the Pods that they make. */
import { objectOf, podSpec, workload, type Manifest } from '../../support/objects.ts';
import { META, type Case } from './alternatives.ts';

type Workload = Parameters<typeof workload>[0];

/** A workload with one container `app`, and a list of others. */
function withContainer(kind: Workload, container: Manifest, pod: Manifest = {}, spec: Manifest = {}): Manifest {
  const more = kind === 'StatefulSet' ? { serviceName: 'x' } : {};
  return workload(kind, 'x', {
    metadata: { namespace: 'default' },
    pod: { containers: [{ name: 'app', image: 'example.invalid/app:1', ...container }], ...pod },
    spec: { ...more, ...spec },
  });
}

export function deployment(container: Manifest, pod: Manifest = {}, spec: Manifest = {}): Manifest {
  return withContainer('Deployment', container, pod, spec);
}

/** A merge patch that sets the one container of a Pod template, and fields of its Pods. */
export function container(fields: Manifest, pod: Manifest = {}): Manifest {
  const containers = [{ name: 'app', image: 'example.invalid/app:1', ...fields }];
  return { spec: { template: { spec: { containers, ...pod } } } };
}

/** The part of a workload that another manager applies. */
export function partOf(kind: Workload, fields: Manifest, pod: Manifest = {}): Manifest {
  return {
    apiVersion: 'apps/v1',
    kind,
    metadata: META,
    spec: { template: { spec: { containers: [{ name: 'app', ...fields }], ...pod } } },
  };
}

const CONTAINER = '/spec/template/spec/containers/0';
const HANDLERS: Readonly<Record<string, Manifest>> = {
  httpGet: { path: '/healthz', port: 8080 },
  tcpSocket: { port: 8080 },
  exec: { command: ['/bin/true'] },
  grpc: { port: 9090 },
};

function probes(): [string, Case][] {
  const kinds = Object.keys(HANDLERS);
  return ['livenessProbe', 'readinessProbe', 'startupProbe'].flatMap((probe, turn) =>
    kinds.flatMap((ofGit) =>
      kinds
        .filter((other) => other !== ofGit)
        .flatMap((other): [string, Case][] => {
          const [git, left] = [{ [probe]: { [ofGit]: HANDLERS[ofGit] } }, { [probe]: { [other]: HANDLERS[other] } }];
          const expected = {
            [`${CONTAINER}/${probe}/${other}`]: undefined,
            [`${CONTAINER}/${probe}/${ofGit}/${Object.keys(HANDLERS[ofGit] ?? {})[0] ?? ''}`]: Object.values(
              HANDLERS[ofGit] ?? {},
            )[0],
          };
          const kind = (['Deployment', 'StatefulSet', 'DaemonSet'] as const)[turn] ?? 'Deployment';
          const name = `${kind}: ${probe}.${ofGit} of Git and ${other}`;
          return [
            [`${name} of a person`, { before: withContainer(kind, git), hand: container(left), expected }],
            [
              `${name} of another manager`,
              {
                before: withContainer(kind, {}),
                applied: partOf(kind, { [probe]: { ...left[probe], periodSeconds: 42 } }),
                after: withContainer(kind, git),
                expected: { ...expected, [`${CONTAINER}/${probe}/periodSeconds`]: 42 },
              },
            ],
          ];
        }),
    ),
  );
}

const VALUE_FROM = { secretKeyRef: { name: 's', key: 'b' } };

const WORKLOADS: readonly [string, Case][] = [
  [
    'a probe of Git that another manager has applied as well, and that Git exchanges',
    {
      before: deployment({ livenessProbe: { httpGet: { path: '/', port: 1 } } }),
      applied: partOf('Deployment', { livenessProbe: { httpGet: { path: '/', port: 1 }, failureThreshold: 7 } }),
      after: deployment({ livenessProbe: { tcpSocket: { port: 1 } } }),
      expected: {
        [`${CONTAINER}/livenessProbe/httpGet`]: undefined,
        [`${CONTAINER}/livenessProbe/tcpSocket`]: { port: 1 },
        [`${CONTAINER}/livenessProbe/failureThreshold`]: 7,
      },
    },
  ],
  [
    'several edits of one object at once, beside values of a person that contradict nothing',
    {
      before: deployment(
        {
          livenessProbe: { httpGet: { port: 1 } },
          readinessProbe: { exec: { command: ['x'] } },
          env: [{ name: 'B', value: 'b' }],
        },
        { volumes: [{ name: 'v', emptyDir: {} }] },
        { replicas: undefined, strategy: { type: 'Recreate' } },
      ),
      hand: {
        spec: {
          replicas: 6,
          minReadySeconds: 9,
          strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 2 } },
          template: {
            spec: {
              hostname: 'h',
              containers: [
                {
                  name: 'app',
                  image: 'example.invalid/app:1',
                  tty: true,
                  livenessProbe: { tcpSocket: { port: 1 } },
                  readinessProbe: { grpc: { port: 1 }, periodSeconds: 33 },
                  env: [
                    { name: 'A', value: 'a' },
                    { name: 'B', valueFrom: VALUE_FROM },
                  ],
                },
              ],
              volumes: [{ name: 'v', configMap: { name: 'c' } }],
            },
          },
        },
      },
      expected: {
        '/spec/replicas': 6,
        '/spec/minReadySeconds': 9,
        '/spec/strategy': { type: 'Recreate' },
        '/spec/template/spec/hostname': 'h',
        '/spec/template/spec/volumes': [{ name: 'v', emptyDir: {} }],
        [`${CONTAINER}/tty`]: true,
        [`${CONTAINER}/livenessProbe/tcpSocket`]: undefined,
        [`${CONTAINER}/readinessProbe/grpc`]: undefined,
        [`${CONTAINER}/readinessProbe/periodSeconds`]: 33,
        [`${CONTAINER}/env`]: [
          { name: 'A', value: 'a' },
          { name: 'B', value: 'b' },
        ],
      },
    },
  ],
  [
    'minReadySeconds of Git above progressDeadlineSeconds of a person',
    {
      before: deployment({}, {}, { minReadySeconds: 50 }),
      hand: { spec: { minReadySeconds: 1, progressDeadlineSeconds: 20 } },
      expected: { '/spec/minReadySeconds': 50, '/spec/progressDeadlineSeconds': 600 },
    },
  ],
  [
    'a variable of a CronJob',
    {
      before: cronJob({ env: [{ name: 'B', value: 'b' }] }),
      hand: {
        spec: {
          jobTemplate: {
            spec: {
              template: {
                spec: { containers: [{ name: 'app', image: 'x', env: [{ name: 'B', valueFrom: VALUE_FROM }] }] },
              },
            },
          },
        },
      },
      expected: { '/spec/jobTemplate/spec/template/spec/containers/0/env': [{ name: 'B', value: 'b' }] },
    },
  ],

  [
    'env: value of Git and valueFrom of a person',
    {
      before: deployment({
        env: [
          { name: 'A', value: 'a' },
          { name: 'B', value: 'plain' },
        ],
      }),
      hand: container({
        env: [
          { name: 'A', value: 'a' },
          { name: 'B', valueFrom: VALUE_FROM },
        ],
      }),
      expected: { [`${CONTAINER}/env/1/valueFrom`]: undefined, [`${CONTAINER}/env/1/value`]: 'plain' },
    },
  ],
  [
    'env: valueFrom of Git and value of a person',
    {
      before: deployment({ env: [{ name: 'B', valueFrom: VALUE_FROM }] }),
      hand: container({ env: [{ name: 'B', value: 'plain' }] }),
      expected: { [`${CONTAINER}/env/0/value`]: undefined, [`${CONTAINER}/env/0/valueFrom/secretKeyRef/key`]: 'b' },
    },
  ],
  [
    'env: value of Git and valueFrom of another manager, whose other variables stay',
    {
      before: deployment({}),
      applied: partOf('Deployment', {
        env: [
          { name: 'B', valueFrom: VALUE_FROM },
          { name: 'C', value: 'c' },
        ],
      }),
      after: deployment({ env: [{ name: 'B', value: 'plain' }] }),
      expected: {
        [`${CONTAINER}/env/0/valueFrom`]: undefined,
        [`${CONTAINER}/env/0/value`]: 'plain',
        [`${CONTAINER}/env/1/value`]: 'c',
      },
    },
  ],
  [
    'a probe of an init container with restartPolicy, beside a sidecar of another manager',
    {
      before: deployment(
        {},
        { initContainers: [sidecar('side', { startupProbe: { httpGet: { path: '/', port: 1 } } })] },
      ),
      hand: {
        spec: {
          template: {
            spec: {
              initContainers: [sidecar('mine'), sidecar('side', { startupProbe: { exec: { command: ['x'] } } })],
            },
          },
        },
      },
      expected: {
        '/spec/template/spec/initContainers/0/name': 'mine',
        '/spec/template/spec/initContainers/1/startupProbe/exec': undefined,
        '/spec/template/spec/initContainers/1/startupProbe/httpGet/port': 1,
      },
    },
  ],
  [
    'a handler of a lifecycle hook',
    {
      before: deployment({ lifecycle: { preStop: { exec: { command: ['x'] } } } }),
      hand: container({ lifecycle: { preStop: { sleep: { seconds: 3 } } } }),
      expected: { [`${CONTAINER}/lifecycle/preStop`]: { exec: { command: ['x'] } } },
    },
  ],
  [
    'a request of Git above the limit of a person',
    {
      before: deployment({ resources: { requests: { cpu: '200m' } } }),
      hand: container({ resources: { requests: { cpu: '50m' }, limits: { cpu: '100m' } } }),
      expected: { [`${CONTAINER}/resources`]: { requests: { cpu: '200m' } } },
    },
  ],
  [
    'a request of Git above the limit of another manager, whose other limit stays',
    {
      before: deployment({}),
      applied: partOf('Deployment', { resources: { limits: { cpu: '100m', memory: '1Gi' } } }),
      after: deployment({ resources: { requests: { cpu: '200m' } } }),
      expected: { [`${CONTAINER}/resources`]: { requests: { cpu: '200m' }, limits: { memory: '1Gi' } } },
    },
  ],
  [
    'a seccomp profile: RuntimeDefault of Git and Localhost of a person',
    {
      before: deployment({}, { securityContext: { seccompProfile: { type: 'RuntimeDefault' } } }),
      hand: container({}, { securityContext: { seccompProfile: { type: 'Localhost', localhostProfile: 'p' } } }),
      expected: { '/spec/template/spec/securityContext/seccompProfile': { type: 'RuntimeDefault' } },
    },
  ],
  [
    'a mount of another manager whose volume leaves Git',
    {
      before: deployment({}, { volumes: [{ name: 'v', emptyDir: {} }] }),
      applied: partOf('Deployment', { volumeMounts: [{ name: 'v', mountPath: '/v' }] }),
      after: deployment({}),
      expected: { '/spec/template/spec/volumes': undefined, [`${CONTAINER}/volumeMounts`]: undefined },
    },
  ],
  [
    'a container port of a person with the name of the one of Git',
    {
      before: deployment({ ports: [{ name: 'http', containerPort: 80 }] }),
      hand: container({ ports: [{ name: 'http', containerPort: 81 }] }),
      expected: { [`${CONTAINER}/ports`]: [{ name: 'http', containerPort: 80, protocol: 'TCP' }] },
    },
  ],
  [
    'hostNetwork of Git and a port of the host of a person',
    {
      before: deployment({ ports: [{ containerPort: 80, hostPort: 80 }] }, { hostNetwork: true }),
      hand: container({ ports: [{ containerPort: 80, hostPort: 8080 }] }, { hostNetwork: null }),
      after: deployment({ ports: [{ containerPort: 80 }] }, { hostNetwork: true }),
      expected: { [`${CONTAINER}/ports/0/hostPort`]: undefined, '/spec/template/spec/hostNetwork': true },
    },
  ],
  [
    'a Deployment whose strategy becomes Recreate, beside the defaults of RollingUpdate',
    {
      before: deployment({}),
      after: deployment({}, {}, { strategy: { type: 'Recreate' } }),
      expected: { '/spec/strategy': { type: 'Recreate' } },
    },
  ],
  [
    'a Deployment with Recreate of Git and RollingUpdate of a person',
    {
      before: deployment({}, {}, { strategy: { type: 'Recreate' } }),
      hand: { spec: { strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 3 } } } },
      expected: { '/spec/strategy': { type: 'Recreate' } },
    },
  ],
  [
    'a Deployment with Recreate of Git and rollingUpdate of another manager, which also scales it',
    {
      before: deployment({}, {}, { replicas: undefined }),
      applied: {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: META,
        spec: { replicas: 4, strategy: { rollingUpdate: { maxSurge: 3 } } },
      },
      after: deployment({}, {}, { replicas: undefined, strategy: { type: 'Recreate' } }),
      expected: { '/spec/strategy': { type: 'Recreate' }, '/spec/replicas': 4 },
    },
  ],
  [
    'a StatefulSet whose strategy becomes OnDelete, beside the defaults of RollingUpdate',
    {
      before: withContainer('StatefulSet', {}),
      after: withContainer('StatefulSet', {}, {}, { updateStrategy: { type: 'OnDelete' } }),
      expected: { '/spec/updateStrategy': { type: 'OnDelete' } },
    },
  ],
  [
    'a DaemonSet whose strategy becomes OnDelete, beside the defaults of RollingUpdate',
    {
      before: withContainer('DaemonSet', {}),
      after: withContainer('DaemonSet', {}, {}, { updateStrategy: { type: 'OnDelete' } }),
      expected: { '/spec/updateStrategy/type': 'OnDelete' },
    },
  ],
  [
    'a container of another manager that is not whole without the image of Git',
    {
      before: withContainer(
        'Deployment',
        {},
        { containers: [...(podSpec()['containers'] as Manifest[]), { name: 'b', image: 'example.invalid/b:1' }] },
      ),
      applied: {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: META,
        spec: { template: { spec: { containers: [{ name: 'b', env: [{ name: 'X', value: '1' }] }] } } },
      },
      after: deployment({}),
      expected: { '/spec/template/spec/containers/1': undefined },
    },
  ],
];

function cronJob(container: Manifest): Manifest {
  const pod = { restartPolicy: 'Never', containers: [{ name: 'app', image: 'x', ...container }] };
  return objectOf('batch/v1 CronJob', META, {
    spec: { schedule: '0 0 * * *', jobTemplate: { spec: { template: { spec: pod } } } },
  });
}

function sidecar(name: string, fields: Manifest = {}): Manifest {
  return { name, image: 'example.invalid/s:1', restartPolicy: 'Always', ...fields };
}

export const POD_CASES: readonly (readonly [string, Case])[] = [...probes(), ...WORKLOADS];
