/** The bounds of source/. A message that refuses something for its size names the bound. */

export interface SourceLimits {
  /** Bytes of the answer that lists references: 60 bytes a reference. */
  readonly maxRefsBytes: number;
  /** Bytes of one pack as the server sends it. */
  readonly maxPackBytes: number;
  /** Entries of one pack. */
  readonly maxPackObjects: number;
  /** Bytes of one object (file, tree, commit) after inflating. */
  readonly maxObjectBytes: number;
  /** Bytes of all objects of one pack after inflating. */
  readonly maxInflatedBytes: number;
  /** Longest chain of deltas; git writes at most 4,095 and 50 by default. */
  readonly maxDeltaDepth: number;
  /** Files of one snapshot, counted by path. */
  readonly maxFiles: number;
  /** Depth of nested folders. */
  readonly maxTreeDepth: number;
  /** Bytes of inflated objects that are cached while objects are read. */
  readonly cacheBytes: number;
  readonly connectTimeoutMs: number;
  /** Until the first byte of an answer, since the server counts objects before it answers. */
  readonly headersTimeoutMs: number;
  /** Without a byte in the middle of an answer. */
  readonly idleTimeoutMs: number;
  /** For one request of a poll. */
  readonly requestTimeoutMs: number;
  /** For one fetch, the pack included. */
  readonly fetchTimeoutMs: number;
  /** For indexing and verifying one pack in the sandbox. */
  readonly indexTimeoutMs: number;
  readonly maxRedirects: number;
  /** Servers whose address and capabilities are remembered, one for each repository and credential. */
  readonly maxKnownServers: number;
  /** Connections to one origin at the same time. */
  readonly maxConnectionsPerOrigin: number;
  /** Pools of connections: one for each proxy and set of certificates. */
  readonly maxPools: number;
  /** Connections by ssh that are kept: one for each server, user and key. */
  readonly maxSshConnections: number;
  /** Requests on one connection by ssh at the same time; OpenSSH allows 10 by default. */
  readonly maxSshChannels: number;
  /** How long an unused pool, or connection by ssh, stays open. */
  readonly keepPoolMs: number;
  /** Packs of one snapshot before everything is fetched again into one; a read looks into each of them. */
  readonly maxPacksPerSnapshot: number;
  /** Most snapshots of one repository on disk. */
  readonly maxSnapshotsPerRepository: number;
  /** Bytes of all packs on disk. */
  readonly maxDiskBytes: number;
  /** How long an unused snapshot stays on disk. The two used last of a public repository always stay. */
  readonly retainSnapshotMs: number;
  /** At the start of a process, repositories that were not polled for longer are removed from the disk. */
  readonly forgetRepositoryMs: number;
}

const MiB = 1024 * 1024;

export const defaultSourceLimits: SourceLimits = {
  maxRefsBytes: 4 * MiB,
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
  maxSshConnections: 128,
  maxSshChannels: 4,
  keepPoolMs: 300_000,
  maxPacksPerSnapshot: 30,
  maxSnapshotsPerRepository: 256,
  maxDiskBytes: 3072 * MiB,
  retainSnapshotMs: 86_400_000,
  forgetRepositoryMs: 7 * 86_400_000,
};
