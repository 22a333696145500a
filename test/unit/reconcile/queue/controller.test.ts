/** Which events put which Applications on the queue, and what is known of them meanwhile. */
import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { REQUEST_ANNOTATION } from '../../../../src/application/keys.ts';
import type { ApplicationHandlers } from '../../../../src/cluster/ports.ts';
import type { KubeObject, ValueMap } from '../../../../src/object/value.ts';
import { Claims } from '../../../../src/reconcile/neighbours/claims.ts';
import { createController, type Controller } from '../../../../src/reconcile/queue/controller.ts';
import type { SharedContext } from '../../../../src/reconcile/queue/pass-context.ts';
import { storedOf } from '../../../support/applications.ts';
import { idOf, OWNER } from '../../../support/changes.ts';
import { createClock } from '../../../support/clock.ts';
import { recordLog, recordMetrics } from '../../../support/recorders.ts';

const A = idOf('a');

interface Scene {
  readonly controller: Controller;
  readonly claims: Claims;
  /** As the watch of Applications brings them. */
  readonly upsert: (stored: KubeObject, isListed?: boolean) => void;
  readonly remove: (stored: KubeObject) => void;
  /** Names of the Applications whose passes have written a status since the last call. */
  readonly passes: () => Promise<string[]>;
  /** Keys whose watches were released, for objects and for data. */
  readonly released: string[];
}

interface SceneOptions {
  readonly maxApplications?: number;
  /** Awaited by every write of a status. */
  readonly beforeStatus?: () => Promise<void>;
}

const started: Controller[] = [];

// A test that fails must not leave passes behind that are tried again for ever.
afterEach(() => Promise.all(started.splice(0).map((controller) => controller.drain())));

/** Suspended Applications, whose passes write a status and end. An edge that a pass misses fails the test. */
async function start(
  listed: readonly KubeObject[] = [],
  { maxApplications = 10, beforeStatus }: SceneOptions = {},
): Promise<Scene> {
  let handlers: ApplicationHandlers | undefined;
  const begun: string[] = [];
  const released: string[] = [];
  const claims = new Claims();
  const log = recordLog();
  const context = {
    hub: {
      hubId: 'hub',
      data: { release: (key: string) => released.push(`data of ${key}`) },
      applications: {
        watch: (given: ApplicationHandlers) => {
          handlers = given;
          for (const stored of listed) given.onUpsert(stored, true);
          return Promise.resolve();
        },
        putStatus: async (base: KubeObject, status: ValueMap) => {
          begun.push(String(base.metadata['name']));
          await beforeStatus?.();
          return { ok: true, object: { ...base, status } };
        },
      },
    },
    cluster: {
      clusterId: 'cluster',
      definitions: async () => undefined,
      live: { release: (key: string) => released.push(key) },
    },
    ...{ claims, clock: createClock(), chance: () => 0.5, log, metrics: recordMetrics() },
    ...{ settings: {}, notify: () => undefined, onFaultPoint: () => undefined },
  } as unknown as Omit<SharedContext, 'neighbours'>;
  const controller = createController({
    context,
    ...{ concurrency: 2, passesPerSecond: 1_000, minBackoffMs: 1, maxBackoffMs: 1 },
    ...{ maxApplications, maxApplicationsPerNamespace: 10, definitionCheckMs: 1_000_000 },
  });
  started.push(controller);
  await controller.start();
  return {
    ...{ controller, claims, released },
    upsert: (stored, isListed = false) => handlers?.onUpsert(stored, isListed),
    remove: (stored) => handlers?.onDelete(stored),
    async passes() {
      for (let turn = 0; turn < 20; turn++) await setImmediate();
      assert.deepEqual(
        log.lines.filter(({ level }) => level === 'error'),
        [],
      );
      return [...new Set(begun.splice(0))].sort();
    },
  };
}

/** A version of a suspended Application; each version has another message, so that each pass writes a status. */
function version(number: number, metadata: ValueMap = {}, name = 'shop'): KubeObject {
  const status = { inventory: { objects: { ConfigMap: { shop: 'a' } } }, observedGeneration: -number };
  return storedOf({
    name,
    spec: { suspend: true },
    status,
    metadata: { resourceVersion: String(number), ...metadata },
  });
}

test('all listed Applications get a pass, and claim the objects of their stored inventories before', async () => {
  const it = await start([version(1), version(1, {}, 'other')]);
  assert.notEqual(it.claims.ownerOf('cluster', A), undefined);
  assert.deepEqual(await it.passes(), ['other', 'shop']);
  assert.deepEqual(
    it.controller.list().map(({ key }) => key),
    ['apps/shop', 'apps/other'],
  );
  assert.equal(it.controller.get('apps', 'shop')?.parsed.ok, true);
  assert.equal(it.controller.get('apps', 'none'), undefined);
  await it.controller.drain();
});

test('a new spec or request starts a pass; the echo of a status and other metadata do not', async () => {
  const it = await start([version(1)]);
  await it.passes();
  it.upsert(version(2));
  it.upsert(version(3, { labels: { team: 'a' } }));
  assert.deepEqual(await it.passes(), []);
  it.upsert(version(4, { generation: 2 }));
  assert.deepEqual(await it.passes(), ['shop']);
  it.upsert(version(5, { generation: 2, annotations: { [REQUEST_ANNOTATION]: '{"id":"r","action":"refresh"}' } }));
  assert.deepEqual(await it.passes(), ['shop']);
  await it.controller.drain();
});

test('an older version is no news, unless a list brings it, as after a restore of etcd', async () => {
  const it = await start([version(5, { generation: 2 })]);
  await it.passes();
  it.upsert(version(4, { generation: 1 }));
  assert.equal(it.controller.get('apps', 'shop')?.stored.metadata['generation'], 2);
  assert.deepEqual(await it.passes(), []);
  it.upsert(version(4, { generation: 1 }), true);
  assert.deepEqual(await it.passes(), ['shop']);
  assert.equal(it.controller.get('apps', 'shop')?.stored.metadata['generation'], 1);
  await it.controller.drain();
});

test('a change of an object starts a pass of the Application that claims it, else of the one that its mark names', async () => {
  const it = await start([version(1), version(1, {}, 'other')]);
  await it.passes();
  const claimant = it.claims.ownerOf('cluster', A)?.split('/')[1] ?? '';
  it.upsert({ ...version(2, {}, claimant), status: { observedGeneration: 7 } });
  it.controller.onObjectChange({ id: A, owner: undefined, type: 'modified' });
  assert.deepEqual(await it.passes(), [claimant]);
  it.upsert({ ...version(3), status: { observedGeneration: 8 } });
  it.controller.onObjectChange({ id: idOf('b'), owner: OWNER.ownerAnnotation, type: 'modified' });
  assert.deepEqual(await it.passes(), ['shop']);
  it.controller.onObjectChange({ id: idOf('b'), owner: 'another-hub/apps/shop', type: 'modified' });
  it.controller.onObjectChange({ id: idOf('b'), owner: undefined, type: 'modified' });
  assert.deepEqual(await it.passes(), []);
  await it.controller.drain();
});

test('an Application that is gone releases its watches and claims', async () => {
  const it = await start([version(1)]);
  await it.passes();
  it.remove(version(2));
  assert.deepEqual([it.controller.list().length, it.claims.ownerOf('cluster', A)], [0, undefined]);
  assert.ok(it.released.includes('apps/shop'));
  await it.controller.drain();
});

test('an Application that is declared again under its name is another one', async () => {
  const it = await start([version(1)]);
  await it.passes();
  const released = it.released.length;
  it.upsert(version(2, { uid: 'another' }));
  assert.deepEqual(await it.passes(), ['shop']);
  assert.ok(it.released.length > released, 'the watches of the first one are released');
  assert.equal(it.controller.get('apps', 'shop')?.stored.metadata['uid'], 'another');
  await it.controller.drain();
});

test('after the controller was told to forget, every Application still gets its passes', async () => {
  const it = await start([version(1)]);
  await it.passes();
  it.controller.forget();
  it.upsert(version(2, { generation: 2 }));
  assert.deepEqual(await it.passes(), ['shop']);
  assert.equal(it.controller.stats().waiting, 0);
  await it.controller.drain();
});

test('an Application that loses its place is watched no more, also if its pass under way watched after that', async () => {
  const gate = Promise.withResolvers<void>();
  const it = await start([version(1, { creationTimestamp: '2026-01-02T00:00:00Z' })], {
    maxApplications: 1,
    beforeStatus: () => gate.promise,
  });
  const releasedOfShop = (): string[] => it.released.splice(0).filter((one) => one.endsWith('shop'));
  assert.deepEqual(await it.passes(), ['shop']);
  releasedOfShop();
  it.upsert(version(1, { creationTimestamp: '2026-01-01T00:00:00Z' }, 'older'));
  assert.deepEqual(releasedOfShop(), ['apps/shop', 'data of apps/shop']);
  gate.resolve();
  assert.deepEqual(await it.passes(), ['older']);
  assert.deepEqual(releasedOfShop(), ['apps/shop', 'data of apps/shop']);
  it.upsert(version(2, { creationTimestamp: '2026-01-02T00:00:00Z', generation: 2 }));
  assert.deepEqual(await it.passes(), []);
  await it.controller.drain();
});
