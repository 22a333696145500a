/** Failures of one object or of one moment: they are reported, and everything else goes on. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { useWorld } from '../../support/use-world.ts';
import { setFinalizers } from '../../support/kubectl.ts';
import { configMap, definition, service, text } from '../../support/objects.ts';
import {
  at,
  configMapPath,
  declareSubject,
  inventoryOf,
  makeNamespace,
  passesOf,
  readyMessage,
  readyReason,
  syncOf,
  untilGone,
  untilObject,
} from '../../support/scene.ts';

const { world, agent } = useWorld({ agent: { flags: ['--discovery-retry', '1s'] } });

test('an object that the server refuses is reported with its file, the others are applied, and nothing is pruned', async () => {
  const subject = await declareSubject(world, 'refuses', {
    files: { 'a.yaml': text(configMap('a', { k: '1' })), 'old.yaml': text(configMap('old', {})) },
  });
  await subject.application.untilReady();
  await subject.repository.commit({
    'a.yaml': text(configMap('a', { k: '2' })),
    'old.yaml': null,
    'bad.yaml': text(service('bad', { ports: [{ port: 99999 }] })),
  });
  await subject.application.refresh();
  const failed = await subject.application.until('refused', (a) => readyReason(a) === 'False ReconciliationFailed');
  assert.match(readyMessage(failed), /Service refuses\/bad \(bad\.yaml:10\): .*port/);
  assert.equal(at(await subject.configMap('a'), 'data', 'k'), '2');
  assert.ok(await subject.configMap('old'));
  await subject.repository.commit({ 'bad.yaml': null });
  await subject.application.refresh();
  const ready = await subject.application.untilReady();
  assert.equal(await subject.configMap('old'), undefined);
  assert.deepEqual(inventoryOf(ready), ['ConfigMap refuses/a']);
});

test('a refused object is not sent again in a loop', async () => {
  const subject = await declareSubject(world, 'stubborn', {
    files: { 'bad.yaml': text(service('bad', { ports: [{ port: 99999 }] })), 'a.yaml': text(configMap('a', {})) },
  });
  await subject.application.until('refused', (a) => readyReason(a) === 'False ReconciliationFailed');
  const passes = await passesOf(agent, 'stubborn');
  await new Promise((resolve) => setTimeout(resolve, 2_000));
  assert.ok((await passesOf(agent, 'stubborn')) - passes <= 1);
});

test('a field that cannot be changed in place is reported as such, not as invalid', async () => {
  const frozen = (value: string) => ({ ...configMap('frozen', { k: value }), immutable: true });
  const subject = await declareSubject(world, 'immutable', { files: { 'a.yaml': text(frozen('1')) } });
  await subject.application.untilReady();
  await subject.repository.commit({ 'a.yaml': text(frozen('2')) });
  await subject.application.refresh();
  const failed = await subject.application.until('immutable', (a) => readyReason(a) === 'False ReconciliationFailed');
  assert.match(readyMessage(failed), /cannot be changed in place/);
  // The remedy that the message names: once the object is deleted, the agent creates it again.
  await world.send('DELETE', configMapPath('immutable', 'frozen'));
  await subject.application.untilReady();
  assert.equal(at(await subject.configMap('frozen'), 'data', 'k'), '2');
});

test('an object of an unknown kind is reported while the others are applied, and is applied once its definition exists', async () => {
  const gadget = { apiVersion: 'late.example.com/v1', kind: 'Gadget', metadata: { name: 'g' }, spec: {} };
  const subject = await declareSubject(world, 'late', {
    files: { 'a.yaml': text(configMap('a', {})), 'g.yaml': text(gadget) },
  });
  const failed = await subject.application.until('unknown kind', (a) => readyReason(a) === 'False BuildFailed');
  assert.match(readyMessage(failed), /Gadget/);
  assert.ok(await subject.configMap('a'));
  await world.apply(definition({ group: 'late.example.com', kind: 'Gadget' }));
  await subject.application.untilReady();
  assert.ok(await world.read('/apis/late.example.com/v1/namespaces/late/gadgets/g'));
});

test('a change of destination moves the objects', async () => {
  const subject = await declareSubject(world, 'moves', { files: { 'a.yaml': text(configMap('a', { k: '1' })) } });
  await subject.application.untilReady();
  await makeNamespace(world, 'moved');
  await subject.application.patch({ destination: { namespace: 'moved' } });
  await untilGone(world, configMapPath('moves', 'a'));
  const ready = await subject.application.untilReady();
  assert.deepEqual(inventoryOf(ready), ['ConfigMap moved/a']);
});

test('an Application that is created again under the same name adopts its former objects', async () => {
  const subject = await declareSubject(world, 'anew', {
    files: { 'a.yaml': text(configMap('a', { k: '1' })) },
    spec: { deletionPolicy: 'Orphan' },
  });
  await subject.application.untilReady();
  await subject.application.remove();
  await untilGone(world, subject.application.path);
  assert.equal(at(await subject.configMap('a'), 'metadata', 'labels'), undefined);
  const again = await world.declare('anew', {
    source: { repoURL: subject.repository.url },
    destination: { namespace: 'anew' },
  });
  const ready = await again.untilReady();
  assert.deepEqual(inventoryOf(ready), ['ConfigMap anew/a']);
  await again.remove();
  await untilGone(world, configMapPath('anew', 'a'));
});

test('an object whose deletion a finalizer holds up is created again once it is gone', async () => {
  const subject = await declareSubject(world, 'lingers', { files: { 'a.yaml': text(configMap('a', { k: '1' })) } });
  await subject.application.untilReady();
  const hold = (finalizers: string[]): Promise<void> =>
    setFinalizers(world, 'configmap/a', { namespace: 'lingers', finalizers });
  await hold(['example.com/hold']);
  const uid = at(await subject.configMap('a'), 'metadata', 'uid');
  await world.send('DELETE', configMapPath('lingers', 'a'));
  await subject.application.refresh();
  assert.ok(at(await subject.configMap('a'), 'metadata', 'deletionTimestamp'));
  await hold([]);
  await untilObject(world, configMapPath('lingers', 'a'), (object) => at(object, 'metadata', 'uid') !== uid);
  await subject.application.untilReady();
});

test('a namespace that is being deleted is reported by the Application with objects in it', async () => {
  await makeNamespace(world, 'dying');
  await world.send('DELETE', '/api/v1/namespaces/dying');
  const repository = await world.repository('dying');
  await repository.commit({ 'a.yaml': text(configMap('a', {})) });
  const application = await world.declare('dying', {
    source: { repoURL: repository.url },
    destination: { namespace: 'dying' },
  });
  const failed = await application.until('terminating', (a) => readyReason(a) === 'False ReconciliationFailed');
  assert.match(readyMessage(failed), /namespace is being deleted/);
  await application.remove();
  await untilGone(world, application.path);
});

test('while Git is unavailable only the source fails; drift is healed, and the next good answer clears the failure', async () => {
  const subject = await declareSubject(world, 'offline', { files: { 'a.yaml': text(configMap('a', { k: '1' })) } });
  await subject.application.untilReady();
  const { dir } = subject.repository;
  const { rename } = await import('node:fs/promises');
  await rename(dir, `${dir}.away`);
  const failed = await subject.application.refresh();
  assert.equal(readyReason(failed), 'False ArtifactFailed');
  assert.equal(syncOf(failed), 'Unknown');
  await world.apply(configMap('a', { k: 'drift' }, { namespace: 'offline' }));
  await untilObject(world, configMapPath('offline', 'a'), (object) => at(object, 'data', 'k') === '1');
  await rename(`${dir}.away`, dir);
  await subject.application.refresh();
  await subject.application.untilReady();
});
