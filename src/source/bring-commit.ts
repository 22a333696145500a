/**
 * Brings one commit of a repository to the disk: found, or fetched, verified in the sandbox and stored whole.
 *
 * Invariant: one fetch a repository at a time, so that the next one can build on it; what fails leaves nothing behind.
 */
import { join } from 'node:path';
import { StageError } from '../object/stage-error.ts';
import type { Clock, Log } from '../telemetry/ports.ts';
import { redactError } from './mask.ts';
import { fetchPack } from './transport/fetch-pack.ts';
import type { Transport } from './transport/transport.ts';
import { runIndexJob, type JobRunner } from './packs/index-job.ts';
import type { SourceLimits } from './limits.ts';
import type { Remote } from './transport/remote.ts';
import type { Repository } from './repository.ts';
import { TREES_FILE, type StoredSnapshot } from './packs/snapshot-folder.ts';
import type { SnapshotStore } from './packs/snapshot-store.ts';
import { cancelled, sourceError } from './source-error.ts';

export interface BringParts {
  readonly transport: Transport;
  readonly remote: Remote;
  readonly store: SnapshotStore;
  readonly limits: SourceLimits;
  readonly sandbox: JobRunner;
  readonly log: Log;
  readonly clock: Clock;
}

interface Wanted {
  readonly repository: Repository;
  readonly commit: string;
  readonly signal: AbortSignal;
}

export interface CommitBringer {
  /** Throws StageError, without the credential in it. */
  bring(wanted: Wanted): Promise<StoredSnapshot>;
  /** Resolves once nothing is under way. */
  settled(): Promise<void>;
}

export function createCommitBringer(parts: BringParts): CommitBringer {
  const lastFetch = new Map<string, Promise<unknown>>();

  async function bring(wanted: Wanted): Promise<StoredSnapshot> {
    const { repository, signal } = wanted;
    const before = lastFetch.get(repository.key);
    const work = (async () => {
      await before?.catch(() => undefined);
      if (signal.aborted) throw cancelled(repository.label);
      return findOrFetch(parts, wanted);
    })();
    lastFetch.set(repository.key, work);
    try {
      const snapshot = await work;
      await tidyUp(parts);
      return snapshot;
    } catch (error) {
      throw redactError(toStageError(error, repository), repository.credential);
    } finally {
      if (lastFetch.get(repository.key) === work) lastFetch.delete(repository.key);
    }
  }

  return {
    bring,
    async settled() {
      await Promise.allSettled(lastFetch.values());
    },
  };
}

/** What is on disk; else what is fetched, onto the latest of the repository where that fits. */
async function findOrFetch(parts: BringParts, wanted: Wanted): Promise<StoredSnapshot> {
  const { store, log } = parts;
  const { repository, commit } = wanted;
  const found = await store.find(repository.key, commit);
  if (found) return found;
  const onto = await store.latest(repository.key);
  try {
    return await fetchOnto(parts, wanted, onto);
  } catch (error) {
    // Damaged, or gone from the disk, which others may clean up at any time.
    const isDamaged = error instanceof StageError && ['CorruptPack', 'IncompletePack'].includes(error.code);
    const isBaseSuspect = onto && (isDamaged || (error as { code?: unknown }).code === 'ENOENT');
    if (!isBaseSuspect) throw error;
    log.warn('A fetched difference did not fit, everything is fetched afresh', { repository: repository.label });
    return fetchOnto(parts, wanted, undefined);
  }
}

async function fetchOnto(
  { transport, remote, store, limits, sandbox, log, clock }: BringParts,
  { repository, commit, signal }: Wanted,
  onto: StoredSnapshot | undefined,
): Promise<StoredSnapshot> {
  const draft = await store.begin(repository.key, onto);
  const { gitDir, packPath } = draft;
  const startMs = clock.monotonicMs();
  try {
    const answer = await fetchPack({
      transport,
      remote,
      limits,
      repository,
      commit,
      have: onto?.commit,
      packPath,
      signal,
    });
    const treesPath = onto && join(onto.gitDir, TREES_FILE);
    const input = { gitDir, packPath, commit, limits, treesPath };
    const indexed = await runIndexJob(sandbox, input, { deadlineMs: limits.indexTimeoutMs, signal });
    const { treeOid, index, trees, fileCount } = indexed;
    const { checksum, packBytes } = answer;
    const snapshot = await draft.finish({ commit, treeOid, index, trees, checksum, packBytes });
    const durationMs = Math.round(clock.monotonicMs() - startMs);
    log.info('Fetched a commit', { repository: repository.label, commit, packBytes, fileCount, durationMs });
    return snapshot;
  } catch (error) {
    await draft.discard();
    throw error;
  }
}

/** What could not be tidied up takes nothing away from what was fetched. */
async function tidyUp({ store, log }: BringParts): Promise<void> {
  await store.prune().catch((error: unknown) => {
    log.warn('Old snapshots could not be removed', { code: String((error as { code?: unknown }).code) });
  });
}

export function toStageError(error: unknown, repository: Pick<Repository, 'label'>): unknown {
  if (error instanceof StageError) return error;
  const code = (error as { code?: unknown }).code;
  if (typeof code !== 'string') return error;
  return sourceError(
    'StorageFailed',
    `The snapshot of ${repository.label} could not be stored (${code}). Check the disk.`,
  );
}
