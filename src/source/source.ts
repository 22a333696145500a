/**
 * Git repositories over HTTP(S) as snapshots. `poll` says which commit a revision means, in one request; `fetch` brings
 * that very commit, or fails: a snapshot that is handed on has been verified completely, whatever the server did. A
 * commit that is on disk costs no request, so `fetch` is to be called before every render.
 */
import { resolve } from 'node:path';
import type { Clock, Log } from '../telemetry/ports.ts';
import { createCommitBringer, toStageError } from './bring-commit.ts';
import { redactError, type Credential } from './credential.ts';
import { cancelled, createHttpClient } from './transport/http-client.ts';
import type { JobRunner } from './packs/index-job.ts';
import type { SourceLimits } from './limits.ts';
import type { ProxySettings } from './transport/proxy.ts';
import { createRemote } from './transport/remote.ts';
import { createRepositoryNaming, type Repository } from './repository.ts';
import { parseRevision, type ResolvedRevision, type WantedRevision } from './revision.ts';
import { createFlights } from './single-flight.ts';
import type { Snapshot } from './snapshot.ts';
import { createSnapshotStore, type StoredSnapshot } from './packs/snapshot-store.ts';

export interface GitSource {
  /** The commit that a revision means now: one request (two the first time), none for a commit. */
  poll(wanted: PollOptions): Promise<PolledRevision>;
  /** The snapshot of what `poll` found. */
  fetch(wanted: FetchOptions): Promise<Snapshot>;
  /** The same snapshot if it is still on disk. No request. */
  find(snapshot: Snapshot): Promise<Snapshot | undefined>;
  /** Drops a snapshot whose objects turned out to be damaged, so that it is fetched again. */
  discard(snapshot: Snapshot): Promise<void>;
  /** Aborts what is under way. */
  close(): Promise<void>;
}

export interface PolledRevision extends ResolvedRevision {
  /** As in `Snapshot.place`. */
  readonly place: string;
}

export interface PollOptions {
  readonly repoUrl: string;
  readonly credential?: Credential | undefined;
  /** 40 hex digits, `refs/…`, a branch, a tag; absent: the default branch. */
  readonly revision?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface FetchOptions {
  readonly repoUrl: string;
  readonly credential?: Credential | undefined;
  /** What `poll` answered. */
  readonly resolved: ResolvedRevision;
  readonly signal?: AbortSignal | undefined;
}

export interface GitSourceOptions {
  /** Belongs to this process alone; what is in it may be deleted at any time while none runs. */
  readonly dataDir: string;
  readonly limits: SourceLimits;
  readonly sandbox: JobRunner;
  readonly proxy: ProxySettings;
  readonly log: Log;
  readonly clock: Clock;
}

export function createGitSource(options: GitSourceOptions): GitSource {
  const { limits, sandbox, log, clock, proxy } = options;
  const nameRepository = createRepositoryNaming();
  const http = createHttpClient({ limits, proxy, clock });
  const remote = createRemote(http, limits);
  const store = createSnapshotStore({ dataDir: resolve(options.dataDir), limits, clock, log });
  const bringer = createCommitBringer({ http, remote, store, limits, sandbox, log, clock });
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
      const { place } = repository;
      const wanted = parseRevision(revision);
      const resolved = await polls.join({
        key: `${place}\n${wanted.type === 'commit' ? wanted.commit : wanted.names.join('\n')}`,
        signal,
        work: (shared) => resolveShown(repository, wanted, shared),
        onAbort: () => cancelled(repository.label),
      });
      store.touch(place, resolved.commit);
      return { ...resolved, place };
    },
    async fetch({ repoUrl, credential, resolved, signal }) {
      const repository = nameRepository(repoUrl, credential);
      const { place } = repository;
      const { commit, revision } = resolved;
      const stored = await fetches.join({
        key: `${place}\n${commit}`,
        signal,
        work: (shared) => bringer.bring({ repository, commit, signal: shared }),
        onAbort: () => cancelled(repository.label),
      });
      return { repoUrl, revision, commit, place, treeOid: stored.treeOid, gitDir: stored.gitDir };
    },
    async find(snapshot) {
      try {
        return (await store.find(snapshot.place, snapshot.commit)) && snapshot;
      } catch (error) {
        throw toStageError(error, { label: snapshot.repoUrl });
      }
    },
    discard: ({ place, commit }) => store.remove(place, commit),
    async close() {
      polls.close();
      fetches.close();
      await bringer.settled();
      await http.close();
    },
  };
}
