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
