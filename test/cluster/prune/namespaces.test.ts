/** Namespaces that go, where a namespace controller takes what is in them along. */
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

test('the namespace of an Application is deleted: the finalizer holds it no longer than its objects need', async () => {
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

test('the namespace of an Application goes while the agent is away: the next one lets it go', async () => {
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

test('a Namespace that stays Terminating is waited for, with what holds it, while the rest goes on', async () => {
  await using agent = await world.agent({ flags: FLAGS });
  const repository = await world.repository('stays');
  await repository.commit({
    'a.yaml': text(configMap('a', { k: '1' })),
    'n.yaml': text(namespaceManifest('staying')),
  });
  const application = await world.declare('stays', { source: { repoURL: repository.url } }, 'stays-apps');
  await application.untilReady();
  // Somebody else's object in it, with a finalizer that nobody serves.
  await world.apply(configMap('theirs', {}, { namespace: 'staying', finalizers: ['example.com/hold'] }), 'someone');
  await repository.commit({ 'n.yaml': null });
  await application.refresh();
  await application.request({ action: 'confirm-prune' });
  const told = await application.until('says what holds it', (a) => /example\.com\/hold/.test(readyMessage(a)));
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

test('the namespace that holds the objects of an Application is deleted by hand and comes back with all in it', async () => {
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
