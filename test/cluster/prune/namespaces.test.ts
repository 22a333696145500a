/** Deleted namespaces, with a namespace controller that deletes the objects in them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { useWorld } from '../../support/use-world.ts';
import { setFinalizers } from '../../support/kubectl.ts';
import { configMap, namespaceManifest, text } from '../../support/objects.ts';
import {
  at,
  configMapPath,
  inventoryOf,
  makeNamespace,
  readyMessage,
  readyReason,
  untilGone,
  untilObject,
} from '../../support/scene.ts';

const { world } = useWorld({ mode: 'full' });

const FLAGS = ['--progress-check', '1s', '--max-backoff', '2s'];

test('a deleted namespace of an Application is gone once the objects of the Application are deleted', async () => {
  await using agent = await world.agent({ flags: FLAGS });
  const repository = await world.repository('team');
  await makeNamespace(world, 'team-data');
  await repository.commit({
    'a.yaml': text(configMap('a', {})),
    'b.yaml': text(configMap('b', {}, { namespace: 'team-data' })),
  });
  const application = await world.declare('team', { source: { repoURL: repository.url } }, 'team');
  await application.untilReady();
  await world.apply(configMap('bystander', {}, { namespace: 'team-data' }));
  await world.send('DELETE', '/api/v1/namespaces/team');
  await untilGone(world, '/api/v1/namespaces/team');
  assert.equal(await world.read(configMapPath('team-data', 'b')), undefined);
  assert.ok(await world.read(configMapPath('team-data', 'bystander')));
  assert.equal(agent.process.exitCode, null);
});

test('the next agent finishes an Application whose namespace was deleted while no agent ran', async () => {
  const repository = await world.repository('away');
  await repository.commit({ 'a.yaml': text(configMap('a', {})) });
  const application = await world.declare('away', { source: { repoURL: repository.url } }, 'away');
  {
    await using agent = await world.agent({ flags: FLAGS });
    await application.untilReady();
    assert.ok(agent.apiUrl);
  }
  await world.send('DELETE', '/api/v1/namespaces/away');
  await untilGone(world, configMapPath('away', 'a'));
  assert.ok(await world.read(application.path));
  await using next = await world.agent({ flags: FLAGS });
  await untilGone(world, '/api/v1/namespaces/away');
  assert.equal(next.process.exitCode, null);
});

test('a pruned Namespace that stays Terminating is reported with its cause, while other objects are applied', async () => {
  await using agent = await world.agent({ flags: FLAGS });
  const repository = await world.repository('stays');
  await repository.commit({
    'a.yaml': text(configMap('a', { k: '1' })),
    'n.yaml': text(namespaceManifest('staying')),
  });
  const application = await world.declare('stays', { source: { repoURL: repository.url } }, 'stays-apps');
  await application.untilReady();
  // An object of another manager, with a finalizer that no controller removes.
  await world.apply(configMap('theirs', {}, { namespace: 'staying', finalizers: ['example.com/hold'] }), 'someone');
  await repository.commit({ 'n.yaml': null });
  await application.refresh();
  await application.request({ action: 'confirm-prune' });
  const told = await application.until('the finalizer is reported', (a) => /example\.com\/hold/.test(readyMessage(a)));
  assert.equal(readyReason(told), 'False Progressing');
  assert.match(readyMessage(told), /Namespace staying: /);
  assert.deepEqual(inventoryOf(told), ['ConfigMap stays-apps/a', 'Namespace /staying']);
  await repository.commit({ 'a.yaml': text(configMap('a', { k: '2' })) });
  await application.refresh();
  await untilObject(world, configMapPath('stays-apps', 'a'), (object) => at(object, 'data', 'k') === '2');
  await setFinalizers(world, 'configmap/theirs', { namespace: 'staying', finalizers: [] });
  await untilGone(world, '/api/v1/namespaces/staying');
  const ready = await application.untilReady();
  assert.deepEqual(inventoryOf(ready), ['ConfigMap stays-apps/a']);
  assert.equal(agent.process.exitCode, null);
});

test('a Namespace in Git that is deleted by hand is created again, with the objects in it', async () => {
  await using agent = await world.agent({ flags: FLAGS });
  const repository = await world.repository('phoenix');
  await repository.commit({
    'n.yaml': text(namespaceManifest('phoenix-data')),
    'a.yaml': text(configMap('a', { k: '1' }, { namespace: 'phoenix-data' })),
  });
  const application = await world.declare('phoenix', { source: { repoURL: repository.url } }, 'phoenix-apps');
  await application.untilReady();
  const uid = at(await world.read('/api/v1/namespaces/phoenix-data'), 'metadata', 'uid');
  await world.send('DELETE', '/api/v1/namespaces/phoenix-data');
  await untilObject(world, '/api/v1/namespaces/phoenix-data', (n) => at(n, 'metadata', 'uid') !== uid);
  await untilObject(world, configMapPath('phoenix-data', 'a'), (object) => at(object, 'data', 'k') === '1');
  await application.untilReady();
  assert.equal(agent.process.exitCode, null);
});
