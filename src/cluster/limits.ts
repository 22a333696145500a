/** Every bound of the Kubernetes edge, by name, with its default. The settings of the agent replace some of them. */

export interface ClusterLimits {
  /** Requests under way at once, without watches. */
  readonly maxRequests: number;
  /** Watches open at once. */
  readonly maxWatches: number;
  readonly connectTimeoutMs: number;
  /** Silence before the first byte of an answer, and between two chunks. An admission webhook may take up to 30 s. */
  readonly requestTimeoutMs: number;
  /** Pages of lists under way at once: each may be as large as `maxResponseBytes`. */
  readonly maxLists: number;
  readonly maxResponseBytes: number;
  /** How often the transport itself retries a 429; after that the caller backs off. */
  readonly maxThrottleRetries: number;
  /** The longest `Retry-After` of a 429 that the transport waits for. */
  readonly maxThrottleWaitMs: number;
  /** Objects in a page of a list. */
  readonly listPageSize: number;
  /** The duration of a watch request, which the API server ends. At most 300: rights are checked only at its start. */
  readonly watchTimeoutSeconds: number;
  /** Silence before a watch's first byte. */
  readonly watchOpenTimeoutMs: number;
  /** A watch is cut if the API server has not ended it so long after its time. */
  readonly watchGraceMs: number;
  /** A watch that sends nothing for so long, not even a bookmark, is opened again. */
  readonly watchSilenceMs: number;
  readonly maxWatchLineBytes: number;
  /** The first pause before a failed watch is opened again; doubles up to `maxWatchBackoffMs`. */
  readonly watchBackoffMs: number;
  readonly maxWatchBackoffMs: number;
  /** The longest pause before a forbidden watch is tried again. */
  readonly forbiddenWatchRetryMs: number;
  /** How long a read by name counts where the kind may not be watched. */
  readonly pollIntervalMs: number;
  /** How long a read by name counts for an object without our label, which no watch tells about. */
  readonly unwatchedReadMs: number;
  /** After so long without a working watch or list, the state of its objects counts as unknown. */
  readonly watchStaleMs: number;
  /** Proofs of absence that are kept for a kind; the oldest is dropped first. */
  readonly maxAbsentEntries: number;
  /** Memory for live objects that the accounts of one namespace see; beyond it they are read by name. */
  readonly maxNamespaceLiveBytes: number;
  /** The same of all namespaces; beyond it each namespace gets an equal share. */
  readonly maxTotalLiveBytes: number;
  /** The least time between two discoveries when a discovered kind turns out not to be served. */
  readonly discoveryDoubtMs: number;
  /** How long the result of an access review is used. */
  readonly accessReviewMs: number;
  /** How long `close` waits for requests under way. */
  readonly drainTimeoutMs: number;
}

export const defaultClusterLimits: ClusterLimits = {
  maxRequests: 24,
  maxWatches: 1_000,
  connectTimeoutMs: 5_000,
  requestTimeoutMs: 35_000,
  maxLists: 4,
  maxResponseBytes: 16 * 1024 * 1024,
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
  unwatchedReadMs: 15_000,
  watchStaleMs: 60_000,
  maxAbsentEntries: 10_000,
  maxNamespaceLiveBytes: 64 * 1024 * 1024,
  maxTotalLiveBytes: 128 * 1024 * 1024,
  discoveryDoubtMs: 10_000,
  accessReviewMs: 300_000,
  drainTimeoutMs: 5_000,
};
