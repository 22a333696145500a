import assert from 'node:assert/strict';
import { test } from 'node:test';
import { agentIdentity, serviceAccountIdentity, type Identity } from '../../../../src/cluster/identity.ts';
import { defaultClusterLimits } from '../../../../src/cluster/limits.ts';
import {
  createLiveStore,
  type LiveStoreOptions,
  type OwnedLiveStore,
} from '../../../../src/cluster/live/live-store.ts';
import { configMaps } from '../sample-kinds.ts';

const FORBIDDEN = {
  kind: 'Status',
  apiVersion: 'v1',
  status: 'Failure',
  reason: 'Forbidden',
  code: 403,
  message: 'no',
};

/** A store whose API server forbids list and watch. */
function storeOf(maxWatches: number): OwnedLiveStore {
  const answer = { status: 403, headers: {}, text: JSON.stringify(FORBIDDEN) };
  return createLiveStore({
    transport: {
      server: 'https://127.0.0.1:1',
      send: () => Promise.resolve(answer),
      openStream: () => Promise.reject(new Error('no answer')),
      onRecovery: () => () => undefined,
    },
    limits: { ...defaultClusterLimits, maxWatches },
    clock: { monotonicMs: () => 0 },
    chance: () => 0,
    log: { debug() {}, info() {}, warn() {}, error() {} },
    metrics: { onRequest() {}, onWatch() {}, onWatchRestart() {} },
    clientOf: () => ({}),
    events: { onChange() {} },
    onKindNotServed() {},
  } as unknown as LiveStoreOptions);
}

function keepWatched(store: OwnedLiveStore, identity: Identity, count: number): Promise<void> {
  const scopes = Array.from({ length: count }, (_, at) => ({ kind: configMaps, namespace: `n${at}` }));
  return store.keepWatched(`${identity.type} ${count}`, identity, scopes);
}

const ID = { group: '', kind: 'ConfigMap', namespace: 'n0', name: 'a' };

test('accounts of one namespace have at most half of the watches, and the rest of their scopes is polled', async () => {
  const store = storeOf(10);
  const [greedy, twin] = [serviceAccountIdentity('greedy', 'a'), serviceAccountIdentity('greedy', 'b')];
  await keepWatched(store, greedy, 20);
  await keepWatched(store, twin, 3);
  assert.equal(store.watchCount(), 5);
  assert.equal(store.look(twin, configMaps, ID).state, 'unseen');
  assert.match(store.pollingReasons('serviceAccount 3')[0] ?? '', /all watches that its account may use are in use/);
  await keepWatched(store, agentIdentity, 4);
  assert.equal(store.watchCount(), 9);
  store.release('serviceAccount 20');
  assert.equal(store.watchCount(), 4);
  await keepWatched(store, twin, 3);
  assert.equal(store.watchCount(), 7);
  assert.doesNotMatch(store.pollingReasons('serviceAccount 3').join(), /in use/);
  store.close();
  assert.equal(store.watchCount(), 0);
});
