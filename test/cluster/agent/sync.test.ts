/** From a commit to the cluster: objects that are created, changed and pruned, by branch, tag, commit and path. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { useWorld } from '../../support/use-world.ts';
import { setFinalizers } from '../../support/kubectl.ts';
import { configMap, definition, namespaceManifest, text } from '../../support/objects.ts';
import {
  at,
  configMapPath,
  declareSubject,
  inventoryOf,
  makeNamespace,
  outcomeOf,
  OWNER,
  PART_OF,
  readyReason,
  resourceVersion,
  syncOf,
  untilGone,
  untilObject,
} from '../../support/scene.ts';

const { world } = useWorld({ agent: true });

test('a first sync creates the objects with both marks and fills the status', async () => {
  const subject = await declareSubject(world, 'first', {
    files: { 'a.yaml': text(configMap('a', { k: '1' }), configMap('b', { k: '2' })) },
  });
  const commit = await subject.repository.resolve('main');
  const ready = await subject.application.untilReady(commit);
  const object = await subject.configMap('a');
  assert.equal(at(object, 'data', 'k'), '1');
  assert.equal(at(object, 'metadata', 'labels', PART_OF), at(ready, 'metadata', 'labels', 'applyset.kubernetes.io/id'));
  assert.match(String(at(object, 'metadata', 'annotations', OWNER)), /^[^/]+\/apps\/first$/);
  assert.deepEqual(inventoryOf(ready), ['ConfigMap first/a', 'ConfigMap first/b']);
  assert.equal(syncOf(ready), 'Synced');
  assert.equal(at(ready, 'status', 'sync', 'revision'), `main@sha1:${commit}`);
  assert.equal(at(ready, 'status', 'sync', 'lastAppliedRevision'), `main@sha1:${commit}`);
  assert.equal(at(ready, 'status', 'counts', 'synced'), 2);
  assert.equal(at(ready, 'status', 'history', 0, 'outcome'), 'Succeeded');
  assert.deepEqual(at(ready, 'metadata', 'finalizers'), ['finalizers.tautline.dev/prune']);
});

test('a new commit changes objects, removes fields and prunes objects, and leaves unchanged objects alone', async () => {
  const subject = await declareSubject(world, 'update', {
    files: {
      'changed.yaml': text(configMap('changed', { kept: '1', changed: '1', dropped: '1' })),
      'same.yaml': text(configMap('same', { k: '1' })),
      'dropped.yaml': text(configMap('dropped', { k: '1' })),
    },
  });
  await subject.application.untilReady();
  const same = resourceVersion(await subject.configMap('same'));
  await world.apply(configMap('changed', { others: 'x' }, { namespace: 'update' }), 'someone-else');
  const commit = await subject.repository.commit({
    'changed.yaml': text(configMap('changed', { kept: '1', changed: '2' })),
    'dropped.yaml': null,
  });
  await subject.application.refresh();
  const ready = await subject.application.untilReady(commit);
  assert.deepEqual(at(await subject.configMap('changed'), 'data'), { kept: '1', changed: '2', others: 'x' });
  assert.equal(resourceVersion(await subject.configMap('same')), same);
  assert.equal(await subject.configMap('dropped'), undefined);
  assert.deepEqual(inventoryOf(ready), ['ConfigMap update/changed', 'ConfigMap update/same']);
  assert.equal((at(ready, 'status', 'history') as unknown[]).length, 2);
});

test('a refresh is answered with its id and applies a commit before the next poll is due', async () => {
  const subject = await declareSubject(world, 'refresh', {
    files: { 'a.yaml': text(configMap('a', { k: '1' })) },
  });
  await subject.application.patch({ source: { interval: '24h' } });
  await subject.application.untilReady();
  const commit = await subject.repository.commit({ 'a.yaml': text(configMap('a', { k: '2' })) });
  const answered = await subject.application.refresh();
  assert.equal(outcomeOf(answered), 'Succeeded');
  assert.equal(at(answered, 'status', 'sync', 'commit'), commit.slice(0, 12));
  assert.equal(at(await subject.configMap('a'), 'data', 'k'), '2');
});

test('a request with an unknown action is refused, with its id', async () => {
  const subject = await declareSubject(world, 'refused', { files: { 'a.yaml': text(configMap('a', { k: '1' })) } });
  await subject.application.untilReady();
  const answered = await subject.application.ask({ action: 'explode' });
  assert.equal(outcomeOf(answered), 'Refused');
});

test('branch, tag and commit can be followed in turn', async () => {
  const subject = await declareSubject(world, 'revisions', {
    files: { 'a.yaml': text(configMap('a', { k: 'main' })) },
  });
  const first = await subject.repository.resolve('main');
  await subject.repository.tag('v1', { message: 'one' });
  await subject.repository.commit({ 'a.yaml': text(configMap('a', { k: 'next' })) }, { branch: 'next', parent: first });
  await subject.repository.commit({ 'a.yaml': text(configMap('a', { k: 'newer' })) });
  await subject.application.untilReady();
  const revisionIs = async (revision: string, value: string): Promise<void> => {
    await subject.application.patch({ source: { revision } });
    await untilObject(world, configMapPath('revisions', 'a'), (object) => at(object, 'data', 'k') === value);
    await subject.application.untilReady();
  };
  await revisionIs('next', 'next');
  await revisionIs('v1', 'main');
  await revisionIs('refs/heads/main', 'newer');
  await revisionIs(first, 'main');
  await subject.application.patch({ source: { revision: 'absent' } });
  const failed = await subject.application.until('no such revision', (a) => readyReason(a) === 'False ArtifactFailed');
  assert.equal(at(await subject.configMap('a'), 'data', 'k'), 'main');
  assert.deepEqual(inventoryOf(failed), ['ConfigMap revisions/a']);
});

test('another path of the same revision replaces the objects of the first', async () => {
  const subject = await declareSubject(world, 'paths', {
    files: {
      'one/a.yaml': text(configMap('a', { k: '1' }), configMap('both', { k: '1' })),
      'two/b.yaml': text(configMap('b', { k: '2' }), configMap('both', { k: '2' })),
    },
  });
  await subject.application.patch({ source: { path: 'one' } });
  await untilObject(world, configMapPath('paths', 'a'), () => true);
  await subject.application.untilReady();
  const uid = at(await subject.configMap('both'), 'metadata', 'uid');
  await subject.application.patch({ source: { path: 'two' } });
  await untilGone(world, configMapPath('paths', 'a'));
  const ready = await subject.application.untilReady();
  assert.deepEqual(inventoryOf(ready), ['ConfigMap paths/b', 'ConfigMap paths/both']);
  assert.equal(at(await subject.configMap('both'), 'metadata', 'uid'), uid);
  assert.equal(at(await subject.configMap('both'), 'data', 'k'), '2');
});

test('createNamespace creates the destination, which is never pruned', async () => {
  const repository = await world.repository('creates');
  await repository.commit({ 'a.yaml': text(configMap('a', { k: '1' })) });
  const application = await world.declare('creates', {
    source: { repoURL: repository.url },
    destination: { namespace: 'created', createNamespace: true },
  });
  const ready = await application.untilReady();
  assert.deepEqual(inventoryOf(ready), ['ConfigMap created/a']);
  await application.remove();
  await untilGone(world, application.path);
  await untilGone(world, configMapPath('created', 'a'));
  assert.ok(await world.read('/api/v1/namespaces/created'));
});

test('without createNamespace a missing destination is reported, and used once it exists', async () => {
  const repository = await world.repository('homeless');
  await repository.commit({ 'a.yaml': text(configMap('a', { k: '1' })) });
  const application = await world.declare('homeless', {
    source: { repoURL: repository.url },
    destination: { namespace: 'comes-later' },
  });
  const failed = await application.until('fails', (a) => readyReason(a) === 'False ReconciliationFailed');
  assert.match(JSON.stringify(at(failed, 'status', 'conditions')), /its namespace does not exist/);
  await makeNamespace(world, 'comes-later');
  await application.untilReady();
});

test('a Namespace among the manifests is applied before the objects in it', async () => {
  const subject = await declareSubject(world, 'brings', {
    files: {
      'a.yaml': text(configMap('a', { k: '1' }, { namespace: 'brought' })),
      'z.yaml': text(namespaceManifest('brought')),
    },
  });
  const ready = await subject.application.untilReady();
  assert.deepEqual(inventoryOf(ready), ['ConfigMap brought/a', 'Namespace /brought']);
  assert.ok(await world.read(configMapPath('brought', 'a')));
});

test('a definition and an object of its kind are applied from one commit, and deleted in reverse order', async () => {
  const schema = {
    type: 'object',
    properties: { spec: { type: 'object', properties: { size: { type: 'integer' } } } },
  };
  const widgets = definition({ group: 'example.com', kind: 'Widget', schema });
  const widget = { apiVersion: 'example.com/v1', kind: 'Widget', metadata: { name: 'w' }, spec: { size: 3 } };
  const subject = await declareSubject(world, 'defines', {
    files: { 'a-widget.yaml': text(widget), 'z-crd.yaml': text(widgets) },
  });
  const ready = await subject.application.untilReady();
  assert.deepEqual(inventoryOf(ready), [
    'apiextensions.k8s.io/CustomResourceDefinition /widgets.example.com',
    'example.com/Widget defines/w',
  ]);
  const path = '/apis/example.com/v1/namespaces/defines/widgets/w';
  assert.equal(at(await world.read(path), 'spec', 'size'), 3);
  // While the finalizer holds the object, its definition must not be deleted.
  await setFinalizers(world, 'widget/w', { namespace: 'defines', finalizers: ['example.com/hold'] });
  await subject.application.remove();
  await untilObject(world, path, (object) => at(object, 'metadata', 'deletionTimestamp') !== undefined);
  const held = await subject.application.until('waits', (a) => readyReason(a) === 'False Deleting');
  assert.match(JSON.stringify(at(held, 'status', 'conditions')), /example.com\/hold/);
  const crd = await world.read('/apis/apiextensions.k8s.io/v1/customresourcedefinitions/widgets.example.com');
  assert.equal(at(crd, 'metadata', 'deletionTimestamp'), undefined);
  await setFinalizers(world, 'widget/w', { namespace: 'defines', finalizers: [] });
  await untilGone(world, subject.application.path);
  await untilGone(world, '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/widgets.example.com');
});
