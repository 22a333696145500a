/** Signals that arrive while a dry run is under way: the dry run neither loses nor undoes them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseApplication } from '../../../src/application/parse.ts';
import type { KubeObject } from '../../../src/object/value.ts';
import type { ReconcileContext } from '../../../src/reconcile/context.ts';
import type { ApplicationRecord } from '../../../src/reconcile/memory.ts';
import type { Registry } from '../../../src/reconcile/neighbours/neighbours.ts';
import { Claims } from '../../../src/reconcile/neighbours/claims.ts';
import { reconcile } from '../../../src/reconcile/reconcile.ts';
import {
  createNeighbourhood,
  REPOSITORY,
  snapshotOf,
  sourceOf,
  type StoredOptions,
} from '../../support/applications.ts';
import { createClock } from '../../support/clock.ts';
import { manifestsOf } from '../../support/reading.ts';
import { recordLog, recordMetrics } from '../../support/recorders.ts';

const NOW_MS = 1_000;
const SNAPSHOT = snapshotOf('a');
const STORED: StoredOptions = {
  name: 'b',
  metadata: {
    annotations: { 'tautline.dev/request': JSON.stringify({ id: 'r1', action: 'sync', dryRun: true }) },
  },
  spec: { source: { revision: 'main', interval: '5m' } },
  status: { observedGeneration: 1, lastRequest: { id: 'r1', action: 'sync', outcome: 'InProgress' } },
};

interface Scene {
  readonly record: ApplicationRecord;
  readonly registry: Registry;
  /** Runs the dry run; `meanwhile` is called once while it is under way. */
  readonly dryRun: (meanwhile: () => void) => Promise<void>;
}

/** An Application that has rendered its snapshot already, on a cluster that serves no kinds. */
function scene(): Scene {
  const clock = createClock(NOW_MS);
  const { add, registry } = createNeighbourhood(clock);
  const record = add(STORED);
  Object.assign(record.memory.desired, {
    source: sourceOf({ key: `${REPOSITORY} main `, snapshot: SNAPSHOT, nextPollMs: 300_000 }),
    rendered: { key: `${SNAPSHOT.tree.treeOid}:`, manifests: manifestsOf([]) },
  });
  const nothing = (): undefined => undefined;
  let call: (() => void) | undefined;
  const kinds = async () => {
    call?.();
    call = undefined;
    return { served: new Map(), stale: new Set(), preferred: new Map() };
  };
  const putStatus = async (stored: KubeObject, status: KubeObject['metadata']) => ({
    ok: true,
    object: { ...stored, status, metadata: { ...stored.metadata, resourceVersion: '6' } },
  });
  const context = {
    hub: { hubId: 'hub', kinds, as: () => ({}), applications: { putStatus } },
    cluster: {
      clusterId: 'cluster',
      kinds,
      as: () => ({}),
      live: {
        keepWatched: async () => undefined,
        release: nothing,
        look: () => ({ state: 'unseen' }),
        record: nothing,
      },
    },
    render: {},
    source: {
      poll: async () => SNAPSHOT,
      fetch: async () => SNAPSHOT,
      find: async () => SNAPSHOT,
      recall: nothing,
      discard: nothing,
    },
    claims: new Claims(),
    neighbours: registry.neighbours,
    log: recordLog(),
    metrics: recordMetrics(),
    clock,
    chance: () => 0.5,
    settings: {
      applyConcurrency: 1,
      maxReadBytes: 1_000_000,
      pruneGuard: { maxShare: 1, maxObjects: 1 },
      pollJitter: 0,
    },
    notify: nothing,
    onFaultPoint: nothing,
  } as unknown as ReconcileContext;
  return {
    record,
    registry,
    async dryRun(meanwhile) {
      call = meanwhile;
      await reconcile(record, parseApplication(record.stored), context, new AbortController().signal);
      assert.equal(call, undefined, 'the dry run did not get as far as discovery');
    },
  };
}

test('a poll that a neighbour asks for during a dry run is still due after it', async () => {
  const { record, registry, dryRun } = scene();
  await dryRun(() => registry.neighbours.askToPoll('apps/b'));
  const { source } = record.memory.desired;
  assert.ok(source);
  assert.ok(record.signals.pollsAsked > source.pollsAsked, 'the next pass polls');
});

test('a webhook that arrives during a dry run is still pending after it', async () => {
  const { record, registry, dryRun } = scene();
  await dryRun(() => registry.neighbours.hearPush('apps/b'));
  assert.equal(record.signals.hookHeardMs, NOW_MS);
  assert.equal(record.memory.desired.source?.pace.heardMs, undefined);
});

test('a memory that is to be dropped since a list went back in time is not restored by a dry run', async () => {
  const { record, registry, dryRun } = scene();
  await dryRun(() => (record.signals.isForgetAsked = true));
  assert.equal(record.signals.isForgetAsked, true);
  registry.forget(record);
  assert.equal(record.memory.desired.rendered, undefined);
});

test('a dry run leaves the memory as it was', async () => {
  const { record, dryRun } = scene();
  const before = structuredClone(record.memory);
  await dryRun(() => undefined);
  assert.deepEqual(record.memory, { ...before, run: { ...before.run, account: 'agent' } });
});
