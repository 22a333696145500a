/** Watches and lists whose revision etcd has compacted. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { prepare } from '../../support/use-world.ts';
import { NAMESPACE, useScene } from './scene.ts';
import { untilTrue } from '../../support/world.ts';

/** Turns off the API server's cache of ConfigMaps, so that its history is that of etcd, which a test can compact. */
const apiServerArgs = ['--watch-cache-sizes=configmaps#0'];
const WATCH = /configmaps\?watch=1/;
const scene = useScene({ apiServerArgs, limits: { listPageSize: 5, watchTimeoutSeconds: 2 } });

prepare(async () => {
  for (let n = 0; n < 12; n++) await scene.create(`map-${n}`);
  await scene.keepWatched(NAMESPACE);
});

/** Runs while the watch has ended in its time and is refused with 429, so that its revision is not doubted. */
async function whileRefused(run: () => Promise<void>): Promise<void> {
  const fault = { type: 'answer', status: 429, headers: { 'retry-after': '1' } } as const;
  const seen = scene.proxy.requests.length;
  scene.proxy.rules.push({ path: WATCH, fault });
  await untilTrue(
    () => scene.proxy.requests.slice(seen).some((asked) => asked.fault === fault),
    'the watch is refused',
  );
  await run();
  scene.proxy.rules.splice(0);
}

test('a watch whose revision etcd has compacted is told by an event with HTTP status 200, lists again, and reports what it missed', async () => {
  scene.changes.splice(0);
  scene.restarts.splice(0);
  const seen = scene.proxy.requests.length;
  await whileRefused(async () => {
    await scene.change('map-1', '1');
    await scene.remove('map-2');
    await scene.remove('map-3');
    await scene.create('map-3', 'again');
    await scene.create('map-12');
    await scene.compact();
  });
  await untilTrue(() => scene.changes.length >= 4, 'all changes are told');
  assert.deepEqual(
    scene.changes.splice(0).sort(),
    ['added', 'deleted', 'modified', 'modified'].map(
      (type, n) => `${type} ConfigMap ${NAMESPACE}/${['map-12', 'map-2', 'map-1', 'map-3'][n]}`,
    ),
  );
  assert.ok(scene.restarts.includes('expired'));
  const codes = scene.proxy.requests.slice(seen).map(({ status }) => status);
  assert.ok(!codes.includes(410), 'never as a status of HTTP');
  assert.equal(scene.valueOf('map-1'), '1');
  assert.equal(scene.valueOf('map-3'), 'again');
  // Absence from a list proves nothing: its owner reads it by name.
  assert.equal(scene.look('map-2').state, 'unseen');
});

test('a watch that has listed again after a compaction reports further changes', async () => {
  await scene.change('map-4', '2');
  await untilTrue(() => scene.valueOf('map-4') === '2', 'a change is seen');
  await scene.remove('map-5');
  await untilTrue(() => scene.look('map-5').state === 'absent', 'a deletion is seen and proven');
});

test('a list in pages whose token has expired starts over, and never uses the token that the server offers instead', async () => {
  const rules = scene.proxy.rules;
  const body = {
    kind: 'Status',
    apiVersion: 'v1',
    status: 'Failure',
    reason: 'Expired',
    code: 410,
    metadata: { continue: 'mixes-two-states' },
  };
  rules.push({ path: /configmaps\?.*continue=/, nth: 1, fault: { type: 'answer', status: 410, body } });
  rules.push({ path: /configmaps\?watch=1.*sendInitialEvents/, fault: { type: 'answer', status: 422 } });
  const seen = scene.proxy.requests.length;
  scene.cluster.live.release('app');
  await scene.keepWatched(NAMESPACE);
  rules.splice(0);
  const listed = scene.proxy.requests.slice(seen).filter(({ path }) => path.includes('limit=5'));
  assert.ok(listed.length >= 5, `${listed.length} pages`);
  assert.equal(listed.filter(({ path }) => !path.includes('continue=')).length, 2);
  assert.ok(listed.every(({ path }) => !path.includes('mixes-two-states') && !path.includes('resourceVersion')));
  assert.ok(listed.every(({ headers }) => headers['accept-encoding'] === 'gzip'));
  for (const name of ['map-0', 'map-3', 'map-11', 'map-12']) assert.equal(scene.look(name).state, 'present');
});

test('a list in pages is complete when etcd is compacted between two pages', async () => {
  const rules = scene.proxy.rules;
  rules.push({ path: /configmaps\?watch=1.*sendInitialEvents/, fault: { type: 'answer', status: 422 } });
  rules.push({ path: /configmaps\?.*continue=/, nth: 1, fault: { type: 'delay', delayMs: 500 } });
  scene.cluster.live.release('app');
  const seen = scene.proxy.requests.length;
  const listed = scene.keepWatched(NAMESPACE);
  await untilTrue(
    () => scene.proxy.requests.slice(seen).some(({ path }) => path.includes('continue=')),
    'a second page is asked for',
  );
  await scene.create('map-13');
  await scene.compact();
  await listed;
  rules.splice(0);
  assert.ok(scene.proxy.requests.slice(seen).some(({ status }) => status === 410));
  for (const name of ['map-0', 'map-11', 'map-13']) assert.equal(scene.look(name).state, 'present');
});
