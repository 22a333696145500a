/**
 * Objects of many kinds under the real controllers, which set defaults, allocate, bind, run and fill in fields: once
 * the controllers are done, neither a long-running agent nor one that has just started has anything to write.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RunningAgent } from '../../support/agent.ts';
import { useWorld } from '../../support/use-world.ts';
import { expectRest, objectsOf } from './scene.ts';
import { edit } from '../../support/kubectl.ts';
import {
  configMap,
  job,
  namespaceManifest,
  podSpec,
  secret,
  service,
  text,
  volumeClaim,
  workload,
  type Manifest,
} from '../../support/objects.ts';
import { at, declareSubject, PROGRESS_FLAGS, untilGone, untilObject, type Subject } from '../../support/scene.ts';

const { world, agent: first } = useWorld({ mode: 'full', agent: { flags: PROGRESS_FLAGS } });
let agent: RunningAgent = first;

const v1 = (kind: string, name: string, rest: Manifest): Manifest => ({
  apiVersion: 'v1',
  kind,
  metadata: { name },
  ...rest,
});

/** A Deployment with many fields left to the server's defaults, and some defaults in another spelling. */
const defaults = workload('Deployment', 'defaults', {
  pod: {
    containers: [
      {
        name: 'app',
        image: 'example.invalid/app',
        ports: [{ containerPort: 80 }, { containerPort: 53, protocol: 'UDP', name: 'dns' }],
        env: [
          { name: 'EMPTY', value: '' },
          { name: 'UNSET' },
          { name: 'NODE', valueFrom: { fieldRef: { fieldPath: 'spec.nodeName' } } },
          { name: 'KEY', valueFrom: { configMapKeyRef: { name: 'settings', key: 'k', optional: true } } },
        ],
        resources: { requests: { cpu: '0.01', memory: '1024Ki' }, limits: { cpu: '1000m', memory: '1024Mi' } },
        livenessProbe: { httpGet: { port: 80 } },
        readinessProbe: { tcpSocket: { port: 80 } },
        startupProbe: { exec: { command: ['true'] } },
        securityContext: {},
        volumeMounts: [{ name: 'settings', mountPath: '/settings', readOnly: false }],
      },
    ],
    initContainers: [{ name: 'first', image: 'example.invalid/app:1' }],
    securityContext: {},
    serviceAccount: 'runner',
    tolerations: [{ key: 'a', operator: 'Exists' }],
    affinity: {},
    nodeSelector: {},
    hostNetwork: false,
    volumes: [
      { name: 'settings', configMap: { name: 'settings', optional: true } },
      { name: 'scratch', emptyDir: {} },
      { name: 'sealed', secret: { secretName: 'sealed', optional: true } },
      { name: 'token', projected: { sources: [{ serviceAccountToken: { path: 'token' } }] } },
    ],
    topologySpreadConstraints: [
      {
        maxSkew: 1,
        topologyKey: 'zone',
        whenUnsatisfiable: 'ScheduleAnyway',
        labelSelector: { matchLabels: { a: 'b' } },
      },
    ],
  },
  spec: { strategy: { rollingUpdate: { maxSurge: 1 } }, paused: false, minReadySeconds: 0 },
});

const claimTemplate = (name: string): Manifest => ({
  metadata: { name },
  spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1024Mi' } } },
});

const rule = {
  host: 'a.example.com',
  http: { paths: [{ path: '/', pathType: 'Prefix', backend: { service: { name: 'cluster', port: { number: 80 } } } }] },
};

const workloads: Manifest[] = [
  v1('ServiceAccount', 'runner', { secrets: [{ name: 'token' }] }),
  v1('ConfigMap', 'settings', { data: { k: 'v' }, binaryData: { b: 'AAE=' } }),
  defaults,
  workload('StatefulSet', 'without-claims', { spec: { serviceName: 'headless' } }),
  workload('DaemonSet', 'daemon'),
  v1('Pod', 'bare', { spec: podSpec() }),
  job('once'),
  {
    apiVersion: 'batch/v1',
    kind: 'CronJob',
    metadata: { name: 'each-minute' },
    spec: { schedule: '* * * * *', jobTemplate: { spec: { template: { spec: podSpec({ restartPolicy: 'Never' }) } } } },
  },
];

const network: Manifest[] = [
  service('cluster', { selector: { app: 'defaults' }, ports: [{ port: 80 }] }),
  service('node', {
    type: 'NodePort',
    selector: { app: 'defaults' },
    ports: [
      { port: 80, name: 'http' },
      { port: 53, protocol: 'UDP', name: 'dns' },
    ],
  }),
  service('headless', { clusterIP: 'None', selector: { app: 'defaults' }, ports: [{ port: 80 }] }),
  service('named', { type: 'ExternalName', externalName: 'example.com' }),
  { apiVersion: 'networking.k8s.io/v1', kind: 'Ingress', metadata: { name: 'web' }, spec: { rules: [rule] } },
  {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name: 'deny' },
    spec: { podSelector: {}, ingress: [{ ports: [{ port: 80 }] }] },
  },
  {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: { name: 'web' },
    spec: { minAvailable: '50%', selector: { matchLabels: { app: 'defaults' } } },
  },
  { apiVersion: 'scheduling.k8s.io/v1', kind: 'PriorityClass', metadata: { name: 'rest-low' }, value: 0 },
  v1('LimitRange', 'limits', { spec: { limits: [{ type: 'Container', max: { cpu: '4' } }] } }),
  v1('ResourceQuota', 'quota', { spec: { hard: { pods: '100', 'requests.cpu': '100000m' } } }),
];

const cluster: Manifest[] = [
  namespaceManifest('rest-made', { labels: { team: 'x' } }),
  configMap('inside', { k: 'v' }, { namespace: 'rest-made' }),
  {
    apiVersion: 'storage.k8s.io/v1',
    kind: 'StorageClass',
    metadata: { name: 'rest-late' },
    provisioner: 'csi.example.com',
    volumeBindingMode: 'WaitForFirstConsumer',
  },
  volumeClaim('late', { storageClassName: 'rest-late' }),
  {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRole',
    metadata: { name: 'rest-sum' },
    aggregationRule: { clusterRoleSelectors: [{ matchLabels: { rest: 'sum' } }] },
    rules: [],
  },
  {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRole',
    metadata: { name: 'rest-part', labels: { rest: 'sum' } },
    rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }],
  },
  {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'RoleBinding',
    metadata: { name: 'binding' },
    roleRef: { kind: 'ClusterRole', name: 'rest-part' },
    subjects: [
      { kind: 'User', name: 'someone' },
      { kind: 'ServiceAccount', name: 'runner', namespace: 'rest-cluster' },
    ],
  },
];

/** Deletes the Application, so that it does not disturb the next test. */
async function remove({ application }: Subject): Promise<void> {
  await application.remove();
  await untilGone(world, application.path);
}

/** Expects rest of the running agent, and then of a new one without memory. */
async function expectRestAfterStart(subject: Subject, options: Parameters<typeof expectRest>[3]): Promise<void> {
  await expectRest(world, agent, subject, options);
  const uids = (objects: readonly unknown[]): unknown[] => objects.map((object) => at(object, 'metadata', 'uid'));
  const before = uids(await objectsOf(world, subject));
  await agent.stop();
  agent = await world.agent({ flags: PROGRESS_FLAGS });
  await expectRest(world, agent, subject, options);
  assert.deepEqual(uids(await objectsOf(world, subject)), before);
  assert.deepEqual(
    agent.log.filter(({ application }) => application !== undefined),
    [],
  );
}

test('workloads of every kind come to rest', async () => {
  const subject = await declareSubject(world, 'rest-workloads', { files: { 'all.yaml': text(...workloads) } });
  // The status of the CronJob changes with its Jobs, each minute.
  await expectRestAfterStart(subject, { busy: ['CronJob/each-minute'] });
  await remove(subject);
});

test('network objects come to rest, whatever the server allocates for them', async () => {
  const subject = await declareSubject(world, 'rest-network', { files: { 'all.yaml': text(...network) } });
  await expectRestAfterStart(subject, {});
  const node = await world.read('/api/v1/namespaces/rest-network/services/node');
  assert.ok(Number(at(node, 'spec', 'ports', 0, 'nodePort')) > 0);
  // Made a NodePort by hand: the manifest sets no type, so neither the type nor the allocated port is drift.
  await edit(world, 'service/cluster', { namespace: 'rest-network', patch: { spec: { type: 'NodePort' } } });
  await expectRest(world, agent, subject);
  assert.equal(at(await world.read('/api/v1/namespaces/rest-network/services/cluster'), 'spec', 'type'), 'NodePort');
  await remove(subject);
});

test('a namespace, a volume claim, a storage class and aggregated roles come to rest', async () => {
  const subject = await declareSubject(world, 'rest-cluster', { files: { 'all.yaml': text(...cluster) } });
  await expectRestAfterStart(subject, {});
  const sum = await world.read('/apis/rbac.authorization.k8s.io/v1/clusterroles/rest-sum');
  assert.equal(at(sum, 'rules', 0, 'verbs', 0), 'get', 'the controller has filled in the rules');
  await remove(subject);
});

test('an object that is applied in another version than the stored one comes to rest', async () => {
  const scaler = {
    apiVersion: 'autoscaling/v1',
    kind: 'HorizontalPodAutoscaler',
    metadata: { name: 'web' },
    spec: {
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' },
      maxReplicas: 3,
      targetCPUUtilizationPercentage: 80,
    },
  };
  const web = workload('Deployment', 'web', { spec: { replicas: undefined } });
  const subject = await declareSubject(world, 'rest-versions', { files: { 'all.yaml': text(web, scaler) } });
  const options = { health: 'Degraded', busy: ['HorizontalPodAutoscaler/web'] };
  await expectRestAfterStart(subject, options);
  // The manifest in the newer version differs, and the object is the same.
  const { targetCPUUtilizationPercentage: averageUtilization, ...spec } = scaler.spec;
  const resource = { name: 'cpu', target: { type: 'Utilization', averageUtilization } };
  const newer = {
    ...scaler,
    apiVersion: 'autoscaling/v2',
    spec: { ...spec, metrics: [{ type: 'Resource', resource }] },
  };
  await subject.repository.commit({ 'all.yaml': text(web, newer) });
  await subject.application.refresh();
  await expectRestAfterStart(subject, options);
  await remove(subject);
});

test('a StatefulSet with claim templates comes to rest while its claims wait for volumes', async () => {
  const set = workload('StatefulSet', 'db', {
    spec: { serviceName: 'db', volumeClaimTemplates: [claimTemplate('data'), claimTemplate('log')] },
  });
  const subject = await declareSubject(world, 'rest-claims', { files: { 'all.yaml': text(set) } });
  await untilObject(world, '/api/v1/namespaces/rest-claims/persistentvolumeclaims/log-db-0', () => true);
  await expectRestAfterStart(subject, { health: 'Progressing', mayListPods: true });
  await remove(subject);
});

test('a token Secret that a controller fills in and a Secret with stringData come to rest', async () => {
  const objects = [
    v1('ServiceAccount', 'robot', {}),
    secret(
      'token',
      { type: 'kubernetes.io/service-account-token' },
      { annotations: { 'kubernetes.io/service-account.name': 'robot' } },
    ),
    secret('typed', {
      stringData: { password: 'hunter2', empty: '' },
      data: { other: 'aHVudGVyMg==' },
      type: 'Opaque',
    }),
    secret('untyped', {}),
  ];
  const subject = await declareSubject(world, 'rest-secrets', { files: { 'all.yaml': text(...objects) } });
  await untilObject(
    world,
    '/api/v1/namespaces/rest-secrets/secrets/token',
    (found) => at(found, 'data', 'token') !== undefined,
  );
  await expectRestAfterStart(subject, {});
  const token = await world.read('/api/v1/namespaces/rest-secrets/secrets/token');
  assert.ok(at(token, 'data', 'ca.crt'));
  await remove(subject);
});

test('a caBundle that another manager injects stays, also when the webhook changes in Git', async () => {
  const webhook = (path: string): Manifest => ({
    name: 'check.example.com',
    clientConfig: { service: { name: 'check', namespace: 'rest-hooks', path } },
    admissionReviewVersions: ['v1'],
    sideEffects: 'None',
    failurePolicy: 'Ignore',
    rules: [{ apiGroups: ['none.example.com'], apiVersions: ['v1'], operations: ['*'], resources: ['nothings'] }],
  });
  const configuration = (path: string): Manifest => ({
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingWebhookConfiguration',
    metadata: { name: 'rest-check', annotations: { 'cert-manager.io/inject-ca-from': 'rest-hooks/check' } },
    webhooks: [webhook(path)],
  });
  const subject = await declareSubject(world, 'rest-hooks', { files: { 'all.yaml': text(configuration('/one')) } });
  const path = '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/rest-check';
  await untilObject(world, path, () => true);
  const caBundle = Buffer.from('-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n').toString('base64');
  const bundle = async (): Promise<unknown> => at(await world.read(path), 'webhooks', 0, 'clientConfig', 'caBundle');
  const inject = async (): Promise<void> => {
    // A whole update, as cert-manager's cainjector sends it.
    const found = await world.read(path);
    Object.assign(at(found, 'webhooks', 0, 'clientConfig') as Manifest, { caBundle });
    await world.send('PUT', `${path}?fieldManager=cainjector`, found);
  };
  await subject.application.untilReady();
  const { code, body } = await world.plane.request('GET', path);
  assert.equal(code, 200, JSON.stringify(body));
  await inject();
  await expectRestAfterStart(subject, {});
  assert.equal(await bundle(), caBundle);
  await subject.repository.commit({ 'all.yaml': text(configuration('/two')) });
  await subject.application.refresh();
  await untilObject(world, path, (found) => at(found, 'webhooks', 0, 'clientConfig', 'service', 'path') === '/two');
  await expectRest(world, agent, subject);
  assert.equal(await bundle(), caBundle);
  await remove(subject);
});
