/** Objects whose deletion a finalizer holds up: they are waited for and reported, and block nothing else. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { useWorld } from '../../support/use-world.ts';
import { eventually } from '../../support/world.ts';
import { setFinalizers } from '../../support/kubectl.ts';
import { configMap, text } from '../../support/objects.ts';
import {
  answerOf,
  at,
  configMapPath,
  declareSubject,
  inventoryOf,
  outcomeOf,
  readyMessage,
  readyReason,
  untilGone,
} from '../../support/scene.ts';

const { world, agent } = useWorld({ agent: true });

const hold = (namespace: string, name: string): Promise<void> =>
  setFinalizers(world, `configmap/${name}`, { namespace, finalizers: ['example.com/hold'] });
const release = (namespace: string, name: string): Promise<void> =>
  setFinalizers(world, `configmap/${name}`, { namespace, finalizers: [] });

/** The details of the log lines about an Application. */
function toldOf(name: string): string[] {
  return agent.log.filter(({ application }) => application === `apps/${name}`).map(({ detail }) => String(detail));
}

test('an object that a finalizer holds is reported until it is gone; other objects and later commits are applied', async () => {
  const subject = await declareSubject(world, 'holds', {
    files: { 'a.yaml': text(configMap('a', { k: '1' })), 'b.yaml': text(configMap('b', {}), configMap('c', {})) },
  });
  await subject.application.untilReady();
  await hold('holds', 'b');
  await subject.repository.commit({ 'b.yaml': null });
  const answered = await subject.application.refresh();
  assert.equal(outcomeOf(answered), 'Succeeded');
  assert.match(answerOf(answered), /ConfigMap holds\/b: .*example\.com\/hold/);
  assert.equal(readyReason(answered), 'False Progressing');
  assert.match(readyMessage(answered), /ConfigMap holds\/b: deletion waits for example\.com\/hold/);
  await untilGone(world, configMapPath('holds', 'c'));
  assert.deepEqual(inventoryOf(answered), ['ConfigMap holds/a', 'ConfigMap holds/b']);
  await subject.repository.commit({ 'a.yaml': text(configMap('a', { k: '2' })), 'd.yaml': text(configMap('d', {})) });
  const later = await subject.application.refresh();
  assert.deepEqual(inventoryOf(later), ['ConfigMap holds/a', 'ConfigMap holds/b', 'ConfigMap holds/d']);
  assert.equal(at(await subject.configMap('a'), 'data', 'k'), '2');
  await release('holds', 'b');
  const ready = await subject.application.untilReady();
  assert.deepEqual(inventoryOf(ready), ['ConfigMap holds/a', 'ConfigMap holds/d']);
  assert.equal(await subject.configMap('b'), undefined);
  const isTold = (): boolean => toldOf('holds').some((line) => /1 pruned \(ConfigMap holds\/b\)/.test(line));
  assert.ok(await eventually(async () => (isTold() ? true : undefined)), 'the log reports it');
  const told = toldOf('holds');
  assert.deepEqual(
    told.filter((text) => /released/.test(text)),
    [],
    'an object that is gone was not released',
  );
});

test('an object that returns to Git while its deletion is held up is created again once it is gone', async () => {
  const subject = await declareSubject(world, 'returns', {
    files: { 'a.yaml': text(configMap('a', {})), 'b.yaml': text(configMap('b', { k: '1' })) },
  });
  await subject.application.untilReady();
  const uid = at(await subject.configMap('b'), 'metadata', 'uid');
  await hold('returns', 'b');
  await subject.repository.commit({ 'b.yaml': null });
  await subject.application.refresh();
  const commit = await subject.repository.commit({ 'b.yaml': text(configMap('b', { k: '2' })) });
  await subject.application.refresh();
  await release('returns', 'b');
  await subject.application.until('anew', (a) => inventoryOf(a).length === 2 && /^True/.test(readyReason(a)));
  const ready = await subject.application.untilReady(commit);
  assert.deepEqual(inventoryOf(ready), ['ConfigMap returns/a', 'ConfigMap returns/b']);
  const object = await subject.configMap('b');
  assert.equal(at(object, 'data', 'k'), '2');
  assert.notEqual(at(object, 'metadata', 'uid'), uid);
});

test('a deleted Application waits for an object with a finalizer, reports it, and deletes the rest', async () => {
  const subject = await declareSubject(world, 'ends', {
    files: { 'a.yaml': text(configMap('a', {})), 'b.yaml': text(configMap('b', {})) },
  });
  await subject.application.untilReady();
  await hold('ends', 'b');
  await subject.application.remove();
  const told = await subject.application.until('the finalizer is reported', (a) =>
    /example\.com\/hold/.test(readyMessage(a)),
  );
  assert.equal(readyReason(told), 'False Deleting');
  assert.match(readyMessage(told), /1 left; ConfigMap ends\/b/);
  assert.deepEqual(inventoryOf(told), ['ConfigMap ends/b']);
  assert.equal(await subject.configMap('a'), undefined);
  await release('ends', 'b');
  await untilGone(world, subject.application.path);
  assert.equal(await subject.configMap('b'), undefined);
});

test('a confirmed prune that is held longer than the timeout of a sync is answered as failed, and goes on', async () => {
  const names = Array.from({ length: 20 }, (_, index) => `m${index}`);
  const subject = await declareSubject(world, 'slow', {
    files: { 'keep.yaml': text(configMap('keep', {})), 'all.yaml': text(...names.map((name) => configMap(name, {}))) },
    spec: { sync: { timeout: '10s' } },
  });
  await subject.application.untilReady();
  await hold('slow', 'm3');
  await subject.repository.commit({ 'all.yaml': null });
  assert.equal(readyReason(await subject.application.refresh()), 'False PruneHeld');
  const answered = await subject.application.ask({ action: 'confirm-prune' });
  assert.equal(outcomeOf(answered), 'Failed');
  assert.match(answerOf(answered), /ConfigMap slow\/m3: .*example\.com\/hold/);
  assert.deepEqual(inventoryOf(answered), ['ConfigMap slow/keep', 'ConfigMap slow/m3']);
  await release('slow', 'm3');
  await untilGone(world, configMapPath('slow', 'm3'));
  assert.deepEqual(inventoryOf(await subject.application.untilReady()), ['ConfigMap slow/keep']);
});
