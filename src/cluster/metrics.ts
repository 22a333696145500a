/** What the edge counts; main.ts stands telemetry/ behind it. Nothing here names an object, so series stay few. */

/** What a request was for. `object`: an Application's objects; the others are the agent's own upkeep. */
export type RequestCategory = 'object' | 'status' | 'watch' | 'discovery' | 'event' | 'other';

export interface ClusterMetrics {
  /** `code`: HTTP status, 0 when there was no answer. */
  onRequest(request: { readonly verb: string; readonly code: number }): void;
  /** `reason`: `expired` (410), `error`, `silent`, `suspect`, `refused`; the ordinary end of a watch isn't told. */
  onWatchRestart(restart: { readonly kind: string; readonly reason: string }): void;
}

export type RequestCounts = Readonly<Record<RequestCategory, number>>;

export const noMetrics: ClusterMetrics = { onRequest: () => {}, onWatchRestart: () => {} };
