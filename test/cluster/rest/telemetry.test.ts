/**
 * Log lines, Events and metrics of an agent under real controllers: one line a change, and metrics that end with their
 * Application.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { useWorld } from '../../support/use-world.ts';
import { eventually } from '../../support/world.ts';
import { expectRest } from './scene.ts';
import { edit } from '../../support/kubectl.ts';
import { configMap, service, text, workload } from '../../support/objects.ts';
import {
  at,
  configMapPath,
  declareSubject,
  eventsOf,
  metricsOf,
  PROGRESS_FLAGS,
  untilGone,
  untilObject,
} from '../../support/scene.ts';

const { world, agent } = useWorld({ mode: 'full', agent: { flags: PROGRESS_FLAGS } });

/** The metrics that exist once an Application has been synced, healed and refused. */
const SERIES = [
  'tautline_app_info',
  'tautline_apply_changes_total',
  'tautline_build_info',
  'tautline_drift_objects',
  'tautline_git_request_duration_seconds_count',
  'tautline_git_requests_total',
  'tautline_kubernetes_requests_total',
  'tautline_last_success_timestamp_seconds',
  'tautline_reconcile_duration_seconds_count',
  'tautline_reconcile_total',
  'tautline_stage_duration_seconds_count',
  'tautline_sync_total',
  'tautline_workqueue_adds_total',
  'tautline_workqueue_depth',
  'tautline_workqueue_longest_running_seconds',
  'tautline_workqueue_retries_total',
];

async function exposition(): Promise<string[]> {
  return (await metricsOf(agent)).split('\n');
}

function reasons(name: string): unknown[] {
  return agent.log.filter(({ application }) => application === `apps/${name}`).map(({ reason }) => reason);
}

/** Without those about health: the Deployment becomes Healthy at some moment, and a refused object is Missing. */
function changes(name: string): unknown[] {
  const ofHealth: readonly unknown[] = ['Healthy', 'Progressing', 'Missing'];
  return reasons(name).filter((reason) => !ofHealth.includes(reason));
}

test('each change writes one log line and one Event, and rest writes none', async () => {
  const subject = await declareSubject(world, 'told', {
    files: { 'a.yaml': text(configMap('a', { k: '1' })), 'web.yaml': text(workload('Deployment', 'web')) },
  });
  await expectRest(world, agent, subject);
  assert.deepEqual(changes('told'), ['Applied']);
  await edit(world, 'configmap/a', { namespace: 'told', patch: { data: { k: 'other' } } });
  await untilObject(world, configMapPath('told', 'a'), (found) => at(found, 'data', 'k') === '1');
  await expectRest(world, agent, subject, { refreshes: 1 });
  assert.deepEqual(changes('told'), ['Applied', 'DriftCorrected']);
  // A commit that changes no object is reported in the status only.
  await subject.repository.commit({ 'README.md': 'nothing to apply' });
  await subject.application.refresh();
  await expectRest(world, agent, subject, { refreshes: 1 });
  assert.deepEqual(changes('told'), ['Applied', 'DriftCorrected']);
  await subject.repository.commit({ 'bad.yaml': text(service('bad', { ports: [{ port: 99999 }] })) });
  await subject.application.refresh();
  await eventually(async () => (changes('told').length > 2 ? true : undefined));
  for (let n = 0; n < 3; n++) await subject.application.refresh();
  assert.deepEqual(changes('told'), ['Applied', 'DriftCorrected', 'ReconciliationFailed']);
  await subject.repository.commit({ 'bad.yaml': null });
  await subject.application.refresh();
  await subject.application.untilReady();
  const told = reasons('told');
  // The refused object was in the inventory ahead of the attempt; removing it is reported as a change.
  assert.deepEqual(changes('told'), ['Applied', 'DriftCorrected', 'ReconciliationFailed', 'Applied']);
  const events = await eventually(async () => {
    const found = await eventsOf(world, subject);
    return found.length >= told.length ? found : undefined;
  });
  assert.equal(events?.length, told.length);
});

test('the metrics have their names, and labels with a bounded number of values', async () => {
  const lines = await exposition();
  for (const name of SERIES) {
    assert.ok(
      lines.some((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `)),
      `${name} is missing`,
    );
  }
  assert.ok(
    lines.some((line) => /^tautline_sync_total\{result="failure"\} [1-9]/.test(line)),
    'a refused object is a failed sync',
  );
  assert.ok(
    lines.some((line) => line.startsWith('tautline_stage_duration_seconds_count{stage="source"}')),
    'stages are timed',
  );
  const own = lines.filter((line) => line.startsWith('tautline_'));
  assert.ok(!own.some((line) => /sha1|http:|main@/.test(line)), 'a revision or an address in a label');
});

test('the metrics of an Application end with it, also when it is created again at once', async () => {
  const subject = await declareSubject(world, 'leaves', { files: { 'a.yaml': text(configMap('a', { k: '1' })) } });
  await expectRest(world, agent, subject, { refreshes: 1 });
  const seriesOf = async (): Promise<string[]> => (await exposition()).filter((line) => line.includes('"leaves"'));
  assert.ok((await seriesOf()).length > 0);
  await subject.application.remove();
  await untilGone(world, subject.application.path);
  assert.ok(await eventually(async () => ((await seriesOf()).length === 0 ? true : undefined)), 'series stay');
  const again = await world.declare('leaves', {
    source: { repoURL: subject.repository.url },
    destination: { namespace: 'leaves' },
  });
  await again.untilReady();
  const info = (await seriesOf()).filter((line) => line.startsWith('tautline_app_info'));
  assert.equal(info.length, 1);
  // Without its finalizer the Application is deleted at once, even during a pass.
  for (let n = 0; n < 5; n++) {
    const stored = await again.read();
    if (!stored) break;
    const patch = JSON.stringify({ metadata: { finalizers: null } });
    await world.plane.kubectl(['patch', 'tla', 'leaves', '-n', 'apps', '--type=merge', '-p', patch]);
    await again.remove();
  }
  await untilGone(world, again.path);
  assert.ok(await eventually(async () => ((await seriesOf()).length === 0 ? true : undefined)), 'series stay');
});
