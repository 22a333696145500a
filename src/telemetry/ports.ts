/** The interfaces of log, metrics, clock and chance, which any module may import. main.ts injects implementations. */

export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;

/** Messages are constant texts; variable parts go into fields. Fields must not hold Secret values or credentials. */
export interface Log {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}

export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Monotonic milliseconds, for intervals and deadlines. */
  monotonicMs(): number;
}

/** A number in [0, 1), for jitter. */
export type Chance = () => number;

/** The events that the agent counts. telemetry/metrics.ts names the series. */
export interface Metrics {
  setApplication(state: {
    readonly namespace: string;
    readonly name: string;
    readonly sync: string;
    readonly health: string;
    /** Status of the condition Ready. */
    readonly ready: string;
    /** Whether only a change of the spec or the repository can help. */
    readonly isStalled: boolean;
    /** spec.sync.mode; Unknown if the spec cannot be read. */
    readonly mode: string;
    readonly isSuspended: boolean;
    readonly driftObjects: number;
  }): void;
  /** Removes every series of an Application. */
  removeApplication(application: { readonly namespace: string; readonly name: string }): void;
  onPass(pass: {
    readonly namespace: string;
    readonly name: string;
    readonly result: 'success' | 'failure';
    readonly durationMs: number;
  }): void;
  onChange(operation: string): void;
  /** Counts a pass that wrote or deleted objects, or tried to. */
  onSync(result: 'success' | 'failure'): void;
  onStage(stage: string, durationMs: number): void;
  onGitRequest(request: {
    readonly operation: 'poll' | 'fetch';
    readonly result: 'success' | 'failure';
    readonly durationMs: number;
  }): void;
  /** `code` is 0 if there was no answer. */
  onKubernetesRequest(verb: string, code: number): void;
  onWatchRestart(reason: string): void;
  /** Both values come from closed lists: the providers, and the results of a webhook. */
  onWebhook(provider: string, result: string): void;
}

/** The load of the queue of passes, read at each scrape. */
export interface QueueLoad {
  /** Applications that are due for a pass and wait for a worker. */
  readonly waiting: number;
  /** Passes requested so far; `retries` of them after a failure. */
  readonly added: number;
  readonly retries: number;
  readonly longest: { readonly runningMs: number } | undefined;
}
