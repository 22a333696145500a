/**
 * Brings one commit of a repository to the disk: from the disk if it is there, else fetched, verified in the sandbox
 * and stored as a whole.
 *
 * Invariants: a repository has one fetch at a time, so that the next one can build on it; a fetch that fails leaves
 * nothing behind.
 */
import { join } from 'node:path';
import { cancelled, sourceError } from '../object/source-error.ts';
import { StageError } from '../object/stage-error.ts';
import type { Clock, Log } from '../telemetry/ports.ts';
import type { SourceLimits } from './limits.ts';
import { redactError } from './mask.ts';
import { prepareIndexJob, runIndexJob, type JobRunner } from './packs/index-job.ts';
import { TREES_FILE, type StoredSnapshot } from './packs/snapshot-folder.ts';
import type { SnapshotStore } from './packs/snapshot-store.ts';
import type { Repository } from './repository.ts';
import { fetchPack } from './transport/fetch-pack.ts';
import type { Remote } from './transport/remote.ts';
import type { Transport } from './transport/transport.ts';

export interface CommitFetcherOptions {
  readonly transport: Transport;
  readonly remote: Remote;
  readonly store: SnapshotStore;
  readonly limits: SourceLimits;
  readonly sandbox: JobRunner;
  readonly log: Log;
  readonly clock: Clock;
}

export interface CommitRequest {
  readonly repository: Repository;
  /** 40 hex digits. */
  readonly commit: string;
  /** The namespace that asked first. */
  readonly tenant: string;
  readonly signal: AbortSignal;
}

export interface CommitFetcher {
  /** Throws StageError, without the credential in it. */
  fetch(request: CommitRequest): Promise<StoredSnapshot>;
  /** Resolves when no fetch is under way. */
  settled(): Promise<void>;
}

export function createCommitFetcher(options: CommitFetcherOptions): CommitFetcher {
  /** The newest fetch by repository key. */
  const fetches = new Map<string, Promise<StoredSnapshot>>();

  return {
    async fetch(request) {
      const { key, credential } = request.repository;
      const work = fetchAfter(fetches.get(key), options, request);
      fetches.set(key, work);
      try {
        const snapshot = await work;
        await pruneStore(options);
        return snapshot;
      } catch (error) {
        throw redactError(toStageError(error, request.repository), credential);
      } finally {
        if (fetches.get(key) === work) fetches.delete(key);
      }
    },
    async settled() {
      await Promise.allSettled(fetches.values());
    },
  };
}

async function fetchAfter(
  previous: Promise<StoredSnapshot> | undefined,
  options: CommitFetcherOptions,
  request: CommitRequest,
): Promise<StoredSnapshot> {
  await previous?.catch(() => undefined);
  if (request.signal.aborted) throw cancelled(request.repository.label);
  return findOrFetch(options, request);
}

async function findOrFetch(options: CommitFetcherOptions, request: CommitRequest): Promise<StoredSnapshot> {
  const { store, log } = options;
  const { repository, commit } = request;
  const found = await store.find(repository.key, commit);
  if (found) return found;
  await pruneStore(options, options.limits.maxPackBytes);
  const onto = await store.latest(repository.key);
  try {
    return await fetchOnto(onto, options, request);
  } catch (error) {
    // The snapshot to build on may be damaged, or gone: other programs may clean up the disk at any time.
    const isDamaged = error instanceof StageError && ['CorruptPack', 'IncompletePack'].includes(error.code);
    const isBaseSuspect = onto && (isDamaged || (error as { code?: unknown }).code === 'ENOENT');
    if (!isBaseSuspect) throw error;
    log.warn('a fetched difference does not fit, fetching everything', { repository: repository.label });
    return fetchOnto(undefined, options, request);
  }
}

/** Fetches the difference to a snapshot, or everything. */
async function fetchOnto(
  onto: StoredSnapshot | undefined,
  { transport, remote, store, limits, sandbox, log, clock }: CommitFetcherOptions,
  { repository, commit, tenant, signal }: CommitRequest,
): Promise<StoredSnapshot> {
  const draft = await store.begin(repository.key, onto, tenant);
  const { gitDir, packPath } = draft;
  const startMs = clock.monotonicMs();
  try {
    const have = onto?.commit;
    const jobOptions = { tenant, deadlineMs: limits.indexTimeoutMs, signal };
    if (!onto) prepareIndexJob(sandbox, draft, jobOptions);
    const answer = await fetchPack({ transport, remote, limits, repository, commit, have, packPath, signal });
    const treesPath = onto && join(onto.gitDir, TREES_FILE);
    const input = { gitDir, packPath, commit, limits, treesPath };
    const indexed = await runIndexJob(sandbox, input, jobOptions);
    const { treeOid, lineage, about, index, trees, fileCount } = indexed;
    const { checksum, packBytes } = answer;
    const snapshot = await draft.finish({ commit, treeOid, lineage, about, index, trees, checksum, packBytes });
    const durationMs = Math.round(clock.monotonicMs() - startMs);
    log.info('fetched a commit', { repository: repository.label, commit, packBytes, fileCount, durationMs });
    return snapshot;
  } catch (error) {
    await draft.discard();
    throw error;
  }
}

/** A failure to remove old snapshots does not fail the fetch. */
async function pruneStore({ store, log }: CommitFetcherOptions, neededBytes = 0): Promise<void> {
  await store.prune(neededBytes).catch((error: unknown) => {
    log.warn('old snapshots cannot be removed', { code: String((error as { code?: unknown }).code) });
  });
}

/** Makes an error of the file system a StageError; anything else is returned as it is. */
export function toStageError(error: unknown, repository: Pick<Repository, 'label'>): unknown {
  if (error instanceof StageError) return error;
  const code = (error as { code?: unknown }).code;
  if (typeof code !== 'string') return error;
  return sourceError(
    'StorageFailed',
    `The snapshot of ${repository.label} could not be read or written (${code}). Check the disk.`,
  );
}
