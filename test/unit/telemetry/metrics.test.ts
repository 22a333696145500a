/** The exposition: its series, and their removal with the Application. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { createMetrics } from '../../../src/telemetry/metrics.ts';

const SHOP = { namespace: 'apps', name: 'shop' };
const WORDS = { sync: 'Synced', health: 'Healthy', ready: 'True', mode: 'auto' };
const STATE = { ...SHOP, ...WORDS, isStalled: false, isSuspended: false, driftObjects: 0 };

/** Lines of our own series, without comments and without the series of the process. */
async function seriesOf(metrics: ReturnType<typeof createMetrics>): Promise<string[]> {
  const { body } = await metrics.expose();
  return body.split('\n').filter((line) => line.startsWith('tautline_') && !/^tautline_(nodejs|process)_/.test(line));
}

test('every series that docs and alerts use is exposed', async () => {
  const metrics = createMetrics({ version: '1.2.3' });
  metrics.setApplication(STATE);
  metrics.onPass({ ...SHOP, result: 'success', durationMs: 20 });
  metrics.onChange('created');
  metrics.onGitRequest({ operation: 'poll', result: 'success', durationMs: 20 });
  metrics.onSync('success');
  metrics.onStage('render', 20);
  metrics.onKubernetesRequest('apply', 200);
  metrics.onWatchRestart('expired');
  metrics.showQueue(() => ({ waiting: 1, added: 2, retries: 3, longest: { runningMs: 1500 } }));
  const series = await seriesOf(metrics);
  for (const line of [
    `tautline_build_info{version="1.2.3",node="${process.versions.node}"} 1`,
    'tautline_app_info{namespace="apps",name="shop",sync_status="Synced",health_status="Healthy",ready="True",' +
      'stalled="false",mode="auto",suspended="false"} 1',
    'tautline_drift_objects{namespace="apps",name="shop"} 0',
    'tautline_reconcile_duration_seconds_count{namespace="apps",name="shop",result="success"} 1',
    'tautline_reconcile_total{result="success"} 1',
    'tautline_apply_changes_total{op="created"} 1',
    'tautline_git_requests_total{op="poll",result="success"} 1',
    'tautline_git_request_duration_seconds_count{op="poll"} 1',
    'tautline_sync_total{result="success"} 1',
    'tautline_stage_duration_seconds_count{stage="render"} 1',
    'tautline_kubernetes_requests_total{verb="apply",code="200"} 1',
    'tautline_watch_restarts_total{reason="expired"} 1',
    'tautline_workqueue_depth 1',
    'tautline_workqueue_adds_total 2',
    'tautline_workqueue_retries_total 3',
    'tautline_workqueue_longest_running_seconds 1.5',
  ]) {
    assert.ok(series.includes(line), `${line} is not in\n${series.join('\n')}`);
  }
  assert.ok(series.some((line) => line.startsWith('tautline_last_success_timestamp_seconds{namespace="apps"')));
});

test('a new state of an Application replaces the old one', async () => {
  const metrics = createMetrics({ version: '1' });
  metrics.setApplication(STATE);
  metrics.setApplication({ ...STATE, sync: 'OutOfSync', driftObjects: 2 });
  const series = await seriesOf(metrics);
  assert.equal(series.filter((line) => line.startsWith('tautline_app_info')).length, 1);
  assert.ok(series.includes('tautline_drift_objects{namespace="apps",name="shop"} 2'));
});

test('all series of an Application are removed with it, and those of others stay', async () => {
  const metrics = createMetrics({ version: '1' });
  for (const name of ['shop', 'other']) {
    metrics.setApplication({ ...STATE, name });
    metrics.onPass({ namespace: 'apps', name, result: 'success', durationMs: 1 });
    metrics.onPass({ namespace: 'apps', name, result: 'failure', durationMs: 1 });
  }
  metrics.removeApplication(SHOP);
  const series = await seriesOf(metrics);
  assert.deepEqual(
    series.filter((line) => line.includes('"shop"')),
    [],
  );
  assert.ok(series.some((line) => line.startsWith('tautline_app_info') && line.includes('"other"')));
  assert.ok(series.includes('tautline_reconcile_total{result="failure"} 2'));
});

/** Labels with few values; and the name of an Application, whose series are removed with it, and the version. */
const LABELS = [
  ...['namespace', 'name', 'sync_status', 'health_status', 'ready', 'stalled', 'mode', 'suspended'],
  ...['result', 'stage', 'op', 'verb', 'code', 'reason', 'provider', 'version', 'node', 'le'],
];

test('no label holds an address, a revision, an object or a message', async () => {
  const metrics = createMetrics({ version: '1' });
  metrics.setApplication(STATE);
  metrics.onPass({ ...SHOP, result: 'failure', durationMs: 1 });
  metrics.onChange('created');
  metrics.onGitRequest({ operation: 'poll', result: 'failure', durationMs: 1 });
  metrics.onSync('failure');
  metrics.onStage('render', 1);
  metrics.onKubernetesRequest('apply', 0);
  metrics.onWatchRestart('expired');
  metrics.onWebhook('github', 'accepted');
  const used = (await seriesOf(metrics)).flatMap((line) =>
    [...line.matchAll(/[{,](\w+)="/g)].map(([, label]) => label),
  );
  assert.deepEqual([...new Set(used)].sort(), [...LABELS].sort());
});

test('the queue is read at each scrape, and its counters are not added up', async () => {
  const metrics = createMetrics({ version: '1' });
  let added = 5;
  metrics.showQueue(() => ({ waiting: 0, added, retries: 0, longest: undefined }));
  await metrics.expose();
  added = 6;
  assert.ok((await seriesOf(metrics)).includes('tautline_workqueue_adds_total 6'));
});

test('two agents in one process share no series', async () => {
  const [a, b] = [createMetrics({ version: '1' }), createMetrics({ version: '1' })];
  a.setApplication(STATE);
  assert.ok(!(await seriesOf(b)).some((line) => line.includes('"shop"')));
});

test('the series of 5,000 Applications are made in turns that leave the thread free', async () => {
  const metrics = createMetrics({ version: '1' });
  for (let n = 0; n < 5_000; n++) {
    metrics.setApplication({ ...STATE, name: `app-${n}` });
    metrics.onPass({ namespace: 'apps', name: `app-${n}`, result: 'success', durationMs: n });
  }
  let turns = 0;
  const count = setInterval(() => turns++, 0);
  const { body } = await metrics.expose();
  clearInterval(count);
  assert.equal(body.match(/^tautline_app_info/gm)?.length, 5_000);
  assert.ok(turns > 3, `${turns} turns for other work`);
});

test('a histogram counts each pass in every bucket that it fits', async () => {
  const metrics = createMetrics({ version: '1' });
  for (const durationMs of [5, 700, 400_000]) metrics.onPass({ ...SHOP, result: 'success', durationMs });
  const { body } = await metrics.expose();
  const bucket = (le: string): string | undefined =>
    new RegExp(`_bucket\\{le="${le}",namespace="apps",name="shop",result="success"\\} (\\d+)`).exec(body)?.[1];
  assert.deepEqual(['0.01', '0.5', '1', '300', '\\+Inf'].map(bucket), ['1', '1', '2', '2', '3']);
  assert.match(body, /reconcile_duration_seconds_sum\{[^}]*\} 400\.705/);
});
