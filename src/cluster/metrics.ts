/**
 * The counters of the Kubernetes edge; main.ts connects them to telemetry/. None of them names an object, so that the
 * number of time series stays small.
 */

/** The purpose of a request. `object`: objects of an Application; the others serve the agent itself. */
export type RequestCategory = 'object' | 'status' | 'watch' | 'discovery' | 'event' | 'other';

export interface ClusterMetrics {
  /** `code`: the HTTP status; 0 when there was no answer. */
  onRequest(request: { readonly verb: string; readonly code: number }): void;
  /** `reason`: `expired` (410), `error`, `silent` or `suspect`. A watch that the server ends in time is not counted. */
  onWatchRestart(restart: { readonly kind: string; readonly reason: string }): void;
}

export type RequestCounts = Readonly<Record<RequestCategory, number>>;

export const noMetrics: ClusterMetrics = { onRequest: () => {}, onWatchRestart: () => {} };
