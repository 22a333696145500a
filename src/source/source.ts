/**
 * Git repositories over HTTP(S) as snapshots. `poll` says which commit a revision means, in one request; `fetch` brings
 * that very commit, or fails: a snapshot that is handed on has been verified completely, whatever the server did. A
 * commit that is on disk costs no request, so `fetch` is to be called before every render.
 */
import { join, resolve } from 'node:path';
import { StageError } from '../object/stage-error.ts';
import type { Clock, Log } from '../telemetry/ports.ts';
import { redactError, type Credential } from './credential.ts';
import { fetchPack } from './fetch-pack.ts';
import { cancelled, createHttpClient } from './http-client.ts';
import { runIndexJob, type JobRunner } from './index-job.ts';
import type { SourceLimits } from './limits.ts';
import type { ProxySettings } from './proxy.ts';
import { createRemote } from './remote.ts';
import { createRepositoryNaming, type Repository } from './repository.ts';
import { parseRevision, type ResolvedRevision, type WantedRevision } from './revision.ts';
import { createFlights } from './single-flight.ts';
import type { Snapshot } from './snapshot.ts';
import { createSnapshotStore, TREES_FILE, type StoredSnapshot } from './snapshot-store.ts';
import { sourceError } from './source-error.ts';

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
  const polls = createFlights<ResolvedRevision>();
  const fetches = createFlights<StoredSnapshot>();
  /** One fetch a repository at a time, so that the next one can build on it. */
  const lastFetch = new Map<string, Promise<unknown>>();

  async function resolveShown(repository: Repository, wanted: WantedRevision, signal: AbortSignal) {
    try {
      return await remote.resolve(repository, wanted, signal);
    } catch (error) {
      throw redactError(error, repository.credential);
    }
  }

  async function bring(repository: Repository, commit: string, signal: AbortSignal): Promise<StoredSnapshot> {
    const found = await store.find(repository.place, commit);
    if (found) return found;
    const onto = await store.latest(repository.place);
    try {
      return await bringOnto(repository, commit, onto, signal);
    } catch (error) {
      // Damaged, or gone from the disk, which others may clean up at any time.
      const isDamaged = error instanceof StageError && ['CorruptPack', 'IncompletePack'].includes(error.code);
      const isBaseSuspect = onto && (isDamaged || (error as { code?: unknown }).code === 'ENOENT');
      if (!isBaseSuspect) throw error;
      log.warn('A fetched difference did not fit, everything is fetched afresh', { repository: repository.label });
      return bringOnto(repository, commit, undefined, signal);
    }
  }

  async function bringOnto(
    repository: Repository,
    commit: string,
    onto: StoredSnapshot | undefined,
    signal: AbortSignal,
  ): Promise<StoredSnapshot> {
    const draft = await store.begin(repository.place, onto);
    const { gitDir, packPath } = draft;
    const startMs = clock.monotonicMs();
    try {
      const answer = await fetchPack({
        http,
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

  async function bringInTurn(repository: Repository, commit: string, signal: AbortSignal): Promise<StoredSnapshot> {
    const before = lastFetch.get(repository.place);
    const work = (async () => {
      await before?.catch(() => undefined);
      if (signal.aborted) throw cancelled(repository.label);
      return bring(repository, commit, signal);
    })();
    lastFetch.set(repository.place, work);
    try {
      const snapshot = await work;
      // What could not be tidied up takes nothing away from what was fetched.
      await store.prune().catch((error: unknown) => {
        log.warn('Old snapshots could not be removed', { code: String((error as { code?: unknown }).code) });
      });
      return snapshot;
    } catch (error) {
      throw redactError(toStageError(error, repository), repository.credential);
    } finally {
      if (lastFetch.get(repository.place) === work) lastFetch.delete(repository.place);
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
        work: (shared) => bringInTurn(repository, commit, shared),
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
      await Promise.allSettled(lastFetch.values());
      await http.close();
    },
  };
}

function toStageError(error: unknown, repository: Pick<Repository, 'label'>): unknown {
  if (error instanceof StageError) return error;
  const code = (error as { code?: unknown }).code;
  if (typeof code !== 'string') return error;
  return sourceError(
    'StorageFailed',
    `The snapshot of ${repository.label} could not be stored (${code}). Check the disk.`,
  );
}
