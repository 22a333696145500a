/** What annotations say of one object: how it is applied, and that it is left alone. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { RunningAgent } from '../../support/agent.ts';
import { startWorld, type World } from '../../support/world.ts';
import {
  at,
  configMap,
  configMapPath,
  declareSubject,
  inventoryOf,
  makeNamespace,
  resourceVersion,
  text,
  untilGone,
  untilObject,
  type Manifest,
} from '../agent/scene.ts';
import { edit, expectQuiet, kubectl, resourceOf } from './scene.ts';

const RECONCILE = 'kustomize.toolkit.fluxcd.io/reconcile';

let world: World;
let agent: RunningAgent;

before(async () => {
  world = await startWorld();
  agent = await world.agent();
});
after(() => world?.[Symbol.asyncDispose]());

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
  await edit(world, ['configmap', 'made'], { data: { k: 'hand' } }, 'once');
  const commit = await subject.repository.commit({ 'a.yaml': files('2') });
  await subject.application.refresh();
  await subject.application.untilReady(commit);
  await expectQuiet(agent, subject);
  assert.equal(at(await subject.configMap('made'), 'data', 'k'), 'hand');
  assert.equal(resourceVersion(await subject.configMap('theirs')), theirs, 'what was there before is not touched');
  await kubectl(world, 'delete', 'configmap', 'made', '-n', 'once');
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
  await edit(world, ['configmap', 'merged'], { data: { k: 'hand' } }, 'merged');
  await untilObject(world, configMapPath('merged', 'merged'), (object) => at(object, 'data', 'k') === 'git');
});

test('an object that somebody disables is left alone, says so, and is healed when it is enabled again', async () => {
  const files = (value: string): Record<string, string> => ({ 'a.yaml': text(configMap('a', { k: value })) });
  const subject = await declareSubject(world, 'disabled', { files: files('1') });
  await subject.application.untilReady();
  const path = configMapPath('disabled', 'a');
  await edit(world, ['configmap', 'a'], { metadata: { annotations: { [RECONCILE]: 'Disabled' } } }, 'disabled');
  await edit(world, ['configmap', 'a'], { data: { k: 'hand' } }, 'disabled');
  const commit = await subject.repository.commit(files('2'));
  await subject.application.refresh();
  await subject.application.untilReady(commit);
  await expectQuiet(agent, subject);
  assert.equal(at(await world.read(path), 'data', 'k'), 'hand');
  const detail = await (await fetch(`${agent.apiUrl}/api/v1/applications/apps/disabled`)).text();
  assert.match(detail, /not changed: it carries kustomize\.toolkit\.fluxcd\.io\/reconcile: disabled/);
  await kubectl(world, 'annotate', 'configmap', 'a', '-n', 'disabled', `${RECONCILE}-`);
  await untilObject(world, path, (object) => at(object, 'data', 'k') === '2');
});

test('a disabled object is not pruned before it is enabled, nor when the Application is deleted', async () => {
  const subject = await declareSubject(world, 'kept', {
    files: { 'a.yaml': text(configMap('a', {}), configMap('b', {})), 'c.yaml': text(configMap('c', {})) },
  });
  await subject.application.untilReady();
  for (const name of ['a', 'b'])
    await kubectl(world, 'annotate', 'configmap', name, '-n', 'kept', `${RECONCILE}=disabled`);
  const commit = await subject.repository.commit({ 'a.yaml': null });
  await subject.application.refresh();
  const ready = await subject.application.untilReady(commit);
  assert.deepEqual(inventoryOf(ready), ['ConfigMap kept/a', 'ConfigMap kept/b', 'ConfigMap kept/c']);
  assert.equal(at(ready, 'status', 'sync', 'status'), 'Synced');
  assert.match(String(resourceOf(ready, 'a')?.['message']), /not changed/);
  await kubectl(world, 'annotate', 'configmap', 'b', '-n', 'kept', `${RECONCILE}-`);
  await untilGone(world, configMapPath('kept', 'b'));
  assert.ok(await subject.configMap('a'));
  await subject.application.remove();
  await untilGone(world, subject.application.path);
  assert.ok(await subject.configMap('a'), 'let go');
  assert.equal(await subject.configMap('c'), undefined);
});

test('an object that left Git and is not pruned counts as Synced where it asks for that', async () => {
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
  assert.equal(at(synced, 'status', 'sync', 'status'), 'Synced');
  await subject.repository.commit({ 'b.yaml': null });
  const left = await subject.application.refresh();
  assert.equal(at(left, 'status', 'sync', 'status'), 'OutOfSync');
  assert.ok(await subject.configMap('a'));
});

test('an object that Git disables is neither made nor missed', async () => {
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
