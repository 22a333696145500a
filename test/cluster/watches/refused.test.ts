/** Watches that the API server refuses, and the requests beside them. */
import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { agentIdentity } from '../../../src/cluster/identity.ts';
import type { KindInfo } from '../../../src/cluster/kinds.ts';
import { defaultClusterLimits } from '../../../src/cluster/limits.ts';
import type { Fault } from '../../fault/proxy.ts';
import { prepare } from '../../support/use-world.ts';
import { configMapId, connect } from '../edge/edge-cluster.ts';
import { NAMESPACE, useScene } from './scene.ts';
import { kubectl } from '../../support/kubectl.ts';
import { untilTrue } from '../../support/world.ts';

const WATCH = /configmaps\?watch=1/;
const scene = useScene();

prepare(async () => {
  await scene.create('kept');
});

beforeEach(() => {
  scene.proxy.rules.splice(0);
  scene.cluster.live.release('app');
  scene.logged.splice(0);
});

const status = (code: number, reason: string): Fault => ({
  type: 'answer',
  status: code,
  body: { kind: 'Status', apiVersion: 'v1', status: 'Failure', code, reason },
});

const watches = (from: number): number[] =>
  scene.proxy.requests.slice(from).flatMap(({ path, atMs }) => (WATCH.test(path) ? [atMs] : []));

test('a watch that is refused with 429 is retried no sooner than the server asks for', async () => {
  const fault: Fault = { type: 'answer', status: 429, headers: { 'retry-after': '2' } };
  scene.proxy.rules.push({ path: WATCH, times: 1, fault });
  const seen = scene.proxy.requests.length;
  await scene.keepWatched(NAMESPACE);
  await untilTrue(() => scene.look('kept').state === 'present', 'it is watched');
  const [first = 0, second = 0] = watches(seen);
  assert.ok(second - first >= 1_990, `${second - first} ms`);
  assert.deepEqual(scene.logged, []);
});

for (const [name, fault] of [
  ['500', status(500, 'InternalError')],
  ['503', status(503, 'ServiceUnavailable')],
  ['504', status(504, 'Timeout')],
  ['a page of a proxy', { type: 'answer', status: 502, body: '<html>Bad Gateway</html>' }],
  ['a reset', { type: 'reset' }],
  ['an empty answer', { type: 'cut', afterBytes: 0, isClean: true }],
] as const satisfies readonly (readonly [string, Fault])[]) {
  test(`objects are unknown while their watch is refused with ${name}; it is retried without a warning`, async () => {
    scene.proxy.rules.push({ path: WATCH, times: 2, fault });
    await scene.keepWatched(NAMESPACE);
    const entry = scene.look('kept');
    assert.ok(entry.state === 'unknown' && entry.reason !== '', JSON.stringify(entry).slice(0, 200));
    await untilTrue(() => scene.look('kept').state === 'present', 'it is watched');
    assert.deepEqual(scene.logged, []);
  });
}

test('a watch that is refused with 401 is retried at once with a fresh token', async () => {
  scene.proxy.rules.push({ path: WATCH, times: 1, fault: status(401, 'Unauthorized') });
  const seen = scene.proxy.requests.length;
  await scene.keepWatched(NAMESPACE);
  assert.equal(scene.look('kept').state, 'present');
  assert.equal(watches(seen).length, 2);
});

test('after 400 or 422, since the server cannot list within a watch, objects are listed and then watched', async () => {
  for (const code of [400, 422]) {
    scene.cluster.live.release('app');
    scene.proxy.rules.push({ path: /sendInitialEvents/, fault: status(code, 'Invalid') });
    const seen = scene.proxy.requests.length;
    await scene.keepWatched(NAMESPACE);
    assert.equal(scene.look('kept').state, 'present');
    assert.ok(scene.proxy.requests.slice(seen).some(({ path }) => path.includes('limit=250')));
  }
});

test('objects of a kind that is not served are unknown, with the reason', async () => {
  const nobody: KindInfo = { ...scene.configMaps, group: 'example.com', kind: 'Nobody', plural: 'nobodies' };
  await scene.cluster.live.keepWatched('nobody', agentIdentity, [{ kind: nobody, namespace: NAMESPACE }]);
  const entry = scene.cluster.live.look(agentIdentity, nobody, configMapId(NAMESPACE, 'x'));
  assert.ok(entry.state === 'unknown');
  assert.match(entry.reason, /does not serve Nobody\.example\.com/);
  scene.cluster.live.release('nobody');
});

test('a first list that is cut in the middle proves nothing', async () => {
  for (let n = 0; n < 30; n++) await scene.create(`half-${n}`);
  scene.proxy.rules.push({ path: WATCH, times: 1, fault: { type: 'cut', afterBytes: 5_000 } });
  await scene.keepWatched(NAMESPACE);
  assert.equal(scene.look('half-29').state, 'unknown');
  await untilTrue(() => scene.look('half-29').state === 'present', 'the list is complete');
  assert.equal(scene.look('never').state, 'unseen');
});

test('many watches leave connections for requests', async () => {
  const limits = { ...defaultClusterLimits, maxRequests: 4 };
  const narrow = await connect(scene.plane, { limits });
  try {
    const kinds = await narrow.kinds();
    const names = ['ConfigMap', 'Secret', 'Service', 'ServiceAccount', 'Pod', 'Endpoints', 'LimitRange'];
    const scopes = names.flatMap((kind) => {
      const found = kinds.served.get(`v1/${kind}`);
      return found ? [{ kind: found, namespace: NAMESPACE }] : [];
    });
    await narrow.live.keepWatched('app', agentIdentity, scopes);
    assert.equal(narrow.watchCount(), 7);
    const client = narrow.as(agentIdentity);
    const reads = Array.from({ length: 300 }, () => client.get(scene.configMaps, configMapId(NAMESPACE, 'kept')));
    assert.ok((await Promise.all(reads)).every(({ ok }) => ok));
  } finally {
    await narrow.close();
  }
});

test('an object appears when it gets the label, and is reported as modified when the label gets another value', async () => {
  await scene.keepWatched(NAMESPACE);
  const path = `/api/v1/namespaces/${NAMESPACE}/configmaps`;
  await scene.plane.request('POST', path, { metadata: { name: 'bare' }, data: { v: 'x' } });
  await scene.create('fence');
  await untilTrue(() => scene.look('fence').state === 'present', 'events have come');
  assert.equal(scene.look('bare').state, 'unseen');
  scene.changes.splice(0);
  for (const value of ['applyset-a-v1', 'applyset-b-v1']) {
    const label = `applyset.kubernetes.io/part-of=${value}`;
    const args = ['-n', NAMESPACE, 'label', '--overwrite', 'configmap', 'bare', label];
    await kubectl(scene, args);
  }
  await untilTrue(() => scene.changes.length === 2, 'both are told');
  assert.deepEqual(scene.changes, [`added ConfigMap ${NAMESPACE}/bare`, `modified ConfigMap ${NAMESPACE}/bare`]);
});
