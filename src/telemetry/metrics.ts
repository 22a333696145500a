/**
 * The agent's metrics in the Prometheus text format, in their own registry. Labels have bounded values (never a
 * revision, path or message), and the series of an Application are removed with it.
 */
import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';
import { inTurns } from '../cluster/concurrency.ts';
import { createApplicationSeries, DURATION_BUCKETS_S, type ApplicationSeries } from './application-series.ts';
import type { Metrics, QueueLoad } from './ports.ts';

export interface MetricsEndpoint extends Metrics {
  /** Adds the series of the queue, which are absent before. */
  showQueue(read: () => QueueLoad): void;
  /** Returns the exposition text and its content type. */
  expose(): Promise<{ contentType: string; body: string }>;
}

export function createMetrics(options: { version: string }): MetricsEndpoint {
  const registry = new Registry();
  // The usual names of Node processes, so that dashboards made for any of them work.
  collectDefaultMetrics({ register: registry });
  new Gauge(named(registry, 'build_info', 'Version of the agent; always 1.', ['version', 'node'])).set(
    { version: options.version, node: process.versions.node },
    1,
  );
  const applications = createApplicationSeries();
  return {
    ...applicationSeries(registry, applications),
    ...stageSeries(registry),
    ...requestSeries(registry),
    showQueue: (read) => showQueue(registry, read),
    expose: async () => {
      const body = (await registry.metrics()) + (await inTurns(join(applications.texts())));
      return { contentType: registry.contentType, body };
    },
  };
}

function* join(texts: Iterable<string>): Generator<undefined, string> {
  const joined: string[] = [];
  for (const text of texts) {
    joined.push(text);
    yield;
  }
  return joined.join('');
}

/** The series of each Application, and the sums over all Applications. */
function applicationSeries(
  registry: Registry,
  applications: ApplicationSeries,
): Pick<Metrics, 'setApplication' | 'removeApplication' | 'onPass' | 'onChange'> {
  const passes = new Counter(named(registry, 'reconcile_total', 'Passes over all Applications.', ['result']));
  const changes = new Counter(named(registry, 'apply_changes_total', 'Changes made to objects.', ['op']));
  return {
    setApplication: (state) => applications.set(state),
    removeApplication: (key) => applications.remove(key),
    onPass(pass) {
      passes.inc({ result: pass.result });
      applications.onPass({ ...pass, atMs: Date.now() });
    },
    onChange: (operation) => changes.inc({ op: operation }),
  };
}

function stageSeries(registry: Registry): Pick<Metrics, 'onSync' | 'onStage'> {
  const syncs = new Counter(named(registry, 'sync_total', 'Passes that changed objects, or tried to.', ['result']));
  const seconds = new Histogram({
    ...named(registry, 'stage_duration_seconds', 'Duration of one stage of a pass; observe includes diff.', ['stage']),
    buckets: DURATION_BUCKETS_S,
  });
  return {
    onSync: (result) => syncs.inc({ result }),
    onStage: (stage, durationMs) => seconds.observe({ stage }, durationMs / 1000),
  };
}

function requestSeries(
  registry: Registry,
): Pick<Metrics, 'onGitRequest' | 'onKubernetesRequest' | 'onWatchRestart' | 'onWebhook'> {
  const git = new Counter(
    named(registry, 'git_requests_total', 'Polls and fetches of repositories.', ['op', 'result']),
  );
  const gitSeconds = new Histogram({
    ...named(registry, 'git_request_duration_seconds', 'Duration of a poll or fetch.', ['op']),
    buckets: DURATION_BUCKETS_S,
  });
  const kubernetes = new Counter(
    named(registry, 'kubernetes_requests_total', 'Requests to the API server.', ['verb', 'code']),
  );
  const watches = new Counter(named(registry, 'watch_restarts_total', 'Watches that were opened again.', ['reason']));
  const webhooks = new Counter(
    named(registry, 'webhook_requests_total', 'Webhooks received, by result.', ['provider', 'result']),
  );
  return {
    onGitRequest({ operation, result, durationMs }) {
      git.inc({ op: operation, result });
      gitSeconds.observe({ op: operation }, durationMs / 1000);
    },
    onKubernetesRequest: (verb, code) => kubernetes.inc({ verb, code: String(code) }),
    onWatchRestart: (reason) => watches.inc({ reason }),
    onWebhook: (provider, result) => webhooks.inc({ provider, result }),
  };
}

/** The queue keeps its own counts. They are read at each scrape, so they are never stale. */
function showQueue(registry: Registry, read: () => QueueLoad): void {
  const gauges: readonly (readonly [name: string, help: string, value: (load: QueueLoad) => number])[] = [
    ['workqueue_depth', 'Applications that are due for a pass and wait for a worker.', ({ waiting }) => waiting],
    [
      'workqueue_longest_running_seconds',
      'How long the oldest pass under way has run.',
      ({ longest }) => (longest?.runningMs ?? 0) / 1000,
    ],
  ];
  for (const [name, help, value] of gauges) {
    new Gauge({
      ...named(registry, name, help, []),
      collect() {
        this.set(value(read()));
      },
    });
  }
  const counters: readonly (readonly [name: string, help: string, value: (load: QueueLoad) => number])[] = [
    ['workqueue_adds_total', 'Passes requested.', ({ added }) => added],
    ['workqueue_retries_total', 'Passes requested again after a failure.', ({ retries }) => retries],
  ];
  for (const [name, help, value] of counters) {
    new Counter({
      ...named(registry, name, help, []),
      collect() {
        this.reset();
        this.inc(value(read()));
      },
    });
  }
}

function named<T extends string>(registry: Registry, name: string, help: string, labelNames: readonly T[]) {
  return { name: `tautline_${name}`, help, labelNames: [...labelNames], registers: [registry] };
}
