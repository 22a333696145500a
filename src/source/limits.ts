/** The bounds of source/. Each is passed in, and what exceeds one is refused with a message that names it. */

export interface SourceLimits {
  /** Bytes of an advertisement or an ls-refs answer: 60 bytes a reference. */
  readonly maxRefsBytes: number;
  /** Bytes of one pack as it is sent. */
  readonly maxPackBytes: number;
  /** Entries of one pack. */
  readonly maxPackObjects: number;
  /** Bytes of one object (file, tree, commit) after inflating. */
  readonly maxObjectBytes: number;
  /** Bytes of all objects of one pack after inflating. */
  readonly maxInflatedBytes: number;
  /** Deltas upon deltas; git itself stops at 4,095 and packs with 50. */
  readonly maxDeltaDepth: number;
  /** Files of one snapshot, counted by path. */
  readonly maxFiles: number;
  /** Folders within folders. */
  readonly maxTreeDepth: number;
  /** Bytes of decompressed delta bases and folders that are kept while objects are read. */
  readonly cacheBytes: number;
  readonly connectTimeoutMs: number;
  /** Until the first byte of an answer: the server counts objects in it. */
  readonly headersTimeoutMs: number;
  /** Silence within an answer. */
  readonly idleTimeoutMs: number;
  /** A whole poll request. */
  readonly requestTimeoutMs: number;
  /** A whole fetch request, the pack included. */
  readonly fetchTimeoutMs: number;
  /** Indexing and verifying one pack in the sandbox. */
  readonly indexTimeoutMs: number;
  readonly maxRedirects: number;
  /** Servers, by repository and credential, whose address and features are remembered. */
  readonly maxKnownServers: number;
  /** Connections to one origin at a time. */
  readonly maxConnectionsPerOrigin: number;
  /** Sets of certificates, and proxies, to which connections are kept. */
  readonly maxPools: number;
  /** How long such a set that nobody used is kept. */
  readonly keepPoolMs: number;
  /** Packs of one snapshot before it is fetched afresh: reads look into each of them. */
  readonly maxPacksPerSnapshot: number;
  /** Snapshots of one repository that are kept on disk at most. */
  readonly maxSnapshotsPerRepository: number;
  /** How long a snapshot that nobody asked for stays on disk; the two used last of a public repository always stay. */
  readonly retainSnapshotMs: number;
  /** At a start, repositories whose last new snapshot is older are dropped from the disk. */
  readonly forgetRepositoryMs: number;
}

const MiB = 1024 * 1024;

export const defaultSourceLimits: SourceLimits = {
  maxRefsBytes: 32 * MiB,
  maxPackBytes: 512 * MiB,
  maxPackObjects: 500_000,
  maxObjectBytes: 64 * MiB,
  maxInflatedBytes: 2048 * MiB,
  maxDeltaDepth: 4096,
  maxFiles: 200_000,
  maxTreeDepth: 128,
  cacheBytes: 32 * MiB,
  connectTimeoutMs: 10_000,
  headersTimeoutMs: 60_000,
  idleTimeoutMs: 30_000,
  requestTimeoutMs: 60_000,
  fetchTimeoutMs: 600_000,
  indexTimeoutMs: 120_000,
  maxRedirects: 5,
  maxKnownServers: 10_000,
  maxConnectionsPerOrigin: 8,
  maxPools: 64,
  keepPoolMs: 300_000,
  maxPacksPerSnapshot: 30,
  maxSnapshotsPerRepository: 256,
  retainSnapshotMs: 86_400_000,
  forgetRepositoryMs: 7 * 86_400_000,
};
