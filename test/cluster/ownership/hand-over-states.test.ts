/**
 * Hand-over between Applications that have read different states: specs that are edited together, Applications that are
 * merged or renamed, duplicates, broken neighbours, and commits that come faster than the wait.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { configMap, text } from '../../support/objects.ts';
import {
  at,
  configMapPath,
  inventoryOf,
  makeNamespace,
  OWNER,
  readyReason,
  untilGone,
  untilObject,
} from '../../support/scene.ts';
import { useWorld } from '../../support/use-world.ts';

const { world } = useWorld({ agent: { flags: ['--hand-over-wait', '12s', '--progress-check', '500ms'] } });

function specOf(url: string, path: string, namespace: string): Record<string, unknown> {
  return { source: { repoURL: url, path, interval: '1h' }, destination: { namespace } };
}

async function uidOf(namespace: string, name: string): Promise<unknown> {
  return at(await world.read(configMapPath(namespace, name)), 'metadata', 'uid');
}

for (const gapMs of [0, 100, 1_000]) {
  test(`an object stays when the spec that gains it is edited ${gapMs} ms after the one that loses it`, async () => {
    const name = `edited-${gapMs}`;
    const repository = await world.repository(name);
    await repository.commit({
      'web/a.yaml': text(configMap('web')),
      'other/a.yaml': text(configMap('other')),
      'third/a.yaml': text(configMap('third')),
    });
    await makeNamespace(world, name);
    const one = await world.declare(`${name}-one`, specOf(repository.url, 'web', name));
    const two = await world.declare(`${name}-two`, specOf(repository.url, 'other', name));
    await Promise.all([one.untilReady(), two.untilReady()]);
    const before = await uidOf(name, 'web');
    const edited = one.patch({ source: { path: 'third' } });
    if (gapMs > 0) await edited.then(() => sleep(gapMs));
    await Promise.all([edited, two.patch({ source: { path: 'web' } })]);
    await two.until(
      'has web',
      (a) => inventoryOf(a).includes(`ConfigMap ${name}/web`) && readyReason(a).startsWith('True'),
    );
    await one.until('has third', (a) => inventoryOf(a).join() === `ConfigMap ${name}/third`);
    assert.equal(await uidOf(name, 'web'), before);
    // The object that is no longer desired is deleted.
    await untilGone(world, configMapPath(name, 'other'));
  });
}

test('an object stays when its Application is deleted right after the commit that moves it to another one', async () => {
  const name = 'merged';
  const repository = await world.repository(name);
  await repository.commit({
    'a/base.yaml': text(configMap('base-a')),
    'c/base.yaml': text(configMap('base-c')),
    'c/web.yaml': text(configMap('web')),
  });
  await makeNamespace(world, name);
  const a = await world.declare(`${name}-a`, specOf(repository.url, 'a', name));
  const c = await world.declare(`${name}-c`, specOf(repository.url, 'c', name));
  await Promise.all([a.untilReady(), c.untilReady()]);
  const before = await uidOf(name, 'web');
  await repository.commit({ 'c/web.yaml': null, 'a/web.yaml': text(configMap('web')) });
  await c.remove();
  await untilGone(world, c.path);
  await a.until('has web', (found) => inventoryOf(found).includes(`ConfigMap ${name}/web`));
  assert.equal(await uidOf(name, 'web'), before);
  await untilGone(world, configMapPath(name, 'base-c'));
});

test('an object that leaves the folder of two Applications is deleted, whichever of them is read first', async () => {
  const name = 'twice';
  const repository = await world.repository(name);
  const names = ['a', 'b', 'c', 'd'];
  const filesOf = (left: readonly string[]): Record<string, string | null> =>
    Object.fromEntries(names.map((n) => [`x/${n}.yaml`, left.includes(n) ? text(configMap(n)) : null]));
  await repository.commit({ ...filesOf(names), 'x/stays.yaml': text(configMap('stays')) });
  await makeNamespace(world, name);
  const one = await world.declare(`${name}-one`, specOf(repository.url, 'x', name));
  await one.untilReady();
  const two = await world.declare(`${name}-two`, specOf(repository.url, 'x', name));
  await two.until('in conflict', (a) => readyReason(a).startsWith('False'));
  for (const [index, gone] of names.entries()) {
    await repository.commit(filesOf(names.slice(index + 1)));
    await (index % 2 === 0 ? one : two).refresh();
    await untilGone(world, configMapPath(name, gone));
  }
  // Status is written after the object is gone.
  await one.until('alone with the object that stays', (found) => inventoryOf(found).length === 1);
  assert.deepEqual(inventoryOf(await one.read()), [`ConfigMap ${name}/stays`]);
});

test('a prune does not wait for an Application whose path is not in the commit', async () => {
  const name = 'no-path';
  const repository = await world.repository(name);
  await repository.commit({ 'a/a.yaml': text(configMap('a')), 'a/gone.yaml': text(configMap('gone')) });
  await makeNamespace(world, name);
  const a = await world.declare(`${name}-a`, specOf(repository.url, 'a', name));
  const lost = await world.declare(`${name}-lost`, specOf(repository.url, 'nowhere', name));
  await a.untilReady();
  await lost.until('no path', (found) => readyReason(found) === 'False BuildFailed');
  await repository.commit({ 'a/gone.yaml': null });
  const begunMs = Date.now();
  await a.refresh();
  await untilGone(world, configMapPath(name, 'gone'));
  // The wait for a broken Application would take 12 seconds at least.
  assert.ok(Date.now() - begunMs < 12_000);
});

test('commits that come faster than the wait for a broken Application do not hold a prune for ever', async () => {
  const name = 'starved';
  const repository = await world.repository(name);
  await repository.commit({
    'a/a.yaml': text(configMap('a'), configMap('gone')),
    'b/b.yaml': text(configMap('b')),
  });
  await makeNamespace(world, name);
  const a = await world.declare(`${name}-a`, specOf(repository.url, 'a', name));
  const broken = await world.declare(`${name}-b`, specOf(repository.url, 'b', name));
  await Promise.all([a.untilReady(), broken.untilReady()]);
  await repository.commit({ 'b/b.yaml': 'kind: [', 'a/a.yaml': text(configMap('a')) });
  let isGone = false;
  for (let count = 0; count < 20 && !isGone; count++) {
    await repository.commit({ 'readme.md': `commit ${count}` });
    await a.refresh();
    await sleep(2_000);
    isGone = (await world.read(configMapPath(name, 'gone'))) === undefined;
  }
  assert.ok(isGone);
  assert.deepEqual(inventoryOf(await broken.read()), [`ConfigMap ${name}/b`]);
});

test('an object that a broken Application desired last is kept, and pruned once that one can say', async () => {
  const name = 'holds';
  const repository = await world.repository(name);
  const web = text(configMap('web'));
  await repository.commit({ 'a/a.yaml': text(configMap('a')), 'a/web.yaml': web, 'b/b.yaml': text(configMap('b')) });
  await makeNamespace(world, name);
  const a = await world.declare(`${name}-a`, specOf(repository.url, 'a', name));
  const b = await world.declare(`${name}-b`, specOf(repository.url, 'b', name));
  await Promise.all([a.untilReady(), b.untilReady()]);
  await repository.commit({ 'b/web.yaml': web });
  await b.refresh();
  await b.until('in conflict', (found) => readyReason(found).startsWith('False'));
  await repository.commit({ 'a/web.yaml': null, 'b/kustomization.yaml': 'resources: [nowhere.yaml]' });
  const before = await uidOf(name, 'web');
  await a.refresh();
  await sleep(14_000);
  assert.equal(await uidOf(name, 'web'), before);
  await repository.commit({ 'b/kustomization.yaml': null, 'b/web.yaml': null });
  await b.refresh();
  await untilGone(world, configMapPath(name, 'web'));
});

test('a renamed Application keeps its objects, and each has an owner at any moment', async () => {
  const name = 'renamed';
  const repository = await world.repository(name);
  await repository.commit({ 'a/web.yaml': text(configMap('web')) });
  await makeNamespace(world, name);
  const before = await world.declare(`${name}-before`, specOf(repository.url, 'a', name));
  await before.untilReady();
  const uid = await uidOf(name, 'web');
  const after = await world.declare(`${name}-after`, specOf(repository.url, 'a', name));
  await before.remove();
  await untilObject(world, configMapPath(name, 'web'), (object) => {
    const owner = at(object, 'metadata', 'annotations', OWNER);
    assert.notEqual(owner, undefined);
    return String(owner).endsWith(`${name}-after`);
  });
  await untilGone(world, before.path);
  await after.untilReady();
  assert.equal(await uidOf(name, 'web'), uid);
});

test('objects that move to a suspended Application keep their owner until it takes them, and are pruned if they leave Git', async () => {
  const name = 'paused';
  const repository = await world.repository(name);
  const [web, gone] = [text(configMap('web')), text(configMap('gone'))];
  await repository.commit({
    'a/a.yaml': text(configMap('a')),
    'a/web.yaml': web,
    'a/gone.yaml': gone,
    'c/c.yaml': text(configMap('c')),
  });
  await makeNamespace(world, name);
  const a = await world.declare(`${name}-a`, specOf(repository.url, 'a', name));
  const c = await world.declare(`${name}-c`, specOf(repository.url, 'c', name));
  await Promise.all([a.untilReady(), c.untilReady()]);
  const before = await uidOf(name, 'web');
  await c.patch({ suspend: true });
  await c.until('suspended', (found) => readyReason(found) === 'False Suspended');
  const moved = await repository.commit({
    'a/web.yaml': null,
    'a/gone.yaml': null,
    'c/web.yaml': web,
    'c/gone.yaml': gone,
  });
  await a.refresh();
  const kept = await a.untilReady(moved);
  assert.deepEqual(
    inventoryOf(kept),
    ['a', 'gone', 'web'].map((each) => `ConfigMap ${name}/${each}`),
  );
  await repository.commit({ 'c/gone.yaml': null });
  await a.refresh();
  await untilGone(world, configMapPath(name, 'gone'));
  await c.patch({ suspend: false });
  await c.until('has web', (found) => inventoryOf(found).includes(`ConfigMap ${name}/web`));
  await a.until('without web', (found) => inventoryOf(found).join() === `ConfigMap ${name}/a`);
  assert.equal(await uidOf(name, 'web'), before);
});
