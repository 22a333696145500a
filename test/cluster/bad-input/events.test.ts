/** Events and log lines: one of each for a change, and none at rest. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '../../support/world.ts';
import { useScene } from './scene.ts';
import { kubectl, setFinalizers } from '../../support/kubectl.ts';
import { configMap, text } from '../../support/objects.ts';
import { withoutRules } from '../../support/older-crd.ts';
import {
  at,
  configMapPath,
  declareSubject,
  eventsOf,
  metricsOf,
  passesOf,
  untilFailed,
  untilGone,
  untilObject,
  type Subject,
} from '../../support/scene.ts';

const scene = useScene();

interface Told {
  readonly type: unknown;
  readonly reason: unknown;
  readonly note: unknown;
}

/** Type, reason and note of the Events about an Application, the oldest first. */
async function toldOf(subject: Subject): Promise<Told[]> {
  return (await eventsOf(scene.world, subject))
    .sort((a, b) => (String(at(a, 'eventTime')) < String(at(b, 'eventTime')) ? -1 : 1))
    .map((event) => ({ type: at(event, 'type'), reason: at(event, 'reason'), note: at(event, 'note') }));
}

/** Waits for the next Event, checks that there is only one, and resolves to it. */
async function nextEvent(subject: Subject, known: number): Promise<Told> {
  await eventually(async () => ((await toldOf(subject)).length > known ? true : undefined));
  // A second Event would follow at once.
  await sleep(700);
  const events = await toldOf(subject);
  assert.equal(events.length, known + 1, JSON.stringify(events, null, 1));
  return events[known] as Told;
}

test('each change is reported by one Event, and a lasting failure by no further one', async () => {
  const subject = await declareSubject(scene.world, 'told', { files: { 'a.yaml': text(configMap('a', { v: '1' })) } });
  const created = await nextEvent(subject, 0);
  assert.deepEqual([created.type, created.reason], ['Normal', 'Applied']);
  assert.match(String(created.note), /^1 created \(ConfigMap told\/a\); main@sha1:[0-9a-f]{40}: 1 object in sync$/);

  await subject.repository.commit({ 'a.yaml': text(configMap('a', { v: '2' })) });
  await subject.application.refresh();
  assert.match(String((await nextEvent(subject, 1)).note), /^1 configured \(ConfigMap told\/a\)/);

  await scene.world.apply(configMap('a', { v: 'by hand' }, { namespace: 'told' }));
  await untilObject(scene.world, configMapPath('told', 'a'), (object) => at(object, 'data', 'v') === '2');
  const healed = await nextEvent(subject, 2);
  assert.equal(healed.reason, 'DriftCorrected');
  assert.match(String(healed.note), /^ConfigMap told\/a: \/data\/v changed \(person\); main@/);

  await subject.repository.commit({ 'broken.yaml': '{' });
  await subject.application.refresh();
  const failed = await nextEvent(subject, 3);
  assert.deepEqual([failed.type, failed.reason], ['Warning', 'BuildFailed']);
  assert.match(String(failed.note), /^broken\.yaml:1/);
  for (let round = 0; round < 3; round++) await subject.application.refresh();

  await subject.repository.commit({ 'broken.yaml': null });
  await subject.application.refresh();
  const mended = await nextEvent(subject, 4);
  assert.deepEqual([mended.type, mended.reason], ['Normal', 'ReconciliationSucceeded']);

  await subject.repository.commit({ 'a.yaml': null, 'b.yaml': text(configMap('b', { v: '1' })) });
  await subject.application.refresh();
  await untilGone(scene.world, configMapPath('told', 'a'));
  assert.match(String((await nextEvent(subject, 5)).note), /^1 created, 1 pruned \(/);
});

test('a commit that changes no object is reported by no Event', async () => {
  const subject = await declareSubject(scene.world, 'readme', {
    files: { 'a.yaml': text(configMap('a', { v: '1' })) },
  });
  await nextEvent(subject, 0);
  const commit = await subject.repository.commit({ 'README.md': 'words' });
  await subject.application.refresh();
  await subject.application.untilReady(commit);
  await sleep(700);
  assert.equal((await toldOf(subject)).length, 1);
});

test('several failures that are retried are reported by one Event', async () => {
  const files = Object.fromEntries(
    ['a', 'b', 'c', 'd'].map((name) => [`${name}.yaml`, text(configMap(name, {}, { namespace: 'never' }))]),
  );
  const subject = await declareSubject(scene.world, 'retried', { files });
  await untilFailed(subject, 'ReconciliationFailed');
  const passes = await passesOf(scene.agent, 'retried');
  await eventually(async () => ((await passesOf(scene.agent, 'retried')) > passes + 3 ? true : undefined));
  const events = await toldOf(subject);
  assert.equal(events.length, 1, JSON.stringify(events, null, 1));
  await subject.application.patch({ suspend: true });
});

test('an outage of Git is reported once, and its end once', async () => {
  const { git } = scene.world;
  const subject = await declareSubject(scene.world, 'outage', {
    files: { 'a.yaml': text(configMap('a', { v: '1' })) },
  });
  await nextEvent(subject, 0);
  git.onRequest = ({ path }) => (path.startsWith('/outage.git') ? { status: 503 } : undefined);
  await subject.application.refresh();
  assert.equal((await nextEvent(subject, 1)).reason, 'ArtifactFailed');
  const passes = await passesOf(scene.agent, 'outage');
  await eventually(async () => ((await passesOf(scene.agent, 'outage')) > passes + 3 ? true : undefined));
  git.onRequest = undefined;
  assert.equal((await nextEvent(subject, 2)).reason, 'ReconciliationSucceeded');
});

test('an object whose deletion a finalizer holds up is reported once, and its end once', async () => {
  const held = configMap('held', { v: '1' }, { finalizers: ['example.com/hold'] });
  const files = { 'held.yaml': text(held), 'kept.yaml': text(configMap('kept', { v: '1' })) };
  const subject = await declareSubject(scene.world, 'held', { files });
  await nextEvent(subject, 0);
  await subject.repository.commit({ 'held.yaml': null });
  // Flux's annotation starts the pass, since a request would be answered only when the object is gone.
  const annotation = 'reconcile.fluxcd.io/requestedAt=now';
  await kubectl(scene.world, ['annotate', 'tla', 'held', '-n', 'apps', annotation]);
  assert.match(String((await nextEvent(subject, 1)).note), /^1 pruning \(ConfigMap held\/held\)/);
  const passes = await passesOf(scene.agent, 'held');
  await eventually(async () => ((await passesOf(scene.agent, 'held')) > passes + 3 ? true : undefined));
  assert.equal((await toldOf(subject)).length, 2);
  await setFinalizers(scene.world, 'configmap/held', { namespace: 'held', finalizers: [] });
  await untilGone(scene.world, configMapPath('held', 'held'));
  assert.match(String((await nextEvent(subject, 2)).note), /^1 (pruned|released) \(ConfigMap held\/held\)/);
});

test('a spec that cannot be read is reported by one warning', async () => {
  const subject = await declareSubject(scene.world, 'spoilt', {
    files: { 'a.yaml': text(configMap('a', { v: '1' })) },
  });
  await nextEvent(subject, 0);
  await withoutRules(scene.world, () => subject.application.patch({ sync: { mode: 'sometimes' } }));
  const told = await nextEvent(subject, 1);
  assert.deepEqual([told.type, told.reason], ['Warning', 'InvalidSpec']);
  await subject.application.patch({ sync: { mode: 'auto' } });
  assert.equal((await nextEvent(subject, 2)).reason, 'ReconciliationSucceeded');
});

test('suspending and resuming an Application are reported once each', async () => {
  const subject = await declareSubject(scene.world, 'paused', {
    files: { 'a.yaml': text(configMap('a', { v: '1' })) },
  });
  await nextEvent(subject, 0);
  await subject.application.patch({ suspend: true });
  assert.equal((await nextEvent(subject, 1)).reason, 'Suspended');
  const metrics = await metricsOf(scene.agent);
  assert.match(metrics, /tautline_app_info\{namespace="apps",name="paused",[^}]*suspended="true"\} 1/);
  await subject.application.patch({ suspend: false });
  assert.equal((await nextEvent(subject, 2)).reason, 'ReconciliationSucceeded');
});

test('ten forced passes over unchanged objects write no Event and no log line', async () => {
  const subject = await declareSubject(scene.world, 'rest', { files: { 'a.yaml': text(configMap('a', { v: '1' })) } });
  await nextEvent(subject, 0);
  await scene.expectBystanderGoesOn();
  await sleep(700);
  const lines = scene.agent.log.length;
  const object = await subject.configMap('a');
  for (let round = 0; round < 10; round++) await subject.application.refresh();
  await sleep(700);
  assert.deepEqual(scene.agent.log.slice(lines), []);
  assert.equal((await toldOf(subject)).length, 1);
  assert.deepEqual(await subject.configMap('a'), object);
});
