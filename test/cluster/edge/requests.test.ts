/** Discovery, applies, take-overs and deletes on a real API server, and its refusals. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createDiscovery } from '../../../src/cluster/requests/discovery.ts';
import { loadCredentials } from '../../../src/cluster/transport/credentials.ts';
import type { KindInfo } from '../../../src/cluster/kinds.ts';
import { defaultClusterLimits } from '../../../src/cluster/limits.ts';
import { noMetrics } from '../../../src/cluster/metrics.ts';
import type { ClusterClient } from '../../../src/cluster/ports.ts';
import { createTransport } from '../../../src/cluster/transport/transport.ts';
import { labelsOf, annotationsOf } from '../../../src/object/identity.ts';
import { PART_OF_LABEL } from '../../../src/object/applyset.ts';
import { listAt, mapAt, stringAt, type KubeObject } from '../../../src/object/value.ts';
import { prepare } from '../../support/use-world.ts';
import { configMap, configMapId, createNamespace, found, kindOf, useCluster, written } from './edge-cluster.ts';
import { kubectl } from '../../support/kubectl.ts';
import { configMap as unmarked, namespaceManifest, secret, workload } from '../../support/objects.ts';

const codes: number[] = [];
const { plane, cluster, client } = useCluster({
  metrics: { ...noMetrics, onRequest: ({ code }) => void codes.push(code) },
});
let configMaps: KindInfo;
let secrets: KindInfo;
let deployments: KindInfo;

prepare(async () => {
  configMaps = await kindOf(cluster, 'v1', 'ConfigMap');
  secrets = await kindOf(cluster, 'v1', 'Secret');
  deployments = await kindOf(cluster, 'apps/v1', 'Deployment');
});

function deployment(name: string, namespace = 'default'): KubeObject {
  return workload('Deployment', name, { metadata: { namespace } });
}

function apply(kind: KindInfo, body: KubeObject, force = true): ReturnType<ClusterClient['apply']> {
  return client.apply({ kind, body, force });
}

async function refusalOf(answer: ReturnType<ClusterClient['apply']>): Promise<{ code: string; message: string }> {
  const settled = await answer;
  assert.ok(!settled.ok, 'was accepted');
  return settled.refusal;
}

test('discovery finds built-in kinds with scope, status and preferred version in two requests', async () => {
  const kinds = await cluster.kinds();
  assert.equal(cluster.requestCounts().discovery, 2);
  assert.deepEqual(kinds.served.get('apps/v1/Deployment'), {
    group: 'apps',
    version: 'v1',
    kind: 'Deployment',
    plural: 'deployments',
    isNamespaced: true,
    hasStatus: true,
    isWatchable: true,
  });
  assert.equal(kinds.served.get('v1/Namespace')?.isNamespaced, false);
  assert.equal(kinds.served.get('authorization.k8s.io/v1/SubjectAccessReview')?.isWatchable, false);
  assert.equal(kinds.preferred.get('autoscaling'), 'v2');
  assert.equal(kinds.preferred.get(''), 'v1');
  assert.equal(kinds.stale.size, 0);
});

test('discovery that has not changed is answered with 304 and stays the same value', async () => {
  const kinds = await cluster.kinds();
  codes.splice(0);
  assert.equal(await cluster.kinds({ refresh: true }), kinds);
  assert.deepEqual(codes, [304, 304]);
});

test('discovery finds the same kinds on a server without aggregated discovery', async () => {
  const credentials = await loadCredentials({ type: 'kubeconfig', file: plane.kubeconfig });
  const transport = createTransport({
    credentials,
    limits: defaultClusterLimits,
    metrics: noMetrics,
    userAgent: 'tautline',
  });
  const clock = { monotonicMs: () => performance.now() };
  const limits = defaultClusterLimits;
  const legacy = await createDiscovery({ transport, limits, clock, isLegacy: true }).kinds();
  const kinds = await cluster.kinds();
  assert.deepEqual([...legacy.served].sort(), [...kinds.served].sort());
  assert.deepEqual([...legacy.preferred].sort(), [...kinds.preferred].sort());
  await transport.close();
});

test('discovery marks a group whose API does not answer as stale', async () => {
  await plane.request('POST', '/apis/apiregistration.k8s.io/v1/apiservices', {
    apiVersion: 'apiregistration.k8s.io/v1',
    kind: 'APIService',
    metadata: { name: 'v1.absent.example.com' },
    spec: {
      group: 'absent.example.com',
      version: 'v1',
      groupPriorityMinimum: 100,
      versionPriority: 100,
      insecureSkipTLSVerify: true,
      service: { namespace: 'default', name: 'absent' },
    },
  });
  let kinds = await cluster.kinds({ refresh: true });
  while (!kinds.stale.has('absent.example.com/v1')) kinds = await cluster.kinds({ refresh: true });
  assert.ok(kinds.served.has('v1/ConfigMap'));
  await plane.request('DELETE', '/apis/apiregistration.k8s.io/v1/apiservices/v1.absent.example.com');
});

test('an apply creates, updates, and changes nothing the second time', async () => {
  const first = written(await apply(configMaps, configMap('default', 'plain', { a: '1' })));
  assert.equal(first.isCreated, true);
  const second = written(await apply(configMaps, configMap('default', 'plain', { a: '2' })));
  assert.equal(second.isCreated, false);
  assert.notEqual(second.object.resourceVersion, first.object.resourceVersion);
  const third = written(await apply(configMaps, configMap('default', 'plain', { a: '2' })));
  assert.equal(third.object.resourceVersion, second.object.resourceVersion);
});

test('an apply keeps every character of a string, also those that are special in YAML', async () => {
  const text = 'del \u007f nel \u0085 ls \u2028 ps \u2029 bom \ufeff c1 \u0090 tab \t quote " \\ emoji 🚀 end\r\n';
  const answer = written(await apply(configMaps, configMap('default', 'characters', { text })));
  assert.equal(stringAt(answer.object.body, 'data', 'text'), text);
});

test('a dry run returns an answer and stores nothing', async () => {
  const body = configMap('default', 'dry', { a: '1' });
  written(await client.apply({ kind: configMaps, body, force: true, dryRun: true }));
  assert.deepEqual(await client.get(configMaps, configMapId('default', 'dry')), { ok: true, object: undefined });
});

test('names that would address another resource are refused without a request', async () => {
  const before = cluster.requestCounts().object;
  for (const name of ['', '.', '..', 'a/b', 'a%2fb']) {
    const refusal = await refusalOf(apply(configMaps, configMap('default', name, {})));
    assert.equal(refusal.code, 'InvalidManifest');
  }
  assert.equal((await refusalOf(apply(configMaps, configMap('', 'a', {})))).code, 'InvalidManifest');
  assert.equal(cluster.requestCounts().object, before);
});

test('warnings of the API server are returned', async () => {
  const labels = { 'pod-security.kubernetes.io/warn': 'restricted' };
  await plane.request('POST', '/api/v1/namespaces', namespaceManifest('warned', { labels }));
  const body = deployment('warned', 'warned');
  const answer = written(await client.apply({ kind: deployments, body, force: true, dryRun: true }));
  assert.match(answer.warnings.join('\n'), /would violate PodSecurity "restricted:latest"/);
});

test('answers hold values of Secrets as digests only', async () => {
  const password = Buffer.from('hunter2').toString('base64');
  const body = secret('sealed', { data: { password } }, { namespace: 'default' });
  const answer = written(await apply(secrets, body));
  const read = found(await client.get(secrets, answer.object.id));
  const listed = await client.listBySelector(secrets, { namespace: 'default', labelSelector: '', limit: 10 });
  for (const seen of [answer, read, listed]) {
    assert.ok(!JSON.stringify(seen).includes(password));
    assert.match(JSON.stringify(seen), /sha256:/);
  }
});

test('an unknown field and a wrong type are an invalid manifest, reported by field', async () => {
  const body = { ...configMap('default', 'bad', {}), nonsense: 1 } as KubeObject;
  const refusal = await client.apply({ kind: configMaps, body, force: true });
  assert.ok(!refusal.ok);
  assert.equal(refusal.refusal.code, 'InvalidManifest');
  assert.equal(refusal.refusal.retry, 'never');
  assert.deepEqual(refusal.refusal.fields, ['.nonsense']);
  const wrong = deployment('wrong');
  mapAt(wrong, 'spec')['replicas'] = 'two';
  assert.match((await refusalOf(apply(deployments, wrong))).message, /\.spec\.replicas: expected numeric/);
});

test('the refusal of a wrong type in a Secret does not show the value', async () => {
  const body = secret('typed', { data: { pin: 31337 } }, { namespace: 'default' });
  const refusal = await refusalOf(apply(secrets, body));
  assert.equal(refusal.code, 'InvalidManifest');
  assert.match(refusal.message, /\.data\.pin/);
  assert.doesNotMatch(refusal.message, /31337/);
});

test('the refusal of a malformed value in a Secret does not show the value', async () => {
  const body = secret('malformed', { data: { pin: 'not-base64-hunter2!' } }, { namespace: 'default' });
  assert.doesNotMatch((await refusalOf(apply(secrets, body))).message, /hunter2/);
});

test('an invalid value is reported by field and reason, without the value', async () => {
  const body = deployment('invalid');
  mapAt(body, 'spec')['replicas'] = -4711;
  const refusal = await refusalOf(apply(deployments, body));
  assert.equal(refusal.code, 'InvalidManifest');
  assert.match(refusal.message, /spec\.replicas: invalid value: must be greater than or equal to 0/);
  assert.doesNotMatch(refusal.message, /4711/);
});

test('a dry-run creation tells an immutable field from an invalid one', async () => {
  written(await apply(deployments, deployment('fixed')));
  const other = deployment('fixed');
  mapAt(other, 'spec', 'selector')['matchLabels'] = { app: 'other' };
  mapAt(other, 'spec', 'template', 'metadata')['labels'] = { app: 'other' };
  const refusal = await refusalOf(apply(deployments, other));
  assert.equal(refusal.code, 'InvalidManifest');
  assert.equal(await client.isImmutable(deployments, other), true);
  const wrong = deployment('fixed');
  mapAt(wrong, 'spec')['replicas'] = -1;
  assert.equal(await client.isImmutable(deployments, wrong), false);
});

test('a missing namespace, a missing kind and a missing object have answers of their own', async () => {
  assert.equal((await refusalOf(apply(configMaps, configMap('absent', 'a', {})))).code, 'NamespaceMissing');
  const absentKind: KindInfo = { ...configMaps, group: 'absent.example.com', kind: 'Absent', plural: 'absents' };
  const body: KubeObject = {
    apiVersion: 'absent.example.com/v1',
    kind: 'Absent',
    metadata: { namespace: 'default', name: 'a' },
  };
  assert.equal((await refusalOf(apply(absentKind, body))).code, 'KindNotServed');
  const read = await client.get(absentKind, { ...configMapId('default', 'a') });
  assert.ok(!read.ok && read.refusal.code === 'KindNotServed');
  assert.deepEqual(await client.get(configMaps, configMapId('default', 'nobody')), { ok: true, object: undefined });
});

test('a uid in the body guards against creating or replacing the object', async () => {
  const body = configMap('default', 'guarded', {}, { uid: '11111111-1111-1111-1111-111111111111' });
  assert.equal((await refusalOf(apply(configMaps, body))).code, 'Modified');
  const { object } = written(await apply(configMaps, configMap('default', 'guarded', { a: '1' })));
  assert.equal((await refusalOf(apply(configMaps, body))).code, 'Modified');
  const stale = configMap('default', 'guarded', { a: '2' }, { uid: object.uid, resourceVersion: '1' });
  assert.equal((await refusalOf(apply(configMaps, stale))).code, 'Modified');
});

test('an object that is too large is refused as TooLarge', async () => {
  const refusal = await refusalOf(apply(configMaps, configMap('default', 'big', { a: 'x'.repeat(3_500_000) })));
  assert.equal(refusal.code, 'TooLarge');
  const long = await refusalOf(apply(configMaps, configMap('default', 'long', { a: 'x'.repeat(1_100_000) })));
  assert.match(long.code, /TooLarge|InvalidManifest/);
});

test('an apply into a namespace that is being deleted is retried', async () => {
  await createNamespace(plane, 'ending');
  await plane.request('DELETE', '/api/v1/namespaces/ending');
  const refusal = await client.apply({ kind: configMaps, body: configMap('ending', 'a', {}), force: true });
  assert.ok(!refusal.ok);
  assert.equal(refusal.refusal.code, 'NamespaceTerminating');
  assert.equal(refusal.refusal.retry, 'backoff');
});

test('a conflict names field and manager', async () => {
  written(await apply(configMaps, configMap('default', 'shared', { a: '1' })));
  await client.apply({
    kind: configMaps,
    body: configMap('default', 'shared', { a: '2' }),
    force: true,
    fieldManager: 'somebody',
  });
  const answer = await apply(configMaps, configMap('default', 'shared', { a: '3' }), false);
  assert.ok(!answer.ok);
  assert.equal(answer.refusal.code, 'FieldConflict');
  assert.deepEqual(answer.refusal.conflicts, [{ field: '.data.a', manager: 'somebody' }]);
});

test('fields that kubectl applied are taken over, so that those dropped from Git are removed', async () => {
  const name = 'adopted';
  const theirs = unmarked(name, { x: '1', y: '1' }, { namespace: 'default', labels: { old: 'yes' } });
  await kubectl({ plane }, ['apply', '-f', '-'], theirs);
  await kubectl({ plane }, ['-n', 'default', 'annotate', 'configmap', name, 'hand=made']);

  const body = configMap('default', name, { x: '2' });
  assert.equal((await refusalOf(apply(configMaps, body, false))).code, 'FieldConflict');
  const live = found(await client.get(configMaps, configMapId('default', name)));
  const taken = written(await client.takeOver(configMaps, live));
  const managers = listAt(taken.object.body.metadata, 'managedFields').map((entry) => stringAt(entry, 'manager'));
  assert.deepEqual(managers.sort(), ['kubectl-annotate', 'tautline']);
  const { object } = written(await apply(configMaps, body));
  assert.deepEqual({ ...mapAt(object.body, 'data') }, { x: '2' });
  assert.equal(labelsOf(object.body)['old'], undefined);
  assert.equal(annotationsOf(object.body)['hand'], 'made');
});

test('fields that kubectl applied with --server-side are taken over', async () => {
  const theirs = configMap('default', 'adopted-ssa', { x: '1', y: '1' });
  await kubectl({ plane }, ['apply', '--server-side', '-f', '-'], theirs);
  const live = found(await client.get(configMaps, configMapId('default', 'adopted-ssa')));
  written(await client.takeOver(configMaps, live));
  const { object } = written(await apply(configMaps, configMap('default', 'adopted-ssa', { x: '2' })));
  assert.deepEqual({ ...mapAt(object.body, 'data') }, { x: '2' });
});

test('fields of an object that changed since it was read are not taken over', async () => {
  await kubectl({ plane }, ['apply', '-f', '-'], configMap('default', 'raced', { x: '1' }));
  const live = found(await client.get(configMaps, configMapId('default', 'raced')));
  await kubectl({ plane }, ['-n', 'default', 'label', 'configmap', 'raced', 'b=c']);
  const answer = await client.takeOver(configMaps, live);
  assert.ok(!answer.ok && answer.refusal.code === 'Modified');
});

test('a take-over sends no request when there is no field to take over', async () => {
  const { object } = written(await apply(configMaps, configMap('default', 'ours', { x: '1' })));
  const before = cluster.requestCounts().object;
  assert.equal(written(await client.takeOver(configMaps, object)).object, object);
  assert.equal(cluster.requestCounts().object, before);
});

test('a release removes our marks and nothing else', async () => {
  const { object } = written(await apply(configMaps, configMap('default', 'released', { x: '1' })));
  const answer = written(await client.release(configMaps, object));
  assert.equal(labelsOf(answer.object.body)[PART_OF_LABEL], undefined);
  assert.deepEqual({ ...annotationsOf(answer.object.body) }, {});
  assert.deepEqual({ ...mapAt(answer.object.body, 'data') }, { x: '1' });
});

test('an object that was changed since it was read is not released', async () => {
  const { object } = written(await apply(configMaps, configMap('default', 'taken', { x: '1' })));
  await kubectl({ plane }, ['-n', 'default', 'label', 'configmap', 'taken', 'b=c']);
  const answer = await client.release(configMaps, object);
  assert.ok(!answer.ok && answer.refusal.code === 'Modified');
});

test('an object with another uid is not released', async () => {
  const { object } = written(await apply(configMaps, configMap('default', 'kept', { x: '1' })));
  const answer = await client.release(configMaps, { ...object, uid: '11111111-1111-1111-1111-111111111111' });
  assert.ok(!answer.ok && answer.refusal.code === 'Modified');
});

test('a delete removes exactly the object that was read, and finds it gone the second time', async () => {
  const { object } = written(await apply(configMaps, configMap('default', 'doomed', { a: '1' })));
  const { id, uid, resourceVersion } = object;
  const other = '11111111-1111-1111-1111-111111111111';
  const wrongUid = await client.remove({ kind: configMaps, id, uid: other, resourceVersion });
  assert.ok(!wrongUid.ok && wrongUid.refusal.code === 'Modified');
  const wrongVersion = await client.remove({ kind: configMaps, id, uid, resourceVersion: '1' });
  assert.ok(!wrongVersion.ok && wrongVersion.refusal.code === 'Modified');
  await assert.rejects(client.remove({ kind: configMaps, id, uid: '', resourceVersion }), RangeError);
  const request = { kind: configMaps, id, uid, resourceVersion };
  assert.deepEqual(await client.remove(request), { ok: true, outcome: 'gone' });
  assert.deepEqual(await client.remove(request), { ok: true, outcome: 'gone' });
});

test('a delete says when a finalizer holds the object', async () => {
  const body = configMap('default', 'held', {}, { finalizers: ['example.com/hold'] });
  const { object } = written(await apply(configMaps, body));
  const { id, uid, resourceVersion } = object;
  const answer = await client.remove({ kind: configMaps, id, uid, resourceVersion });
  assert.deepEqual(answer, { ok: true, outcome: 'held' });
  assert.ok(found(await client.get(configMaps, id)).deletionTimestamp);
});
