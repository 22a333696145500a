/** A person who may write Applications in one namespace gets no other rights by that. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { agentIdentity, serviceAccountIdentity } from '../../../src/cluster/identity.ts';
import { useWorld } from '../../support/use-world.ts';
import { connect, kindOf } from '../edge/edge-cluster.ts';
import { declareTenant, denial, startTenantAgent, untilSaid } from './scene.ts';
import { kubeconfigText } from '../../support/kubeconfig.ts';
import { applicationManifest, configMap, namespaceManifest, text } from '../../support/objects.ts';
import { grant, makeAccount, rule } from '../../support/rights.ts';
import { at, configMapPath, inventoryOf, makeNamespace, readyReason, syncOf, untilGone } from '../../support/scene.ts';

const { world } = useWorld({ agent: startTenantAgent });

const elsewhere = (namespace: string, name: string) => text(configMap(name, { k: 'stolen' }, { namespace }));

test('an account cannot write into another namespace nor cluster-wide objects, and its claims do not block their owner', async () => {
  await makeNamespace(world, 'victim');
  const files = {
    'own.yaml': text(configMap('own', {})),
    'foreign.yaml': elsewhere('victim', 'wanted'),
    'space.yaml': text(namespaceManifest('attackers')),
    'inside.yaml': elsewhere('attackers', 'x'),
  };
  const attacker = await declareTenant(world, 'attacker', { files });
  const said = await untilSaid(attacker, denial('attacker', 'patch', 'configmaps'));
  const told = JSON.stringify(at(said, 'status', 'resources')).replaceAll('\\"', '"');
  assert.match(told, denial('attacker', 'patch', 'namespaces'));
  assert.ok(await attacker.configMap('own'));
  assert.equal(await world.read(configMapPath('victim', 'wanted')), undefined);
  assert.equal(await world.read('/api/v1/namespaces/attackers'), undefined);
  const victim = await declareTenant(world, 'victim', { files: { 'a.yaml': text(configMap('wanted', { k: 'own' })) } });
  await victim.application.untilReady();
  assert.equal(at(await victim.configMap('wanted'), 'data', 'k'), 'own');
  const refused = await attacker.application.refresh();
  assert.match(readyReason(refused), /^False /);
  assert.deepEqual(inventoryOf(refused), ['ConfigMap attacker/own']);
});

test('an Application in mode manual that claims an object of another namespace does not block its owner', async () => {
  const files = { 'own.yaml': text(configMap('own', {})), 'foreign.yaml': elsewhere('claimed', 'wanted') };
  // In mode manual it never applies the object, so the API server never refuses it.
  const squatter = await declareTenant(world, 'squatter', { files, spec: { sync: { mode: 'manual' } } });
  await squatter.application.until('compared', (found) => at(found, 'status', 'counts', 'total') === 2);
  const owner = await declareTenant(world, 'claimed', { files: { 'a.yaml': text(configMap('wanted', { k: 'own' })) } });
  await owner.application.untilReady();
  assert.equal(at(await owner.configMap('wanted'), 'data', 'k'), 'own');
});

test('an account that may only read an object of another namespace does not block its adoption there', async () => {
  await makeNamespace(world, 'seen');
  await world.apply(configMap('wanted', { k: 'by hand' }, { namespace: 'seen' }));
  const to = { namespace: 'reader', name: 'deployer' };
  await grant(world, { namespace: 'seen', rules: [rule('', 'configmaps', ['get', 'list', 'watch'])], to });
  const files = { 'own.yaml': text(configMap('own', {})), 'foreign.yaml': elsewhere('seen', 'wanted') };
  const reader = await declareTenant(world, 'reader', { files, spec: { sync: { mode: 'manual' } } });
  await reader.application.until('compared', (found) => at(found, 'status', 'counts', 'total') === 2);
  await reader.application.patch({ sync: { mode: 'auto' } });
  await untilSaid(reader, denial('reader', 'patch', 'configmaps'));
  // The refused object was in the inventory ahead of the attempt, and leaves it in the next pass.
  const released = await reader.application.until('inventory', (found) => inventoryOf(found).length === 1);
  assert.deepEqual(inventoryOf(released), ['ConfigMap reader/own']);
  const owner = await declareTenant(world, 'seen', { files: { 'a.yaml': text(configMap('wanted', { k: 'own' })) } });
  await owner.application.untilReady();
  assert.equal(at(await owner.configMap('wanted'), 'data', 'k'), 'own');
});

test('the API server refuses names that are not an account of the namespace', async () => {
  await makeNamespace(world, 'names');
  const path = '/apis/tautline.dev/v1alpha1/namespaces/names/applications';
  for (const serviceAccountName of ['', ' ', 'system:admin', 'system:masters', '../x', 'names/deployer', 'A', 'a\n']) {
    const spec = { source: { repoURL: 'https://git.example.com/x.git' }, serviceAccountName };
    const body = applicationManifest('hostile', spec, { namespace: 'names' });
    const { code, body: answer } = await world.plane.request('POST', path, body);
    assert.equal(code, 422, `${JSON.stringify(serviceAccountName)}: ${JSON.stringify(answer)}`);
    assert.match(String(at(answer, 'message')), /spec\.serviceAccountName/);
  }
});

test('an agent that may not impersonate an account does not use its own rights instead', async () => {
  const token = await world.plane.serviceAccountToken('weak', 'agent');
  await grant(world, { namespace: 'weak', rules: [rule('', 'configmaps')], to: { namespace: 'weak', name: 'agent' } });
  const authority = await readFile(world.plane.caFile, 'base64');
  const cluster = { server: world.plane.url, 'certificate-authority-data': authority };
  const kubeconfig = kubeconfigText({ cluster, user: { token } });
  const edge = await connect(world.plane, { source: { type: 'kubeconfigText', text: kubeconfig } });
  try {
    const configMaps = await kindOf(edge, 'v1', 'ConfigMap');
    const body = configMap('a', {}, { namespace: 'weak' });
    const account = edge.as(serviceAccountIdentity('weak', 'deployer'));
    const answer = await account.apply({ kind: configMaps, body, force: true });
    assert.ok(!answer.ok && answer.refusal.code === 'Forbidden', JSON.stringify(answer));
    assert.match(answer.refusal.message, /:weak:agent" cannot impersonate/);
    assert.ok((await edge.as(agentIdentity).apply({ kind: configMaps, body, force: true })).ok);
  } finally {
    await edge.close();
  }
});

test('an account that does not exist has no rights, and the agent does not use its own instead', async () => {
  const tenant = await declareTenant(world, 'nobody', {
    files: { 'a.yaml': text(configMap('a', {})) },
    spec: { serviceAccountName: 'ghost' },
  });
  await untilSaid(tenant, /the ServiceAccount ghost does not exist in the namespace nobody, .*may do nothing/);
  assert.equal(await tenant.configMap('a'), undefined);
});

test("without an account nothing is created outside the Application's namespace, not even a namespace", async () => {
  await makeNamespace(world, 'foreign');
  const files = {
    'own.yaml': text(configMap('own', {}, { namespace: 'plain' })),
    'foreign.yaml': elsewhere('foreign', 'x'),
  };
  const tenant = await declareTenant(world, 'plain', { files, spec: { serviceAccountName: null } });
  await untilSaid(tenant, /may only write to its own namespace plain/);
  await tenant.repository.commit({ 'foreign.yaml': text(namespaceManifest('plain-2')) });
  await tenant.application.refresh();
  await untilSaid(tenant, /Namespace plain-2: .* the object is cluster-scoped/);
  await tenant.repository.commit({
    'foreign.yaml': null,
    'own.yaml': text(configMap('own', { k: '2' }, { namespace: 'plain' })),
  });
  await tenant.application.patch({ destination: { namespace: 'plain-3', createNamespace: true } });
  await untilSaid(tenant, /namespace plain-3: it is outside the namespace of the Application/);
  for (const name of ['plain-2', 'plain-3']) assert.equal(await world.read(`/api/v1/namespaces/${name}`), undefined);
  assert.equal(await world.read(configMapPath('foreign', 'x')), undefined);
});

test('an Application without its former account cannot prune an object that only the account could reach', async () => {
  await makeNamespace(world, 'leased');
  const to = { namespace: 'lessee', name: 'deployer' };
  await grant(world, { namespace: 'leased', rules: [rule('', 'configmaps')], to });
  const files = { 'own.yaml': text(configMap('own', {})), 'leased.yaml': elsewhere('leased', 'x') };
  const tenant = await declareTenant(world, 'lessee', { files });
  await tenant.application.untilReady();
  await tenant.repository.commit({ 'leased.yaml': null });
  await tenant.application.patch({ serviceAccountName: null });
  await untilSaid(tenant, /ConfigMap leased\/x: .*outside the namespace of the Application/);
  await tenant.application.remove();
  await untilSaid(tenant, /1 left; ConfigMap leased\/x: it is outside the namespace of the Application/);
  assert.ok(await world.read(configMapPath('leased', 'x')));
  assert.equal(await tenant.configMap('own'), undefined);
  await tenant.application.patch({ deletionPolicy: 'Orphan' });
  await untilGone(world, tenant.application.path);
  assert.ok(await world.read(configMapPath('leased', 'x')));
});

test('state that one account saw is not used for another account', async () => {
  const tenant = await declareTenant(world, 'switches', { files: { 'a.yaml': text(configMap('a', { k: '1' })) } });
  await tenant.application.untilReady();
  await makeAccount(world, 'switches', 'blind');
  await tenant.application.patch({ serviceAccountName: 'blind' });
  const found = await untilSaid(tenant, denial('switches', 'get', 'configmaps', 'blind'));
  assert.equal(syncOf(found), 'Unknown');
  assert.equal(at(found, 'status', 'resources', 0, 'sync'), 'Unknown');
  await grant(world, {
    namespace: 'switches',
    rules: [rule('', 'configmaps')],
    to: { namespace: 'switches', name: 'blind' },
  });
  await tenant.application.untilReady();
});
