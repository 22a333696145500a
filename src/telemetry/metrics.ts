/**
 * The agent's metrics in the Prometheus text format, on a registry of their own. Labels hold nothing unbounded (no
 * revision, path or message), and the series of an Application go with it.
 */
import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';
import type { Metrics } from './ports.ts';

const DURATION_BUCKETS_S = [0.01, 0.05, 0.1, 0.5, 1, 5, 15, 60, 300];

export interface MetricsEndpoint extends Metrics {
  /** The exposition text and its content type. */
  expose(): Promise<{ contentType: string; body: string }>;
}

export function createMetrics(options: { version: string }): MetricsEndpoint {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, prefix: 'tautline_' });
  const named = <T extends string>(name: string, help: string, labelNames: readonly T[]) => ({
    name: `tautline_${name}`,
    help,
    labelNames: [...labelNames],
    registers: [registry],
  });
  const app = ['namespace', 'name'] as const;
  new Gauge(named('build_info', 'Version of the agent; always 1.', ['version', 'node'])).set(
    { version: options.version, node: process.versions.node },
    1,
  );
  const info = new Gauge(
    named('app_info', 'Sync and health of an Application; always 1.', [
      ...app,
      'sync_status',
      'health_status',
      'suspended',
    ]),
  );
  const reconcileSeconds = new Histogram({
    ...named('reconcile_duration_seconds', 'Duration of one pass.', [...app, 'result']),
    buckets: DURATION_BUCKETS_S,
  });
  const lastSuccess = new Gauge(
    named('last_success_timestamp_seconds', 'When an Application last finished a pass without failure.', app),
  );
  const drift = new Gauge(named('drift_objects', 'Objects of an Application that are OutOfSync.', app));
  const changes = new Counter(named('apply_changes_total', 'Changes made to objects.', ['operation']));
  const git = new Counter(named('git_requests_total', 'Polls and fetches of repositories.', ['operation', 'result']));
  const kubernetes = new Counter(named('kubernetes_requests_total', 'Requests to the API server.', ['verb', 'code']));
  const watches = new Counter(named('watch_restarts_total', 'Watches that had to be opened again.', ['reason']));
  const queue = new Gauge(named('workqueue_depth', 'Applications that wait for a pass.', []));
  const shown = new Map<string, Parameters<Metrics['setApplication']>[0]>();
  const infoLabels = ({ namespace, name, sync, health, suspended }: Parameters<Metrics['setApplication']>[0]) => ({
    namespace,
    name,
    sync_status: sync,
    health_status: health,
    suspended: String(suspended),
  });
  return {
    setApplication(state) {
      const key = `${state.namespace}/${state.name}`;
      const before = shown.get(key);
      if (before) info.remove(infoLabels(before));
      shown.set(key, state);
      info.set(infoLabels(state), 1);
      drift.set({ namespace: state.namespace, name: state.name }, state.driftObjects);
    },
    removeApplication({ namespace, name }) {
      const key = `${namespace}/${name}`;
      const before = shown.get(key);
      if (before) info.remove(infoLabels(before));
      shown.delete(key);
      drift.remove({ namespace, name });
      lastSuccess.remove({ namespace, name });
      for (const result of ['success', 'failure']) reconcileSeconds.remove({ namespace, name, result });
    },
    onPass({ namespace, name, result, durationMs }) {
      reconcileSeconds.observe({ namespace, name, result }, durationMs / 1000);
      if (result === 'success') lastSuccess.set({ namespace, name }, Date.now() / 1000);
    },
    onChange: (operation) => changes.inc({ operation }),
    onGitRequest: (operation, result) => git.inc({ operation, result }),
    onKubernetesRequest: (verb, code) => kubernetes.inc({ verb, code: String(code) }),
    onWatchRestart: (reason) => watches.inc({ reason }),
    setQueueDepth: (depth) => queue.set(depth),
    expose: async () => ({ contentType: registry.contentType, body: await registry.metrics() }),
  };
}
