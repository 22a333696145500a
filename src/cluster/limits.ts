/** Every bound of the Kubernetes edge, by name; config.ts takes the defaults from here and may change each. */

export interface ClusterLimits {
  /** Requests under way at once, watches not counted. */
  readonly maxRequests: number;
  readonly maxWatches: number;
  readonly connectTimeoutMs: number;
  /** Silence before the first byte of an answer, and between two of its chunks. Webhooks alone may take 30 s. */
  readonly requestTimeoutMs: number;
  readonly maxResponseBytes: number;
  /**
   * A 429 is waited out here, out of the caller's sight, up to so often and so long each; else the caller backs off.
   */
  readonly maxThrottleRetries: number;
  readonly maxThrottleWaitMs: number;
  /** Objects a page of a list. */
  readonly listPageSize: number;
  /**
   * Longest stay of one watch request; the API server ends it. At most 300 s, since rights are checked at its start
   * only.
   */
  readonly watchTimeoutSeconds: number;
  /** Silence before a watch's first byte. */
  readonly watchOpenTimeoutMs: number;
  /** A watch that outlives its own end by so much is cut. */
  readonly watchGraceMs: number;
  /** A watch that says nothing for so long, bookmarks included, is opened anew. */
  readonly watchSilenceMs: number;
  readonly maxWatchLineBytes: number;
  readonly watchBackoffMs: number;
  readonly maxWatchBackoffMs: number;
  /** A watch that the identity has no right to is asked for again at least so often. */
  readonly forbiddenWatchRetryMs: number;
  /** What was read by name where nothing may be watched holds so long; then it is to be read again. */
  readonly pollIntervalMs: number;
  /** After so long without a watch or list that works, what was known is unknown. */
  readonly watchStaleMs: number;
  /** Proofs of absence kept a kind; older ones are forgotten first. */
  readonly maxAbsentEntries: number;
  /** Discovery is asked again no more often than so when a kind that it names turns out not to be served. */
  readonly discoveryDoubtMs: number;
  /** How long a look-up of rights holds. */
  readonly accessReviewMs: number;
  /** How long `close` waits for requests under way. */
  readonly drainTimeoutMs: number;
}

export const defaultClusterLimits: ClusterLimits = {
  maxRequests: 24,
  maxWatches: 1_000,
  connectTimeoutMs: 5_000,
  requestTimeoutMs: 35_000,
  maxResponseBytes: 64 * 1024 * 1024,
  maxThrottleRetries: 3,
  maxThrottleWaitMs: 5_000,
  listPageSize: 250,
  watchTimeoutSeconds: 300,
  watchOpenTimeoutMs: 15_000,
  watchGraceMs: 15_000,
  watchSilenceMs: 150_000,
  maxWatchLineBytes: 16 * 1024 * 1024,
  watchBackoffMs: 200,
  maxWatchBackoffMs: 30_000,
  forbiddenWatchRetryMs: 60_000,
  pollIntervalMs: 30_000,
  watchStaleMs: 60_000,
  maxAbsentEntries: 10_000,
  discoveryDoubtMs: 10_000,
  accessReviewMs: 300_000,
  drainTimeoutMs: 5_000,
};
