/** Marks that a tenant writes on objects while no agent runs do not loosen the hold of their Application. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OWNER_ANNOTATION, ownerOf, PART_OF_LABEL } from '../../../src/object/applyset.ts';
import { configMap, text, type Manifest } from '../../support/objects.ts';
import { ACCOUNT, makeAccount } from '../../support/rights.ts';
import { at, makeNamespace, readyReason, untilObject } from '../../support/scene.ts';
import { useWorld } from '../../support/use-world.ts';
import { conditionOf, type Json } from '../../support/world.ts';
import { declareTenant, startTenantAgent } from '../identity/scene.ts';

const { world } = useWorld();

const NETWORKING = 'networking.k8s.io/v1';
const policyPath = (name: string): string => `/apis/${NETWORKING}/namespaces/team/networkpolicies/${name}`;
const policy = (name: string): Manifest => ({
  apiVersion: NETWORKING,
  kind: 'NetworkPolicy',
  metadata: { name, namespace: 'team' },
  spec: { podSelector: {}, policyTypes: ['Ingress', 'Egress'] },
});
const OPEN = { podSelector: {}, policyTypes: ['Ingress'] };

const marksOf = (owner: Parameters<typeof ownerOf>[0]) => {
  const { applySetId, ownerAnnotation } = ownerOf(owner);
  return { labels: { [PART_OF_LABEL]: applySetId }, annotations: { [OWNER_ANNOTATION]: ownerAnnotation } };
};

/** By the manner of the forgery: the metadata that a tenant writes. */
const forgeries = (hubId: string): Readonly<Record<string, Record<string, unknown>>> => ({
  'the marks of an Application of the tenant': marksOf({ hubId, namespace: 'team', name: 'team' }),
  'the marks of an Application that does not exist': marksOf({ hubId, namespace: 'team', name: 'gone' }),
  'the marks of another cluster': marksOf({ hubId: 'elsewhere', namespace: 'team', name: 'team' }),
  'no marks, and no managed fields': {
    labels: { [PART_OF_LABEL]: null },
    annotations: { [OWNER_ANNOTATION]: null },
    managedFields: [{}],
  },
  'the marks of another tool': {
    labels: { [PART_OF_LABEL]: 'applyset-forged-v1' },
    annotations: { [OWNER_ANNOTATION]: null },
  },
});

const hubIdOf = (object: Json | undefined): string =>
  String(at(object, 'metadata', 'annotations', OWNER_ANNOTATION)).split('/')[0] ?? '';

async function declarePlatform(policies: readonly Manifest[]) {
  await makeNamespace(world, 'platform');
  await makeAccount(world, 'platform');
  await world.apply({
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRoleBinding',
    metadata: { name: 'platform' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
    subjects: [{ kind: 'ServiceAccount', namespace: 'platform', name: ACCOUNT }],
  });
  const repository = await world.repository('platform');
  await repository.commit({
    'own.yaml': text(configMap('own', {})),
    'np.yaml': text(...policies),
    'left.yaml': text(policy('left')),
  });
  const spec = { source: { repoURL: repository.url }, serviceAccountName: ACCOUNT };
  return { application: await world.declare('platform', spec, 'platform'), repository };
}

test('marks that are forged while no agent runs are healed, and release nothing that left Git', async () => {
  await makeNamespace(world, 'team');
  const names = Object.keys(forgeries('')).map((_, index) => `np-${index}`);
  const first = await startTenantAgent(world);
  const { application, repository } = await declarePlatform(names.map(policy));
  await application.untilReady();
  // An Application of the tenant wants all of them, and may write none.
  const tenant = await declareTenant(world, 'team', { files: { 'np.yaml': text(...names.map(policy)) } });
  await tenant.application.until('compared', (found) => conditionOf(found, 'Ready') !== undefined);
  await first.stop();
  const hubId = hubIdOf(await world.read(policyPath('np-0')));
  const tries = [...Object.values(forgeries(hubId)), marksOf({ hubId, namespace: 'team', name: 'team' })];
  for (const [index, name] of [...names, 'left'].entries()) {
    const { code } = await world.plane.request('PATCH', policyPath(name), { metadata: tries[index], spec: OPEN });
    assert.equal(code, 200);
  }
  await repository.commit({ 'left.yaml': null });
  const second = await startTenantAgent(world);
  for (const name of names) {
    const isHealed = (found: Json): boolean =>
      (at(found, 'spec', 'policyTypes') as string[]).includes('Egress') &&
      at(found, 'metadata', 'annotations', OWNER_ANNOTATION) === `${hubId}/platform/platform`;
    await untilObject(world, policyPath(name), isHealed);
  }
  const told = await application.until('pruning', (found) => at(found, 'status', 'counts', 'pruning') === 1);
  const [left] = at(told, 'status', 'resources') as Json[];
  assert.match(String(at(left, 'message')), /carries the marks of Application .*, which has not written it/);
  assert.equal(conditionOf(told, 'Released'), undefined);
  assert.ok(await world.read(policyPath('left')));
  const theirs = await tenant.application.until('refused', (found) => readyReason(found).startsWith('False'));
  assert.equal(at(theirs, 'status', 'inventory'), undefined, 'the tenant comes to own none of them');
  await second.stop();
});

test('a status that comes with an Application which is created is not stored, so it forges no inventory', async () => {
  const body = {
    apiVersion: 'tautline.dev/v1alpha1',
    kind: 'Application',
    metadata: { name: 'forged', namespace: 'default' },
    spec: { source: { repoURL: 'http://127.0.0.1:1/x.git' } },
    status: { inventory: { objects: { ConfigMap: { default: 'kube-root-ca.crt' } }, written: { uid: 'u' } } },
  };
  const path = '/apis/tautline.dev/v1alpha1/namespaces/default/applications';
  assert.equal((await world.plane.request('POST', path, body)).code, 201);
  assert.equal((await world.plane.request('PATCH', `${path}/forged`, { status: body.status })).code, 200);
  assert.equal(at(await world.read(`${path}/forged`), 'status', 'inventory'), undefined);
});
