/** Pruning: objects that are deleted, objects that wait for a confirmation, and objects that are never deleted. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { useWorld } from '../../support/use-world.ts';
import { edit, kubectl, setFinalizers } from '../../support/kubectl.ts';
import { configMap, namespaceManifest, text } from '../../support/objects.ts';
import {
  at,
  configMapPath,
  declareSubject,
  detailOf,
  inventoryOf,
  outcomeOf,
  OWNER,
  PART_OF,
  readyMessage,
  readyReason,
  syncOf,
  untilGone,
  untilObject,
} from '../../support/scene.ts';

const { world, agent } = useWorld({ agent: true });

test('deleting an Application deletes its objects', async () => {
  const subject = await declareSubject(world, 'delete', {
    files: { 'a.yaml': text(configMap('a', { k: '1' }), configMap('b', { k: '1' })) },
  });
  await subject.application.untilReady();
  await world.apply(configMap('bystander', { k: '1' }, { namespace: 'delete' }));
  await subject.application.remove();
  await untilGone(world, subject.application.path);
  assert.equal(await subject.configMap('a'), undefined);
  assert.equal(await subject.configMap('b'), undefined);
  assert.ok(await subject.configMap('bystander'));
});

test('deletionPolicy Orphan leaves the objects as they are, without our marks', async () => {
  const subject = await declareSubject(world, 'orphan', {
    files: { 'a.yaml': text(configMap('a', { k: '1' }, { labels: { mine: 'yes' } })) },
    spec: { deletionPolicy: 'Orphan' },
  });
  await subject.application.untilReady();
  const uid = at(await subject.configMap('a'), 'metadata', 'uid');
  await subject.application.remove();
  await untilGone(world, subject.application.path);
  const left = await subject.configMap('a');
  assert.equal(at(left, 'metadata', 'uid'), uid);
  assert.deepEqual(at(left, 'metadata', 'labels'), { mine: 'yes' });
  assert.equal(at(left, 'metadata', 'annotations', OWNER), undefined);
  assert.equal(at(left, 'data', 'k'), '1');
});

test('an object whose marks no longer name the Application is not pruned', async () => {
  const subject = await declareSubject(world, 'unmarked', {
    files: { 'a.yaml': text(configMap('a', { k: '1' })), 'b.yaml': text(configMap('b', { k: '1' })) },
    spec: { sync: { mode: 'auto' } },
  });
  await subject.application.untilReady();
  // While the Application is suspended, the agent does not restore the annotation.
  await subject.application.patch({ suspend: true });
  await subject.application.until('suspended', (a) => readyReason(a) === 'False Suspended');
  await kubectl(world, ['annotate', 'configmap', 'a', '-n', 'unmarked', `${OWNER}-`]);
  await subject.repository.commit({ 'a.yaml': null, 'b.yaml': null, 'c.yaml': text(configMap('c', { k: '1' })) });
  await subject.application.patch({ suspend: false });
  await untilGone(world, configMapPath('unmarked', 'b'));
  const ready = await subject.application.untilReady();
  assert.deepEqual(inventoryOf(ready), ['ConfigMap unmarked/c']);
  assert.ok(await subject.configMap('a'));
});

test('with prune: false an object that left Git is kept and reported', async () => {
  const subject = await declareSubject(world, 'keeps', {
    files: { 'a.yaml': text(configMap('a', { k: '1' })), 'b.yaml': text(configMap('b', { k: '1' })) },
    spec: { sync: { prune: false } },
  });
  await subject.application.untilReady();
  await subject.repository.commit({ 'b.yaml': null });
  await subject.application.refresh();
  const told = await subject.application.until('out of sync', (a) => readyReason(a) === 'False OutOfSync');
  assert.ok(await subject.configMap('b'));
  assert.match(readyMessage(told), /ConfigMap keeps\/b: .*spec\.sync\.prune/);
  assert.equal(syncOf(told), 'OutOfSync');
  assert.deepEqual(inventoryOf(told), ['ConfigMap keeps/a', 'ConfigMap keeps/b']);
  await subject.application.patch({ sync: { prune: true } });
  await untilGone(world, configMapPath('keeps', 'b'));
  await subject.application.untilReady();
});

test('pruning many objects at once waits for a confirmation', async () => {
  const names = Array.from({ length: 20 }, (_, index) => `m${index}`);
  const subject = await declareSubject(world, 'many', {
    files: { 'keep.yaml': text(configMap('keep', {})), 'many.yaml': text(...names.map((name) => configMap(name, {}))) },
  });
  await subject.application.untilReady();
  await subject.repository.commit({ 'many.yaml': text(...names.slice(0, 9).map((name) => configMap(name, {}))) });
  await subject.application.refresh();
  const held = await subject.application.until('held', (a) => readyReason(a) === 'False PruneHeld');
  assert.match(readyMessage(held), /pruning 11 of 21 objects/);
  assert.ok(await subject.configMap('m19'));
  assert.equal(inventoryOf(held).length, 21);
  await subject.application.request({ action: 'confirm-prune' });
  const ready = await subject.application.untilReady();
  assert.equal(outcomeOf(ready), 'Succeeded');
  assert.equal(await subject.configMap('m19'), undefined);
  assert.equal(inventoryOf(ready).length, 10);
});

test('a confirmation holds for one prune, not for the next', async () => {
  const subject = await declareSubject(world, 'once', {
    files: {
      'a.yaml': text(configMap('a', {})),
      'n1.yaml': text(namespaceManifest('once-1')),
      'n2.yaml': text(namespaceManifest('once-2')),
    },
  });
  await subject.application.untilReady();
  await subject.repository.commit({ 'n1.yaml': null });
  await subject.application.refresh();
  await subject.application.until('held', (a) => readyReason(a) === 'False PruneHeld');
  await subject.application.request({ action: 'confirm-prune' });
  await untilObject(world, '/api/v1/namespaces/once-1', (n) => at(n, 'metadata', 'deletionTimestamp') !== undefined);
  await subject.repository.commit({ 'n2.yaml': null });
  const again = await subject.application.request({ action: 'refresh' });
  const held = await subject.application.until(
    'held again',
    (a) => readyReason(a) === 'False PruneHeld' && at(a, 'status', 'lastRequest', 'id') === again,
  );
  assert.match(readyMessage(held), /once-2/);
  const second = await world.read('/api/v1/namespaces/once-2');
  assert.equal(at(second, 'metadata', 'deletionTimestamp'), undefined);
});

test('a confirmed prune goes on over as many passes as it needs', async () => {
  const subject = await declareSubject(world, 'long', {
    files: { 'a.yaml': text(configMap('a', {})), 'z.yaml': text(namespaceManifest('long-z'), configMap('held', {})) },
  });
  await subject.application.untilReady();
  const hold = (finalizers: string[]): Promise<void> =>
    setFinalizers(world, 'configmap/held', { namespace: 'long', finalizers });
  await hold(['example.com/hold']);
  await subject.repository.commit({ 'z.yaml': null });
  await subject.application.refresh();
  await subject.application.until('held', (a) => readyReason(a) === 'False PruneHeld');
  const id = await subject.application.request({ action: 'confirm-prune' });
  const under = await subject.application.until('waits', (a) => /example\.com\/hold/.test(readyMessage(a)));
  assert.equal(at(under, 'status', 'lastRequest', 'id'), id);
  assert.equal(outcomeOf(under), 'InProgress');
  const waits = await world.read('/api/v1/namespaces/long-z');
  assert.equal(at(waits, 'metadata', 'deletionTimestamp'), undefined);
  await hold([]);
  await untilObject(world, '/api/v1/namespaces/long-z', (n) => at(n, 'metadata', 'deletionTimestamp') !== undefined);
  assert.equal(await subject.configMap('held'), undefined);
});

test('an empty render, a missing path and a missing revision delete nothing', async () => {
  const subject = await declareSubject(world, 'vanishing', {
    files: { 'app/a.yaml': text(configMap('a', { k: '1' })), 'other/readme.md': 'x' },
    spec: {},
  });
  await subject.application.patch({ source: { path: 'app' } });
  await untilObject(world, configMapPath('vanishing', 'a'), () => true);
  await subject.application.untilReady();
  await subject.application.patch({ source: { path: 'other' } });
  await subject.application.until('empty', (a) => readyReason(a) === 'False EmptyRender');
  await subject.application.patch({ source: { path: 'nowhere' } });
  const gone = await subject.application.until('no path', (a) => readyReason(a) === 'False BuildFailed');
  assert.deepEqual(inventoryOf(gone), ['ConfigMap vanishing/a']);
  await subject.application.patch({ source: { path: 'app', revision: 'nowhere' } });
  const lost = await subject.application.until('no branch', (a) => readyReason(a) === 'False ArtifactFailed');
  assert.deepEqual(inventoryOf(lost), ['ConfigMap vanishing/a']);
  assert.ok(await subject.configMap('a'));
});

test('a first render that is empty is not Ready, says where the manifests are, and is over once the path is right', async () => {
  const subject = await declareSubject(world, 'folders', {
    files: { 'shop/base/a.yaml': text(configMap('a', { k: '1' })) },
  });
  const empty = await subject.application.until('empty', (a) => readyReason(a) === 'False EmptyRender');
  const expected = /^no manifests in the root of the repository; there are some in shop\/base\n.*spec\.source\.path/;
  assert.match(readyMessage(empty), expected);
  assert.equal(at(empty, 'status', 'sync', 'status'), 'OutOfSync');
  assert.equal(at(empty, 'status', 'health', 'status'), 'Unknown');
  await subject.application.patch({ source: { path: 'shop/base' } });
  await subject.application.untilReady();
  assert.ok(await subject.configMap('a'));
});

test('objects of a broken file are neither deleted nor reported as surplus, and the others are applied', async () => {
  const subject = await declareSubject(world, 'broken', {
    files: { 'a.yaml': text(configMap('a', { k: '1' })), 'b.yaml': text(configMap('b', { k: '1' })) },
  });
  await subject.application.untilReady();
  await subject.repository.commit({ 'a.yaml': text(configMap('a', { k: '2' })), 'b.yaml': '{ no: [yaml' });
  await subject.application.refresh();
  const failed = await subject.application.until('broken', (a) => readyReason(a) === 'False BuildFailed');
  assert.match(readyMessage(failed), /b\.yaml/);
  assert.equal(at(await subject.configMap('a'), 'data', 'k'), '2');
  assert.ok(await subject.configMap('b'));
  assert.equal(at(failed, 'status', 'counts', 'pruning'), 0);
  const objects = at(await detailOf(agent, 'broken'), 'objects') as { name: string; sync: string; pruning: boolean }[];
  const b = objects.find(({ name }) => name === 'b');
  assert.equal(b?.sync, 'Unknown');
  assert.equal(b?.pruning, false);
});

test('an object that a controller owns is released, not deleted', async () => {
  const subject = await declareSubject(world, 'controlled', {
    files: { 'a.yaml': text(configMap('a', {})), 'b.yaml': text(configMap('b', {})) },
  });
  await subject.application.untilReady();
  const uid = String(at(await subject.configMap('a'), 'metadata', 'uid'));
  const owner = { apiVersion: 'v1', kind: 'ConfigMap', name: 'a', uid, controller: true };
  await edit(world, 'configmap/b', { namespace: 'controlled', patch: { metadata: { ownerReferences: [owner] } } });
  await subject.repository.commit({ 'b.yaml': null });
  await subject.application.refresh();
  const ready = await subject.application.untilReady();
  assert.deepEqual(inventoryOf(ready), ['ConfigMap controlled/a']);
  const b = await subject.configMap('b');
  assert.ok(b);
  assert.equal(at(b, 'metadata', 'labels', PART_OF), undefined);
});
