/**
 * Verified snapshots on disk: a folder for each repository (see repository.ts), in it a folder for each commit (see
 * snapshot-folder.ts). The data directory belongs to one process.
 *
 * Invariant: a snapshot that is handed out was complete on disk; a draft that fails leaves nothing behind.
 */
import { mkdir, readdir, rm, rmdir, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock, Log } from '../../telemetry/ports.ts';
import type { SourceLimits } from '../limits.ts';
import { isPrivate } from '../repository.ts';
import { beyondDisk, type SnapshotOnDisk } from './disk-budget.ts';
import {
  completeDraft,
  createDraft,
  INCOMING_FILE,
  isTemporary,
  readSnapshot,
  removeSnapshot,
  temporaryName,
  type NewPack,
  type StoredSnapshot,
} from './snapshot-folder.ts';

/** A snapshot in the making. */
export interface SnapshotDraft {
  readonly gitDir: string;
  /** Where to write the new pack. */
  readonly packPath: string;
  finish(pack: NewPack): Promise<StoredSnapshot>;
  discard(): Promise<void>;
}

/** Methods reject with the error of the file system. */
export interface SnapshotStore {
  /** Counts as a use. */
  find(repositoryKey: string, commit: string): Promise<StoredSnapshot | undefined>;
  /** The snapshot that was used last, for the next fetch to build on; undefined if that should bring everything. */
  latest(repositoryKey: string): Promise<StoredSnapshot | undefined>;
  /** `owner`: the namespace for which the snapshot is fetched. */
  begin(repositoryKey: string, onto: StoredSnapshot | undefined, owner: string): Promise<SnapshotDraft>;
  /** Notes that a revision such as `main` is at a commit. */
  follow(repositoryKey: string, revision: string, commit: string): void;
  /** Marks a snapshot as used, if it is there. */
  touch(repositoryKey: string, commit: string): void;
  remove(repositoryKey: string, commit: string): Promise<void>;
  /**
   * Removes the snapshots of all repositories that were not used for long, and more of them until the disk has room for
   * `neededBytes` within its bound.
   */
  prune(neededBytes?: number): Promise<void>;
}

export interface SnapshotStoreOptions {
  readonly dataDir: string;
  readonly limits: Pick<
    SourceLimits,
    | 'maxPacksPerSnapshot'
    | 'maxPackBytes'
    | 'maxSnapshotsPerRepository'
    | 'maxDiskBytes'
    | 'retainSnapshotMs'
    | 'forgetRepositoryMs'
  >;
  readonly clock: Clock;
  readonly log: Log;
}

interface Kept {
  readonly snapshot: StoredSnapshot;
  /** Monotonic. */
  readonly usedMs: number;
  readonly owner: string;
}

/** The snapshots of one repository by commit, in order of use, the latest last. */
type KeptSnapshots = Map<string, Kept>;

/** The latest snapshots of a public repository stay, however long ago they were used. */
const ALWAYS_KEPT = 2;

/** How often a used repository is marked within the time after which it would be forgotten. */
const STAMPS_BEFORE_FORGETTING = 14;

export function createSnapshotStore(options: SnapshotStoreOptions): SnapshotStore {
  const { limits, clock } = options;
  const repositories = new Map<string, Promise<KeptSnapshots>>();
  const sweepOnce = onceSuccessful(() => sweep(options));
  const folderOf = (repositoryKey: string): string => join(options.dataDir, repositoryKey);
  const [stamps, followed] = [createStamps(options, folderOf), createFollowed()];

  function snapshotsOf(repositoryKey: string): Promise<KeptSnapshots> {
    const known = repositories.get(repositoryKey);
    if (known) return known;
    const loading = sweepOnce().then(() => loadSnapshots(folderOf(repositoryKey), options));
    repositories.set(repositoryKey, loading);
    loading.catch(() => repositories.delete(repositoryKey));
    return loading;
  }

  function keep(kept: KeptSnapshots, snapshot: StoredSnapshot, owner: string): StoredSnapshot {
    kept.delete(snapshot.commit);
    kept.set(snapshot.commit, { snapshot, usedMs: clock.monotonicMs(), owner });
    return snapshot;
  }

  function use(kept: KeptSnapshots, commit: string): StoredSnapshot | undefined {
    const known = kept.get(commit);
    return known && keep(kept, known.snapshot, known.owner);
  }

  return {
    find: async (repositoryKey, commit) => use(await snapshotsOf(repositoryKey), commit),
    async latest(repositoryKey) {
      const last = [...(await snapshotsOf(repositoryKey)).values()].at(-1)?.snapshot;
      const isFull = !last || last.packs.length >= limits.maxPacksPerSnapshot || last.packBytes > limits.maxPackBytes;
      return isFull ? undefined : last;
    },
    async begin(repositoryKey, onto, owner) {
      await snapshotsOf(repositoryKey);
      const draftDir = join(folderOf(repositoryKey), temporaryName());
      await createDraft(draftDir, onto);
      return {
        gitDir: draftDir,
        packPath: join(draftDir, INCOMING_FILE),
        async finish(pack) {
          const gitDir = join(folderOf(repositoryKey), pack.commit);
          const snapshot = await completeDraft({ draftDir, gitDir, onto }, pack);
          return keep(await snapshotsOf(repositoryKey), snapshot, owner);
        },
        discard: () => rm(draftDir, { recursive: true, force: true }),
      };
    },
    follow: (repositoryKey, revision, commit) => followed.note(repositoryKey, revision, commit),
    touch(repositoryKey, commit) {
      const loading = repositories.get(repositoryKey);
      loading?.then((kept) => use(kept, commit) && stamps.mark(repositoryKey)).catch(() => undefined);
    },
    async remove(repositoryKey, commit) {
      const kept = await snapshotsOf(repositoryKey);
      if (kept.has(commit)) await removeKept(kept, folderOf(repositoryKey), commit);
    },
    async prune(neededBytes = 0) {
      await makeRoom(repositories, folderOf, limits.maxDiskBytes - neededBytes);
      for (const [repositoryKey, loading] of repositories) {
        const kept = await loading;
        const folder = folderOf(repositoryKey);
        const isSuperseded = (commit: string): boolean => followed.isSuperseded(repositoryKey, commit);
        const retention = { isOfCredential: isPrivate(repositoryKey), isSuperseded, limits, clock };
        for (const commit of outdated(kept, retention)) await removeKept(kept, folder, commit);
        const isUnused = isPrivate(repositoryKey) && kept.size === 0;
        if (!isUnused || !(await removeIfEmpty(folder))) continue;
        repositories.delete(repositoryKey);
        stamps.delete(repositoryKey);
      }
    },
  };
}

async function removeKept(kept: KeptSnapshots, folder: string, commit: string): Promise<void> {
  kept.delete(commit);
  await removeSnapshot(folder, commit);
}

/** Removes the snapshots that were not used for longest, until the rest is within the bound. */
async function makeRoom(
  repositories: ReadonlyMap<string, Promise<KeptSnapshots>>,
  folderOf: (repositoryKey: string) => string,
  maxBytes: number,
): Promise<void> {
  const all: (SnapshotOnDisk & { readonly kept: KeptSnapshots })[] = [];
  for (const [repositoryKey, loading] of repositories) {
    const kept = await loading;
    for (const [commit, { snapshot, usedMs, owner }] of kept) {
      all.push({ ...snapshot, repositoryKey, commit, usedMs, owner, kept });
    }
  }
  for (const { kept, repositoryKey, commit } of beyondDisk(all, maxBytes)) {
    await removeKept(kept, folderOf(repositoryKey), commit);
  }
}

interface Followed {
  note(repositoryKey: string, revision: string, commit: string): void;
  isSuperseded(repositoryKey: string, commit: string): boolean;
}

/** Revisions and superseded commits that are remembered; the oldest are forgotten first. */
const MAX_FOLLOWED = 20_000;

/** The two newest commits of each revision. */
function createFollowed(): Followed {
  const newest = new Map<string, readonly string[]>();
  const superseded = new Set<string>();
  return {
    note(repositoryKey, revision, commit) {
      const key = `${repositoryKey} ${revision}`;
      superseded.delete(`${repositoryKey} ${commit}`);
      const commits = newest.get(key) ?? [];
      if (commits.at(-1) === commit) return;
      const next = [...commits.filter((one) => one !== commit), commit];
      for (const old of next.slice(0, -2)) superseded.add(`${repositoryKey} ${old}`);
      newest.delete(key);
      newest.set(key, next.slice(-2));
      for (const all of [newest, superseded]) {
        const [oldest] = all.size > MAX_FOLLOWED ? all.keys() : [];
        if (oldest !== undefined) all.delete(oldest);
      }
    },
    isSuperseded: (repositoryKey, commit) => superseded.has(`${repositoryKey} ${commit}`),
  };
}

interface Stamps {
  mark(repositoryKey: string): Promise<void>;
  delete(repositoryKey: string): void;
}

/**
 * Marks folders as used by their time, which a repository without new commits would not change. The sweep of a later
 * process goes by it.
 */
function createStamps({ clock, limits }: SnapshotStoreOptions, folderOf: (repositoryKey: string) => string): Stamps {
  /** Wall clock, as the times of files are. */
  const markedMs = new Map<string, number>();
  const pauseMs = limits.forgetRepositoryMs / STAMPS_BEFORE_FORGETTING;
  return {
    async mark(repositoryKey) {
      const nowMs = clock.now();
      if (nowMs - (markedMs.get(repositoryKey) ?? -Infinity) < pauseMs) return;
      markedMs.set(repositoryKey, nowMs);
      await utimes(folderOf(repositoryKey), new Date(nowMs), new Date(nowMs));
    },
    delete: (repositoryKey) => void markedMs.delete(repositoryKey),
  };
}

/** Calls `work` until it has succeeded once. Callers share an attempt under way. */
function onceSuccessful(work: () => Promise<void>): () => Promise<void> {
  let attempt: Promise<void> | undefined;
  return () => {
    attempt ??= work().catch((error: unknown) => {
      attempt = undefined;
      throw error;
    });
    return attempt;
  };
}

/** Reads the folder of a repository, which is made if it is missing, and removes what is not a complete snapshot. */
async function loadSnapshots(folder: string, { clock, log }: SnapshotStoreOptions): Promise<KeptSnapshots> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const kept: KeptSnapshots = new Map();
  for (const name of await readdir(folder)) {
    const snapshot = isTemporary(name) ? undefined : await readSnapshot(join(folder, name), name);
    if (snapshot) {
      kept.set(name, { snapshot, usedMs: clock.monotonicMs(), owner: folder });
      continue;
    }
    log.info('removed an unfinished snapshot', { folder: name });
    await rm(join(folder, name), { recursive: true, force: true });
  }
  return kept;
}

interface Retention extends Pick<SnapshotStoreOptions, 'limits' | 'clock'> {
  readonly isOfCredential: boolean;
  /** Whether the revision of a commit has moved on by two commits. */
  readonly isSuperseded: (commit: string) => boolean;
}

/** How long a snapshot stays that no revision needs: an Application may still be reading it. */
const SUPERSEDED_MS = 600_000;

/** The commits whose snapshots are to be removed. */
function outdated(kept: KeptSnapshots, { isOfCredential, isSuperseded, limits, clock }: Retention): string[] {
  const nowMs = clock.monotonicMs();
  const excess = kept.size - limits.maxSnapshotsPerRepository;
  return [...kept]
    .slice(0, isOfCredential ? undefined : -ALWAYS_KEPT)
    .filter(([commit, { usedMs }], at) => {
      const retainMs = isSuperseded(commit)
        ? Math.min(SUPERSEDED_MS, limits.retainSnapshotMs)
        : limits.retainSnapshotMs;
      return at < excess || nowMs - usedMs > retainMs;
    })
    .map(([commit]) => commit);
}

/** Removes the empty folder of a credential that is no longer used. It is not empty if a fetch is writing there. */
async function removeIfEmpty(folder: string): Promise<boolean> {
  return rmdir(folder).then(
    () => true,
    () => false,
  );
}

/**
 * Runs once for each process, before anything is read. Removes unfinished snapshots, those that only an earlier process
 * could name (they were fetched with a credential), and repositories that were not polled for long.
 */
async function sweep({ dataDir, limits, clock }: SnapshotStoreOptions): Promise<void> {
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  for (const name of await readdir(dataDir)) {
    const folder = join(dataDir, name);
    const ageMs = clock.now() - (await lastChangedMs(folder));
    if (isPrivate(name) || ageMs > limits.forgetRepositoryMs) {
      await rm(folder, { recursive: true, force: true });
      continue;
    }
    for (const inner of await readdir(folder).catch(() => [])) {
      if (isTemporary(inner)) await rm(join(folder, inner), { recursive: true, force: true });
    }
  }
}

/** A folder that has gone meanwhile counts as old: the indexes of Helm repositories are deleted at their first use. */
async function lastChangedMs(folder: string): Promise<number> {
  return stat(folder).then(
    ({ mtimeMs }) => mtimeMs,
    () => -Infinity,
  );
}
