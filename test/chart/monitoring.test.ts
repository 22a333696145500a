/**
 * The alerts and dashboards of the chart, judged by Prometheus's own packages over the series of the agent. The clock
 * is simulated: the agent is scraped once a minute.
 */
import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import type { Metrics, QueueLoad } from '../../src/telemetry/ports.ts';
import { createMetrics } from '../../src/telemetry/metrics.ts';
import { useStarted } from '../support/use-world.ts';
import { openHelm, type KubeObject } from './helm.ts';
import { judge, type Scrape, type Verdict } from './prometheus/judge.ts';

const helm = useStarted('helm', () => openHelm());
const START_S = 1_800_000_000;
const MINUTE_S = 60;

type State = Parameters<Metrics['setApplication']>[0];

const WELL: State = {
  namespace: 'shop',
  name: 'web',
  sync: 'Synced',
  health: 'Healthy',
  ready: 'True',
  isStalled: false,
  mode: 'auto',
  isSuspended: false,
  driftObjects: 0,
};
const IDLE: QueueLoad = { waiting: 0, added: 10, retries: 1, longest: undefined };

/** The agent does the same in each minute of a situation. */
interface Situation {
  /** Changes of the Application beside `WELL`. */
  readonly state?: Partial<State>;
  readonly queue?: Partial<QueueLoad>;
  /** Runs once a minute, after the pass of the Application. */
  readonly minute?: (metrics: Metrics) => void;
  /** Default: a pass succeeds each minute. */
  readonly pass?: 'success' | 'failure' | 'none';
  readonly isScraped?: false;
}

/** Each alert: the situation in which it fires, and the minutes after which it does. */
const FIRES: Readonly<Record<string, Situation & { readonly afterMinutes: number }>> = {
  TautlineApplicationNotReady: { state: { ready: 'False' }, afterMinutes: 15 },
  TautlineApplicationStalled: { state: { ready: 'False', isStalled: true }, afterMinutes: 0 },
  TautlineApplicationNotHealthy: { state: { health: 'Degraded' }, afterMinutes: 15 },
  TautlineApplicationProgressing: { state: { health: 'Progressing' }, afterMinutes: 60 },
  TautlineApplicationOutOfSync: { state: { sync: 'OutOfSync', driftObjects: 3 }, afterMinutes: 30 },
  TautlineApplicationUnknown: { state: { sync: 'Unknown' }, afterMinutes: 15 },
  // The chart's default is an hour without success, and the alert waits for five minutes.
  TautlineNoRecentSuccess: { pass: 'none', afterMinutes: 66 },
  TautlineGitFailing: {
    minute: (metrics) => metrics.onGitRequest({ operation: 'poll', result: 'failure', durationMs: 90 }),
    afterMinutes: 16,
  },
  TautlineReconcileErrors: { pass: 'failure', afterMinutes: 16 },
  TautlineQueueStuck: { queue: { waiting: 4 }, afterMinutes: 20 },
  TautlineWatchesFlapping: {
    minute: (metrics) => {
      for (let times = 0; times < 20; times += 1) metrics.onWatchRestart('closed');
    },
    afterMinutes: 20,
  },
  TautlineApiThrottled: {
    minute: (metrics) => {
      for (let times = 0; times < 120; times += 1) metrics.onKubernetesRequest('PATCH', 429);
    },
    afterMinutes: 16,
  },
  TautlineAgentAbsent: { isScraped: false, afterMinutes: 10 },
};

/** Situations in which no alert fires, within 90 minutes if they name no other time. */
const QUIET: Readonly<Record<string, Situation & { readonly minutes?: number }>> = {
  'an agent whose Applications are well': {},
  'a suspended Application that is not well': {
    state: { isSuspended: true, ready: 'False', sync: 'Unknown', health: 'Degraded', isStalled: true },
    pass: 'none',
  },
  'an Application in mode detect that is OutOfSync': { state: { mode: 'detect', sync: 'OutOfSync', driftObjects: 2 } },
  'an agent that has worked off its queue for a quarter of an hour since its start': {
    queue: { waiting: 40 },
    minutes: 15,
  },
  'watches that expire': {
    minute: (metrics) => {
      for (let times = 0; times < 20; times += 1) metrics.onWatchRestart('expired');
    },
  },
};

for (const [alert, situation] of Object.entries(FIRES)) {
  test(`${alert} fires after ${situation.afterMinutes} minutes in its situation, and no sooner`, async () => {
    const verdict = await judged(situation, { minutes: situation.afterMinutes + 5 });
    const first = verdict.firing.find((fired) => fired.alert === alert);
    assert.ok(first, `${alert} does not fire: ${JSON.stringify(verdict.firing)}`);
    const minutes = (first.at - START_S) / MINUTE_S;
    // A rate needs two scrapes, so that an alert may be some minutes late.
    assert.ok(minutes >= situation.afterMinutes && minutes <= situation.afterMinutes + 3, `after ${minutes} minutes`);
    if (alert.startsWith('TautlineApplication')) {
      assert.equal(first.labels['namespace'], 'shop');
      assert.equal(first.labels['name'], 'web');
    }
    assert.ok(first.labels['severity']);
  });
}

for (const [name, situation] of Object.entries(QUIET)) {
  test(`no alert fires for ${name}`, async () => {
    const { firing } = await judged(situation, { minutes: situation.minutes ?? 90 });
    assert.deepEqual(firing, []);
  });
}

test('every alert of the chart has a situation', async () => {
  const { groups } = (await ruleSpec()) as { groups: { rules: { alert: string }[] }[] };
  const alerts = groups.flatMap(({ rules }) => rules.map(({ alert }) => alert));
  assert.deepEqual(alerts.toSorted(), Object.keys(FIRES).toSorted());
});

test('an alert ends when its Application is well again, since the old series becomes stale', async () => {
  const { answers } = await judged(
    { state: { ready: 'False' } },
    {
      minutes: 10,
      wellAtMinute: 10,
      queries: ['tautline_app_info{ready="False"}', 'tautline_app_info{ready="True"}'],
    },
  );
  assert.deepEqual(
    answers.map(({ series }) => series.length),
    [0, 1],
  );
});

test('every query of the dashboards has an answer for a busy agent', async () => {
  const queries = await dashboardQueries();
  assert.ok(queries.length > 20);
  const { answers } = await judged(
    {
      state: { sync: 'OutOfSync', health: 'Degraded', driftObjects: 2 },
      minute: (metrics) => {
        metrics.onStage('render', 12);
        metrics.onSync('success');
        metrics.onChange('update');
        metrics.onKubernetesRequest('PATCH', 200);
        metrics.onGitRequest({ operation: 'poll', result: 'success', durationMs: 80 });
        metrics.onWatchRestart('closed');
      },
    },
    { minutes: 20, queries },
  );
  const empty = answers.flatMap(({ error, series, values }, at) => {
    const isAnswered = error === undefined && series.length > 0 && !values.includes('NaN');
    return isAnswered ? [] : [`${queries[at] ?? ''}: ${error ?? JSON.stringify(values)}`];
  });
  assert.deepEqual(empty, []);
});

interface Times {
  readonly minutes: number;
  /** From this minute on the state is `WELL`. */
  readonly wellAtMinute?: number;
  readonly queries?: readonly string[];
}

async function judged(situation: Situation, { minutes, wellAtMinute, queries = [] }: Times): Promise<Verdict> {
  const scrapes = situation.isScraped === false ? [] : await scrapesOf(situation, minutes, wellAtMinute);
  const verdict = await judge({
    scrapes,
    rules: JSON.stringify(await ruleSpec()),
    from: START_S,
    every: MINUTE_S,
    until: START_S + minutes * MINUTE_S,
    queries,
  });
  assert.deepEqual(verdict.ruleErrors, []);
  return verdict;
}

async function scrapesOf(situation: Situation, minutes: number, wellAtMinute = Infinity): Promise<Scrape[]> {
  mock.timers.enable({ apis: ['Date'], now: START_S * 1000 });
  try {
    const metrics = createMetrics({ version: '1.2.3' });
    metrics.showQueue(() => ({ ...IDLE, ...situation.queue }));
    const scrapes: Scrape[] = [];
    for (let minute = 0; minute <= minutes; minute += 1) {
      const at = START_S + minute * MINUTE_S;
      mock.timers.setTime(at * 1000);
      metrics.setApplication({ ...WELL, ...(minute < wellAtMinute && situation.state) });
      // The first pass succeeds in every situation, as it has for an Application that ran before.
      const result = minute === 0 ? 'success' : (situation.pass ?? 'success');
      if (result !== 'none') metrics.onPass({ ...WELL, result, durationMs: 40 });
      situation.minute?.(metrics);
      const { body } = await metrics.expose();
      scrapes.push({ at, text: body, labels: { job: 'tautline', instance: '10.0.0.1:8083' } });
    }
    return scrapes;
  } finally {
    mock.timers.reset();
  }
}

let objects: Promise<readonly KubeObject[]> | undefined;

function monitoring(): Promise<readonly KubeObject[]> {
  const values = { monitoring: { prometheusRule: { enabled: true }, dashboards: { enabled: true } } };
  objects ??= helm.render(values);
  return objects;
}

async function ruleSpec(): Promise<unknown> {
  return (await monitoring()).find(({ kind }) => kind === 'PrometheusRule')?.['spec'];
}

interface Panel {
  readonly targets?: readonly { readonly expr: string }[];
}

async function dashboardQueries(): Promise<string[]> {
  const isBoard = ({ kind, metadata }: KubeObject): boolean =>
    kind === 'ConfigMap' && metadata.name.includes('-dashboard-');
  const maps = (await monitoring()).filter(isBoard);
  const boards = maps.flatMap((map) => Object.values(map['data'] as Record<string, string>));
  const panels = boards.flatMap((text) => (JSON.parse(text) as { panels: Panel[] }).panels);
  const queries = panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
  return queries.map((query) => query.replaceAll('$namespace', WELL.namespace).replaceAll('$application', WELL.name));
}
