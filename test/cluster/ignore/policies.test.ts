/** Annotations on one object that change how it is applied, or that exclude it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { useWorld } from '../../support/use-world.ts';
import { expectQuiet, resourceOf } from './scene.ts';
import { edit, kubectl } from '../../support/kubectl.ts';
import { configMap, text, type Manifest } from '../../support/objects.ts';
import {
  at,
  configMapPath,
  declareSubject,
  inventoryOf,
  makeNamespace,
  resourceVersion,
  syncOf,
  untilGone,
  untilObject,
} from '../../support/scene.ts';

const RECONCILE = 'kustomize.toolkit.fluxcd.io/reconcile';

const { world, agent } = useWorld({ agent: true });

function withSsa(mode: string, name: string, data: Record<string, string>): Manifest {
  return configMap(name, data, { annotations: { 'kustomize.toolkit.fluxcd.io/ssa': mode } });
}

test('IfNotPresent creates an object, never changes it, and prunes it when it leaves Git', async () => {
  await makeNamespace(world, 'once');
  await world.apply(configMap('theirs', { k: 'live' }, { namespace: 'once' }), 'someone');
  const theirs = resourceVersion(await world.read(configMapPath('once', 'theirs')));
  const files = (value: string): string =>
    text(withSsa('ifnotpresent', 'made', { k: value }), withSsa('IfNotPresent', 'theirs', { k: value }));
  const subject = await declareSubject(world, 'once', {
    files: { 'a.yaml': files('1'), 'b.yaml': text(configMap('plain', {})) },
  });
  await subject.application.untilReady();
  assert.equal(at(await subject.configMap('made'), 'data', 'k'), '1');
  await edit(world, 'configmap/made', { namespace: 'once', patch: { data: { k: 'hand' } } });
  const commit = await subject.repository.commit({ 'a.yaml': files('2') });
  await subject.application.refresh();
  await subject.application.untilReady(commit);
  await expectQuiet(agent, subject);
  assert.equal(at(await subject.configMap('made'), 'data', 'k'), 'hand');
  assert.equal(resourceVersion(await subject.configMap('theirs')), theirs, 'an existing object is not touched');
  await kubectl(world, ['delete', 'configmap', 'made', '-n', 'once']);
  await untilObject(world, configMapPath('once', 'made'), (object) => at(object, 'data', 'k') === '2');
  const last = await subject.repository.commit({ 'a.yaml': null });
  await subject.application.refresh();
  await subject.application.untilReady(last);
  await untilGone(world, configMapPath('once', 'made'));
  assert.equal(resourceVersion(await subject.configMap('theirs')), theirs, 'it was never ours to prune');
  assert.deepEqual(inventoryOf(await subject.application.read()), ['ConfigMap once/plain']);
});

test('Ignore neither creates nor changes nor counts an object', async () => {
  await makeNamespace(world, 'ignored');
  await world.apply(configMap('theirs', { k: 'live' }, { namespace: 'ignored' }), 'someone');
  const theirs = resourceVersion(await world.read(configMapPath('ignored', 'theirs')));
  const subject = await declareSubject(world, 'ignored', {
    files: {
      'a.yaml': text(withSsa('Ignore', 'absent', {}), withSsa('Ignore', 'theirs', { k: '1' }), configMap('plain', {})),
    },
    spec: { health: { wait: true } },
  });
  const ready = await subject.application.untilReady();
  await expectQuiet(agent, subject);
  assert.equal(await subject.configMap('absent'), undefined);
  assert.equal(resourceVersion(await subject.configMap('theirs')), theirs);
  assert.equal(Number(at(ready, 'status', 'counts', 'total')), 1);
  assert.deepEqual(inventoryOf(ready), ['ConfigMap ignored/plain']);
});

test('Merge adopts an object and leaves what another tool has added', async () => {
  await makeNamespace(world, 'merged');
  for (const name of ['merged', 'taken']) {
    const made = configMap(name, { k: 'old', extra: '1' }, { namespace: 'merged' });
    await world.send('POST', '/api/v1/namespaces/merged/configmaps?fieldManager=kubectl-client-side-apply', made);
  }
  const subject = await declareSubject(world, 'merged', {
    files: { 'a.yaml': text(withSsa('merge', 'merged', { k: 'git' }), configMap('taken', { k: 'git' })) },
  });
  await subject.application.untilReady();
  const merged = await subject.configMap('merged');
  assert.deepEqual([at(merged, 'data', 'k'), at(merged, 'data', 'extra')], ['git', '1']);
  assert.equal(at(await subject.configMap('taken'), 'data', 'extra'), undefined);
  await edit(world, 'configmap/merged', { namespace: 'merged', patch: { data: { k: 'hand' } } });
  await untilObject(world, configMapPath('merged', 'merged'), (object) => at(object, 'data', 'k') === 'git');
});

const ALLOWED = { sync: { allowLiveAnnotations: true } };

test('an object that is disabled by hand is left alone, which is reported, and healed when it is enabled again', async () => {
  const files = (value: string): Record<string, string> => ({ 'a.yaml': text(configMap('a', { k: value })) });
  const subject = await declareSubject(world, 'disabled', { files: files('1'), spec: ALLOWED });
  await subject.application.untilReady();
  const path = configMapPath('disabled', 'a');
  await edit(world, 'configmap/a', {
    namespace: 'disabled',
    patch: { metadata: { annotations: { [RECONCILE]: 'Disabled' } } },
  });
  await edit(world, 'configmap/a', { namespace: 'disabled', patch: { data: { k: 'hand' } } });
  const commit = await subject.repository.commit(files('2'));
  await subject.application.refresh();
  await subject.application.untilReady(commit);
  await expectQuiet(agent, subject);
  assert.equal(at(await world.read(path), 'data', 'k'), 'hand');
  const detail = await (await agent.readApi('/applications/apps/disabled')).text();
  assert.match(detail, /not changed: it carries kustomize\.toolkit\.fluxcd\.io\/reconcile: disabled/);
  await kubectl(world, ['annotate', 'configmap', 'a', '-n', 'disabled', `${RECONCILE}-`]);
  await untilObject(world, path, (object) => at(object, 'data', 'k') === '2');
});

test('a disabled object is not pruned before it is enabled, nor when the Application is deleted', async () => {
  const subject = await declareSubject(world, 'kept', {
    files: { 'a.yaml': text(configMap('a', {}), configMap('b', {})), 'c.yaml': text(configMap('c', {})) },
    spec: ALLOWED,
  });
  await subject.application.untilReady();
  for (const name of ['a', 'b'])
    await kubectl(world, ['annotate', 'configmap', name, '-n', 'kept', `${RECONCILE}=disabled`]);
  const commit = await subject.repository.commit({ 'a.yaml': null });
  await subject.application.refresh();
  const ready = await subject.application.untilReady(commit);
  assert.deepEqual(inventoryOf(ready), ['ConfigMap kept/a', 'ConfigMap kept/b', 'ConfigMap kept/c']);
  assert.equal(syncOf(ready), 'Synced');
  assert.match(String(resourceOf(ready, 'a')?.['message']), /not changed/);
  await kubectl(world, ['annotate', 'configmap', 'b', '-n', 'kept', `${RECONCILE}-`]);
  await untilGone(world, configMapPath('kept', 'b'));
  assert.ok(await subject.configMap('a'));
  await subject.application.remove();
  await untilGone(world, subject.application.path);
  assert.ok(await subject.configMap('a'), 'it is released');
  assert.equal(await subject.configMap('c'), undefined);
});

test('an object with IgnoreExtraneous that left Git and is not pruned counts as Synced', async () => {
  const extraneous = { 'argocd.argoproj.io/compare-options': 'IgnoreExtraneous' };
  const subject = await declareSubject(world, 'extraneous', {
    files: {
      'a.yaml': text(configMap('a', {}, { annotations: extraneous })),
      'b.yaml': text(configMap('b', {})),
      'c.yaml': text(configMap('c', {})),
    },
    spec: { sync: { prune: false } },
  });
  await subject.application.untilReady();
  await subject.repository.commit({ 'a.yaml': null });
  const synced = await subject.application.refresh();
  assert.equal(syncOf(synced), 'Synced');
  await subject.repository.commit({ 'b.yaml': null });
  const left = await subject.application.refresh();
  assert.equal(syncOf(left), 'OutOfSync');
  assert.ok(await subject.configMap('a'));
});

test('an object that is disabled in Git is not created and not reported as missing', async () => {
  const subject = await declareSubject(world, 'off', {
    files: { 'a.yaml': text(configMap('a', {}, { annotations: { [RECONCILE]: 'disabled' } }), configMap('b', {})) },
    spec: { health: { wait: true } },
  });
  const ready = await subject.application.untilReady();
  assert.equal(await subject.configMap('a'), undefined);
  assert.deepEqual(inventoryOf(ready), ['ConfigMap off/b']);
  const commit = await subject.repository.commit({ 'a.yaml': text(configMap('a', {}), configMap('b', {})) });
  await subject.application.refresh();
  await subject.application.untilReady(commit);
  assert.ok(await subject.configMap('a'));
});
