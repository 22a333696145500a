/** Watches are shared within an account; objects that it may not watch are read by name. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { useWorld } from '../../support/use-world.ts';
import { conditionOf } from '../../support/world.ts';
import { declareTenant, denial, startTenantAgent, untilSaid } from './scene.ts';
import { configMap, text } from '../../support/objects.ts';
import { grant, makeAccount, rule } from '../../support/rights.ts';
import { at, configMapPath, requestsByVerb, syncOf, untilObject } from '../../support/scene.ts';

const { world, agent } = useWorld({ agent: startTenantAgent });

test('Applications with the same account share a watch, and another account of the namespace has its own', async () => {
  const files = {
    'one/a.yaml': text(configMap('a', {})),
    'two/b.yaml': text(configMap('b', {})),
    'three/c.yaml': text(configMap('c', {})),
  };
  const first = await declareTenant(world, 'shares', {
    files,
    spec: { source: { repoURL: `${world.git.url}/shares.git`, path: 'one' } },
  });
  await first.application.untilReady();
  const declare = (name: string, serviceAccountName: string) =>
    world.declare(name, { source: { repoURL: first.repository.url, path: name }, serviceAccountName }, 'shares');
  const watches = async (): Promise<number> => (await requestsByVerb(agent))['watch'] ?? 0;
  const before = await watches();
  await (await declare('two', 'deployer')).untilReady();
  assert.equal(await watches(), before);
  await makeAccount(world, 'shares', 'other');
  await grant(world, {
    namespace: 'shares',
    rules: [rule('', 'configmaps')],
    to: { namespace: 'shares', name: 'other' },
  });
  await (await declare('three', 'other')).untilReady();
  assert.equal(await watches(), before + 1);
});

test('an account without rights learns nothing from the watch of another account', async () => {
  const files = { 'one/a.yaml': text(configMap('a', {})), 'two/b.yaml': text(configMap('b', {})) };
  const spec = { source: { repoURL: `${world.git.url}/looks.git`, path: 'one' } };
  const tenant = await declareTenant(world, 'looks', { files, spec });
  const second = { source: { ...spec.source, path: 'two' }, serviceAccountName: 'deployer' };
  const application = await world.declare('two', second, 'looks');
  await Promise.all([tenant.application.untilReady(), application.untilReady()]);
  await makeAccount(world, 'looks', 'blind');
  await application.patch({ serviceAccountName: 'blind' });
  const found = await untilSaid({ application }, denial('looks', 'get', 'configmaps', 'blind'));
  assert.equal(syncOf(found), 'Unknown');
  assert.equal(at(found, 'status', 'health', 'status'), 'Unknown');
  await tenant.application.untilReady();
});

test('objects that an account may neither list nor watch are read by name at the interval, which finds drift', async () => {
  const tenant = await declareTenant(world, 'polls', {
    files: { 'a.yaml': text(configMap('a', { k: '1' })), 'b.yaml': text(configMap('b', { k: '1' })) },
    verbs: ['get', 'create', 'patch', 'delete'],
    spec: { source: { repoURL: `${world.git.url}/polls.git`, interval: '10s' } },
  });
  const ready = await tenant.application.untilReady();
  assert.equal(syncOf(ready), 'Synced');
  const watching = conditionOf(ready, 'Watching');
  assert.equal(at(watching, 'status'), 'False');
  assert.equal(at(watching, 'reason'), 'WatchForbidden');
  assert.match(
    String(at(watching, 'message')),
    /^ConfigMap in namespace polls: .*:polls:deployer" cannot (list|watch)/,
  );
  await world.apply(configMap('a', { k: '2' }, { namespace: 'polls' }));
  await world.send('DELETE', configMapPath('polls', 'b'));
  await untilObject(world, configMapPath('polls', 'a'), (found) => at(found, 'data', 'k') === '1');
  await untilObject(world, configMapPath('polls', 'b'), () => true);
  await tenant.repository.commit({ 'b.yaml': null });
  await tenant.application.refresh();
  await tenant.application.untilReady();
  assert.equal(await tenant.configMap('b'), undefined);
});
