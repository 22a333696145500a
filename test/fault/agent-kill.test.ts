/**
 * The agent, or the API server, killed at any moment: what was begun is finished, and nothing is lost or left behind.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { FAULT_POINTS, type FaultPoint } from '../../src/reconcile/context.ts';
import { startAgentInProcess } from '../support/agent-in-process.ts';
import { useWorld } from '../support/use-world.ts';
import { eventually } from '../support/world.ts';
import type { RunningAgent } from '../support/agent.ts';
import { configMap, text } from '../support/objects.ts';
import {
  at,
  configMapPath,
  declareSubject,
  inventoryOf,
  resourceVersion,
  untilGone,
  type Subject,
} from '../support/scene.ts';

const FAULTY_AGENT = fileURLToPath(new URL('../support/agent-with-faults.ts', import.meta.url));
const PART_OF = 'applyset.kubernetes.io/part-of';

const { world } = useWorld();

function startFaulty(point: FaultPoint, count = 1): Promise<RunningAgent> {
  return world.agent({ entry: FAULTY_AGENT, flags: ['--kill-at', point, '--kill-at-count', String(count)] });
}

async function untilDead({ process }: RunningAgent): Promise<void> {
  if (process.exitCode === null && process.signalCode === null) await once(process, 'exit');
  assert.equal(process.signalCode, 'SIGKILL');
}

/** Names of the ConfigMaps of a namespace that carry our label. */
async function ownedConfigMaps(namespace: string): Promise<string[]> {
  const list = await world.read(
    `/api/v1/namespaces/${namespace}/configmaps?labelSelector=${encodeURIComponent(PART_OF)}`,
  );
  return (at(list, 'items') as unknown[]).map((item) => String(at(item, 'metadata', 'name'))).sort();
}

/** Exactly these objects, this inventory, and the bystander untouched. */
async function assertExact(subject: Subject, names: readonly string[]): Promise<void> {
  const ready = await subject.application.untilReady(await subject.repository.resolve('main'));
  assert.deepEqual(await ownedConfigMaps(subject.namespace), names);
  assert.deepEqual(
    inventoryOf(ready),
    names.map((name) => `ConfigMap ${subject.namespace}/${name}`),
  );
  assert.ok(await subject.configMap('bystander'));
}

const files = (...names: string[]) => ({ 'all.yaml': text(...names.map((name) => configMap(name, { of: name }))) });

/** Reached by every sync that applies something. */
const SYNC_POINTS = ['marks-written', 'inventory-written', 'wave-applied'] as const satisfies readonly FaultPoint[];

test('every fault point has a test here', () => {
  const tested: readonly FaultPoint[] = [...SYNC_POINTS, 'objects-pruned', 'object-recreating', 'finalizer-removed'];
  assert.deepEqual([...tested].sort(), [...FAULT_POINTS].sort());
});

for (const point of SYNC_POINTS) {
  test(`killed at ${point} during the first sync, the next agent finishes it`, async () => {
    const agent = await startFaulty(point);
    const subject = await declareSubject(world, `first-${point}`, { files: files('a', 'b') });
    await world.apply(configMap('bystander', {}, { namespace: subject.namespace }));
    await untilDead(agent);
    const next = await world.agent();
    await assertExact(subject, ['a', 'b']);
    await next.stop();
  });

  test(`killed at ${point} during a first sync that is never repeated, deletion leaves no orphan`, async () => {
    const agent = await startFaulty(point);
    const subject = await declareSubject(world, `gone-${point}`, { files: files('a', 'b') });
    await untilDead(agent);
    await subject.application.remove();
    const next = await world.agent();
    await untilGone(world, subject.application.path);
    assert.deepEqual(await ownedConfigMaps(subject.namespace), []);
    await next.stop();
  });
}

for (const point of [...SYNC_POINTS, 'objects-pruned'] as const) {
  test(`killed at ${point} during an update with a prune, the next agent finishes it`, async () => {
    const first = await world.agent();
    const subject = await declareSubject(world, `update-${point}`, { files: files('a', 'b') });
    await world.apply(configMap('bystander', {}, { namespace: subject.namespace }));
    await subject.application.untilReady();
    await first.stop();
    await subject.repository.commit(files('b', 'c'));
    await untilDead(await startFaulty(point));
    const next = await world.agent();
    await assertExact(subject, ['b', 'c']);
    await next.stop();
  });
}

test('killed between the deletion and the creation of what cannot be changed in place, the next agent creates it', async () => {
  const sealed = (value: string): Record<string, string> => {
    const metadata = { annotations: { 'argocd.argoproj.io/sync-options': 'Force=true' } };
    return {
      'all.yaml': text(
        configMap('a', { of: 'a' }),
        { ...configMap('sealed', { value }, metadata), immutable: true },
        configMap('z', { of: 'z' }),
      ),
    };
  };
  const first = await world.agent();
  const subject = await declareSubject(world, 'recreate', { files: sealed('1') });
  await world.apply(configMap('bystander', {}, { namespace: subject.namespace }));
  await subject.application.untilReady();
  const uids = (): Promise<unknown[]> =>
    Promise.all(['a', 'z', 'bystander'].map(async (name) => at(await subject.configMap(name), 'metadata', 'uid')));
  const before = await uids();
  await first.stop();
  await subject.repository.commit(sealed('2'));
  await untilDead(await startFaulty('object-recreating'));
  assert.equal(await subject.configMap('sealed'), undefined);
  const next = await world.agent();
  await assertExact(subject, ['a', 'sealed', 'z']);
  assert.equal(at(await subject.configMap('sealed'), 'data', 'value'), '2');
  assert.deepEqual(await uids(), before);
  await next.stop();
});

for (const point of ['objects-pruned', 'finalizer-removed'] as const) {
  test(`killed at ${point} during a deletion, the next agent finishes it`, async () => {
    const first = await world.agent();
    const subject = await declareSubject(world, `delete-${point}`, { files: files('a', 'b') });
    await world.apply(configMap('bystander', {}, { namespace: subject.namespace }));
    await subject.application.untilReady();
    await first.stop();
    await subject.application.remove();
    await untilDead(await startFaulty(point));
    const next = await world.agent();
    await untilGone(world, subject.application.path);
    assert.deepEqual(await ownedConfigMaps(subject.namespace), []);
    assert.ok(await subject.configMap('bystander'));
    await next.stop();
  });
}

test('what another writer cuts short before the inventory is stored is not applied until it is', async () => {
  const touches: Promise<unknown>[] = [];
  const pathOf = (name: string): string => `/apis/tautline.dev/v1alpha1/namespaces/apps/applications/${name}`;
  const stored: string[][] = [];
  const agent = await startAgentInProcess(world.plane.kubeconfig, {
    reach: async (point) => {
      if (point === 'marks-written' && touches.length === 0) {
        const touch = world.plane.kubectl([
          'label',
          'tla',
          'raced',
          '-n',
          'apps',
          '--overwrite',
          `touched=${Date.now()}`,
        ]);
        touches.push(touch);
        await touch;
      }
      if (point === 'inventory-written') stored.push(inventoryOf(await world.read(pathOf('raced'))));
    },
  });
  try {
    const subject = await declareSubject(world, 'raced', {
      files: { 'one/all.yaml': text(configMap('a', {})), 'two/all.yaml': text(configMap('b', {}), configMap('a', {})) },
      spec: { sync: { prune: false } },
    });
    // Without a new revision nothing but the inventory itself calls for that write.
    await subject.application.patch({ source: { path: 'one' } });
    await subject.application.until(
      'one',
      (a) => inventoryOf(a).length === 1 && at(a, 'status', 'sync', 'status') === 'Synced',
    );
    stored.length = 0;
    touches.length = 0;
    await subject.application.patch({ source: { path: 'two' } });
    await subject.application.until(
      'two',
      (a) => inventoryOf(a).length === 2 && at(a, 'status', 'sync', 'status') === 'Synced',
    );
    assert.deepEqual(stored[0], ['ConfigMap raced/a', 'ConfigMap raced/b']);
  } finally {
    await agent.stop();
  }
});

const MANY = Array.from({ length: 200 }, (_, index) => `m${String(index).padStart(3, '0')}`);

test('killed in the middle of two hundred objects, the next agent makes the rest and touches no finished one', async () => {
  const agent = await world.agent({ flags: ['--apply-concurrency', '2'] });
  const subject = await declareSubject(world, 'many', { files: files(...MANY) });
  await world.apply(configMap('bystander', {}, { namespace: 'many' }));
  await untilSome('many', 20);
  await agent.kill();
  const made = await ownedConfigMaps('many');
  assert.ok(made.length < MANY.length, 'the agent was quicker than the test');
  const versions = await Promise.all(made.map(async (name) => resourceVersion(await subject.configMap(name))));
  const next = await world.agent();
  await assertExact(subject, MANY);
  const again = await Promise.all(made.map(async (name) => resourceVersion(await subject.configMap(name))));
  assert.deepEqual(again, versions);
  await next.stop();
});

test('the API server killed in the middle of a sync is waited for, and the sync finished', async () => {
  const agent = await world.agent({ flags: ['--apply-concurrency', '2'] });
  const subject = await declareSubject(world, 'server', { files: files(...MANY) });
  await world.apply(configMap('bystander', {}, { namespace: 'server' }));
  await untilSome('server', 20);
  await world.plane.kill('kube-apiserver', 'SIGKILL');
  await world.plane.restart('kube-apiserver');
  await assertExact(subject, MANY);
  // Drift is seen again by the same agent: the watches came back.
  await world.send('DELETE', configMapPath('server', 'm007'));
  const back = await eventually(async () => subject.configMap('m007'));
  assert.ok(back);
  assert.equal(agent.process.exitCode, null);
  await agent.stop();
});

async function untilSome(namespace: string, least: number): Promise<void> {
  const found = await eventually(async () => ((await ownedConfigMaps(namespace)).length >= least ? true : undefined));
  assert.ok(found);
}
