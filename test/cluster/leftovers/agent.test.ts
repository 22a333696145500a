/** The agent exchanges fields of which only one may be set, in place: in a commit, in a heal and in an adoption. */
import assert from 'node:assert/strict';
import { rootCertificates } from 'node:tls';
import { test } from 'node:test';
import { useWorld } from '../../support/use-world.ts';
import { edit, kubectl } from '../../support/kubectl.ts';
import { definition, objectOf, service, text, volumeClaim, workload, type Manifest } from '../../support/objects.ts';
import {
  answerOf,
  at,
  declareSubject,
  deploymentPath,
  makeNamespace,
  outcomeOf,
  readyMessage,
  readyReason,
  syncOf,
  untilObject,
} from '../../support/scene.ts';

const { world, agent } = useWorld({
  agent: { flags: ['--max-backoff', '2s'] },
});

const FORCE = { annotations: { 'kustomize.toolkit.fluxcd.io/force': 'enabled' } };
const IMAGE = 'example.invalid/app:1';

function deployment(
  name: string,
  container: Manifest,
  { pod, spec, metadata }: { pod?: Manifest; spec?: Manifest; metadata?: Manifest } = {},
): Manifest {
  const containers = [{ name: 'app', image: IMAGE, ...container }];
  return workload('Deployment', name, {
    pod: { containers, ...pod },
    ...(spec ? { spec } : {}),
    ...(metadata ? { metadata } : {}),
  });
}

const path = (namespace: string, type: string, name: string): string =>
  `/apis/${type.includes('/') ? type.replace(/\/([^/]+)$/, `/namespaces/${namespace}/$1`) : type}/${name}`;
const uidOf = (object: unknown): unknown => at(object, 'metadata', 'uid');
const generationOf = (object: unknown): number => Number(at(object, 'metadata', 'generation'));

test('a commit changes strategies beside the defaults of the old ones, without a new object', async () => {
  const statefulSet = (spec: Manifest = {}): Manifest =>
    workload('StatefulSet', 'db', { spec: { serviceName: 'db', ...spec } });
  const subject = await declareSubject(world, 'strategies', {
    files: { 'a.yaml': text(deployment('web', {}), statefulSet()) },
  });
  await subject.application.until('synced', (a) => syncOf(a) === 'Synced');
  const paths = [deploymentPath('strategies', 'web'), path('strategies', 'apps/v1/statefulsets', 'db')] as const;
  const before = await Promise.all(paths.map((one) => world.read(one)));
  await subject.repository.commit({
    'a.yaml': text(
      deployment('web', {}, { spec: { strategy: { type: 'Recreate' } } }),
      statefulSet({ updateStrategy: { type: 'OnDelete' } }),
    ),
  });
  await subject.application.refresh();
  const web = await untilObject(world, paths[0], (o) => at(o, 'spec', 'strategy', 'type') === 'Recreate');
  const db = await untilObject(world, paths[1], (o) => at(o, 'spec', 'updateStrategy', 'type') === 'OnDelete');
  assert.deepEqual(web['spec']?.['strategy'], { type: 'Recreate' });
  assert.deepEqual(db['spec']?.['updateStrategy'], { type: 'OnDelete' });
  assert.deepEqual([web, db].map(uidOf), before.map(uidOf));
  await subject.application.until('synced', (a) => syncOf(a) === 'Synced');
});

interface Edited {
  readonly object: Manifest;
  readonly path: (namespace: string) => string;
  readonly resource: string;
  readonly patch: readonly unknown[];
  /** Path and value in Git. */
  readonly healed: readonly [readonly (string | number)[], unknown];
}

const POD = ['spec', 'template', 'spec'] as const;
const CONTAINER = [...POD, 'containers', 0] as const;
const replace = (pointer: string, value: unknown): unknown => ({ op: 'replace', path: pointer, value });

const EDITS: Readonly<Record<string, Edited>> = {
  'a probe': {
    object: deployment('probe', { livenessProbe: { httpGet: { path: '/healthz', port: 8080 } } }),
    path: (namespace) => deploymentPath(namespace, 'probe'),
    resource: 'deployment/probe',
    patch: [replace('/spec/template/spec/containers/0/livenessProbe', { tcpSocket: { port: 8080 } })],
    healed: [[...CONTAINER, 'livenessProbe', 'httpGet', 'path'], '/healthz'],
  },
  'a variable': {
    object: deployment('env', { env: [{ name: 'B', value: 'plain' }] }, { metadata: FORCE }),
    path: (namespace) => deploymentPath(namespace, 'env'),
    resource: 'deployment/env',
    patch: [
      replace('/spec/template/spec/containers/0/env/0', {
        name: 'B',
        valueFrom: { secretKeyRef: { name: 's', key: 'b' } },
      }),
    ],
    healed: [[...CONTAINER, 'env'], [{ name: 'B', value: 'plain' }]],
  },
  'a volume': {
    object: deployment('volume', {}, { pod: { volumes: [{ name: 'cfg', configMap: { name: 'settings' } }] } }),
    path: (namespace) => deploymentPath(namespace, 'volume'),
    resource: 'deployment/volume',
    patch: [replace('/spec/template/spec/volumes/0', { name: 'cfg', emptyDir: {} })],
    healed: [[...POD, 'volumes', 0, 'emptyDir'], undefined],
  },
  'a disruption budget': {
    object: objectOf(
      'policy/v1 PodDisruptionBudget',
      { name: 'pdb' },
      { spec: { minAvailable: 1, selector: { matchLabels: { app: 'x' } } } },
    ),
    path: (namespace) => path(namespace, 'policy/v1/poddisruptionbudgets', 'pdb'),
    resource: 'pdb/pdb',
    patch: [
      { op: 'remove', path: '/spec/minAvailable' },
      { op: 'add', path: '/spec/maxUnavailable', value: 1 },
    ],
    healed: [['spec', 'maxUnavailable'], undefined],
  },
  'a backend of an Ingress': {
    object: objectOf(
      'networking.k8s.io/v1 Ingress',
      { name: 'ing' },
      { spec: { defaultBackend: { service: { name: 'web', port: { number: 80 } } } } },
    ),
    path: (namespace) => path(namespace, 'networking.k8s.io/v1/ingresses', 'ing'),
    resource: 'ingress/ing',
    patch: [replace('/spec/defaultBackend', { resource: { apiGroup: 'k8s.example.com', kind: 'Bucket', name: 'b' } })],
    healed: [['spec', 'defaultBackend'], { service: { name: 'web', port: { number: 80 } } }],
  },
  'a port of a Service that may be recreated': {
    object: {
      ...service('front', { selector: { app: 'x' }, ports: [{ name: 'http', port: 80 }] }),
      metadata: { name: 'front', ...FORCE },
    },
    path: (namespace) => `/api/v1/namespaces/${namespace}/services/front`,
    resource: 'service/front',
    patch: [replace('/spec/ports/0/port', 83)],
    healed: [['spec', 'ports', 1], undefined],
  },
};

test('an edit by a person that only one of two fields allows is healed in place, in one write', async (t) => {
  const subject = await declareSubject(world, 'edited', {
    files: { 'a.yaml': text(...Object.values(EDITS).map(({ object }) => object)) },
  });
  await subject.application.until('synced', (a) => syncOf(a) === 'Synced');
  for (const [name, { path: pathIn, resource, patch, healed }] of Object.entries(EDITS)) {
    await t.test(name, async () => {
      const before = await world.read(pathIn('edited'));
      await edit({ plane: world.plane }, resource, { namespace: 'edited', type: 'json', patch });
      const [steps, value] = healed;
      const after = await untilObject(world, pathIn('edited'), (object) => {
        const found = at(object, ...steps);
        return value === undefined ? found === undefined : JSON.stringify(found) === JSON.stringify(value);
      });
      assert.equal(uidOf(after), uidOf(before));
      if (resource !== 'service/front')
        assert.equal(generationOf(after), generationOf(before) + 2, 'the edit and one write');
    });
  }
  const ready = await subject.application.until('synced', (a) => syncOf(a) === 'Synced');
  assert.doesNotMatch(JSON.stringify(ready['status']?.['conditions']), /in place/);
});

test('a conversion that leaves Git goes, although an injector has written into it', async () => {
  const webhook = {
    conversionReviewVersions: ['v1'],
    clientConfig: { service: { name: 'hook', namespace: 'injected', path: '/convert' } },
  };
  const plain = definition({ group: 'keys.example.org', kind: 'VaultKey' });
  const spec = plain['spec'] as Manifest;
  const converted = { ...plain, spec: { ...spec, conversion: { strategy: 'Webhook', webhook } } };
  const subject = await declareSubject(world, 'injected', { files: { 'crd.yaml': text(converted) } });
  await subject.application.untilReady();
  const crd = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/vaultkeys.keys.example.org';
  const before = await world.read(crd);
  await edit({ plane: world.plane }, 'crd/vaultkeys.keys.example.org', {
    type: 'json',
    manager: 'cainjector',
    patch: [
      {
        op: 'add',
        path: '/spec/conversion/webhook/clientConfig/caBundle',
        value: Buffer.from(rootCertificates[0] ?? '').toString('base64'),
      },
    ],
  });
  await subject.application.patch({ sync: { mode: 'detect' } });
  await subject.repository.commit({ 'crd.yaml': text(plain) });
  await subject.application.refresh();
  const told = await subject.application.until('a difference', (a) => syncOf(a) === 'OutOfSync');
  assert.doesNotMatch(JSON.stringify(told['status']), /Required value|Forbidden/);
  await subject.application.patch({ sync: { mode: 'auto' } });
  const after = await untilObject(world, crd, (object) => at(object, 'spec', 'conversion', 'strategy') === 'None');
  assert.deepEqual(after['spec']?.['conversion'], { strategy: 'None' });
  assert.equal(uidOf(after), uidOf(before));
  await subject.application.untilReady();
});

for (const [name, args] of [
  ['client-side', ['apply', '-f', '-']],
  ['server-side', ['apply', '--server-side', '--field-manager=another-tool', '-f', '-']],
] as const) {
  test(`an object made by a ${name} apply with another probe is adopted in the first pass`, async () => {
    const namespace = `first-${name}`;
    await makeNamespace(world, namespace);
    const old = deployment('web', { livenessProbe: { httpGet: { path: '/', port: 80 } } });
    await kubectl(world, [...args, '-n', namespace], old);
    const before = await world.read(deploymentPath(namespace, 'web'));
    const subject = await declareSubject(world, namespace, {
      files: { 'a.yaml': text(deployment('web', { livenessProbe: { exec: { command: ['/bin/true'] } } })) },
    });
    const seen: string[] = [];
    await subject.application.until('synced', (a) => {
      seen.push(readyReason(a));
      return syncOf(a) === 'Synced';
    });
    assert.ok(!seen.includes('False ReconciliationFailed'), seen.join(', '));
    const after = await world.read(deploymentPath(namespace, 'web'));
    assert.equal(uidOf(after), uidOf(before));
    assert.equal(at(after, ...CONTAINER, 'livenessProbe', 'httpGet'), undefined);
    assert.deepEqual(at(after, ...CONTAINER, 'livenessProbe', 'exec'), { command: ['/bin/true'] });
  });
}

test('a dry run of a sync tells that such a field would change, and changes nothing', async () => {
  const subject = await declareSubject(world, 'tried', {
    files: { 'a.yaml': text(deployment('web', {})) },
    spec: { sync: { mode: 'manual' } },
  });
  await subject.application.ask({ action: 'sync' });
  const before = await world.read(deploymentPath('tried', 'web'));
  await subject.repository.commit({
    'a.yaml': text(deployment('web', {}, { spec: { strategy: { type: 'Recreate' } } })),
  });
  const tried = await subject.application.ask({ action: 'sync', dryRun: true });
  assert.equal(outcomeOf(tried), 'Succeeded', answerOf(tried));
  assert.match(answerOf(tried), /1 changed/);
  assert.deepEqual(await world.read(deploymentPath('tried', 'web')), before);
});

test('a claim that cannot be changed is told with the reason of the API server, and without advice to delete it', async () => {
  const claim = (storage: string): Manifest => volumeClaim('data', { resources: { requests: { storage } } });
  const subject = await declareSubject(world, 'claims', { files: { 'a.yaml': text(claim('2Gi')) } });
  await subject.application.until('synced', (a) => syncOf(a) === 'Synced');
  await subject.repository.commit({ 'a.yaml': text(claim('1Gi')) });
  await subject.application.refresh();
  const failed = await subject.application.until('refused', (a) => readyReason(a) === 'False ReconciliationFailed');
  assert.match(readyMessage(failed), /cannot be changed in place: spec.*(less than|immutable after creation except)/);
  assert.doesNotMatch(readyMessage(failed), /delete/);
  assert.equal(agent.process.exitCode, null);
});
