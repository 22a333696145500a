/**
 * Kills of the agent and of the API server. The next agent, or the same agent once the API server is back, finishes the
 * work: no object is lost, and none is left behind.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
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
import { builtFile } from '../support/built-program.ts';

const FAULTY_AGENT = builtFile('agent-with-faults.js');
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

/** Asserts that exactly these objects carry our label and are in the inventory, and that the bystander exists. */
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

/** Points that every sync reaches which applies an object. */
const SYNC_POINTS = ['marks-written', 'inventory-written', 'wave-applied'] as const satisfies readonly FaultPoint[];

test('every fault point has a test in this file', () => {
  const tested: readonly FaultPoint[] = [...SYNC_POINTS, 'objects-pruned', 'object-recreating', 'finalizer-removed'];
  assert.deepEqual([...tested].sort(), [...FAULT_POINTS].sort());
});

for (const point of SYNC_POINTS) {
  test(`the next agent finishes a first sync that was killed at ${point}`, async () => {
    const agent = await startFaulty(point);
    const subject = await declareSubject(world, `first-${point}`, { files: files('a', 'b') });
    await world.apply(configMap('bystander', {}, { namespace: subject.namespace }));
    await untilDead(agent);
    const next = await world.agent();
    await assertExact(subject, ['a', 'b']);
    await next.stop();
  });

  test(`the deletion of an Application leaves no object behind after a first sync that was killed at ${point}`, async () => {
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
  test(`the next agent finishes an update with a prune that was killed at ${point}`, async () => {
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

test('the next agent creates an immutable object that was deleted for its recreation just before the kill', async () => {
  const sealedFiles = (value: string): Record<string, string> => {
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
  const subject = await declareSubject(world, 'recreate', { files: sealedFiles('1') });
  await world.apply(configMap('bystander', {}, { namespace: subject.namespace }));
  await subject.application.untilReady();
  const uids = (): Promise<unknown[]> =>
    Promise.all(['a', 'z', 'bystander'].map(async (name) => at(await subject.configMap(name), 'metadata', 'uid')));
  const uidsBefore = await uids();
  await first.stop();
  await subject.repository.commit(sealedFiles('2'));
  await untilDead(await startFaulty('object-recreating'));
  assert.equal(await subject.configMap('sealed'), undefined);
  const next = await world.agent();
  await assertExact(subject, ['a', 'sealed', 'z']);
  assert.equal(at(await subject.configMap('sealed'), 'data', 'value'), '2');
  assert.deepEqual(await uids(), uidsBefore);
  await next.stop();
});

for (const point of ['objects-pruned', 'finalizer-removed'] as const) {
  test(`the next agent finishes a deletion that was killed at ${point}`, async () => {
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

test('an object is applied only after the inventory lists it, even when another write interrupts the first pass', async () => {
  const labelWrites: Promise<unknown>[] = [];
  const pathOf = (name: string): string => `/apis/tautline.dev/v1alpha1/namespaces/apps/applications/${name}`;
  const stored: string[][] = [];
  const agent = await startAgentInProcess(world.plane.kubeconfig, {
    onFaultPoint: async (point) => {
      if (point === 'marks-written' && labelWrites.length === 0) {
        const labelWrite = world.plane.kubectl([
          'label',
          'tla',
          'raced',
          '-n',
          'apps',
          '--overwrite',
          `touched=${Date.now()}`,
        ]);
        labelWrites.push(labelWrite);
        await labelWrite;
      }
      if (point === 'inventory-written') stored.push(inventoryOf(await world.read(pathOf('raced'))));
    },
  });
  try {
    const subject = await declareSubject(world, 'raced', {
      files: { 'one/all.yaml': text(configMap('a', {})), 'two/all.yaml': text(configMap('b', {}), configMap('a', {})) },
      spec: { sync: { prune: false } },
    });
    // The revision stays the same, so only the change of the inventory makes the agent write the status first.
    await subject.application.patch({ source: { path: 'one' } });
    await subject.application.until(
      'one',
      (a) => inventoryOf(a).length === 1 && at(a, 'status', 'sync', 'status') === 'Synced',
    );
    stored.length = 0;
    labelWrites.length = 0;
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

const MANY_NAMES = Array.from({ length: 200 }, (_, index) => `m${String(index).padStart(3, '0')}`);

test('after a kill in the middle of 200 objects the next agent creates the rest and does not write the others again', async () => {
  const agent = await world.agent({ flags: ['--apply-concurrency', '2'] });
  const subject = await declareSubject(world, 'many', { files: files(...MANY_NAMES) });
  await world.apply(configMap('bystander', {}, { namespace: 'many' }));
  await untilOwned('many', 20);
  await agent.kill();
  const made = await ownedConfigMaps('many');
  assert.ok(made.length < MANY_NAMES.length, 'the agent finished before the test killed it');
  const versionsBefore = await Promise.all(made.map(async (name) => resourceVersion(await subject.configMap(name))));
  const next = await world.agent();
  await assertExact(subject, MANY_NAMES);
  const versionsAfter = await Promise.all(made.map(async (name) => resourceVersion(await subject.configMap(name))));
  assert.deepEqual(versionsAfter, versionsBefore);
  await next.stop();
});

test('the agent waits for an API server that was killed in the middle of a sync, and finishes the sync', async () => {
  const agent = await world.agent({ flags: ['--apply-concurrency', '2'] });
  const subject = await declareSubject(world, 'server', { files: files(...MANY_NAMES) });
  await world.apply(configMap('bystander', {}, { namespace: 'server' }));
  await untilOwned('server', 20);
  await world.plane.kill('kube-apiserver', 'SIGKILL');
  await world.plane.restart('kube-apiserver');
  await assertExact(subject, MANY_NAMES);
  // The same agent repairs drift, so its watches are open again.
  await world.send('DELETE', configMapPath('server', 'm007'));
  const recreated = await eventually(async () => subject.configMap('m007'));
  assert.ok(recreated);
  assert.equal(agent.process.exitCode, null);
  await agent.stop();
});

async function untilOwned(namespace: string, least: number): Promise<void> {
  const found = await eventually(async () => ((await ownedConfigMaps(namespace)).length >= least ? true : undefined));
  assert.ok(found);
}
