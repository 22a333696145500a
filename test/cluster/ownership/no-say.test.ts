/** An Application that may not write an object has no say over it: it neither keeps it from others nor alive. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { applySetIdOf } from '../../../src/object/applyset.ts';
import { configMap, namespaceManifest, text, type Manifest } from '../../support/objects.ts';
import { ACCOUNT, grant, makeAccount, rule } from '../../support/rights.ts';
import { at, makeNamespace, readyReason, untilGone, untilObject } from '../../support/scene.ts';
import { useWorld } from '../../support/use-world.ts';
import { conditionOf, eventually, type ApplicationHandle } from '../../support/world.ts';
import { startTenantAgent } from '../identity/scene.ts';

const { world } = useWorld({ agent: startTenantAgent });

const RBAC = 'rbac.authorization.k8s.io';
const NETWORKING = 'networking.k8s.io';

interface Resource {
  readonly path: string;
  readonly manifest: Manifest;
}

const clusterRole = (name: string): Resource => ({
  path: `/apis/${RBAC}/v1/clusterroles/${name}`,
  manifest: { apiVersion: `${RBAC}/v1`, kind: 'ClusterRole', metadata: { name }, rules: [] },
});
const quota = (namespace: string): Resource => ({
  path: `/api/v1/namespaces/${namespace}/resourcequotas/default`,
  manifest: {
    apiVersion: 'v1',
    kind: 'ResourceQuota',
    metadata: { name: 'default', namespace },
    spec: { hard: { pods: '5' } },
  },
});
const networkPolicy = (namespace: string, name = 'default-deny'): Resource => ({
  path: `/apis/${NETWORKING}/v1/namespaces/${namespace}/networkpolicies/${name}`,
  manifest: {
    apiVersion: `${NETWORKING}/v1`,
    kind: 'NetworkPolicy',
    metadata: { name, namespace },
    spec: { podSelector: {}, policyTypes: ['Ingress', 'Egress'] },
  },
});
const binding = (name: string, namespace = ''): Resource => ({
  path: namespace
    ? `/apis/${RBAC}/v1/namespaces/${namespace}/rolebindings/${name}`
    : `/apis/${RBAC}/v1/clusterrolebindings/${name}`,
  manifest: {
    apiVersion: `${RBAC}/v1`,
    kind: namespace ? 'RoleBinding' : 'ClusterRoleBinding',
    metadata: { name, ...(namespace && { namespace }) },
    roleRef: { apiGroup: RBAC, kind: 'ClusterRole', name: 'cluster-admin' },
    subjects: [{ kind: 'ServiceAccount', name: 'helper', namespace: 'default' }],
  },
});
const setting = (namespace: string, name: string): Resource => ({
  path: `/api/v1/namespaces/${namespace}/configmaps/${name}`,
  manifest: configMap(name, {}, { namespace }),
});
const space = (name: string): Resource => ({ path: `/api/v1/namespaces/${name}`, manifest: namespaceManifest(name) });

const manifestsOf = (resources: readonly Resource[], changed = (manifest: Manifest): Manifest => manifest): string =>
  text(...resources.map(({ manifest }) => changed(manifest)));

interface Party {
  readonly namespace: string;
  readonly files: Readonly<Record<string, string>>;
  readonly spec?: Record<string, unknown>;
}

/** An Application whose account may write ConfigMaps and Jobs of its own namespace. */
async function declareTenant({ namespace, files, spec = {} }: Party): Promise<ApplicationHandle> {
  await makeNamespace(world, namespace);
  await makeAccount(world, namespace);
  await grant(world, { namespace, rules: [rule('', 'configmaps'), rule('batch', 'jobs')] });
  const repository = await world.repository(namespace);
  await repository.commit(files);
  const source = { repoURL: repository.url };
  return world.declare(namespace, { source, serviceAccountName: ACCOUNT, ...spec }, namespace);
}

/** An Application whose account is cluster administrator. */
async function declarePlatform({ namespace, files, spec = {} }: Party) {
  await makeNamespace(world, namespace);
  await makeAccount(world, namespace);
  await world.apply({
    apiVersion: `${RBAC}/v1`,
    kind: 'ClusterRoleBinding',
    metadata: { name: `platform-${namespace}` },
    roleRef: { apiGroup: RBAC, kind: 'ClusterRole', name: 'cluster-admin' },
    subjects: [{ kind: 'ServiceAccount', namespace, name: ACCOUNT }],
  });
  const repository = await world.repository(namespace);
  await repository.commit(files);
  const source = { repoURL: repository.url, ...(spec['source'] as object | undefined) };
  const application = await world.declare(namespace, { serviceAccountName: ACCOUNT, ...spec, source }, namespace);
  return { application, repository };
}

const WAVE = 'argocd.argoproj.io/sync-wave';
const inWave = (wave: string) => (manifest: Manifest) => ({
  ...manifest,
  metadata: { ...(manifest['metadata'] as Manifest), annotations: { [WAVE]: wave } },
});
const ENDLESS_JOB: Manifest = {
  apiVersion: 'batch/v1',
  kind: 'Job',
  metadata: { name: 'endless', annotations: { [WAVE]: '-1' } },
  spec: { template: { spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'none' }] } } },
};

interface Squatter {
  readonly spec?: Record<string, unknown>;
  readonly isBehindWave?: boolean;
  readonly isSuspendedLater?: boolean;
}

const SQUATTERS: Readonly<Record<string, Squatter>> = {
  manual: { spec: { sync: { mode: 'manual' } } },
  dependent: { spec: { dependsOn: [{ name: 'never' }] } },
  waving: { isBehindWave: true },
  suspended: { spec: { sync: { mode: 'manual' } }, isSuspendedLater: true },
};

for (const [name, { spec = {}, isBehindWave, isSuspendedLater }] of Object.entries(SQUATTERS)) {
  test(`a squatter (${name}) keeps no ClusterRole, Namespace, quota, policy or setting from those who may write it`, async () => {
    const evil = `evil-${name}`;
    await makeNamespace(world, `shared-${name}`);
    const wanted = [
      clusterRole(`viewer-${name}`),
      space(`space-${name}`),
      setting(`shared-${name}`, 'wanted'),
      quota(evil),
      networkPolicy(evil),
    ];
    const files = isBehindWave
      ? { 'job.yaml': text(ENDLESS_JOB), 'wanted.yaml': manifestsOf(wanted, inWave('1')) }
      : { 'wanted.yaml': manifestsOf(wanted) };
    const squatter = await declareTenant({ namespace: evil, files, spec });
    await squatter.until('compared', (found) => Number(at(found, 'status', 'counts', 'total')) >= wanted.length);
    if (isSuspendedLater) {
      await squatter.patch({ suspend: true });
      await squatter.until('suspended', (found) => readyReason(found) === 'False Suspended');
    }
    const platform = await declarePlatform({
      namespace: `platform-${name}`,
      files: { 'wanted.yaml': manifestsOf(wanted) },
    });
    await platform.application.untilReady();
    for (const { path } of wanted) assert.ok(await world.read(path), path);
  });
}

const WISHERS: Readonly<Record<string, { readonly spec: Record<string, unknown>; readonly isSameBranch: boolean }>> = {
  manual: { spec: { sync: { mode: 'manual' } }, isSameBranch: false },
  detecting: { spec: { sync: { mode: 'detect' } }, isSameBranch: true },
  idle: { spec: { suspend: true }, isSameBranch: true },
  beside: { spec: { sync: { mode: 'manual' } }, isSameBranch: true },
  dependent: { spec: { dependsOn: [{ name: 'never' }] }, isSameBranch: true },
};

for (const [name, { spec, isSameBranch }] of Object.entries(WISHERS)) {
  test(`a right that is taken out of Git ends although a tenant (${name}) wants its binding`, async () => {
    await makeNamespace(world, `prod-${name}`);
    const bindings = [binding(`admin-${name}`), binding('admin', `prod-${name}`)];
    const own = text(configMap('own', {}));
    const { application, repository } = await declarePlatform({
      namespace: `granting-${name}`,
      files: { 'own/b.yaml': manifestsOf(bindings), 'own/a.yaml': own, 'tenant/b.yaml': manifestsOf(bindings) },
      spec: { source: { path: 'own' } },
    });
    await application.untilReady();
    const evil = await declareTenant({
      namespace: `wishing-${name}`,
      files: { 'b.yaml': manifestsOf(bindings) },
      spec: { ...spec, ...(isSameBranch && { source: { repoURL: repository.url, path: 'tenant' } }) },
    });
    await evil.until('seen', (found) => conditionOf(found, 'Ready') !== undefined);
    await repository.commit({ 'own/b.yaml': null });
    await application.refresh();
    for (const { path } of bindings) await untilGone(world, path);
    const ready = await application.untilReady();
    assert.equal(conditionOf(ready, 'Released'), undefined);
  });
}

test('an object that an Application which may write it wants stays alive, by a condition and an Event', async () => {
  await makeNamespace(world, 'handed');
  const object = setting('handed', 'kept');
  const { application, repository } = await declarePlatform({
    namespace: 'giver',
    files: { 'a.yaml': text(configMap('own', {})), 'b.yaml': text(object.manifest) },
  });
  await application.untilReady();
  const taker = await declareTenant({
    namespace: 'taker',
    files: { 'b.yaml': text(object.manifest) },
    spec: { sync: { mode: 'manual' } },
  });
  await grant(world, {
    namespace: 'handed',
    rules: [rule('', 'configmaps')],
    to: { namespace: 'taker', name: ACCOUNT },
  });
  await taker.until('compared', (found) => at(found, 'status', 'counts', 'total') === 1);
  await taker.refresh();
  await repository.commit({ 'b.yaml': null });
  await application.refresh();
  const told = await application.until('released', (found) => conditionOf(found, 'Released') !== undefined);
  assert.match(String(conditionOf(told, 'Released')?.['message']), /ConfigMap handed\/kept .*taker\/taker/);
  assert.ok(await world.read(object.path));
  const event = await eventually(async () => {
    const list = await world.read('/apis/events.k8s.io/v1/namespaces/giver/events');
    return ((list?.['items'] ?? []) as unknown[]).find((item) => at(item, 'reason') === 'Released');
  });
  assert.match(String(at(event, 'note')), /ConfigMap handed\/kept/);
});

test('a prune waits for no suspended Application of the same repository that may not write the object', async () => {
  await makeNamespace(world, 'pruned');
  const object = setting('pruned', 'left');
  const { application, repository } = await declarePlatform({
    namespace: 'pruning',
    files: { 'own/a.yaml': text(configMap('own', {})), 'own/left.yaml': text(object.manifest), 'slow/a.yaml': '{' },
    spec: { source: { path: 'own' } },
  });
  await application.untilReady();
  const source = { repoURL: repository.url, path: 'slow' };
  await declareTenant({ namespace: 'bystander', files: {}, spec: { suspend: true, source } });
  await world.declare('without-account', { suspend: true, source }, 'bystander');
  await repository.commit({ 'own/left.yaml': null });
  const told = await application.refresh();
  assert.equal(at(told, 'status', 'counts', 'pruning'), 0, 'the same pass prunes');
  await untilGone(world, object.path);
});

test('a tenant who may write one object by its name has a say over that one alone', async () => {
  await makeNamespace(world, 'named-shared');
  const [own, other] = [setting('named-shared', 'own'), setting('named-shared', 'other')];
  const roles = [clusterRole('named-own'), clusterRole('named-other')];
  const wanted = manifestsOf([...roles, own, other]);
  const tenant = await declareTenant({
    namespace: 'named-tenant',
    files: { 'wanted.yaml': wanted },
    spec: { sync: { mode: 'manual' } },
  });
  const to = { namespace: 'named-tenant', name: ACCOUNT };
  const named = (name: string, group: string, resource: string) => ({
    ...rule(group, resource, ['get', 'create', 'patch']),
    resourceNames: [name],
  });
  await grant(world, { namespace: '', rules: [named('named-own', RBAC, 'clusterroles')], to, name: 'named-tenant' });
  await grant(world, { namespace: 'named-shared', rules: [named('own', '', 'configmaps')], to });
  await tenant.until('compared', (found) => Number(at(found, 'status', 'counts', 'total')) >= 4);
  const platform = await declarePlatform({ namespace: 'named-platform', files: { 'wanted.yaml': wanted } });
  const told = await platform.application.until('compared', (found) => readyReason(found) === 'False Conflict');
  await untilObject(world, other.path, () => true);
  await untilObject(world, roles[1]?.path ?? '', () => true);
  const conflicts = (at(told, 'status', 'resources') as { readonly name: string }[]).map(({ name }) => name);
  assert.deepEqual(conflicts.sort(), ['named-own', 'own']);
});

/** Patches of a tenant who may patch a NetworkPolicy, but not create or delete one. */
const OPEN = { podSelector: {}, policyTypes: ['Ingress'] };
const FORGED = { name: 'other', namespace: 'team', kind: 'Application', group: 'tautline.dev' };
const OWNER = 'tautline.dev/owner';
const PART_OF = 'applyset.kubernetes.io/part-of';
const DISABLED = { 'kustomize.toolkit.fluxcd.io/reconcile': 'disabled' };
const PATCHES: Readonly<Record<string, Record<string, unknown>>> = {
  'the spec alone': {},
  'the annotation of another owner': { annotations: { [OWNER]: 'x/team/other' } },
  'both marks of an Application of another cluster': {
    labels: { [PART_OF]: applySetIdOf(FORGED) },
    annotations: { [OWNER]: 'x/team/other' },
  },
  'a label of another set': { labels: { [PART_OF]: 'applyset-forged-v1' }, annotations: { [OWNER]: null } },
  'no marks': { labels: { [PART_OF]: null }, annotations: { [OWNER]: null } },
  'reconcile: disabled': { annotations: DISABLED },
  'reconcile: disabled as a label': { labels: DISABLED },
  'reconcile: disabled without marks': { labels: { [PART_OF]: null }, annotations: { [OWNER]: null, ...DISABLED } },
};

test('a NetworkPolicy that a tenant may patch is healed, whatever the tenant writes on it', async () => {
  await makeNamespace(world, 'team');
  const policies = Object.keys(PATCHES).map((_, index) => networkPolicy('team', `np-${index}`));
  const { application } = await declarePlatform({ namespace: 'walls', files: { 'np.yaml': manifestsOf(policies) } });
  await application.untilReady();
  for (const [index, metadata] of Object.values(PATCHES).entries()) {
    const { code } = await world.plane.request('PATCH', policies[index]?.path ?? '', { metadata, spec: OPEN });
    assert.equal(code, 200);
  }
  for (const { path } of policies) {
    await untilObject(world, path, (found) => (at(found, 'spec', 'policyTypes') as string[]).includes('Egress'));
  }
});

test('a NetworkPolicy that left Git is deleted, although a tenant annotated it to be kept', async () => {
  await makeNamespace(world, 'kept-team');
  const [first, second] = [networkPolicy('kept-team', 'a'), networkPolicy('kept-team', 'b')];
  const { application, repository } = await declarePlatform({
    namespace: 'keeping-walls',
    files: { 'own.yaml': text(configMap('own', {})), 'a.yaml': text(first.manifest), 'b.yaml': text(second.manifest) },
  });
  await application.untilReady();
  const annotate = (path: string, annotations: Record<string, string>) =>
    world.plane.request('PATCH', path, { metadata: { annotations } });
  await annotate(first.path, { 'kustomize.toolkit.fluxcd.io/prune': 'disabled' });
  await annotate(second.path, { 'argocd.argoproj.io/sync-options': 'Prune=confirm' });
  await repository.commit({ 'a.yaml': null, 'b.yaml': null });
  await application.refresh();
  await untilGone(world, first.path);
  await untilGone(world, second.path);
  await application.untilReady();
});
