/** Every action on the objects of an Application needs a right of its account, whatever the agent itself may do. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { useWorld } from '../../support/use-world.ts';
import { declareTenant, denial, startTenantAgent, untilSaid } from './scene.ts';
import { configMap, text, workload } from '../../support/objects.ts';
import { ALL_VERBS, grant, makeAccount, rule, type Verb } from '../../support/rights.ts';
import { at, configMapPath, OWNER, readyReason, untilGone, untilHealth, untilObject } from '../../support/scene.ts';

const { world } = useWorld({ agent: startTenantAgent });

const without = (...verbs: Verb[]): Verb[] => ALL_VERBS.filter((verb) => !verbs.includes(verb));
const two = { 'a.yaml': text(configMap('a', { k: '1' })), 'b.yaml': text(configMap('b', { k: '1' })) };

test('creating needs the verb create, and the Application becomes Ready once the account has it', async () => {
  const tenant = await declareTenant(world, 'creates', { files: two, verbs: without('create') });
  const found = await untilSaid(tenant, denial('creates', 'create', 'configmaps'));
  assert.equal(readyReason(found), 'False ReconciliationFailed');
  assert.equal(await tenant.configMap('a'), undefined);
  await tenant.allow(...ALL_VERBS);
  await tenant.application.untilReady();
});

test('an account that does not exist is named, and the Application becomes Ready once it exists', async () => {
  const spec = { serviceAccountName: 'forgotten' };
  const tenant = await declareTenant(world, 'forgets', { files: two, spec });
  await untilSaid(tenant, /^the ServiceAccount forgotten does not exist in the namespace forgets.*create it/);
  await makeAccount(world, 'forgets', 'forgotten');
  await untilSaid(tenant, denial('forgets', '\\w+', 'configmaps', 'forgotten'));
  const to = { namespace: 'forgets', name: 'forgotten' };
  await grant(world, { namespace: 'forgets', rules: [rule('', 'configmaps')], to, name: 'forgotten' });
  await tenant.application.untilReady();
});

test('changing and healing need patch, and other Applications go on meanwhile', async () => {
  const [tenant, neighbour] = await Promise.all([
    declareTenant(world, 'changes', { files: two }),
    declareTenant(world, 'neighbour', { files: two }),
  ]);
  await tenant.application.untilReady();
  await tenant.allow(...without('patch'));
  const change = { 'a.yaml': text(configMap('a', { k: '2' })) };
  await Promise.all([tenant.repository.commit(change), neighbour.repository.commit(change)]);
  await Promise.all([tenant.application.refresh(), neighbour.application.refresh()]);
  await untilSaid(tenant, denial('changes', 'patch', 'configmaps'));
  assert.equal(at(await tenant.configMap('a'), 'data', 'k'), '1');
  await neighbour.application.untilReady();
  assert.equal(at(await neighbour.configMap('a'), 'data', 'k'), '2');
  await tenant.allow(...ALL_VERBS);
  await tenant.application.untilReady();
  assert.equal(at(await tenant.configMap('a'), 'data', 'k'), '2');
});

test('pruning needs get and delete', async () => {
  const tenant = await declareTenant(world, 'prunes', { files: two, verbs: without('delete') });
  await tenant.application.untilReady();
  await tenant.repository.commit({ 'b.yaml': null });
  await tenant.application.refresh();
  const found = await untilSaid(tenant, denial('prunes', 'delete', 'configmaps'));
  assert.equal(readyReason(found), 'False PruneFailed');
  await tenant.allow(...without('get'));
  await untilSaid(tenant, denial('prunes', 'get', 'configmaps'));
  assert.ok(await tenant.configMap('b'));
  await tenant.allow(...ALL_VERBS);
  await tenant.application.untilReady();
  assert.equal(await tenant.configMap('b'), undefined);
});

test('a dry run needs patch; without it the state of the object is not known', async () => {
  const tenant = await declareTenant(world, 'detects', { files: two });
  await tenant.application.untilReady();
  const viewer = { namespace: 'detects', name: 'viewer' };
  await makeAccount(world, viewer.namespace, viewer.name);
  await grant(world, { namespace: 'detects', rules: [rule('', 'configmaps', ['get', 'list', 'watch'])], to: viewer });
  // An apply that the server accepted from one account proves nothing for another, so a dry run is needed.
  await tenant.application.patch({ sync: { mode: 'detect' }, serviceAccountName: viewer.name });
  await untilSaid(tenant, denial('detects', 'patch', 'configmaps', 'viewer'));
});

test('adoption and the take-over of fields need patch and get', async () => {
  const live = configMap('a', { k: '1', old: 'x' }, { namespace: 'adopts' });
  const tenant = await declareTenant(world, 'adopts', { files: two, verbs: without('patch') });
  await world.apply(live, 'kubectl-client-side-apply');
  await tenant.application.refresh();
  await untilSaid(tenant, denial('adopts', 'patch', 'configmaps'));
  assert.equal(at(await tenant.configMap('a'), 'data', 'old'), 'x');
  await tenant.allow(...without('get'));
  await tenant.repository.commit({ 'a.yaml': text(configMap('a', { k: '2' })) });
  await tenant.application.refresh();
  await untilSaid(tenant, denial('adopts', 'get', 'configmaps'));
  assert.equal(at(await tenant.configMap('a'), 'data', 'old'), 'x');
  await tenant.allow(...ALL_VERBS);
  await tenant.application.untilReady();
  assert.deepEqual(at(await tenant.configMap('a'), 'data'), { k: '2' });
});

test('deleting an Application needs delete to prune, and the missing right is reported meanwhile', async () => {
  const pruning = await declareTenant(world, 'finishes', { files: two });
  await pruning.application.untilReady();
  await pruning.allow(...without('delete'));
  await pruning.application.remove();
  await untilSaid(pruning, denial('finishes', 'delete', 'configmaps'));
  await pruning.allow(...ALL_VERBS);
  await untilGone(world, pruning.application.path);
  assert.equal(await pruning.configMap('a'), undefined);
});

test('an Application with Orphan lets go of its objects without the right to remove its marks', async () => {
  const orphaning = await declareTenant(world, 'lets-go', { files: two, spec: { deletionPolicy: 'Orphan' } });
  await orphaning.application.untilReady();
  await orphaning.allow(...without('patch'));
  await orphaning.application.remove();
  await untilGone(world, orphaning.application.path);
  assert.match(String(at(await orphaning.configMap('a'), 'metadata', 'annotations', OWNER)), /\/lets-go$/);
});

test('an object is handed over without a right of its former owner', async () => {
  const giver = await declareTenant(world, 'gives', {
    files: { 'one/a.yaml': text(configMap('a', { k: '1' })), 'two/b.yaml': text(configMap('b', {})) },
    spec: { source: { repoURL: `${world.git.url}/gives.git`, path: 'one' } },
  });
  await giver.application.untilReady();
  const taker = await world.declare(
    'takes',
    { source: { repoURL: giver.repository.url, path: 'two' }, serviceAccountName: 'deployer' },
    'gives',
  );
  await taker.untilReady();
  await giver.allow(...without('patch'));
  await giver.repository.commit({
    'one/a.yaml': null,
    'one/c.yaml': text(configMap('c', {})),
    'two/a.yaml': text(configMap('a', { k: '1' })),
  });
  await Promise.all([giver.application.refresh(), taker.refresh()]);
  await untilSaid(giver, denial('gives', 'patch', 'configmaps'));
  await giver.allow(...ALL_VERBS);
  await Promise.all([giver.application.untilReady(), taker.untilReady()]);
  assert.match(String(at(await giver.configMap('a'), 'metadata', 'annotations', OWNER)), /\/takes$/);
});

test('creating the destination namespace needs get and create of namespaces', async () => {
  const spec = { destination: { namespace: 'made-by-tenant', createNamespace: true } };
  const tenant = await declareTenant(world, 'makes', { files: two, spec });
  const to = { namespace: 'makes', name: 'deployer' };
  const configMaps = rule('', 'configmaps');
  await grant(world, { namespace: '', rules: [configMaps], to });
  await untilSaid(tenant, denial('makes', 'get', 'namespaces'));
  await grant(world, { namespace: '', rules: [configMaps, rule('', 'namespaces', ['get', 'patch'])], to });
  await untilSaid(tenant, denial('makes', 'create', 'namespaces'));
  assert.equal(await world.read('/api/v1/namespaces/made-by-tenant'), undefined);
  await grant(world, { namespace: '', rules: [configMaps, rule('', 'namespaces')], to });
  await tenant.application.untilReady();
  await untilObject(world, configMapPath('made-by-tenant', 'a'), () => true);
});

test('reading Pods for health needs list; without it the health names the missing right', async () => {
  const files = { 'web.yaml': text(workload('Deployment', 'web')) };
  const tenant = await declareTenant(world, 'ails', { files, rules: [rule('apps', 'deployments')] });
  const message = new RegExp(`its Pods cannot be read: .*${denial('ails', 'list', 'pods').source}`);
  await untilHealth(tenant.application, 'Progressing', message);
});
