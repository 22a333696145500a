/** Live objects as the agent knows them from watches of a real API server. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { agentIdentity } from '../../../src/cluster/identity.ts';
import type { KindInfo } from '../../../src/cluster/kinds.ts';
import { defaultClusterLimits } from '../../../src/cluster/limits.ts';
import type { LiveEntry } from '../../../src/cluster/live.ts';
import type { LiveStoreEvents } from '../../../src/cluster/ports.ts';
import { formatId } from '../../../src/object/identity.ts';
import { stringAt } from '../../../src/object/value.ts';
import { prepare } from '../../support/use-world.ts';
import { configMap, configMapId, connect, createNamespace, kindOf, useCluster, written } from './edge-cluster.ts';
import { definition } from '../../support/objects.ts';
import { untilTrue } from '../../support/world.ts';
import { readEventHead } from '../../../src/cluster/watches/event-head.ts';

const NAMESPACE = 'live';
const restarts: string[] = [];
const changes: string[] = [];
const events: LiveStoreEvents = {
  onChange: ({ id, owner, type }) => void changes.push(`${type} ${formatId(id)} ${owner ?? '-'}`),
};

const { plane, cluster } = useCluster({
  events,
  metrics: { onRequest() {}, onWatchRestart: ({ reason }) => void restarts.push(reason) },
  limits: { ...defaultClusterLimits, listPageSize: 7 },
});
let configMaps: KindInfo;

prepare(async () => {
  configMaps = await kindOf(cluster, 'v1', 'ConfigMap');
  await createNamespace(plane, NAMESPACE);
});

const path = (name = ''): string => `/api/v1/namespaces/${NAMESPACE}/configmaps${name && `/${name}`}`;

async function create(name: string, data: Record<string, string> = {}): Promise<void> {
  const answer = await plane.request('POST', path(), configMap(NAMESPACE, name, data));
  assert.equal(answer.code, 201);
}

function look(name: string, namespace = NAMESPACE): LiveEntry {
  return cluster.live.look(agentIdentity, configMaps, configMapId(namespace, name));
}

function dataOf(entry: LiveEntry, key: string): string | undefined {
  return entry.state === 'present' ? stringAt(entry.object.body, 'data', key) : undefined;
}

const keepWatched = (application: string, ...namespaces: string[]): Promise<void> =>
  cluster.live.keepWatched(
    application,
    agentIdentity,
    namespaces.map((namespace) => ({ kind: configMaps, namespace })),
  );

test('the first list makes objects known and reports no change', async () => {
  await create('first', { a: '1' });
  assert.equal(look('first').state, 'unknown');
  await keepWatched('app', NAMESPACE);
  assert.equal(dataOf(look('first'), 'a'), '1');
  assert.equal(look('never').state, 'unseen');
  assert.deepEqual(changes, []);
});

test('looking at known objects sends no request', async () => {
  const before = cluster.requestCounts();
  for (let pass = 0; pass < 10; pass++) {
    await keepWatched('app', NAMESPACE);
    look('first');
  }
  assert.deepEqual(cluster.requestCounts(), before);
});

test('creations and changes are reported with their owner', async () => {
  await create('second', { a: '1' });
  await untilTrue(() => look('second').state === 'present', 'the new object is seen');
  await plane.request('PUT', path('second'), configMap(NAMESPACE, 'second', { a: '2' }));
  await untilTrue(() => dataOf(look('second'), 'a') === '2', 'the change is seen');
  assert.deepEqual(changes.splice(0), [
    `added ConfigMap ${NAMESPACE}/second hub/default/shop`,
    `modified ConfigMap ${NAMESPACE}/second hub/default/shop`,
  ]);
});

test('a deletion is believed only after a GET has proven it', async () => {
  await create('third');
  await untilTrue(() => look('third').state === 'present', 'it is there');
  const before = cluster.requestCounts().object;
  await plane.request('DELETE', path('third'));
  await untilTrue(() => look('third').state === 'absent', 'it is proven absent');
  assert.equal(cluster.requestCounts().object, before + 1);
  await create('third');
  await untilTrue(() => look('third').state === 'present', 'it is back');
});

test('an object stays known when its label is removed', async () => {
  await create('unlabelled', { a: '1' });
  await untilTrue(() => look('unlabelled').state === 'present', 'it is there');
  changes.splice(0);
  await plane.kubectl(['-n', NAMESPACE, 'label', 'configmap', 'unlabelled', 'applyset.kubernetes.io/part-of-']);
  await untilTrue(() => changes.length > 0, 'the change is told');
  assert.deepEqual(changes.splice(0), [`modified ConfigMap ${NAMESPACE}/unlabelled hub/default/shop`]);
  const entry = look('unlabelled');
  assert.ok(entry.state === 'present');
  assert.equal(stringAt(entry.object.body, 'metadata', 'labels', 'applyset.kubernetes.io/part-of'), undefined);
});

test('answers of own writes are taken in at once; their events report no change, and no older version comes back', async () => {
  await keepWatched('app', NAMESPACE);
  changes.splice(0);
  const client = cluster.as(agentIdentity);
  const names = Array.from({ length: 100 }, (_, n) => `own-${n}`);
  for (const round of ['1', '2']) {
    await Promise.all(
      names.map(async (name) => {
        const body = configMap(NAMESPACE, name, { round });
        written(await client.apply({ kind: configMaps, body, force: true }));
        assert.equal(dataOf(look(name), 'round'), round);
      }),
    );
  }
  await create('marker');
  await untilTrue(() => look('marker').state === 'present', 'all earlier events have arrived');
  assert.deepEqual(changes.splice(0), [`added ConfigMap ${NAMESPACE}/marker hub/default/shop`]);
  assert.ok(names.every((name) => dataOf(look(name), 'round') === '2'));
});

test('values of Secrets are kept as digests only', async () => {
  const secrets = await kindOf(cluster, 'v1', 'Secret');
  const password = Buffer.from('hunter2').toString('base64');
  await plane.request('POST', `/api/v1/namespaces/${NAMESPACE}/secrets`, {
    ...configMap(NAMESPACE, 'sealed', { password }),
    kind: 'Secret',
  });
  await cluster.live.keepWatched('secrets', agentIdentity, [{ kind: secrets, namespace: NAMESPACE }]);
  const id = { group: '', kind: 'Secret', namespace: NAMESPACE, name: 'sealed' };
  const entry = cluster.live.look(agentIdentity, secrets, id);
  assert.ok(entry.state === 'present');
  assert.match(stringAt(entry.object.body, 'data', 'password') ?? '', /^sha256:/);
  assert.ok(!JSON.stringify(entry).includes(password));
  cluster.live.release('secrets');
  assert.equal(cluster.live.look(agentIdentity, secrets, id).state, 'unknown');
});

test('one watch of all namespaces serves several held namespaces', async () => {
  await createNamespace(plane, 'live-2');
  await createNamespace(plane, 'live-3');
  await plane.request('POST', '/api/v1/namespaces/live-2/configmaps', configMap('live-2', 'there', { a: '1' }));
  assert.equal(cluster.watchCount(), 1);
  await keepWatched('other', 'live-2');
  assert.equal(cluster.watchCount(), 1);
  assert.equal(dataOf(look('there', 'live-2'), 'a'), '1');
  assert.equal(dataOf(look('first'), 'a'), '1');
  const before = cluster.requestCounts();
  await keepWatched('third', 'live-3');
  assert.deepEqual(cluster.requestCounts(), before);
  cluster.live.release('third');
  cluster.live.release('other');
  assert.equal(look('first').state, 'present');
});

test('no change is missed when the API server is killed and started again', async () => {
  for (let n = 0; n < 20; n++) await create(`bulk-${n}`, { n: '0' });
  await untilTrue(() => look('bulk-19').state === 'present', 'all are seen');
  changes.splice(0);
  await plane.kill('kube-apiserver', 'SIGKILL');
  await untilTrue(() => restarts.length > 0, 'the watch has noticed');
  await plane.restart('kube-apiserver');
  for (let n = 0; n < 20; n += 2) {
    await plane.request('PUT', path(`bulk-${n}`), configMap(NAMESPACE, `bulk-${n}`, { n: '1' }));
  }
  await plane.request('DELETE', path('bulk-1'));
  await create('bulk-20');
  await untilTrue(() => dataOf(look('bulk-18'), 'n') === '1', 'the last change is seen');
  await untilTrue(() => look('bulk-20').state === 'present', 'the creation is seen');
  await untilTrue(() => look('bulk-1').state !== 'present', 'the deletion is seen');
  for (let n = 2; n < 20; n++) assert.equal(dataOf(look(`bulk-${n}`), 'n'), n % 2 === 0 ? '1' : '0');
  await untilTrue(() => changes.some((change) => change.startsWith('deleted')), 'the deletion is told');
  for (let n = 0; n < 20; n += 2) {
    assert.ok(changes.some((change) => change.startsWith(`modified ConfigMap ${NAMESPACE}/bulk-${n} `)));
  }
});

test('objects of a kind that is not served are unknown, and seen once it is served', async () => {
  const widgets: KindInfo = { ...configMaps, group: 'example.com', kind: 'Widget', plural: 'widgets' };
  await cluster.live.keepWatched('widgets', agentIdentity, [{ kind: widgets, namespace: NAMESPACE }]);
  const id = { group: 'example.com', kind: 'Widget', namespace: NAMESPACE, name: 'w' };
  const entry = cluster.live.look(agentIdentity, widgets, id);
  assert.ok(entry.state === 'unknown');
  assert.match(entry.reason, /does not serve Widget\.example\.com/);
  const widgetDefinition = definition({ group: 'example.com', kind: 'Widget' });
  const crd = await plane.request('POST', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', widgetDefinition);
  assert.equal(crd.code, 201);
  await untilTrue(
    () => cluster.live.look(agentIdentity, widgets, id).state === 'unseen',
    'the kind is watched once it is served',
  );
  await plane.request('DELETE', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/widgets.example.com');
  await untilTrue(
    () => cluster.live.look(agentIdentity, widgets, id).state === 'unknown',
    'the kind is unknown once it is served no more',
  );
  cluster.live.release('widgets');
});

test('a watch that was open while the API server hung is not trusted', async () => {
  const reasons: string[] = [];
  const metrics = { onRequest() {}, onWatchRestart: ({ reason }: { reason: string }) => void reasons.push(reason) };
  const limits = { ...defaultClusterLimits, requestTimeoutMs: 1_000 };
  const impatient = await connect(plane, { metrics, limits });
  try {
    await impatient.live.keepWatched('app', agentIdentity, [{ kind: configMaps, namespace: NAMESPACE }]);
    const client = impatient.as(agentIdentity);
    await plane.kill('kube-apiserver', 'SIGSTOP');
    const answer = await client.get(configMaps, configMapId(NAMESPACE, 'first'));
    assert.ok(!answer.ok && answer.refusal.code === 'Unavailable');
    assert.match(answer.refusal.message, /did not answer in time/);
    await plane.kill('kube-apiserver', 'SIGCONT');
    const isAnswered = async (): Promise<boolean> => (await client.get(configMaps, configMapId(NAMESPACE, 'first'))).ok;
    await untilTrue(isAnswered, 'the API server answers again');
    await untilTrue(() => reasons.includes('suspect'), 'the watch is opened again');
    await create('after-hang');
    const id = configMapId(NAMESPACE, 'after-hang');
    const isSeen = (): boolean => impatient.live.look(agentIdentity, configMaps, id).state === 'present';
    await untilTrue(isSeen, 'what happens afterwards is seen');
  } finally {
    await plane.kill('kube-apiserver', 'SIGCONT');
    await impatient.close();
  }
});

test('objects that no Application holds any more are forgotten', async () => {
  cluster.live.release('app');
  assert.equal(cluster.watchCount(), 0);
  assert.equal(look('first').state, 'unknown');
});

test('the first fields of an event of the API server name the object and its version', async () => {
  await create('head');
  const { stdout } = await plane.kubectl(['get', '--raw', `${path()}?watch=1&timeoutSeconds=1`]);
  const lines = stdout.split('\n').filter((line) => line.includes('"ADDED"'));
  const heads = lines.map((line) => readEventHead(line));
  assert.ok(heads.some((head) => head?.name === 'head' && head.namespace === NAMESPACE));
  assert.ok(heads.every((head) => head !== undefined));
});
