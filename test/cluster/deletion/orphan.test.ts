/** A deleted Application with `deletionPolicy: Orphan` is let go, even where its objects cannot be read or written. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { useWorld } from '../../support/use-world.ts';
import { configMap, text } from '../../support/objects.ts';
import { untilTrue } from '../../support/world.ts';
import { declareTenant, startTenantAgent, type Tenant } from '../identity/scene.ts';
import { at, declareSubject, OWNER, untilGone, untilObject } from '../../support/scene.ts';

const { world, agent } = useWorld({ agent: startTenantAgent });

/** Deletes the binding of a tenant's account, and waits until the API server knows it. */
async function takeRights({ namespace }: Tenant): Promise<void> {
  const bindings = `/apis/rbac.authorization.k8s.io/v1/namespaces/${namespace}/rolebindings`;
  await world.send('DELETE', `${bindings}/${namespace}-deployer`);
  const spec = {
    user: `system:serviceaccount:${namespace}:deployer`,
    resourceAttributes: { namespace, verb: 'get', resource: 'configmaps' },
  };
  const review = { apiVersion: 'authorization.k8s.io/v1', kind: 'SubjectAccessReview', spec };
  await untilTrue(async () => {
    const { body } = await world.plane.request('POST', '/apis/authorization.k8s.io/v1/subjectaccessreviews', review);
    return at(body, 'status', 'allowed') === false;
  }, 'the account has lost its rights');
}

test('an Application whose account has lost all rights is let go, and the log names the marked objects', async () => {
  const files = { 'a.yaml': text(configMap('a', {})) };
  const tenant = await declareTenant(world, 'no-rights', { files, spec: { deletionPolicy: 'Orphan' } });
  await tenant.application.untilReady();
  await takeRights(tenant);
  await tenant.application.remove();
  await untilGone(world, tenant.application.path);
  const left = await tenant.configMap('a');
  assert.ok(at(left, 'metadata', 'annotations', OWNER), 'no right was left to remove its marks');
  const told = agent.log.find(
    ({ msg, application }) =>
      msg === 'objects are released with their owner marks' && application === 'no-rights/no-rights',
  );
  assert.equal(told?.['first'], 'ConfigMap no-rights/a');
});

test('an Application that waits for rights is let go once Orphan is set', async () => {
  const files = { 'a.yaml': text(configMap('a', {})) };
  const tenant = await declareTenant(world, 'set-now', { files });
  await tenant.application.untilReady();
  await takeRights(tenant);
  await tenant.application.remove();
  await tenant.application.until('waiting', (a) => /cannot get/.test(JSON.stringify(at(a, 'status', 'conditions'))));
  await tenant.application.patch({ deletionPolicy: 'Orphan' });
  await untilGone(world, tenant.application.path);
  assert.ok(await tenant.configMap('a'));
});

test('an Application with an object whose API does not answer is let go', async () => {
  const apiService = {
    apiVersion: 'apiregistration.k8s.io/v1',
    kind: 'APIService',
    metadata: { name: 'v1.gone.example.com' },
    spec: {
      group: 'gone.example.com',
      version: 'v1',
      groupPriorityMinimum: 100,
      versionPriority: 100,
      service: { namespace: 'default', name: 'nothing', port: 443 },
    },
  };
  const files = { 'a.yaml': text(configMap('a', {})) };
  const subject = await declareSubject(world, 'silent-api', {
    files,
    spec: { destination: { namespace: 'apps' }, deletionPolicy: 'Orphan' },
  });
  await subject.application.untilReady();
  await world.apply(apiService);
  await untilObject(world, '/apis/apiregistration.k8s.io/v1/apiservices/v1.gone.example.com', (service) =>
    /"status":"False"/.test(JSON.stringify(at(service, 'status', 'conditions'))),
  );
  // An object of the group that the agent applied while it still answered.
  await subject.application.patch({ suspend: true });
  const stored = await subject.application.until('suspended', (a) => /Suspended/.test(JSON.stringify(a)));
  const status = stored['status'] as Record<string, unknown>;
  const inventory = { objects: { ConfigMap: { apps: 'a' }, 'gone.example.com/Widget': { apps: 'w' } } };
  await world.send('PUT', `${subject.application.path}/status`, { ...stored, status: { ...status, inventory } });
  await subject.application.patch({ suspend: false });
  await subject.application.remove();
  await untilGone(world, subject.application.path);
  assert.ok(await world.read('/api/v1/namespaces/apps/configmaps/a'));
  await world.send('DELETE', '/apis/apiregistration.k8s.io/v1/apiservices/v1.gone.example.com');
});
