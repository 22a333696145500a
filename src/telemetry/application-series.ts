/**
 * The series of each Application. There are up to 5,000 Applications with thirty lines each, so the lines of an
 * Application are made only when its state changes, and are handed out one Application after the other.
 */
import type { Metrics } from './ports.ts';

export type AppState = Parameters<Metrics['setApplication']>[0];
type AppKey = Pick<AppState, 'namespace' | 'name'>;
type PassResult = Parameters<Metrics['onPass']>[0]['result'];

/** Upper bounds in seconds. */
export const DURATION_BUCKETS_S = [0.01, 0.05, 0.1, 0.5, 1, 5, 15, 60, 300];

export interface ApplicationSeries {
  set(state: AppState): void;
  /** Counts a pass. `atMs`: milliseconds since 1970. */
  onPass(pass: AppKey & { readonly result: PassResult; readonly durationMs: number; readonly atMs: number }): void;
  remove(key: AppKey): void;
  /** Texts of whole lines that together hold all series; Prometheus wants the lines of one metric together. */
  texts(): Iterable<string>;
}

interface Durations {
  /** Passes up to each bound, not cumulated; the last one counts those beyond all bounds. */
  readonly counts: number[];
  sumS: number;
}

interface Known {
  readonly labels: string;
  state: AppState | undefined;
  readonly durations: Map<PassResult, Durations>;
  lastSuccessS: number | undefined;
}

type Family = readonly [name: string, type: 'gauge' | 'histogram', help: string, lines: (known: Known) => string];

const FAMILIES: readonly Family[] = [
  ['app_info', 'gauge', 'Sync and health of an Application; always 1.', infoLine],
  ['reconcile_duration_seconds', 'histogram', 'Duration of one pass.', durationLines],
  [
    'last_success_timestamp_seconds',
    'gauge',
    'When an Application last finished a pass without failure.',
    ({ labels, lastSuccessS }) =>
      lastSuccessS === undefined ? '' : `tautline_last_success_timestamp_seconds{${labels}} ${lastSuccessS}\n`,
  ],
  [
    'drift_objects',
    'gauge',
    'Objects of an Application that are OutOfSync.',
    ({ labels, state }) => (state ? `tautline_drift_objects{${labels}} ${state.driftObjects}\n` : ''),
  ],
];

export function createApplicationSeries(): ApplicationSeries {
  const all = new Map<string, Known>();
  const knownOf = ({ namespace, name }: AppKey): Known => {
    const key = `${namespace}/${name}`;
    const labels = labelsOf({ namespace, name });
    const known = all.get(key) ?? { labels, state: undefined, durations: new Map(), lastSuccessS: undefined };
    all.set(key, known);
    return known;
  };
  return {
    set(state) {
      knownOf(state).state = state;
    },
    onPass({ result, durationMs, atMs, ...key }) {
      const known = knownOf(key);
      const durations = known.durations.get(result) ?? { counts: DURATION_BUCKETS_S.map(() => 0).concat(0), sumS: 0 };
      known.durations.set(result, durations);
      const seconds = durationMs / 1000;
      const found = DURATION_BUCKETS_S.findIndex((bound) => seconds <= bound);
      const at = found < 0 ? DURATION_BUCKETS_S.length : found;
      durations.counts[at] = (durations.counts[at] ?? 0) + 1;
      durations.sumS += seconds;
      if (result === 'success') known.lastSuccessS = atMs / 1000;
    },
    remove: ({ namespace, name }) => void all.delete(`${namespace}/${name}`),
    *texts() {
      for (const [name, type, help, lines] of FAMILIES) {
        yield `# HELP tautline_${name} ${help}\n# TYPE tautline_${name} ${type}\n`;
        for (const known of all.values()) yield lines(known);
      }
    },
  };
}

function infoLine({ state }: Known): string {
  if (!state) return '';
  const { namespace, name, sync, health, ready, isStalled, mode, isSuspended } = state;
  const words = { sync_status: sync, health_status: health, ready, stalled: isStalled, mode, suspended: isSuspended };
  return `tautline_app_info{${labelsOf({ namespace, name, ...words })}} 1\n`;
}

function durationLines({ labels, durations }: Known): string {
  let text = '';
  for (const [result, { counts, sumS }] of durations) {
    const own = `${labels},result="${result}"`;
    let passes = 0;
    for (const [at, count] of counts.entries()) {
      passes += count;
      const bound = DURATION_BUCKETS_S[at] ?? '+Inf';
      text += `tautline_reconcile_duration_seconds_bucket{le="${bound}",${own}} ${passes}\n`;
    }
    text += `tautline_reconcile_duration_seconds_sum{${own}} ${sumS}\n`;
    text += `tautline_reconcile_duration_seconds_count{${own}} ${passes}\n`;
  }
  return text;
}

function labelsOf(labels: Readonly<Record<string, string | boolean>>): string {
  return Object.entries(labels)
    .map(([name, value]) => `${name}="${escapeLabel(String(value))}"`)
    .join(',');
}

/** The escapes of the Prometheus text format. */
function escapeLabel(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"');
}
