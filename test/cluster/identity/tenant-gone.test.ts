/** A deleted namespace loses accounts and rights before the Applications that need them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { useWorld } from '../../support/use-world.ts';
import { declareTenant, denial, startTenantAgent, untilSaid } from './scene.ts';
import { configMap, text } from '../../support/objects.ts';
import { ALL_VERBS, grant, rule } from '../../support/rights.ts';
import { at, configMapPath, makeNamespace, untilGone } from '../../support/scene.ts';

const { world, agent } = useWorld({ agent: startTenantAgent });

const RBAC = '/apis/rbac.authorization.k8s.io/v1';

test("objects in other namespaces are kept when the tenant's namespace is deleted, and its Application does not block that", async () => {
  await makeNamespace(world, 'outlives');
  const to = { namespace: 'leaves', name: 'deployer' };
  await grant(world, { namespace: 'outlives', rules: [rule('', 'configmaps')], to });
  const files = {
    'own.yaml': text(configMap('own', {})),
    'far.yaml': text(configMap('far', {}, { namespace: 'outlives' })),
  };
  const tenant = await declareTenant(world, 'leaves', { files });
  await tenant.application.untilReady();
  // No controller empties the namespace here, so the test does it, in the order that causes trouble.
  await tenant.allow('get', 'list', 'watch');
  await world.send('DELETE', '/api/v1/namespaces/leaves');
  await tenant.application.remove();
  await untilSaid(tenant, denial('leaves', 'delete', 'configmaps'));
  await world.send('DELETE', `${RBAC}/namespaces/leaves/rolebindings/leaves-deployer`);
  await world.send('DELETE', '/api/v1/namespaces/leaves/serviceaccounts/deployer');
  await untilGone(world, tenant.application.path);
  const far = await world.read(configMapPath('outlives', 'far'));
  assert.equal(at(far, 'metadata', 'deletionTimestamp'), undefined);
  const told = agent.log.find(({ msg }) => msg === 'objects are released: the tenant is gone');
  assert.equal(told?.['application'], 'leaves/leaves');
  assert.equal(told?.['account'], 'deployer');
});

test('an account that was deleted while its namespace exists is waited for and named', async () => {
  const tenant = await declareTenant(world, 'waits', { files: { 'own.yaml': text(configMap('own', {})) } });
  await tenant.application.untilReady();
  await world.send('DELETE', `${RBAC}/namespaces/waits/rolebindings/waits-deployer`);
  await world.send('DELETE', '/api/v1/namespaces/waits/serviceaccounts/deployer');
  await tenant.application.remove();
  await untilSaid(tenant, denial('waits', 'get', 'configmaps'));
  assert.ok(await tenant.configMap('own'));
  await tenant.allow(...ALL_VERBS);
  await untilGone(world, tenant.application.path);
  assert.equal(await tenant.configMap('own'), undefined);
});
