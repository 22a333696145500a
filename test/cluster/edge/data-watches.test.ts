/** The watches of single ConfigMaps and Secrets that renders depend on, on a real API server. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { agentIdentity, serviceAccountIdentity } from '../../../src/cluster/identity.ts';
import type { DataRef } from '../../../src/cluster/ports.ts';
import { configMap } from '../../support/objects.ts';
import { untilTrue } from '../../support/world.ts';
import { useCluster } from './edge-cluster.ts';

const changes: string[] = [];
const { plane, cluster } = useCluster({
  events: { onChange() {}, onDataChange: (application) => void changes.push(application) },
});

const CONFIG_MAPS = '/api/v1/namespaces/default/configmaps';
const ref: DataRef = { kind: 'ConfigMap', namespace: 'default', name: 'settings' };

const watchCount = (): number => cluster.requestCounts().watch;

async function put(name: string, value: string): Promise<void> {
  const body = configMap(name, { value });
  const answer = await plane.request('POST', CONFIG_MAPS, body);
  if (answer.code === 409) assert.equal((await plane.request('PUT', `${CONFIG_MAPS}/${name}`, body)).code, 200);
}

test('each Application hears of the objects that it depends on, and of no others', async () => {
  await put('settings', '1');
  cluster.data.keep('apps/shop', agentIdentity, [ref]);
  await untilTrue(() => cluster.data.isWatched(agentIdentity, ref), 'the watch opens');
  cluster.data.keep('apps/blog', agentIdentity, [{ ...ref, name: 'other' }]);
  await untilTrue(() => changes.includes('apps/blog'), 'an absent object is watched');
  changes.length = 0;
  await put('settings', '2');
  await untilTrue(() => changes.length > 0, 'the change arrives');
  await plane.request('DELETE', `${CONFIG_MAPS}/settings`);
  await untilTrue(() => changes.length > 1, 'the deletion arrives');
  assert.deepEqual(changes, ['apps/shop', 'apps/shop']);
});

test('a watch is shared, sends nothing while nothing is new, and ends with its last Application', async () => {
  const before = watchCount();
  cluster.data.keep('apps/shop', agentIdentity, [ref]);
  cluster.data.keep('apps/third', agentIdentity, [ref]);
  assert.equal(watchCount(), before);
  cluster.data.release('apps/shop');
  assert.ok(cluster.data.isWatched(agentIdentity, ref));
  cluster.data.keep('apps/third', agentIdentity, []);
  assert.ok(!cluster.data.isWatched(agentIdentity, ref));
});

test('an account that may not watch is refused once, and its object counts as unwatched', async () => {
  const account = serviceAccountIdentity('default', 'nobody-at-all');
  const before = watchCount();
  cluster.data.keep('apps/poor', account, [ref]);
  await untilTrue(() => watchCount() > before, 'the watch is tried');
  const tried = watchCount();
  cluster.data.keep('apps/poor', account, [ref]);
  assert.ok(!cluster.data.isWatched(account, ref));
  assert.equal(watchCount(), tried);
  cluster.data.release('apps/poor');
});
