/** spec.health.wait, and the health of Applications that other Applications apply. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { useWorld } from '../../support/use-world.ts';
import { NOWHERE, readyText } from './scene.ts';
import { kubectl } from '../../support/kubectl.ts';
import { applicationManifest, configMap, text, workload } from '../../support/objects.ts';
import { at, declareSubject, makeNamespace, PROGRESS_FLAGS, syncOf, untilHealth } from '../../support/scene.ts';
import { conditionOf, type Json } from '../../support/world.ts';

const { world } = useWorld({ mode: 'full', agent: { flags: PROGRESS_FLAGS } });

const labelNode = (label: string): Promise<string> => kubectl(world, ['label', 'node', 'node-0', label]);

function hasReconciling(application: Json): boolean {
  return conditionOf(application, 'Reconciling') !== undefined;
}

test('with spec.health.wait, Ready is True only once all objects are Healthy', async () => {
  const pod = { nodeSelector: { first: 'yes' } };
  const { application, repository } = await declareSubject(world, 'patient', {
    files: { 'web.yaml': text(workload('Deployment', 'web', { pod }), configMap('web', { k: '1' })) },
    spec: { health: { wait: true } },
  });
  const waiting = await application.until('it waits for health', (found) =>
    /^False Progressing: waiting for health: Deployment\.apps patient\/web: 0 of 1 .*Unschedulable/.test(
      readyText(found),
    ),
  );
  assert.ok(hasReconciling(waiting));
  assert.equal(syncOf(waiting), 'Synced');
  await labelNode('first=yes');
  const ready = await application.untilReady(await repository.resolve('main'));
  assert.ok(!hasReconciling(ready));
  assert.equal(at(ready, 'status', 'health', 'status'), 'Healthy');
});

test('Ready is False once the time for health is over, and True once the objects are Healthy', async () => {
  const pod = { nodeSelector: { second: 'yes' } };
  const { application } = await declareSubject(world, 'overdue', {
    files: { 'web.yaml': text(workload('Deployment', 'web', { pod })) },
    spec: { health: { wait: true, timeout: '1s' } },
  });
  await application.until('the time is over', (found) =>
    /^False HealthCheckFailed: not Healthy for longer than 1s: Deployment\.apps overdue\/web: /.test(readyText(found)),
  );
  await labelNode('second=yes');
  await application.untilReady();
});

test('a Degraded object fails the health check at once, and a commit heals it', async () => {
  const stuck = workload('Deployment', 'web', { pod: NOWHERE, spec: { progressDeadlineSeconds: 1 } });
  const { application, repository } = await declareSubject(world, 'failing', {
    files: { 'web.yaml': text(stuck) },
    spec: { health: { wait: true } },
  });
  const failed = await application.until('the health check fails', (found) =>
    /^False HealthCheckFailed: Deployment\.apps failing\/web: Progress deadline exceeded/.test(readyText(found)),
  );
  assert.ok(hasReconciling(failed));
  const commit = await repository.commit({ 'web.yaml': text(workload('Deployment', 'web')) });
  await application.refresh();
  await application.untilReady(commit);
});

test('the health of an Application shows the failing object of an Application that it applies', async () => {
  await makeNamespace(world, 'leaf');
  const leaf = await world.repository('leaf');
  await leaf.commit({ 'web.yaml': text(workload('Deployment', 'web')) });
  const child = applicationManifest('leaf', {
    source: { repoURL: leaf.url, interval: '10s' },
    destination: { namespace: 'leaf' },
  });
  const root = await declareSubject(world, 'root', {
    files: { 'leaf.yaml': text(child) },
    spec: { health: { wait: true } },
  });
  await root.application.untilReady();
  await untilHealth(root.application, 'Healthy');

  const stuck = workload('Deployment', 'web', { pod: NOWHERE, spec: { progressDeadlineSeconds: 1 } });
  await leaf.commit({ 'web.yaml': text(stuck) });
  const found = await untilHealth(
    root.application,
    'Degraded',
    /^Application\.tautline\.dev apps\/leaf: Deployment\.apps leaf\/web: Progress deadline exceeded; .*Unschedulable/,
  );
  assert.match(readyText(found), /^False HealthCheckFailed: Application\.tautline\.dev apps\/leaf: /);

  await leaf.commit({ 'web.yaml': text(workload('Deployment', 'web')) });
  await root.application.untilReady();
});

test('an Application that applies itself and waits for health becomes Ready', async () => {
  await makeNamespace(world, 'own');
  const repository = await world.repository('own');
  const spec = { source: { repoURL: repository.url }, destination: { namespace: 'own' }, health: { wait: true } };
  await repository.commit({ 'own.yaml': text(applicationManifest('own', spec), configMap('a', { k: '1' })) });
  const application = await world.declare('own', spec);
  const ready = await application.untilReady();
  assert.equal(at(ready, 'status', 'health', 'status'), 'Healthy');
  assert.equal(at(ready, 'status', 'counts', 'total'), 2);
});

test('an Application reports a child that is suspended or cannot be fetched', async () => {
  const suspended = applicationManifest('idle', { source: { repoURL: 'http://127.0.0.1:1/x.git' }, suspend: true });
  const { application, repository } = await declareSubject(world, 'parent', {
    files: { 'idle.yaml': text(suspended) },
  });
  await untilHealth(application, 'Suspended', /^Application\.tautline\.dev apps\/idle: It is suspended/);
  const lost = applicationManifest('idle', { source: { repoURL: 'http://127.0.0.1:1/x.git' } });
  await repository.commit({ 'idle.yaml': text(lost) });
  await application.refresh();
  await untilHealth(application, 'Progressing', /^Application\.tautline\.dev apps\/idle: ArtifactFailed: /);
});

test('a check of the Application holds back Ready and the next wave until the object passes it', async () => {
  const later = { annotations: { 'argocd.argoproj.io/sync-wave': '1' } };
  const files = (ready: string) => ({
    'all.yaml': text(configMap('first', { ready }), configMap('second', { k: '1' }, later)),
  });
  const checkOf = (current: string) => ({ wait: true, checks: [{ apiVersion: 'v1', kind: 'ConfigMap', current }] });
  const { application, repository } = await declareSubject(world, 'checked', {
    files: files('no'),
    spec: { health: checkOf("!has(data.ready) || data.ready == 'yes'") },
  });
  await application.until('the first object does not pass its check', (found) =>
    /ConfigMap checked\/first.*is Progressing \(The check current is not true/.test(readyText(found)),
  );
  const commit = await repository.commit(files('yes'));
  await application.refresh();
  await application.untilReady(commit);
  await application.patch({ health: checkOf('data.') });
  await application.until('the check cannot be read', (found) =>
    /^False HealthCheckFailed: The health check for ConfigMap of the core group cannot be read/.test(readyText(found)),
  );
});
