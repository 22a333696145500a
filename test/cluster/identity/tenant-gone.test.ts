/** A namespace that is deleted takes accounts and rights with it before the Applications that need them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { useWorld } from '../../support/use-world.ts';
import { declareTenant, denial, startTenantAgent, untilSaid } from './scene.ts';
import { configMap, text } from '../../support/objects.ts';
import { ALL_VERBS, grant, rule } from '../../support/rights.ts';
import { at, configMapPath, makeNamespace, untilGone } from '../../support/scene.ts';

const { world, agent } = useWorld({ agent: startTenantAgent });

const RBAC = '/apis/rbac.authorization.k8s.io/v1';

test('its objects in other namespaces are left alive, and the Application keeps the namespace no longer', async () => {
  await makeNamespace(world, 'outlives');
  const to = { namespace: 'leaves', name: 'deployer' };
  await grant(world, { namespace: 'outlives', rules: [rule('', 'configmaps')], to });
  const files = {
    'own.yaml': text(configMap('own', {})),
    'far.yaml': text(configMap('far', {}, { namespace: 'outlives' })),
  };
  const tenant = await declareTenant(world, 'leaves', { files });
  await tenant.application.untilReady();
  // No controller deletes what is in the namespace: this plays it, in the unlucky order.
  await tenant.allow('get', 'list', 'watch');
  await world.send('DELETE', '/api/v1/namespaces/leaves');
  await tenant.application.remove();
  await untilSaid(tenant, denial('leaves', 'delete', 'configmaps'));
  await world.send('DELETE', `${RBAC}/namespaces/leaves/rolebindings/leaves-deployer`);
  await world.send('DELETE', '/api/v1/namespaces/leaves/serviceaccounts/deployer');
  await untilGone(world, tenant.application.path);
  const far = await world.read(configMapPath('outlives', 'far'));
  assert.equal(at(far, 'metadata', 'deletionTimestamp'), undefined);
  const told = agent.log.find(({ msg }) => msg === 'objects are let go: the tenant is gone');
  assert.equal(told?.['application'], 'leaves/leaves');
  assert.equal(told?.['account'], 'deployer');
});

test('an account that was deleted in a living namespace is waited for, and named', async () => {
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
