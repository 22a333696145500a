/** Answers of a real API server to server-side apply, beyond those in requests.test.ts. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Refusal } from '../../../src/cluster/answers.ts';
import type { KindInfo } from '../../../src/cluster/kinds.ts';
import type { ClusterClient } from '../../../src/cluster/ports.ts';
import { listAt, mapAt, numberAt, stringAt, type KubeObject, type ValueMap } from '../../../src/object/value.ts';
import {
  configMap,
  configMapId,
  createNamespace,
  eventually,
  found,
  kindOf,
  written,
  useCluster,
} from './edge-cluster.ts';

const { plane, cluster, client } = useCluster();

async function apply(body: KubeObject, force = true): ReturnType<ClusterClient['apply']> {
  return client.apply({ kind: await kindOf(cluster, body.apiVersion, body.kind), body, force });
}

async function refusal(body: KubeObject): Promise<Refusal> {
  const answer = await apply(body);
  assert.ok(!answer.ok, 'was accepted');
  return answer.refusal;
}

const workload = (kind: string, name: string, spec: ValueMap, container: ValueMap = {}): KubeObject => ({
  apiVersion: kind === 'Job' ? 'batch/v1' : 'apps/v1',
  kind,
  metadata: { namespace: 'default', name },
  spec: {
    ...spec,
    template: {
      metadata: { labels: { app: name } },
      spec: {
        ...(kind === 'Job' && { restartPolicy: 'Never' }),
        containers: [{ name: 'c', image: 'x', ...container }],
      },
    },
  },
});

const deployment = (name: string, container: ValueMap = {}, spec: ValueMap = {}): KubeObject =>
  workload('Deployment', name, { selector: { matchLabels: { app: name } }, ...spec }, container);

describe('an apply that changes nothing', () => {
  it('returns the same resourceVersion, and a dry run keeps it as well and shows the next generation', async () => {
    const kind = await kindOf(cluster, 'apps/v1', 'Deployment');
    const first = written(await apply(deployment('still'))).object;
    assert.equal(written(await apply(deployment('still'))).object.resourceVersion, first.resourceVersion);
    const body = deployment('still', {}, { replicas: 3 });
    const dry = written(await client.apply({ kind, body, force: true, dryRun: true })).object;
    assert.equal(dry.resourceVersion, first.resourceVersion);
    assert.equal(numberAt(dry.body, 'metadata', 'generation'), 2);
    assert.equal(numberAt(found(await client.get(kind, first.id)).body, 'metadata', 'generation'), 1);
  });

  it('a resourceVersion in the body does not guard creation', async () => {
    const body = configMap('default', 'unguarded', { a: '1' }, { resourceVersion: '1' });
    assert.equal(written(await apply(body)).created, true);
  });
});

describe('what the API server refuses', () => {
  it('a duplicate list key is an invalid manifest, never retried, told by its path', async () => {
    const env = [
      { name: 'A', value: '1' },
      { name: 'A', value: '2' },
    ];
    const told = await refusal(deployment('twice', { env }));
    assert.equal(told.code, 'InvalidManifest');
    assert.equal(told.retry, 'never');
    assert.match(told.message, /env/);
  });

  it('a number where a text is meant is an invalid manifest, and its value is not shown', async () => {
    const told = await refusal(deployment('typed', { env: [{ name: 'PIN', value: 8080 }] }));
    assert.equal(told.code, 'InvalidManifest');
    assert.match(told.message, /env\[name="PIN"\]\.value: expected string/);
    assert.doesNotMatch(told.message, /8080/);
  });

  it('an admission policy that denies is forbidden and tried again, in its own words', async () => {
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
    await eventually(async () => {
      const answer = await apply(configMap('default', `denied-${n++}`, {}));
      if (!answer.ok) told = answer.refusal;
      return !answer.ok;
    }, 'the policy is in force');
    assert.equal(told?.code, 'Forbidden');
    assert.equal(told.retry, 'backoff');
    assert.match(told.message, /not by that name/);
  });

  it('a webhook that does not answer is tried again, and named', async () => {
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
    await eventually(async () => {
      const answer = await apply(deployment(`hooked-${n++}`));
      if (!answer.ok) told = answer.refusal;
      return !answer.ok;
    }, 'the webhook is in force');
    await plane.request('DELETE', `${hooks}/dead`);
    assert.equal(told?.code, 'Unavailable');
    assert.equal(told.retry, 'backoff');
    assert.match(told.message, /webhook dead\.example\.com does not answer/);
  });

  it('a field that scaling owns is a conflict with who scaled', async () => {
    written(await apply(deployment('scaled', {}, { replicas: 1 })));
    const scale = await plane.kubectl(['scale', 'deployment/scaled', '--replicas=3', '-n', 'default']);
    assert.equal(scale.code, 0, scale.stderr);
    const answer = await apply(deployment('scaled', {}, { replicas: 1 }), false);
    assert.ok(!answer.ok && answer.refusal.code === 'FieldConflict');
    assert.deepEqual(answer.refusal.conflicts, [{ field: '.spec.replicas', manager: 'kubectl' }]);
  });
});

describe('what the API server forgives', () => {
  it('duplicates in a live list are healed by our apply', async () => {
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

  it('a namespace on a kind of the whole cluster, and our id of it has none', async () => {
    const kind: KindInfo = await kindOf(cluster, 'v1', 'Namespace');
    const body: KubeObject = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'flat', namespace: 'default' } };
    const { object } = written(await client.apply({ kind, body, force: true }));
    assert.deepEqual(object.id, { group: '', kind: 'Namespace', namespace: '', name: 'flat' });
  });

  it('an update in a namespace that is being deleted, as opposed to a creation', async () => {
    await createNamespace(plane, 'leaving');
    written(await apply(configMap('leaving', 'there', { a: '1' }, { finalizers: ['example.com/hold'] })));
    await plane.request('DELETE', '/api/v1/namespaces/leaving');
    written(await apply(configMap('leaving', 'there', { a: '2' }, { finalizers: ['example.com/hold'] })));
    assert.equal((await refusal(configMap('leaving', 'new', {}))).code, 'NamespaceTerminating');
  });

  it('an apply to an object that is being deleted answers as if nothing were, but says so in the object', async () => {
    const body = configMap('default', 'dying', { a: '1' }, { finalizers: ['example.com/hold'] });
    written(await apply(body));
    await plane.request('DELETE', '/api/v1/namespaces/default/configmaps/dying');
    assert.ok(written(await apply(body)).object.deletionTimestamp);
    const read = found(await client.get(await kindOf(cluster, 'v1', 'ConfigMap'), configMapId('default', 'dying')));
    assert.ok(read.deletionTimestamp);
  });
});

describe('what cannot be changed is told from what is wrong', () => {
  const base = { apiVersion: 'v1', metadata: { namespace: 'default' } };
  const cases: readonly (readonly [string, KubeObject, (body: KubeObject) => void])[] = [
    [
      'the template of a Job',
      workload('Job', 'fixed', {}),
      (b) => (mapAt(b, 'spec', 'template', 'spec')['dnsPolicy'] = 'Default'),
    ],
    [
      'the claim templates of a StatefulSet',
      workload('StatefulSet', 'fixed', { serviceName: 'a', selector: { matchLabels: { app: 'fixed' } } }),
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
      {
        ...base,
        kind: 'ConfigMap',
        metadata: { namespace: 'default', name: 'fixed' },
        immutable: true,
        data: { a: '1' },
      },
      (b) => (mapAt(b, 'data')['a'] = '2'),
    ],
    [
      'the type of a Secret',
      { ...base, kind: 'Secret', metadata: { namespace: 'default', name: 'fixed' }, type: 'Opaque' },
      (b) => (b['type'] = 'example.com/other'),
    ],
    [
      'the value of a PriorityClass',
      { apiVersion: 'scheduling.k8s.io/v1', kind: 'PriorityClass', metadata: { name: 'fixed' }, value: 1 },
      (b) => (b['value'] = 2),
    ],
  ];
  for (const [title, body, change] of cases) {
    it(title, async () => {
      written(await apply(body));
      const changed = structuredClone(body);
      change(changed);
      assert.equal((await refusal(changed)).code, 'InvalidManifest');
      assert.equal(await client.isImmutable(await kindOf(cluster, body.apiVersion, body.kind), changed), true);
    });
  }
});
