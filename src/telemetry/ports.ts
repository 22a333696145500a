/** The types of log, metrics, clock and chance that any module may import; main.ts injects what stands behind them. */

export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;

/** Messages are static texts; what varies goes into fields, which must hold no Secret value and no credential. */
export interface Log {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}

export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Monotonic milliseconds: for intervals and deadlines. */
  monotonicMs(): number;
}

/** A number in [0, 1), for jitter. */
export type Chance = () => number;

/** What the agent counts; telemetry/metrics.ts names the series. */
export interface Metrics {
  setApplication(state: {
    readonly namespace: string;
    readonly name: string;
    readonly sync: string;
    readonly health: string;
    /** Status of the condition Ready. */
    readonly ready: string;
    /** Whether nothing will change until somebody changes the spec or the repository. */
    readonly stalled: boolean;
    /** spec.sync.mode; Unknown where the spec cannot be read. */
    readonly mode: string;
    readonly suspended: boolean;
    readonly driftObjects: number;
  }): void;
  /** Drops every series of an Application. */
  removeApplication(application: { readonly namespace: string; readonly name: string }): void;
  onPass(pass: {
    readonly namespace: string;
    readonly name: string;
    readonly result: 'success' | 'failure';
    readonly durationMs: number;
  }): void;
  onChange(operation: string): void;
  /** A pass that wrote or deleted objects, or tried to. */
  onSync(result: 'success' | 'failure'): void;
  onStage(stage: string, durationMs: number): void;
  onGitRequest(request: {
    readonly operation: 'poll' | 'fetch';
    readonly result: 'success' | 'failure';
    readonly durationMs: number;
  }): void;
  /** `code` 0: no answer. */
  onKubernetesRequest(verb: string, code: number): void;
  onWatchRestart(reason: string): void;
  /** Both of closed lists: names of providers, and what may become of a hook. */
  onWebhook(provider: string, result: string): void;
}

/** How busy the queue of passes is; read whenever the metrics are. */
export interface QueueLoad {
  /** Due, and not begun for want of a worker. */
  readonly waiting: number;
  /** Passes asked for so far, and those asked for again after a failure. */
  readonly added: number;
  readonly retries: number;
  readonly longest: { readonly runningMs: number } | undefined;
}
