/**
 * Git repositories over HTTP(S) as snapshots. `poll` says which commit a revision means, in one request; `fetch` brings
 * that very commit, or fails: a snapshot that is handed on has been verified completely, whatever the server did. A
 * commit that is on disk costs no request, so `fetch` is to be called before every render.
 */
import { resolve } from 'node:path';
import type { Clock, Log } from '../telemetry/ports.ts';
import { createCommitBringer, toStageError } from './bring-commit.ts';
import { redactError } from './mask.ts';
import type { JobRunner } from './packs/index-job.ts';
import type { SourceLimits } from './limits.ts';
import type { SourcePort } from './ports.ts';
import { createRemote } from './transport/remote.ts';
import type { Transport } from './transport/transport.ts';
import { createRepositoryNaming, type Repository } from './repository.ts';
import { parseRevision, type ResolvedRevision, type WantedRevision } from './revision.ts';
import { createFlights } from './single-flight.ts';
import { cancelled } from './source-error.ts';
import { parseSnapshotId, snapshotId } from './snapshot.ts';
import type { StoredSnapshot } from './packs/snapshot-folder.ts';
import { createSnapshotStore } from './packs/snapshot-store.ts';

export interface GitSource extends SourcePort {
  /** Aborts what is under way. */
  close(): Promise<void>;
}

export interface GitSourceOptions {
  /** Belongs to this process alone; what is in it may be deleted at any time while none runs. */
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
  const bringer = createCommitBringer({ transport, remote, store, limits, sandbox, log, clock });
  const polls = createFlights<ResolvedRevision>();
  const fetches = createFlights<StoredSnapshot>();

  async function resolveShown(repository: Repository, wanted: WantedRevision, signal: AbortSignal) {
    try {
      return await remote.resolve(repository, wanted, signal);
    } catch (error) {
      throw redactError(error, repository.credential);
    }
  }

  return {
    async poll({ repoUrl, credential, revision, signal }) {
      const repository = nameRepository(repoUrl, credential);
      const { key } = repository;
      const wanted = parseRevision(revision);
      const resolved = await polls.join({
        key: `${key}\n${wanted.type === 'commit' ? wanted.commit : wanted.names.join('\n')}`,
        signal,
        work: (shared) => resolveShown(repository, wanted, shared),
        onAbort: () => cancelled(repository.label),
      });
      store.touch(key, resolved.commit);
      return { ...resolved, id: idOf(repository, resolved.commit) };
    },
    async fetch({ repoUrl, credential, resolved, signal }) {
      const repository = nameRepository(repoUrl, credential);
      const { commit, revision } = resolved;
      const id = idOf(repository, commit);
      const { gitDir, treeOid } = await fetches.join({
        key: id,
        signal,
        work: (shared) => bringer.bring({ repository, commit, signal: shared }),
        onAbort: () => cancelled(repository.label),
      });
      return { id, repoUrl, revision, commit, tree: { gitDir, treeOid } };
    },
    async find(snapshot) {
      try {
        const { repositoryKey, commit } = parseSnapshotId(snapshot.id);
        return (await store.find(repositoryKey, commit)) && snapshot;
      } catch (error) {
        throw toStageError(error, { label: snapshot.repoUrl });
      }
    },
    async discard({ id }) {
      const { repositoryKey, commit } = parseSnapshotId(id);
      await store.remove(repositoryKey, commit);
    },
    async close() {
      polls.close();
      fetches.close();
      await bringer.settled();
      await transport.close();
    },
  };
}

function idOf({ key }: Repository, commit: string): string {
  return snapshotId({ repositoryKey: key, commit });
}
