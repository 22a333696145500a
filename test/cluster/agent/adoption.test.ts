/** Objects that exist before the agent applies them: adopted, left to their owner, or handed over. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { useWorld } from '../../support/use-world.ts';
import { conditionOf } from '../../support/world.ts';
import { kubectl } from '../../support/kubectl.ts';
import { configMap, text, workload } from '../../support/objects.ts';
import {
  at,
  configMapPath,
  declareSubject,
  deploymentPath,
  inventoryOf,
  makeNamespace,
  OWNER,
  PART_OF,
  readyMessage,
  readyReason,
  resourceVersion,
  syncOf,
  untilGone,
  untilObject,
} from '../../support/scene.ts';

const { world } = useWorld({ agent: true });

const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';
const RESTARTED = 'kubectl.kubernetes.io/restartedAt';

for (const [command, args] of [
  ['kubectl apply', ['apply', '-f', '-']],
  ['kubectl create', ['create', '-f', '-']],
  ['kubectl apply --server-side', ['apply', '--server-side', '-f', '-']],
] as const) {
  test(`an object made by ${command} is adopted in place, and fields that Git does not have are removed`, async () => {
    const name = `by-${command.replaceAll(/[^a-z]+/g, '-')}`;
    await makeNamespace(world, name);
    await kubectl(world, args, configMap('a', { kept: '1', changed: 'old', gone: '1' }, { namespace: name }));
    const uid = at(await world.read(configMapPath(name, 'a')), 'metadata', 'uid');
    const subject = await declareSubject(world, name, {
      files: { 'a.yaml': text(configMap('a', { kept: '1', changed: 'new' })) },
    });
    const ready = await subject.application.untilReady();
    assert.deepEqual(inventoryOf(ready), [`ConfigMap ${name}/a`]);
    const object = await subject.configMap('a');
    assert.equal(at(object, 'metadata', 'uid'), uid);
    assert.deepEqual(at(object, 'data'), { kept: '1', changed: 'new' });
    assert.equal(at(object, 'metadata', 'annotations', LAST_APPLIED), undefined);
    const again = resourceVersion(object);
    await subject.application.refresh();
    assert.equal(resourceVersion(await subject.configMap('a')), again);
  });
}

test('an object that already equals Git is adopted too, and its additional fields are removed', async () => {
  await makeNamespace(world, 'equal');
  await kubectl(world, ['apply', '-f', '-'], configMap('a', { k: '1', stray: '1' }, { namespace: 'equal' }));
  const subject = await declareSubject(world, 'equal', { files: { 'a.yaml': text(configMap('a', { k: '1' })) } });
  await subject.application.untilReady();
  assert.deepEqual(at(await subject.configMap('a'), 'data'), { k: '1' });
});

test('the annotation of a restarted rollout is kept by adoption and by later passes', async () => {
  await makeNamespace(world, 'restarted');
  const stray = workload('Deployment', 'web', { template: { annotations: { stray: '1' } } });
  await kubectl(world, ['apply', '-n', 'restarted', '-f', '-'], stray);
  await kubectl(world, ['rollout', 'restart', 'deployment/web', '-n', 'restarted']);
  const subject = await declareSubject(world, 'restarted', {
    files: { 'web.yaml': text(workload('Deployment', 'web')) },
  });
  const path = deploymentPath('restarted', 'web');
  const isSynced = (): Promise<unknown> => subject.application.until('synced', (a) => syncOf(a) === 'Synced');
  await isSynced();
  const annotations = at(await world.read(path), 'spec', 'template', 'metadata', 'annotations');
  assert.deepEqual(Object.keys(annotations ?? {}), [RESTARTED]);
  await kubectl(world, ['annotate', 'deployment', 'web', '-n', 'restarted', 'theirs=1']);
  // kubectl refuses a second restart within the same second.
  await sleep(1_100);
  await kubectl(world, ['rollout', 'restart', 'deployment/web', '-n', 'restarted']);
  const restarted = resourceVersion(await world.read(path));
  await subject.application.refresh();
  await isSynced();
  assert.equal(resourceVersion(await world.read(path)), restarted);
});

test('when two Applications claim one object, the first keeps it and both report the conflict', async () => {
  const first = await declareSubject(world, 'first-claim', {
    files: { 'a.yaml': text(configMap('a', { k: 'first' })), 'own.yaml': text(configMap('own', {})) },
  });
  await first.application.untilReady();
  const repository = await world.repository('second-claim');
  await repository.commit({
    'a.yaml': text(configMap('a', { k: 'second' })),
    'b.yaml': text(configMap('b', { k: 'second' })),
  });
  const second = await world.declare('second-claim', {
    source: { repoURL: repository.url },
    destination: { namespace: 'first-claim' },
  });
  const told = await second.until('conflict', (a) => readyReason(a) === 'False Conflict');
  assert.match(readyMessage(told), /ConfigMap first-claim\/a: managed by .*apps\/first-claim/);
  assert.deepEqual(inventoryOf(told), ['ConfigMap first-claim/b']);
  assert.equal(at(await first.configMap('a'), 'data', 'k'), 'first');
  assert.ok(await first.configMap('b'));
  const also = await first.application.until('conflict', (a) => conditionOf(a, 'Conflict') !== undefined);
  assert.match(
    String(conditionOf(also, 'Conflict')?.['message']),
    /ConfigMap first-claim\/a: also claimed by Application apps\/second-claim/,
  );
  // The claim of another Application must not make the owner fail.
  assert.match(readyReason(also), /^True/);
  assert.match(String(conditionOf(told, 'Conflict')?.['message']), /managed by Application apps\/first-claim/);

  const uid = at(await first.configMap('a'), 'metadata', 'uid');
  await first.repository.commit({ 'a.yaml': null });
  await first.application.refresh();
  await untilObject(world, configMapPath('first-claim', 'a'), (object) => at(object, 'data', 'k') === 'second');
  assert.equal(at(await first.configMap('a'), 'metadata', 'uid'), uid);
  const won = await second.untilReady();
  assert.deepEqual(inventoryOf(won), ['ConfigMap first-claim/a', 'ConfigMap first-claim/b']);
  const lost = await first.application.until('no conflict', (a) => conditionOf(a, 'Conflict') === undefined);
  assert.deepEqual(inventoryOf(lost), ['ConfigMap first-claim/own']);
});

test('an object is pruned when the other Application that claimed it no longer does', async () => {
  const first = await declareSubject(world, 'had', {
    files: { 'a.yaml': text(configMap('a', {})), 'own.yaml': text(configMap('own', {})) },
  });
  await first.application.untilReady();
  const repository = await world.repository('wanted');
  await repository.commit({ 'a.yaml': text(configMap('a', {})), 'b.yaml': text(configMap('b', {})) });
  const spec = { source: { repoURL: repository.url }, destination: { namespace: 'had' } };
  const second = await world.declare('wanted', spec);
  await second.until('conflict', (a) => readyReason(a) === 'False Conflict');
  await repository.commit({ 'a.yaml': null });
  await second.refresh();
  await second.untilReady();
  await first.application.until('no conflict', (a) => conditionOf(a, 'Conflict') === undefined);
  await first.repository.commit({ 'a.yaml': null });
  await first.application.refresh();
  await first.application.untilReady();
  assert.equal(await first.configMap('a'), undefined);
});

test('a deleted Application hands over the objects that another one claims, and deletes the rest', async () => {
  const first = await declareSubject(world, 'leaves', {
    files: { 'a.yaml': text(configMap('a', { k: 'first' })), 'own.yaml': text(configMap('own', {})) },
  });
  await first.application.untilReady();
  const repository = await world.repository('inherits');
  await repository.commit({ 'a.yaml': text(configMap('a', { k: 'second' })) });
  const second = await world.declare('inherits', {
    source: { repoURL: repository.url },
    destination: { namespace: 'leaves' },
  });
  await second.until('conflict', (a) => readyReason(a) === 'False Conflict');
  const uid = at(await first.configMap('a'), 'metadata', 'uid');
  await first.application.remove();
  await untilGone(world, first.application.path);
  await second.untilReady();
  const object = await first.configMap('a');
  assert.equal(at(object, 'metadata', 'uid'), uid);
  assert.equal(at(object, 'data', 'k'), 'second');
  assert.equal(await first.configMap('own'), undefined);
});

test('an object in the apply set of another tool is a conflict and is not touched', async () => {
  await makeNamespace(world, 'other-tool');
  const theirs = { [PART_OF]: 'applyset-somebodyelse-v1' };
  await world.apply(configMap('a', { k: 'theirs' }, { namespace: 'other-tool', labels: theirs }), 'their-tool');
  const subject = await declareSubject(world, 'other-tool', {
    files: { 'a.yaml': text(configMap('a', { k: 'ours' })) },
  });
  const told = await subject.application.until('conflict', (a) => readyReason(a) === 'False Conflict');
  assert.deepEqual(inventoryOf(told), []);
  assert.equal(at(await subject.configMap('a'), 'data', 'k'), 'theirs');
});

test('an object owned by an Application of the same name in another cluster is a conflict', async () => {
  await makeNamespace(world, 'other-hub');
  const subject = await declareSubject(world, 'other-hub', {
    files: { 'b.yaml': text(configMap('b', {})) },
  });
  const ready = await subject.application.untilReady();
  const label = String(at(ready, 'metadata', 'labels', 'applyset.kubernetes.io/id'));
  const marks = {
    labels: { [PART_OF]: label },
    annotations: { [OWNER]: 'other-hub-id/apps/other-hub' },
  };
  await world.apply(configMap('a', { k: 'theirs' }, { namespace: 'other-hub', ...marks }), 'tautline');
  await subject.repository.commit({ 'a.yaml': text(configMap('a', { k: 'ours' })) });
  await subject.application.refresh();
  await subject.application.until('conflict', (a) => readyReason(a) === 'False Conflict');
  assert.equal(at(await subject.configMap('a'), 'data', 'k'), 'theirs');
});
