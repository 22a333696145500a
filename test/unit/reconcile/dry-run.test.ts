/** Signals that arrive while a dry run is under way: the dry run neither loses nor undoes them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseApplication } from '../../../src/application/parse.ts';
import type { KubeObject } from '../../../src/object/value.ts';
import type { ReconcileContext } from '../../../src/reconcile/context.ts';
import { createRecord, type ApplicationRecord } from '../../../src/reconcile/memory.ts';
import { createRegistry, type Registry } from '../../../src/reconcile/neighbours/neighbours.ts';
import { Claims } from '../../../src/reconcile/neighbours/claims.ts';
import { reconcile } from '../../../src/reconcile/reconcile.ts';
import { START_PACE } from '../../../src/source/poll-pace.ts';

const NOW_MS = 1_000;
const SNAPSHOT = {
  repoUrl: 'https://git.example.com/shop.git',
  revision: `main@sha1:${'a'.repeat(40)}`,
  commit: 'a'.repeat(40),
  id: 'repository/aaa',
  tree: { gitDir: '/nowhere', treeOid: 'b'.repeat(40) },
};
const STORED: KubeObject = {
  apiVersion: 'tautline.dev/v1alpha1',
  kind: 'Application',
  metadata: {
    name: 'b',
    namespace: 'apps',
    uid: 'u',
    resourceVersion: '5',
    generation: 1,
    annotations: { 'tautline.dev/request': JSON.stringify({ id: 'r1', action: 'sync', dryRun: true }) },
  },
  spec: { source: { repoURL: SNAPSHOT.repoUrl, revision: 'main', interval: '5m' } },
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
  const clock = { now: () => NOW_MS, monotonicMs: () => NOW_MS };
  const registry = createRegistry({ clock, wake: () => undefined });
  const record = createRecord('apps/b', STORED);
  registry.note(record);
  const manifests = { manifests: [], problems: [], warnings: [], needs: [], readSet: {} };
  Object.assign(record.memory.desired, {
    source: {
      key: `${SNAPSHOT.repoUrl} main `,
      snapshot: SNAPSHOT,
      pollsAsked: 0,
      polledMs: 0,
      nextPollMs: 300_000,
      pace: START_PACE,
      failures: 0,
      error: undefined,
    },
    rendered: { key: `${SNAPSHOT.tree.treeOid}:`, manifests },
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
      live: { hold: async () => undefined, release: nothing, look: () => ({ state: 'unseen' }), record: nothing },
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
    log: { debug: nothing, info: nothing, warn: nothing, error: nothing },
    metrics: { onStage: nothing, onGitRequest: nothing },
    clock,
    chance: () => 0.5,
    settings: { applyConcurrency: 1, pruneGuard: { maxShare: 1, maxObjects: 1 }, pollJitter: 0 },
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
