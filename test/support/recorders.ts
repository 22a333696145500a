/** A log and metrics for unit tests, which keep their calls in memory. */
import type { Log, LogFields, Metrics } from '../../src/telemetry/ports.ts';

export interface Logged {
  readonly level: keyof Log;
  readonly message: string;
  readonly fields: LogFields;
}

export interface RecordedLog extends Log {
  readonly lines: readonly Logged[];
}

export function recordLog(): RecordedLog {
  const lines: Logged[] = [];
  const at =
    (level: keyof Log) =>
    (message: string, fields: LogFields = {}): void =>
      void lines.push({ level, message, fields });
  return { lines, debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

export interface RecordedMetrics extends Metrics {
  /** One entry for each call: the name of the method and its arguments. */
  readonly calls: readonly (readonly [keyof Metrics, ...unknown[]])[];
}

export function recordMetrics(): RecordedMetrics {
  const calls: (readonly [keyof Metrics, ...unknown[]])[] = [];
  const at =
    (name: keyof Metrics) =>
    (...args: unknown[]): void =>
      void calls.push([name, ...args]);
  return {
    calls,
    setApplication: at('setApplication'),
    removeApplication: at('removeApplication'),
    onPass: at('onPass'),
    onChange: at('onChange'),
    onSync: at('onSync'),
    onStage: at('onStage'),
    onGitRequest: at('onGitRequest'),
    onKubernetesRequest: at('onKubernetesRequest'),
    onWatchRestart: at('onWatchRestart'),
    onWebhook: at('onWebhook'),
  };
}
