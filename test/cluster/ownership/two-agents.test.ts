/** Two agents that manage the same Applications by mistake: they come to rest, and nothing is deleted twice. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { prepare, useWorld } from '../../support/use-world.ts';
import type { RunningAgent } from '../../support/agent.ts';
import { configMap, text } from '../../support/objects.ts';
import {
  at,
  configMapPath,
  declareSubject,
  inventoryOf,
  makeNamespace,
  OWNER,
  requestsByVerb,
  resourceVersion,
  syncOf,
  untilGone,
  untilObject,
  type Subject,
} from '../../support/scene.ts';

const { world } = useWorld();
let agents: RunningAgent[];
prepare(async () => {
  agents = [await world.agent(), await world.agent()];
});

/** Waits until neither Application nor object has changed for two seconds; resolves to their versions. */
async function untilQuiet({ application, namespace }: Subject, name: string): Promise<string[]> {
  for (let last = ''; ;) {
    const versions = [
      resourceVersion(await application.read()),
      resourceVersion(await world.read(configMapPath(namespace, name))),
    ];
    if (versions.join() === last) return versions;
    last = versions.join();
    await sleep(2_000);
  }
}

test('two agents come to rest after a first sync, a commit, a heal and a prune', async () => {
  const subject = await declareSubject(world, 'shared', {
    files: { 'a.yaml': text(configMap('a', { k: '1' })), 'b.yaml': text(configMap('b', { k: '1' })) },
    spec: {},
  });
  await subject.application.untilReady();
  const uid = at(await subject.configMap('a'), 'metadata', 'uid');
  const first = await subject.repository.commit({ 'a.yaml': text(configMap('a', { k: '2' })) });
  await subject.application.refresh();
  await subject.application.untilReady(first);
  await world.apply(configMap('a', { k: 'drift' }, { namespace: 'shared' }), 'someone');
  await untilObject(world, configMapPath('shared', 'a'), (object) => at(object, 'data', 'k') === '2');
  const second = await subject.repository.commit({ 'b.yaml': null, 'c.yaml': text(configMap('c', {})) });
  await subject.application.refresh();
  await untilGone(world, configMapPath('shared', 'b'));
  const ready = await subject.application.untilReady(second);
  assert.deepEqual(inventoryOf(ready), ['ConfigMap shared/a', 'ConfigMap shared/c']);
  assert.equal(at(await subject.configMap('a'), 'metadata', 'uid'), uid);
  const settled = await untilQuiet(subject, 'a');
  const before = await Promise.all(agents.map(requestsByVerb));
  await sleep(3_000);
  assert.deepEqual(await untilQuiet(subject, 'a'), settled);
  const after = await Promise.all(agents.map(requestsByVerb));
  for (const [index, counts] of after.entries()) {
    for (const verb of ['apply', 'patch', 'delete', 'update', 'create']) {
      assert.equal(counts[verb], before[index]?.[verb], `agent ${index}: ${verb}`);
    }
  }
});

test('an agent that lags behind removes no entry of the inventory that the other one added', async () => {
  // Both agents see each request, and both write the same inventory.
  const subject = await declareSubject(world, 'lagging', { files: { 'a.yaml': text(configMap('a', {})) } });
  await subject.application.untilReady();
  for (const name of ['b', 'c', 'd']) {
    await subject.repository.commit({ [`${name}.yaml`]: text(configMap(name, {})) });
    await subject.application.refresh();
  }
  const commit = await subject.repository.resolve('main');
  await subject.application.untilReady(commit);
  await untilQuiet(subject, 'a');
  assert.deepEqual(
    inventoryOf(await subject.application.read()),
    ['a', 'b', 'c', 'd'].map((name) => `ConfigMap lagging/${name}`),
  );
});

test('an Application that both agents delete is deleted with its objects and nothing else, and without an error', async () => {
  const names = Array.from({ length: 8 }, (_, index) => `m${index}`);
  const subject = await declareSubject(world, 'both', {
    files: { 'all.yaml': text(...names.map((name) => configMap(name, {}))) },
  });
  await subject.application.untilReady();
  await world.apply(configMap('bystander', {}, { namespace: 'both' }));
  await subject.application.remove();
  await untilGone(world, subject.application.path);
  for (const name of names) assert.equal(await subject.configMap(name), undefined, name);
  assert.ok(await subject.configMap('bystander'));
  for (const { log } of agents)
    assert.deepEqual(
      log.filter(({ level }) => level === 'error' || Number(level) >= 50),
      [],
    );
});

test('an object that was created again by hand under the same name is not pruned', async () => {
  const subject = await declareSubject(world, 'remade', {
    files: { 'a.yaml': text(configMap('a', {})), 'b.yaml': text(configMap('b', {})) },
  });
  await subject.application.untilReady();
  await subject.application.patch({ suspend: true });
  await subject.application.until('suspended', () => true);
  await world.send('DELETE', configMapPath('remade', 'b'));
  await world.apply(configMap('b', { theirs: '1' }, { namespace: 'remade' }), 'someone');
  await subject.repository.commit({ 'b.yaml': null });
  await subject.application.patch({ suspend: false });
  const ready = await subject.application.untilReady(await subject.repository.resolve('main'));
  assert.deepEqual(inventoryOf(ready), ['ConfigMap remade/a']);
  assert.deepEqual(at(await subject.configMap('b'), 'data'), { theirs: '1' });
});

test('an object that carries the mark of another hub is released, never deleted', async () => {
  await makeNamespace(world, 'two-hubs');
  const subject = await declareSubject(world, 'two-hubs', {
    files: { 'a.yaml': text(configMap('a', { k: '1' })), 'b.yaml': text(configMap('b', {})) },
  });
  await subject.application.untilReady();
  await subject.application.patch({ suspend: true });
  await subject.application.until('suspended', () => true);
  const marks = { annotations: { [OWNER]: 'another-hub/apps/two-hubs' } };
  for (const name of ['a', 'b']) {
    await world.apply(configMap(name, { k: 'theirs' }, { namespace: 'two-hubs', ...marks }), 'another-hub');
  }
  await subject.repository.commit({ 'b.yaml': null });
  await subject.application.patch({ suspend: false });
  const told = await subject.application.until('conflict', (a) =>
    /another-hub/.test(JSON.stringify(at(a, 'status', 'conditions'))),
  );
  assert.equal(at(await subject.configMap('a'), 'data', 'k'), 'theirs');
  assert.equal(at(await subject.configMap('b'), 'data', 'k'), 'theirs');
  assert.equal(syncOf(told), 'OutOfSync');
  await subject.application.remove();
  await untilGone(world, subject.application.path);
  for (const name of ['a', 'b']) {
    assert.equal(at(await subject.configMap(name), 'metadata', 'annotations', OWNER), 'another-hub/apps/two-hubs');
  }
});
