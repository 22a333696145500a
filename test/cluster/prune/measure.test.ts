/**
 * The measure of the prune guard: objects that were applied before the first one left Git, the objects behind a child
 * Application, and successors; and the set of objects that a confirmation is about.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { useWorld } from '../../support/use-world.ts';
import type { Json } from '../../support/world.ts';
import {
  applicationManifest,
  configMap,
  namespaceManifest,
  text,
  volumeClaim,
  type Manifest,
} from '../../support/objects.ts';
import {
  answerOf,
  applicationPath,
  at,
  configMapPath,
  declareSubject,
  inventoryOf,
  outcomeOf,
  readyMessage,
  readyReason,
  untilGone,
  untilObject,
} from '../../support/scene.ts';

const { world, agent } = useWorld({ agent: true });

const isHeld = (application: Json): boolean => readyReason(application) === 'False PruneHeld';
const heldOf = (application: Json): unknown => at(application, 'status', 'pruneGuard', 'held');
const digestOf = (application: Json): string => String(at(heldOf(application), 'digest'));

/** ConfigMaps `<prefix>-<from>` up to, and without, `<prefix>-<to>`. */
const some = (prefix: string, from: number, to: number): Manifest[] =>
  Array.from({ length: to - from }, (_, index) => configMap(`${prefix}-${from + index}`));

async function namesIn(namespace: string, prefix: string): Promise<string[]> {
  const list = await world.read(`/api/v1/namespaces/${namespace}/configmaps`);
  const names = ((at(list, 'items') ?? []) as Json[]).map((item) => String(at(item, 'metadata', 'name')));
  return names.filter((name) => name.startsWith(prefix));
}

test('a prune stays held although a switch of the path and a later commit add many objects', async () => {
  const subject = await declareSubject(world, 'switch', {
    files: { 'prod/all.yaml': text(...some('prod', 0, 15)), 'staging/all.yaml': text(...some('staging', 0, 60)) },
    spec: { source: { repoURL: (await world.repository('switch')).url, path: 'prod', interval: '1h' } },
  });
  const { application, repository } = subject;
  await application.untilReady();
  await application.patch({ source: { path: 'staging' } });
  await application.until('held', (a) => isHeld(a) && inventoryOf(a).length === 75);
  await repository.commit({ 'staging/more.yaml': text(...some('more', 0, 20)) });
  await application.refresh();
  const held = await application.until('held again', (a) => isHeld(a) && inventoryOf(a).length === 95);
  assert.match(readyMessage(held), /pruning 15 of 15 objects \(ConfigMap switch\/prod-0, .* and 12 more\)/);
  assert.equal(at(held, 'status', 'pruneGuard', 'objectsBefore'), 15);
  for (let pass = 0; pass < 2; pass++) assert.ok(isHeld(await application.refresh()));
  assert.equal((await namesIn('switch', 'prod-')).length, 15);
  const confirmed = await application.ask({ action: 'confirm-prune', digest: digestOf(held) });
  assert.equal(outcomeOf(confirmed), 'Succeeded');
  const ready = await application.untilReady();
  assert.equal(at(ready, 'status', 'pruneGuard'), undefined);
  assert.deepEqual(await namesIn('switch', 'prod-'), []);
});

test('a confirmation does not count for the objects of another spec', async () => {
  const subject = await declareSubject(world, 'edited', {
    files: { 'a/all.yaml': text(...some('a', 0, 30)), 'b/all.yaml': text(...some('b', 0, 3)) },
    spec: { source: { repoURL: (await world.repository('edited')).url, path: 'a', interval: '1h' } },
  });
  const { application, repository } = subject;
  await application.untilReady();
  await repository.commit({ 'a/all.yaml': text(...some('a', 12, 30)) });
  assert.ok(isHeld(await application.refresh()));
  const request = JSON.stringify({ id: 'late', action: 'confirm-prune' });
  await world.send('PATCH', application.path, {
    spec: { source: { path: 'b' } },
    metadata: { annotations: { 'tautline.dev/request': request } },
  });
  const answered = await application.answerTo('late');
  assert.equal(outcomeOf(answered), 'Refused');
  assert.match(answerOf(answered), /the spec has changed since the prune was held/);
  const held = await application.until('held', (a) => isHeld(a) && inventoryOf(a).length === 33);
  assert.equal((await namesIn('edited', 'a-')).length, 30);

  const stale = await application.ask({ action: 'confirm-prune', digest: 'x'.repeat(43) });
  assert.equal(outcomeOf(stale), 'Refused');
  assert.match(answerOf(stale), new RegExp(`held prune, which is ${digestOf(held)}`));
  assert.equal((await namesIn('edited', 'a-')).length, 30);
  assert.equal(outcomeOf(await application.ask({ action: 'confirm-prune' })), 'Succeeded');
  assert.deepEqual(await namesIn('edited', 'a-'), []);
});

test('a held rollback in mode manual is carried out by a confirmation that names its commit', async () => {
  const subject = await declareSubject(world, 'rollback', {
    files: { 'all.yaml': text(...some('m', 0, 2)) },
    spec: { sync: { mode: 'manual' } },
  });
  const { application, repository } = subject;
  assert.equal(outcomeOf(await application.ask({ action: 'confirm-prune' })), 'Refused');
  const old = await repository.commit({ 'all.yaml': text(...some('m', 0, 3)) });
  await repository.commit({ 'all.yaml': text(...some('m', 0, 20)) });
  assert.equal(outcomeOf(await application.ask({ action: 'sync' })), 'Succeeded');
  const held = await application.ask({ action: 'sync', revision: old });
  assert.equal(outcomeOf(held), 'Failed');
  assert.match(answerOf(held), /pruning 17 of 20 objects .*tautline confirm rollback -n apps/);
  await application.until('at rest', (a) => readyReason(a) !== 'False PruneHeld');
  const unnamed = await application.ask({ action: 'confirm-prune' });
  assert.equal(outcomeOf(unnamed), 'Refused');
  assert.match(answerOf(unnamed), /with its commit as revision/);
  assert.equal((await namesIn('rollback', 'm-')).length, 20);
  const confirmed = await application.ask({ action: 'confirm-prune', revision: old });
  assert.equal(outcomeOf(confirmed), 'Succeeded');
  assert.equal((await namesIn('rollback', 'm-')).length, 3);
});

/** A parent with five Applications, of which `data` has the given objects and each other one a single ConfigMap. */
async function declareFamily(name: string, data: Manifest[], child: Manifest = {}): Promise<void> {
  const repository = await world.repository(name);
  const children = ['data', 'x0', 'x1', 'x2', 'x3'];
  const files = children.flatMap((each) => {
    const namespace = each === 'data' && data.some(({ kind }) => kind === 'Namespace') ? `${name}-data` : name;
    const source = { repoURL: repository.url, path: each };
    const spec = { source, destination: { namespace }, ...(each === 'data' ? child : {}) };
    return [
      [`root/${each}.yaml`, text(applicationManifest(`${name}-${each}`, spec))],
      [`${each}/all.yaml`, text(...(each === 'data' ? data : [configMap(each)]))],
    ];
  });
  await repository.commit(Object.fromEntries(files) as Record<string, string>);
  await world.send('POST', '/api/v1/namespaces', namespaceManifest(name));
  const parent = await world.declare(name, { source: { repoURL: repository.url, path: 'root', interval: '1h' } });
  await parent.untilReady();
  await untilObject(world, applicationPath(`${name}-data`), (a) => inventoryOf(a).length === data.length);
  await repository.commit({ 'root/data.yaml': null });
  await parent.refresh();
}

test('an Application that leaves the folder of another counts as the objects that it holds', async () => {
  await declareFamily('fleet', some('w', 0, 20));
  const held = await untilObject(world, applicationPath('fleet'), isHeld);
  assert.match(readyMessage(held), /and 20 objects of Application apps\/fleet-data, needs a confirmation/);
  assert.equal((await namesIn('fleet', 'w-')).length, 20);
  await world.send('PATCH', applicationPath('fleet'), {
    metadata: {
      annotations: {
        'tautline.dev/request': JSON.stringify({ id: 'go', action: 'confirm-prune', digest: digestOf(held) }),
      },
    },
  });
  await untilGone(world, applicationPath('fleet-data'));
  assert.deepEqual(await namesIn('fleet', 'w-'), []);
});

test('an Application with a Namespace and a claim is held by name', async () => {
  await declareFamily('store', [namespaceManifest('store-data'), volumeClaim('db'), ...some('w', 0, 3)]);
  const held = await untilObject(world, applicationPath('store'), isHeld);
  const held5 = 'Application apps/store-data \\(5 objects, with .*Namespace store-data.*\\) would delete everything';
  assert.match(readyMessage(held), new RegExp(held5));
  assert.match(readyMessage(held), /PersistentVolumeClaim store-data\/db/);
  assert.ok(await world.read('/api/v1/namespaces/store-data/persistentvolumeclaims/db'));
});

test('an Application that keeps its objects is pruned without a confirmation', async () => {
  await declareFamily('keeper', some('w', 0, 20), { deletionPolicy: 'Orphan' });
  await untilGone(world, applicationPath('keeper-data'));
  assert.equal((await namesIn('keeper', 'w-')).length, 20);
});

test('an Application that is renamed in the folder of another hands its objects over without a confirmation', async () => {
  const repository = await world.repository('rename');
  const named = (name: string): string =>
    text(
      applicationManifest(name, {
        source: { repoURL: repository.url, path: 'data' },
        destination: { namespace: 'rename' },
      }),
    );
  await repository.commit({
    'root/all.yaml': text(configMap('beside')),
    'root/data.yaml': named('rename-old'),
    'data/all.yaml': text(...some('w', 0, 20)),
  });
  await world.send('POST', '/api/v1/namespaces', namespaceManifest('rename'));
  const parent = await world.declare('rename', { source: { repoURL: repository.url, path: 'root', interval: '1h' } });
  await parent.untilReady();
  await untilObject(world, applicationPath('rename-old'), (a) => inventoryOf(a).length === 20);
  const before = at(await world.read(configMapPath('rename', 'w-0')), 'metadata', 'uid');
  const commit = await repository.commit({ 'root/data.yaml': named('rename-new') });
  await parent.refresh();
  await untilGone(world, applicationPath('rename-old'));
  const ready = await parent.untilReady(commit);
  const outcomes = (at(ready, 'status', 'history') as Json[]).map((entry) => at(entry, 'outcome'));
  assert.ok(!outcomes.includes('Failed'), JSON.stringify(at(ready, 'status', 'history')));
  await untilObject(world, applicationPath('rename-new'), (a) => inventoryOf(a).length === 20);
  assert.equal(at(await world.read(configMapPath('rename', 'w-0')), 'metadata', 'uid'), before);
});

test('generated objects whose names change with their content are pruned without a confirmation', async () => {
  const generated = (value: string): string =>
    JSON.stringify({
      resources: ['fixed.yaml'],
      configMapGenerator: Array.from({ length: 12 }, (_, n) => ({ name: `g${n}`, literals: [`k=${value}`] })),
    });
  const subject = await declareSubject(world, 'generated', {
    files: { 'fixed.yaml': text(configMap('fixed')), 'kustomization.yaml': generated('1') },
  });
  await subject.application.untilReady();
  const before = await namesIn('generated', 'g');
  const commit = await subject.repository.commit({ 'kustomization.yaml': generated('2') });
  await subject.application.refresh();
  assert.equal(inventoryOf(await subject.application.untilReady(commit)).length, 13);
  assert.equal((await namesIn('generated', 'g')).filter((name) => before.includes(name)).length, 0);
});

test('a prune stays held over a restart of the agent, and its confirmation still counts', async () => {
  const renamed = (prefix: string): string => text(...some(prefix, 0, 12), ...some('keep', 0, 18));
  const subject = await declareSubject(world, 'renamed', { files: { 'all.yaml': renamed('old') } });
  const { application, repository } = subject;
  await application.untilReady();
  await repository.commit({ 'all.yaml': renamed('new') });
  await application.refresh();
  const held = await application.until('held', (a) => isHeld(a) && inventoryOf(a).length === 42);
  assert.match(readyMessage(held), /pruning 12 of 30 objects/);
  await agent.stop();
  await world.agent();
  assert.ok(isHeld(await application.refresh()));
  assert.ok(await world.read(configMapPath('renamed', 'old-0')));
  const confirmed = await application.ask({ action: 'confirm-prune', digest: digestOf(held) });
  assert.equal(outcomeOf(confirmed), 'Succeeded');
  assert.deepEqual(await namesIn('renamed', 'old-'), []);
});
