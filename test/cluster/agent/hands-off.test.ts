/** `suspend` and mode `detect`: the agent writes nothing. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { useWorld } from '../../support/use-world.ts';
import { configMap, text } from '../../support/objects.ts';
import {
  answerOf,
  at,
  configMapPath,
  declareSubject,
  detailOf,
  inventoryOf,
  makeNamespace,
  outcomeOf,
  OWNER,
  passesOf,
  readyMessage,
  readyReason,
  requestsByVerb,
  resourceVersion,
  syncOf,
  untilGone,
  untilObject,
} from '../../support/scene.ts';

const { world, agent } = useWorld({ agent: true });

test('for a suspended Application drift stays, no request is sent for its objects, and Git is not polled', async () => {
  const subject = await declareSubject(world, 'suspended', {
    files: { 'a.yaml': text(configMap('a', { k: '1' })), 'b.yaml': text(configMap('b', { k: '1' })) },
  });
  await subject.application.untilReady();
  await subject.application.patch({ suspend: true });
  const said = await subject.application.until('suspended', (a) => readyReason(a) === 'False Suspended');
  assert.deepEqual(inventoryOf(said), ['ConfigMap suspended/a', 'ConfigMap suspended/b']);
  const before = await requestsByVerb(agent);
  const polls = world.git.requests.length;
  await subject.repository.commit({ 'a.yaml': text(configMap('a', { k: '2' })) });
  await world.apply(configMap('a', { k: 'drift' }, { namespace: 'suspended' }));
  await world.send('DELETE', configMapPath('suspended', 'b'));
  const asked = await subject.application.refresh();
  assert.equal(outcomeOf(asked), 'Refused');
  assert.match(answerOf(asked), /suspend/);
  const after = await requestsByVerb(agent);
  for (const verb of ['get', 'list', 'apply', 'patch', 'delete']) assert.equal(after[verb], before[verb], verb);
  assert.equal(world.git.requests.length, polls);
  assert.equal(at(await subject.configMap('a'), 'data', 'k'), 'drift');
  assert.equal(await subject.configMap('b'), undefined);
  await subject.application.patch({ suspend: false });
  await untilObject(world, configMapPath('suspended', 'b'), () => true);
  await subject.application.untilReady();
  assert.equal(at(await subject.configMap('a'), 'data', 'k'), '2');
});

test('deleting a suspended Application keeps its objects', async () => {
  const subject = await declareSubject(world, 'abandoned', { files: { 'a.yaml': text(configMap('a', { k: '1' })) } });
  await subject.application.untilReady();
  await subject.application.patch({ suspend: true });
  await subject.application.until('suspended', (a) => readyReason(a) === 'False Suspended');
  await subject.application.remove();
  await untilGone(world, subject.application.path);
  const left = await subject.configMap('a');
  assert.equal(at(left, 'data', 'k'), '1');
  assert.equal(at(left, 'metadata', 'annotations', OWNER), undefined);
});

test('mode detect reports field by field what would be created, changed, adopted and pruned, and writes nothing', async () => {
  const subject = await declareSubject(world, 'detect', {
    files: {
      'drifted.yaml': text(configMap('drifted', { k: '1', gone: '1' })),
      'surplus.yaml': text(configMap('surplus', { k: '1' })),
      'same.yaml': text(configMap('same', { k: '1' })),
    },
  });
  await subject.application.untilReady();
  await subject.application.patch({ sync: { mode: 'detect' } });
  await subject.application.untilReady();
  await world.apply(configMap('drifted', { k: 'drift' }, { namespace: 'detect' }), 'someone');
  await world.apply(configMap('found', { k: 'other', extra: '1' }, { namespace: 'detect' }), 'someone');
  await subject.repository.commit({
    'surplus.yaml': null,
    'missing.yaml': text(configMap('missing', { k: '1' })),
    'found.yaml': text(configMap('found', { k: '1' })),
  });
  const names = ['drifted', 'surplus', 'same', 'found'];
  const versions = async () => Promise.all(names.map(async (name) => resourceVersion(await subject.configMap(name))));
  const before = await versions();
  await subject.application.refresh();
  const told = await subject.application.until('out of sync', (a) => readyReason(a) === 'False OutOfSync');
  assert.equal(syncOf(told), 'OutOfSync');
  assert.equal(at(told, 'status', 'counts', 'outOfSync'), 4);
  assert.equal(at(told, 'status', 'counts', 'synced'), 1);
  assert.deepEqual(inventoryOf(told), [
    'ConfigMap detect/drifted',
    'ConfigMap detect/same',
    'ConfigMap detect/surplus',
  ]);
  const objects = at(await detailOf(agent, 'detect'), 'objects') as Record<string, unknown>[];
  const of = (name: string) => objects.find((object) => object['name'] === name);
  const fieldsOf = (name: string) => (of(name)?.['fields'] ?? []) as Record<string, unknown>[];
  assert.deepEqual(
    fieldsOf('drifted').map(({ path, desired, live, manager }) => ({
      path,
      desired,
      live,
      manager,
    })),
    [{ path: '/data/k', desired: '1', live: 'drift', manager: 'someone' }],
  );
  assert.equal(of('missing')?.['message'], 'missing');
  assert.equal(of('found')?.['message'], 'it exists without the owner marks of this Application');
  assert.deepEqual(
    fieldsOf('found')
      .map(({ path }) => path)
      .filter((path) => String(path) === '/data/k'),
    ['/data/k'],
  );
  assert.equal(of('surplus')?.['pruning'], true);
  assert.equal(of('same')?.['sync'], 'Synced');
  assert.deepEqual(await versions(), before);
  assert.equal(await subject.configMap('missing'), undefined);
  assert.match(readyMessage(told), /3 more/);
});

test('an Application that starts in mode detect writes no object and no finalizer, and claims nothing', async () => {
  const subject = await declareSubject(world, 'onlooker', {
    files: { 'a.yaml': text(configMap('a', { k: '1' })) },
    spec: { sync: { mode: 'detect' } },
  });
  const told = await subject.application.until('out of sync', (a) => readyReason(a) === 'False OutOfSync');
  assert.deepEqual(inventoryOf(told), []);
  assert.equal(at(told, 'metadata', 'finalizers'), undefined);
  assert.equal(await subject.configMap('a'), undefined);
  // The object has no mark, so no watch reports it; the refresh looks it up.
  await world.apply(configMap('a', { k: '1' }, { namespace: 'onlooker' }));
  const asked = await subject.application.refresh();
  assert.equal(readyReason(asked), 'False OutOfSync');
  assert.match(readyMessage(asked), /without the owner marks/);
  await subject.application.remove();
  await untilGone(world, subject.application.path);
  assert.ok(await subject.configMap('a'));
});

test('mode detect sends no request for unchanged objects', async () => {
  await makeNamespace(world, 'watcher');
  const subject = await declareSubject(world, 'watcher', { files: { 'a.yaml': text(configMap('a', { k: '1' })) } });
  await subject.application.untilReady();
  await subject.application.patch({ sync: { mode: 'detect' } });
  await subject.application.untilReady();
  await subject.application.refresh();
  const passes = await passesOf(agent, 'watcher');
  const before = await requestsByVerb(agent);
  for (let n = 0; n < 3; n++) await subject.application.refresh();
  const after = await requestsByVerb(agent);
  assert.ok((await passesOf(agent, 'watcher')) >= passes + 3);
  for (const verb of ['get', 'list', 'apply', 'patch', 'delete']) assert.equal(after[verb], before[verb], verb);
});
