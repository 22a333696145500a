/**
 * Brings the files of one archive to the disk as a snapshot: from the disk if it is there, else downloaded, made a pack
 * in the sandbox, and verified there as every fetched pack is.
 *
 * Invariants: a download whose digest is not the expected one never becomes a snapshot. A fetch that fails leaves
 * nothing behind.
 */
import { createWriteStream } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { RegistryLimits } from '../registry/limits.ts';
import type { Clock, Log } from '../telemetry/ports.ts';
import type { SourceLimits } from './limits.ts';
import { runArchiveJob } from './packs/archive-job.ts';
import { runIndexJob, type JobRunner } from './packs/index-job.ts';
import type { StoredSnapshot } from './packs/snapshot-folder.ts';
import type { SnapshotDraft, SnapshotStore } from './packs/snapshot-store.ts';
import type { CommitAbout } from './snapshot.ts';

export interface ArtifactFetcherOptions {
  readonly store: SnapshotStore;
  readonly limits: SourceLimits;
  readonly registryLimits: RegistryLimits;
  readonly sandbox: JobRunner;
  readonly log: Log;
  readonly clock: Clock;
}

export interface ArtifactRequest {
  readonly key: string;
  /** For messages. */
  readonly label: string;
  /** 64 hex digits: the digest of the artifact, which stands for a commit. */
  readonly commit: string;
  readonly tenant: string;
  readonly signal: AbortSignal;
  /** Asks for the archive; called only if the snapshot is not on disk. */
  readonly open: () => Promise<OpenArtifact>;
}

export interface OpenArtifact {
  /** Ends with an error if the bytes are not those that were asked for. */
  readonly body: AsyncIterable<Buffer>;
  /** Whether everything lies in one folder that is not part of the content. */
  readonly stripsFolder: boolean;
  /** The bytes are no archive, but the only file of the tree, which gets this name. Absent: they are an archive. */
  readonly fileName?: string;
  readonly about: CommitAbout;
}

/** Throws StageError, and errors of the file system. */
export async function fetchArtifact(
  options: ArtifactFetcherOptions,
  request: ArtifactRequest,
): Promise<StoredSnapshot> {
  const { store, log, clock, registryLimits } = options;
  const { key, commit, label } = request;
  const found = await store.find(key, commit);
  if (found) return found;
  const startMs = clock.monotonicMs();
  const opened = await request.open();
  await pruneStore(options, registryLimits.maxArchiveBytes);
  const draft = await store.begin(key, undefined, request.tenant);
  try {
    const snapshot = await fill(draft, opened, { options, request });
    const durationMs = Math.round(clock.monotonicMs() - startMs);
    log.info('fetched an artifact', { repository: label, digest: commit, packBytes: snapshot.packBytes, durationMs });
    await pruneStore(options);
    return snapshot;
  } catch (error) {
    await draft.discard();
    throw error;
  }
}

interface Filling {
  readonly options: ArtifactFetcherOptions;
  readonly request: ArtifactRequest;
}

async function fill(
  draft: SnapshotDraft,
  { body, stripsFolder, fileName, about }: OpenArtifact,
  { options, request }: Filling,
): Promise<StoredSnapshot> {
  const { limits, registryLimits, sandbox } = options;
  const { label, commit, tenant, signal } = request;
  const { gitDir, packPath } = draft;
  const archivePath = join(gitDir, 'archive');
  await pipeline(body, createWriteStream(archivePath, { mode: 0o600 }), { signal });
  const archiveLimits = { ...limits, ...registryLimits };
  const job = { tenant, deadlineMs: registryLimits.readTimeoutMs, signal };
  const input = { archivePath, stripsFolder, fileName, label, message: commit, limits: archiveLimits };
  const packed = await runArchiveJob(sandbox, input, job);
  await rm(archivePath);
  await writeFile(packPath, packed.pack, { mode: 0o600 });
  const indexInput = { gitDir, packPath, commit: packed.commit, limits, treesPath: undefined };
  const { treeOid, index, trees } = await runIndexJob(sandbox, indexInput, {
    ...job,
    deadlineMs: limits.indexTimeoutMs,
  });
  // An artifact knows no artifact before it, and its time is not that of its content.
  const lineage = { parents: [], committedS: undefined };
  const { checksum, pack } = packed;
  return draft.finish({ commit, treeOid, lineage, about, index, trees, checksum, packBytes: pack.length });
}

/** A failure to remove old snapshots does not fail the fetch. */
async function pruneStore({ store, log }: ArtifactFetcherOptions, neededBytes = 0): Promise<void> {
  await store.prune(neededBytes).catch((error: unknown) => {
    log.warn('old snapshots cannot be removed', { code: String((error as { code?: unknown }).code) });
  });
}
