/** Mode manual, and the options of a sync request that replace fields of the spec. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { useWorld } from '../../support/use-world.ts';
import { setFinalizers } from '../../support/kubectl.ts';
import { configMap, text } from '../../support/objects.ts';
import {
  answerOf,
  at,
  configMapPath,
  declareSubject,
  inventoryOf,
  outcomeOf,
  readyReason,
  syncOf,
  untilGone,
  untilObject,
  type Subject,
} from '../../support/scene.ts';

const { world } = useWorld({ agent: true });

const file = (name: string, value: string) => ({ [`${name}.yaml`]: text(configMap(name, { k: value })) });

function declareManual(name: string, names: readonly string[] = ['a', 'b']): Promise<Subject> {
  const files = Object.assign({}, ...names.map((object) => file(object, '1'))) as Record<string, string>;
  return declareSubject(world, name, { files, spec: { sync: { mode: 'manual' } } });
}

async function valueOf(subject: Subject, name: string): Promise<unknown> {
  return at(await subject.configMap(name), 'data', 'k');
}

test('in mode manual nothing is applied, healed or pruned until a sync is requested', async () => {
  const subject = await declareManual('manual');
  const { application, repository } = subject;
  const before = await application.until('compared', (a) => syncOf(a) === 'OutOfSync');
  assert.equal(readyReason(before), 'False OutOfSync');
  assert.equal(await subject.configMap('a'), undefined);

  const synced = await application.ask({ action: 'sync' });
  assert.equal(outcomeOf(synced), 'Succeeded');
  assert.equal(readyReason(synced), 'True ReconciliationSucceeded');
  assert.equal(await valueOf(subject, 'a'), '1');

  await world.apply(configMap('a', { k: 'by hand' }, { namespace: 'manual' }), 'someone');
  const drifted = await application.until('drift is seen', (a) => syncOf(a) === 'OutOfSync');
  assert.equal(readyReason(drifted), 'True OutOfSync');
  assert.ok(!JSON.stringify(at(drifted, 'status', 'conditions')).includes('Stalled'));

  const commit = await repository.commit({ ...file('a', '2'), 'b.yaml': null });
  const asked = await application.ask({ action: 'refresh' });
  assert.equal(outcomeOf(asked), 'Succeeded');
  assert.equal(at(asked, 'status', 'sync', 'commit'), commit.slice(0, 12));
  assert.equal(await valueOf(subject, 'a'), 'by hand');
  assert.equal(await valueOf(subject, 'b'), '1');
  assert.deepEqual(inventoryOf(asked), ['ConfigMap manual/a', 'ConfigMap manual/b']);

  const again = await application.ask({ action: 'sync' });
  assert.equal(outcomeOf(again), 'Succeeded');
  assert.equal(await valueOf(subject, 'a'), '2');
  assert.equal(await subject.configMap('b'), undefined);
  assert.equal(syncOf(again), 'Synced');
});

test('a commit that a sync names is applied once and stays applied, while newer ones are reported', async () => {
  const subject = await declareManual('pinned', ['a']);
  const first = await subject.repository.resolve('main');
  await subject.repository.commit({ ...file('a', '2'), ...file('b', '2') });
  assert.equal(outcomeOf(await subject.application.ask({ action: 'sync' })), 'Succeeded');
  assert.equal(await valueOf(subject, 'b'), '2');

  const back = await subject.application.ask({ action: 'sync', revision: first });
  assert.equal(outcomeOf(back), 'Succeeded');
  assert.equal(await valueOf(subject, 'a'), '1');
  assert.equal(await subject.configMap('b'), undefined);
  const resting = await subject.application.until('newer is reported', (a) => syncOf(a) === 'OutOfSync');
  assert.equal(at(resting, 'status', 'sync', 'lastAppliedRevision'), `sha1:${first}`);
  assert.match(String(at(resting, 'status', 'sync', 'revision')), /^main@/);
  assert.equal(readyReason(resting), 'True OutOfSync');
  assert.equal(await valueOf(subject, 'a'), '1');
});

test('the prune option of a sync replaces that of the spec', async () => {
  const subject = await declareManual('pruning', ['a', 'b', 'c']);
  await subject.application.ask({ action: 'sync' });
  await subject.repository.commit({ ...file('a', '2'), 'b.yaml': null });
  const kept = await subject.application.ask({ action: 'sync', prune: false });
  assert.equal(outcomeOf(kept), 'Succeeded');
  assert.equal(await valueOf(subject, 'a'), '2');
  assert.equal(await valueOf(subject, 'b'), '1');
  await subject.application.patch({ sync: { prune: false } });
  const pruned = await subject.application.ask({ action: 'sync', prune: true });
  assert.equal(outcomeOf(pruned), 'Succeeded');
  await untilGone(world, configMapPath('pruning', 'b'));
});

test('a sync that names objects applies these only, and the others are reported', async () => {
  const subject = await declareManual('some');
  const objects = ['/ConfigMap/some/a'];
  const synced = await subject.application.ask({ action: 'sync', objects });
  assert.equal(outcomeOf(synced), 'Succeeded');
  assert.equal(await valueOf(subject, 'a'), '1');
  assert.equal(await subject.configMap('b'), undefined);
  assert.equal(syncOf(synced), 'OutOfSync');

  const late = configMap('late', { k: '1' }, { annotations: { 'argocd.argoproj.io/sync-wave': '5' } });
  await subject.repository.commit({ 'late.yaml': text(late) });
  const wave = await subject.application.ask({ action: 'sync', objects: ['/ConfigMap/some/late'] });
  assert.equal(outcomeOf(wave), 'Succeeded');
  assert.equal(await valueOf(subject, 'late'), '1');
  assert.equal(await subject.configMap('b'), undefined);

  const refused = await subject.application.ask({ action: 'sync', objects: ['/ConfigMap/some/nobody'] });
  assert.equal(outcomeOf(refused), 'Refused');
  assert.match(answerOf(refused), /\/ConfigMap\/some\/nobody/);
  assert.equal(await subject.configMap('b'), undefined);
});

test('a dry run writes nothing and reports the changes that it would make', async () => {
  const subject = await declareManual('trial', ['a', 'b']);
  await subject.application.ask({ action: 'sync' });
  await subject.repository.commit({ ...file('a', '2'), 'b.yaml': null, ...file('c', '1') });
  await subject.application.ask({ action: 'refresh' });
  const before = await Promise.all(['a', 'b', 'c'].map((name) => subject.configMap(name)));
  const tried = await subject.application.ask({ action: 'sync', dryRun: true });
  assert.equal(outcomeOf(tried), 'Succeeded');
  assert.match(answerOf(tried), /1 created, 1 changed, 1 pruned/);
  assert.match(answerOf(tried), /ConfigMap trial\/a: would change \/data\/k from "1" to "2"/);
  assert.deepEqual(await Promise.all(['a', 'b', 'c'].map((name) => subject.configMap(name))), before);
  assert.deepEqual(inventoryOf(tried), ['ConfigMap trial/a', 'ConfigMap trial/b']);

  await subject.repository.commit({ 'd.yaml': text({ ...configMap('d', {}), data: { k: [] } }) });
  const failing = await subject.application.ask({ action: 'sync', dryRun: true });
  assert.equal(outcomeOf(failing), 'Failed');
  assert.match(answerOf(failing), /1 refused/);
});

test('a dry run names the object that another Application owns, and counts one that would be left alone', async () => {
  const ifMissing = { annotations: { 'kustomize.toolkit.fluxcd.io/ssa': 'IfNotPresent' } };
  const holder = await declareManual('holder', ['a']);
  await holder.application.ask({ action: 'sync' });
  await world.apply(configMap('there', { k: 'by hand' }, { namespace: 'holder' }), 'someone');
  const files = { ...file('a', '1'), 'there.yaml': text(configMap('there', { k: '1' }, ifMissing)) };
  const spec = { sync: { mode: 'manual' }, destination: { namespace: 'holder' } };
  const second = await declareSubject(world, 'second', { files, spec });
  const tried = await second.application.ask({ action: 'sync', dryRun: true });
  assert.equal(outcomeOf(tried), 'Failed');
  assert.match(answerOf(tried), /: 1 refused(, 1 unchanged)?\nConfigMap holder\/a: managed by Application/);
  assert.doesNotMatch(answerOf(tried), /holder\/there/);
});

test('a failed sync reports the reason, and the next one succeeds', async () => {
  const subject = await declareManual('failing', ['a']);
  await subject.repository.commit({ 'x.yaml': text({ ...configMap('x', {}), data: { k: [] } }) });
  const failed = await subject.application.ask({ action: 'sync' });
  assert.equal(outcomeOf(failed), 'Failed');
  assert.match(answerOf(failed), /ConfigMap failing\/x/);
  const rest = await subject.application.until('at rest', (a) => readyReason(a) === 'False OutOfSync');
  assert.equal(at(rest, 'status', 'sync', 'lastAppliedRevision'), undefined);
  await subject.repository.commit({ 'x.yaml': null });
  assert.equal(outcomeOf(await subject.application.ask({ action: 'sync' })), 'Succeeded');
});

test('a large prune waits for a confirmation in mode manual too', async () => {
  const subject = await declareManual('guarded', 'abcdefghijklmnopqrst'.split(''));
  await subject.application.ask({ action: 'sync' });
  const gone = Object.fromEntries('bcdefghijklmnopqrst'.split('').map((name) => [`${name}.yaml`, null]));
  await subject.repository.commit(gone);
  const held = await subject.application.ask({ action: 'sync' });
  assert.equal(outcomeOf(held), 'Failed');
  assert.match(answerOf(held), /confirm it with: tautline confirm guarded -n apps/);
  assert.ok(await subject.configMap('b'));
  const confirmed = await subject.application.ask({ action: 'confirm-prune' });
  assert.equal(outcomeOf(confirmed), 'Succeeded');
  assert.equal(await subject.configMap('b'), undefined);
});

test('a newer request replaces one that is under way', async () => {
  const subject = await declareManual('superseded', ['a', 'b']);
  await subject.application.ask({ action: 'sync' });
  const metadata = { namespace: 'superseded', finalizers: ['example.com/hold'] };
  await world.apply(configMap('b', { k: '1' }, metadata), 'someone');
  await subject.repository.commit({ 'b.yaml': null });
  const id = await subject.application.request({ action: 'sync' });
  await subject.application.until('under way', (a) => {
    return at(a, 'status', 'lastRequest', 'id') === id && outcomeOf(a) === 'InProgress';
  });
  await untilObject(
    world,
    configMapPath('superseded', 'b'),
    (b) => at(b, 'metadata', 'deletionTimestamp') !== undefined,
  );
  const refreshed = await subject.application.ask({ action: 'refresh' });
  assert.equal(outcomeOf(refreshed), 'Succeeded');
  await setFinalizers(world, 'configmap/b', { namespace: 'superseded', finalizers: [] });
});
