/** Answers of a real API server to server-side apply, beyond those in requests.test.ts. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Refusal } from '../../../src/cluster/answers.ts';
import { serviceAccountIdentity } from '../../../src/cluster/identity.ts';
import type { KindInfo } from '../../../src/cluster/kinds.ts';
import type { ClusterClient } from '../../../src/cluster/ports.ts';
import { listAt, mapAt, numberAt, stringAt, type KubeObject } from '../../../src/object/value.ts';
import { configMap, configMapId, createNamespace, found, kindOf, useCluster, written } from './edge-cluster.ts';
import { kubectl } from '../../support/kubectl.ts';
import {
  configMap as unmarked,
  job,
  namespaceManifest,
  objectOf,
  secret,
  workload,
  type Manifest,
} from '../../support/objects.ts';
import { ACCOUNT, grant, makeAccount, rule } from '../../support/rights.ts';
import { untilTrue } from '../../support/world.ts';

const { plane, cluster, client } = useCluster();

async function apply(body: KubeObject, force = true): ReturnType<ClusterClient['apply']> {
  return client.apply({ kind: await kindOf(cluster, body.apiVersion, body.kind), body, force });
}

async function refusal(body: KubeObject): Promise<Refusal> {
  const answer = await apply(body);
  assert.ok(!answer.ok, 'was accepted');
  return answer.refusal;
}

const metadata = { namespace: 'default' };

/** A Deployment without `replicas`, unless the spec sets them. */
const deployment = (name: string, container: Manifest = {}, spec: Manifest = {}): KubeObject => {
  const containers = [{ name: 'c', image: 'x', ...container }];
  return workload('Deployment', name, { metadata, pod: { containers }, spec: { replicas: undefined, ...spec } });
};

test('an apply that changes nothing returns the same resourceVersion; a dry run keeps it and shows the next generation', async () => {
  const kind = await kindOf(cluster, 'apps/v1', 'Deployment');
  const first = written(await apply(deployment('still'))).object;
  assert.equal(written(await apply(deployment('still'))).object.resourceVersion, first.resourceVersion);
  const body = deployment('still', {}, { replicas: 3 });
  const dry = written(await client.apply({ kind, body, force: true, dryRun: true })).object;
  assert.equal(dry.resourceVersion, first.resourceVersion);
  assert.equal(numberAt(dry.body, 'metadata', 'generation'), 2);
  assert.equal(numberAt(found(await client.get(kind, first.id)).body, 'metadata', 'generation'), 1);
});

test('a resourceVersion in the body does not guard creation', async () => {
  const body = configMap('default', 'unguarded', { a: '1' }, { resourceVersion: '1' });
  assert.equal(written(await apply(body)).isCreated, true);
});

test('a duplicate list key is an invalid manifest: never retried, reported by its path', async () => {
  const env = [
    { name: 'A', value: '1' },
    { name: 'A', value: '2' },
  ];
  const told = await refusal(deployment('twice', { env }));
  assert.equal(told.code, 'InvalidManifest');
  assert.equal(told.retry, 'never');
  assert.match(told.message, /env/);
});

test('a ConfigMap of more than one megabyte is too large, never to be retried', async () => {
  const told = await refusal(configMap('default', 'large', { a: 'x'.repeat(1_153_434) }));
  assert.deepEqual([told.code, told.retry], ['TooLarge', 'never']);
  assert.match(told.message, /make it smaller or split it/);
});

test('a Role with rights that the account lacks is forbidden, and the message names these rights', async () => {
  await makeAccount({ plane }, 'default');
  await grant({ plane }, { namespace: 'default', rules: [rule('rbac.authorization.k8s.io', 'roles')] });
  const role = objectOf(
    'rbac.authorization.k8s.io/v1 Role',
    { namespace: 'default', name: 'r' },
    { rules: [{ apiGroups: ['x.example.com'], resources: ['things'], verbs: ['*'] }] },
  );
  const kind = await kindOf(cluster, role.apiVersion, role.kind);
  const answer = await cluster.as(serviceAccountIdentity('default', ACCOUNT)).apply({ kind, body: role, force: true });
  assert.ok(!answer.ok, 'was accepted');
  assert.equal(answer.refusal.code, 'Forbidden');
  assert.match(answer.refusal.message, /not currently held: \{APIGroups:\["x\.example\.com"\]/);
});

test('a number in place of a string is an invalid manifest, and its value is not shown', async () => {
  const told = await refusal(deployment('typed', { env: [{ name: 'PIN', value: 8080 }] }));
  assert.equal(told.code, 'InvalidManifest');
  assert.match(told.message, /env\[name="PIN"\]\.value: expected string/);
  assert.doesNotMatch(told.message, /8080/);
});

test('an object that an admission policy denies is forbidden and retried, with the message of the policy', async () => {
  const policies = '/apis/admissionregistration.k8s.io/v1';
  await plane.request('POST', `${policies}/validatingadmissionpolicies`, {
    metadata: { name: 'no-secrets-in-names' },
    spec: {
      matchConstraints: {
        resourceRules: [
          { apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE', 'UPDATE'], resources: ['configmaps'] },
        ],
      },
      validations: [{ expression: "!object.metadata.name.startsWith('denied')", message: 'not by that name' }],
    },
  });
  await plane.request('POST', `${policies}/validatingadmissionpolicybindings`, {
    metadata: { name: 'no-secrets-in-names' },
    spec: { policyName: 'no-secrets-in-names', validationActions: ['Deny'] },
  });
  let n = 0;
  let told: Refusal | undefined;
  await untilTrue(async () => {
    const answer = await apply(configMap('default', `denied-${n++}`, {}));
    if (!answer.ok) told = answer.refusal;
    return !answer.ok;
  }, 'the policy is in force');
  assert.equal(told?.code, 'Forbidden');
  assert.equal(told.retry, 'backoff');
  assert.match(told.message, /not by that name/);
});

test('an apply is retried when a webhook does not answer, and the webhook is named', async () => {
  const hooks = '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations';
  const webhook = {
    name: 'dead.example.com',
    clientConfig: { url: 'https://127.0.0.1:1/' },
    rules: [{ apiGroups: ['apps'], apiVersions: ['v1'], operations: ['CREATE'], resources: ['deployments'] }],
    sideEffects: 'None',
    admissionReviewVersions: ['v1'],
    timeoutSeconds: 1,
  };
  await plane.request('POST', hooks, { metadata: { name: 'dead' }, webhooks: [webhook] });
  let n = 0;
  let told: Refusal | undefined;
  await untilTrue(async () => {
    const answer = await apply(deployment(`hooked-${n++}`));
    if (!answer.ok) told = answer.refusal;
    return !answer.ok;
  }, 'the webhook is in force');
  await plane.request('DELETE', `${hooks}/dead`);
  assert.equal(told?.code, 'Unavailable');
  assert.equal(told.retry, 'backoff');
  assert.match(told.message, /webhook dead\.example\.com does not answer/);
});

test('a field that was scaled conflicts with the manager that scaled it', async () => {
  written(await apply(deployment('scaled', {}, { replicas: 1 })));
  await kubectl({ plane }, ['scale', 'deployment/scaled', '--replicas=3', '-n', 'default']);
  const answer = await apply(deployment('scaled', {}, { replicas: 1 }), false);
  assert.ok(!answer.ok && answer.refusal.code === 'FieldConflict');
  assert.deepEqual(answer.refusal.conflicts, [{ field: '.spec.replicas', manager: 'kubectl' }]);
});

test('an apply removes duplicates from a live list', async () => {
  const body = deployment('doubled', { env: [{ name: 'A', value: '1' }] });
  const doubled = deployment('doubled', {
    env: [
      { name: 'A', value: '1' },
      { name: 'A', value: '2' },
    ],
  });
  const made = await plane.request('POST', '/apis/apps/v1/namespaces/default/deployments', doubled);
  assert.equal(made.code, 201);
  const healed = written(await apply(body)).object.body;
  const [container] = listAt(healed, 'spec', 'template', 'spec', 'containers');
  assert.deepEqual(
    listAt(container, 'env').map((entry) => stringAt(entry, 'name')),
    ['A'],
  );
});

test('the API server accepts a namespace on an object of a cluster-wide kind, and its id has none', async () => {
  const kind: KindInfo = await kindOf(cluster, 'v1', 'Namespace');
  const body = namespaceManifest('flat', { namespace: 'default' });
  const { object } = written(await client.apply({ kind, body, force: true }));
  assert.deepEqual(object.id, { group: '', kind: 'Namespace', namespace: '', name: 'flat' });
});

test('an object in a namespace that is being deleted can be updated, but not created', async () => {
  await createNamespace(plane, 'leaving');
  written(await apply(configMap('leaving', 'there', { a: '1' }, { finalizers: ['example.com/hold'] })));
  await plane.request('DELETE', '/api/v1/namespaces/leaving');
  written(await apply(configMap('leaving', 'there', { a: '2' }, { finalizers: ['example.com/hold'] })));
  assert.equal((await refusal(configMap('leaving', 'new', {}))).code, 'NamespaceTerminating');
});

test('an apply to an object that is being deleted succeeds, and the answer holds its deletion time', async () => {
  const body = configMap('default', 'dying', { a: '1' }, { finalizers: ['example.com/hold'] });
  written(await apply(body));
  await plane.request('DELETE', '/api/v1/namespaces/default/configmaps/dying');
  assert.ok(written(await apply(body)).object.deletionTimestamp);
  const read = found(await client.get(await kindOf(cluster, 'v1', 'ConfigMap'), configMapId('default', 'dying')));
  assert.ok(read.deletionTimestamp);
});

const cases: readonly (readonly [string, KubeObject, (body: KubeObject) => void])[] = [
  [
    'the template of a Job',
    job('fixed', { metadata }),
    (b) => (mapAt(b, 'spec', 'template', 'spec')['dnsPolicy'] = 'Default'),
  ],
  [
    'the claim templates of a StatefulSet',
    workload('StatefulSet', 'fixed', { metadata, spec: { serviceName: 'a' } }),
    (b) => (mapAt(b, 'spec')['serviceName'] = 'b'),
  ],
  [
    'the role of a RoleBinding',
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'RoleBinding',
      metadata: { namespace: 'default', name: 'fixed' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'a' },
    },
    (b) => (mapAt(b, 'roleRef')['name'] = 'b'),
  ],
  [
    'the data of an immutable ConfigMap',
    { ...unmarked('fixed', { a: '1' }, metadata), immutable: true },
    (b) => (mapAt(b, 'data')['a'] = '2'),
  ],
  ['the type of a Secret', secret('fixed', { type: 'Opaque' }, metadata), (b) => (b['type'] = 'example.com/other')],
  [
    'the value of a PriorityClass',
    { apiVersion: 'scheduling.k8s.io/v1', kind: 'PriorityClass', metadata: { name: 'fixed' }, value: 1 },
    (b) => (b['value'] = 2),
  ],
];
for (const [title, body, change] of cases) {
  test(`a change of ${title} is told from an invalid value as one that cannot be made in place`, async () => {
    written(await apply(body));
    const changed = structuredClone(body);
    change(changed);
    assert.equal((await refusal(changed)).code, 'InvalidManifest');
    assert.equal(await client.isImmutable(await kindOf(cluster, body.apiVersion, body.kind), changed), true);
  });
}
