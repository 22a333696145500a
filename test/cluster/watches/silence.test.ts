/** Watches that receive nothing: a dropped connection, a server that hangs, a quiet cluster. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { agentIdentity } from '../../../src/cluster/identity.ts';
import { prepare } from '../../support/use-world.ts';
import { configMapId } from '../edge/edge-cluster.ts';
import { NAMESPACE, useScene } from './scene.ts';
import { untilTrue } from '../../support/world.ts';

const WATCH = /configmaps\?watch=1/;
const scene = useScene({
  limits: { watchSilenceMs: 3_000, requestTimeoutMs: 1_500, watchOpenTimeoutMs: 1_500, watchStaleMs: 2_000 },
});

prepare(async () => {
  await scene.create('kept');
  await scene.keepWatched(NAMESPACE);
});

test('a watch whose connection the network dropped is opened again after a while, and reports what it missed', async () => {
  scene.restarts.splice(0);
  assert.equal(scene.proxy.stallOpen(WATCH), 1);
  await scene.create('missed');
  await scene.change('kept', '1');
  await untilTrue(() => scene.look('missed').state === 'present', 'the creation is seen');
  await untilTrue(() => scene.valueOf('kept') === '1', 'the change is seen');
  assert.deepEqual(scene.restarts, ['silent']);
});

test('before a silent watch lists again it asks for the revision of the server, which reveals a history that went back', async () => {
  const seen = scene.proxy.requests.length;
  scene.proxy.stallOpen(WATCH);
  await untilTrue(
    () => scene.proxy.requests.slice(seen).some(({ path, status }) => WATCH.test(path) && status === 200),
    'the watch is opened again',
  );
  const [check, watch] = scene.proxy.requests.slice(seen);
  assert.match(check?.path ?? '', /limit=1$/);
  assert.match(watch?.path ?? '', /watch=1.*sendInitialEvents=true/);
});

test('objects become unknown while the API server hangs, and known again once it answers', async () => {
  scene.changes.splice(0);
  await scene.plane.kill('kube-apiserver', 'SIGSTOP');
  try {
    const stoppedMs = performance.now();
    await untilTrue(() => scene.look('kept').state === 'unknown', 'it is unknown');
    const entry = scene.look('kept');
    assert.ok(entry.state === 'unknown' && entry.reason.includes(scene.proxy.url), JSON.stringify(entry));
    assert.ok(performance.now() - stoppedMs >= 3_000);
  } finally {
    await scene.plane.kill('kube-apiserver', 'SIGCONT');
  }
  await untilTrue(() => scene.look('kept').state === 'present', 'it is known again');
  await scene.change('kept', '2');
  await untilTrue(() => scene.valueOf('kept') === '2', 'what happens afterwards is seen');
  assert.deepEqual(scene.changes, [`modified ConfigMap ${NAMESPACE}/kept`]);
  assert.deepEqual(
    scene.logged.filter((line) => line.includes('recovered')),
    ['info watch recovered'],
  );
});

test('a watch is opened again as soon as another request has timed out', async () => {
  scene.restarts.splice(0);
  scene.proxy.rules.push({ path: /configmaps\/kept$/, nth: 1, fault: { type: 'silence' } });
  const client = scene.cluster.as(agentIdentity);
  const read = await client.get(scene.configMaps, configMapId(NAMESPACE, 'kept'));
  assert.ok(!read.ok && read.refusal.code === 'Unavailable');
  assert.ok((await client.get(scene.configMaps, configMapId(NAMESPACE, 'kept'))).ok);
  await untilTrue(() => scene.restarts.length > 0, 'the watch is opened again');
  assert.equal(scene.restarts[0], 'suspect');
});

test('a silent watch in a quiet cluster sends few requests, with or without bookmarks', async () => {
  await sleep(1_000);
  const seen = scene.proxy.requests.length;
  await sleep(7_000);
  const asked = scene.proxy.requests.slice(seen).length;
  assert.ok(asked <= 8, `${asked} requests in seven seconds of silence bounded at three`);
  assert.equal(scene.valueOf('kept'), '2');
});
