/**
 * Git repositories as snapshots, over whatever transport is handed in.
 *
 * Invariant: a snapshot that is handed out has been verified completely, whatever the server sent. `fetch` brings
 * exactly the commit that was asked for, or fails.
 */
import { resolve } from 'node:path';
import type { Clock, Log } from '../telemetry/ports.ts';
import { createCommitFetcher, toStageError } from './fetch-commit.ts';
import type { SourceLimits } from './limits.ts';
import { redactError } from './mask.ts';
import type { JobRunner } from './packs/index-job.ts';
import type { StoredSnapshot } from './packs/snapshot-folder.ts';
import { createSnapshotStore } from './packs/snapshot-store.ts';
import type { SourcePort } from './ports.ts';
import { createRepositoryNaming, type Repository } from './repository.ts';
import { nameOfRevision, parseRevision, type ResolvedRevision, type WantedRevision } from './revision.ts';
import { createFlights } from './single-flight.ts';
import { parseSnapshotId, snapshotId, type Snapshot } from './snapshot.ts';
import { cancelled } from './source-error.ts';
import { createRemote } from './transport/remote.ts';
import type { Transport } from './transport/transport.ts';

export interface GitSource extends SourcePort {
  /** Aborts the requests under way. */
  close(): Promise<void>;
}

export interface GitSourceOptions {
  /** Belongs to this process alone. Its content may be deleted at any time while no process uses it. */
  readonly dataDir: string;
  readonly limits: SourceLimits;
  readonly sandbox: JobRunner;
  /** Closed with the source. */
  readonly transport: Transport;
  readonly log: Log;
  readonly clock: Clock;
}

export function createGitSource(options: GitSourceOptions): GitSource {
  const { limits, sandbox, transport, log, clock } = options;
  const nameRepository = createRepositoryNaming();
  const remote = createRemote(transport, limits);
  const store = createSnapshotStore({ dataDir: resolve(options.dataDir), limits, clock, log });
  const fetcher = createCommitFetcher({ transport, remote, store, limits, sandbox, log, clock });
  const polls = createFlights<ResolvedRevision>(clock);
  const fetches = createFlights<StoredSnapshot>(clock);

  async function resolveRedacted(repository: Repository, wanted: WantedRevision, signal: AbortSignal) {
    try {
      return await remote.resolve(repository, wanted, signal);
    } catch (error) {
      throw redactError(error, repository.credential);
    }
  }

  return {
    async poll({ repoUrl, credential, revision, notBeforeMs, signal }) {
      const repository = nameRepository(repoUrl, credential);
      const wanted = parseRevision(revision);
      const resolved = await polls.join({
        key: `${repository.key}\n${wanted.type === 'commit' ? wanted.commit : wanted.names.join('\n')}`,
        signal,
        notBeforeMs,
        work: (shared) => resolveRedacted(repository, wanted, shared),
        onAbort: () => cancelled(repository.label),
      });
      // So that it stays on disk until the fetch that follows.
      store.touch(repository.key, resolved.commit);
      store.follow(repository.key, nameOfRevision(resolved.revision), resolved.commit);
      return { ...resolved, id: idOf(repository, resolved.commit) };
    },
    async fetch({ repoUrl, credential, resolved, tenant = '', signal }) {
      const repository = nameRepository(repoUrl, credential);
      const { commit, revision } = resolved;
      const id = idOf(repository, commit);
      const stored = await fetches.join({
        key: id,
        signal,
        work: (shared) => fetcher.fetch({ repository, commit, tenant, signal: shared }),
        onAbort: () => cancelled(repository.label),
      });
      return snapshotOf(stored, { id, repoUrl, revision });
    },
    async recall({ repoUrl, credential, resolved }) {
      const repository = nameRepository(repoUrl, credential);
      const { commit, revision } = resolved;
      const stored = await onDisk({ repoUrl: repository.label }, () => store.find(repository.key, commit));
      return stored && snapshotOf(stored, { id: idOf(repository, commit), repoUrl, revision });
    },
    async find(snapshot) {
      const { repositoryKey, commit } = parseSnapshotId(snapshot.id);
      return (await onDisk(snapshot, () => store.find(repositoryKey, commit))) && snapshot;
    },
    async discard(snapshot) {
      const { repositoryKey, commit } = parseSnapshotId(snapshot.id);
      await onDisk(snapshot, () => store.remove(repositoryKey, commit));
    },
    async close() {
      polls.close();
      fetches.close();
      await fetcher.settled();
      await transport.close();
    },
  };
}

function snapshotOf(
  { commit, lineage, gitDir, treeOid, about }: StoredSnapshot,
  named: Pick<Snapshot, 'id' | 'repoUrl' | 'revision'>,
): Snapshot {
  return { ...named, commit, lineage, tree: { gitDir, treeOid, commit }, ...(about === undefined ? {} : { about }) };
}

async function onDisk<T>({ repoUrl }: Pick<Snapshot, 'repoUrl'>, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw toStageError(error, { label: repoUrl });
  }
}

function idOf({ key }: Repository, commit: string): string {
  return snapshotId({ repositoryKey: key, commit });
}
