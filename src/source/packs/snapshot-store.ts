/**
 * Verified snapshots on disk, a folder a commit: packs, their indexes and snapshot.json. A folder comes into being by
 * a rename and never changes afterwards, so whatever has its name is whole, and a kill leaves only `tmp-` folders,
 * which the next start removes. Packs are shared among a repository's snapshots by hard links. The folder belongs to
 * one process.
 */
import { randomUUID } from 'node:crypto';
import { copyFile, link, mkdir, open, readdir, readFile, rename, rm, rmdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock, Log } from '../../telemetry/ports.ts';
import type { SourceLimits } from '../limits.ts';
import { decodePackIndex } from './pack-index-file.ts';
import { INDEX_SUFFIX, PACK_SUFFIX } from './pack-store.ts';
import { isPrivate } from '../repository.ts';
import type { VerifiedTrees } from './verify-snapshot.ts';

/** Beside the packs: the trees that were found complete, so that the next commit's check reads only new ones. */
export const TREES_FILE = 'trees.json';

export interface StoredSnapshot {
  readonly commit: string;
  readonly treeOid: string;
  readonly gitDir: string;
  /** Names without suffix. */
  readonly packs: readonly string[];
  readonly packBytes: number;
}

export interface NewPack {
  readonly commit: string;
  readonly treeOid: string;
  readonly index: Uint8Array;
  readonly trees: VerifiedTrees;
  /** SHA-1 in hex. */
  readonly checksum: string;
  readonly packBytes: number;
}

/** A snapshot in the making. */
export interface Draft {
  readonly gitDir: string;
  /** Where the new pack is to be written. */
  readonly packPath: string;
  finish(pack: NewPack): Promise<StoredSnapshot>;
  discard(): Promise<void>;
}

export interface SnapshotStore {
  /** Marks it as used. */
  find(repositoryKey: string, commit: string): Promise<StoredSnapshot | undefined>;
  /** The one used last, to fetch a difference to; undefined where it is time to fetch everything afresh. */
  latest(repositoryKey: string): Promise<StoredSnapshot | undefined>;
  begin(repositoryKey: string, onto: StoredSnapshot | undefined): Promise<Draft>;
  /** Keeps a snapshot that is known to be wanted from being pruned. */
  touch(repositoryKey: string, commit: string): void;
  remove(repositoryKey: string, commit: string): Promise<void>;
  /** Removes snapshots that were not used for long, of all repositories. */
  prune(): Promise<void>;
}

export interface SnapshotStoreOptions {
  readonly dataDir: string;
  readonly limits: Pick<
    SourceLimits,
    'maxPacksPerSnapshot' | 'maxPackBytes' | 'maxSnapshotsPerRepository' | 'retainSnapshotMs' | 'forgetRepositoryMs'
  >;
  readonly clock: Clock;
  readonly log: Log;
}

interface Kept {
  readonly snapshot: StoredSnapshot;
  usedMs: number;
}

/** In order of use, the latest last. */
type Repository = Map<string, Kept>;

const TEMPORARY = 'tmp-';
const DESCRIPTION = 'snapshot.json';
const ALWAYS_KEPT = 2;

export function createSnapshotStore(options: SnapshotStoreOptions): SnapshotStore {
  const { dataDir, limits, clock, log } = options;
  const repositories = new Map<string, Promise<Repository>>();
  let swept: Promise<void> | undefined;

  function folderOf(repositoryKey: string): string {
    return join(dataDir, repositoryKey);
  }

  async function load(repositoryKey: string): Promise<Repository> {
    await (swept ??= sweep(options));
    const folder = folderOf(repositoryKey);
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const repository: Repository = new Map();
    for (const name of await readdir(folder)) {
      const snapshot = name.startsWith(TEMPORARY) ? undefined : await readSnapshot(join(folder, name), name);
      if (snapshot) {
        repository.set(name, { snapshot, usedMs: clock.monotonicMs() });
        continue;
      }
      log.info('Removed an unfinished snapshot', { folder: name });
      await rm(join(folder, name), { recursive: true, force: true });
    }
    return repository;
  }

  function repositoryOf(repositoryKey: string): Promise<Repository> {
    const known = repositories.get(repositoryKey);
    if (known) return known;
    const loading = load(repositoryKey);
    repositories.set(repositoryKey, loading);
    loading.catch(() => repositories.delete(repositoryKey));
    return loading;
  }

  function use(repository: Repository, commit: string): StoredSnapshot | undefined {
    const kept = repository.get(commit);
    if (!kept) return undefined;
    repository.delete(commit);
    repository.set(commit, { ...kept, usedMs: clock.monotonicMs() });
    return kept.snapshot;
  }

  async function finish(repositoryKey: string, draftDir: string, pack: NewPack, onto: StoredSnapshot | undefined) {
    const known = onto?.packs.find((existing) => existing.endsWith(pack.checksum));
    const isNew = known === undefined;
    const name = known ?? packName(onto?.packs.length ?? 0, pack.checksum);
    if (isNew) {
      await rename(join(draftDir, INCOMING), join(draftDir, name + PACK_SUFFIX));
      await writeFile(join(draftDir, name + INDEX_SUFFIX), pack.index, { mode: 0o600 });
    } else await rm(join(draftDir, INCOMING));
    await writeFile(join(draftDir, TREES_FILE), JSON.stringify(pack.trees), { mode: 0o600 });
    const gitDir = join(folderOf(repositoryKey), pack.commit);
    const snapshot: StoredSnapshot = {
      commit: pack.commit,
      treeOid: pack.treeOid,
      gitDir,
      packs: [...(onto?.packs ?? []), ...(isNew ? [name] : [])],
      packBytes: (onto?.packBytes ?? 0) + (isNew ? pack.packBytes : 0),
    };
    const { commit, treeOid, packs, packBytes } = snapshot;
    await writeFile(join(draftDir, DESCRIPTION), JSON.stringify({ version: 2, commit, treeOid, packs, packBytes }));
    await rename(draftDir, gitDir);
    (await repositoryOf(repositoryKey)).set(commit, { snapshot, usedMs: clock.monotonicMs() });
    return snapshot;
  }

  async function drop(repositoryKey: string, repository: Repository, commit: string): Promise<void> {
    repository.delete(commit);
    const folder = folderOf(repositoryKey);
    // Renamed first, so that a kill in the middle leaves no folder that looks whole.
    const doomed = join(folder, TEMPORARY + randomUUID());
    const isThere = await rename(join(folder, commit), doomed).then(() => true, isGone);
    if (!isThere) return;
    await rm(doomed, { recursive: true, force: true });
  }

  /** Of a credential that nobody shows any more, unless something is on its way to it. */
  async function forget(repositoryKey: string): Promise<void> {
    const isEmpty = await rmdir(folderOf(repositoryKey)).then(
      () => true,
      () => false,
    );
    if (isEmpty) repositories.delete(repositoryKey);
  }

  return {
    find: async (repositoryKey, commit) => use(await repositoryOf(repositoryKey), commit),
    async latest(repositoryKey) {
      const last = [...(await repositoryOf(repositoryKey)).values()].at(-1)?.snapshot;
      const isFull = !last || last.packs.length >= limits.maxPacksPerSnapshot || last.packBytes > limits.maxPackBytes;
      return isFull ? undefined : last;
    },
    async begin(repositoryKey, onto) {
      await repositoryOf(repositoryKey);
      const gitDir = join(folderOf(repositoryKey), TEMPORARY + randomUUID());
      await mkdir(gitDir, { recursive: true, mode: 0o700 });
      if (onto) await linkPacks(onto, gitDir);
      return {
        gitDir,
        packPath: join(gitDir, INCOMING),
        finish: (pack) => finish(repositoryKey, gitDir, pack, onto),
        discard: () => rm(gitDir, { recursive: true, force: true }),
      };
    },
    touch(repositoryKey, commit) {
      void repositories.get(repositoryKey)?.then(
        (repository) => use(repository, commit),
        () => undefined,
      );
    },
    async remove(repositoryKey, commit) {
      const repository = await repositoryOf(repositoryKey);
      if (repository.has(commit)) await drop(repositoryKey, repository, commit);
    },
    async prune() {
      for (const [repositoryKey, loading] of repositories) {
        const repository = await loading;
        const old = [...repository].slice(0, isPrivate(repositoryKey) ? undefined : -ALWAYS_KEPT);
        const excess = repository.size - limits.maxSnapshotsPerRepository;
        for (const [at, [commit, kept]] of old.entries()) {
          const isOld = clock.monotonicMs() - kept.usedMs > limits.retainSnapshotMs;
          if (isOld || at < excess) await drop(repositoryKey, repository, commit);
        }
        if (isPrivate(repositoryKey) && repository.size === 0) await forget(repositoryKey);
      }
    },
  };
}

/** Resolves to false for what is not there; rethrows all else. */
function isGone(error: unknown): false {
  if ((error as { code?: unknown }).code === 'ENOENT') return false;
  throw error;
}

const INCOMING = 'incoming';

/**
 * Packs sort by age. A delta's base stands in its own pack or an older one, so a reader that takes every object from
 * the oldest pack that holds it never runs in a circle, although two packs may each hold a delta on an object of the
 * other.
 */
function packName(age: number, checksum: string): string {
  return `pack-${String(age).padStart(6, '0')}-${checksum}`;
}

async function linkPacks(from: StoredSnapshot, into: string): Promise<void> {
  for (const name of from.packs.flatMap((pack) => [pack + PACK_SUFFIX, pack + INDEX_SUFFIX])) {
    const [source, target] = [join(from.gitDir, name), join(into, name)];
    await link(source, target).catch(() => copyFile(source, target));
  }
}

/** A snapshot as it was left by an earlier process, or undefined where anything about it is not as written. */
async function readSnapshot(gitDir: string, commit: string): Promise<StoredSnapshot | undefined> {
  try {
    const text = JSON.parse(await readFile(join(gitDir, DESCRIPTION), 'utf8')) as StoredSnapshot & { version?: number };
    if (text.version !== 2 || text.commit !== commit) return undefined;
    for (const pack of text.packs) {
      const index = decodePackIndex(await readFile(join(gitDir, pack + INDEX_SUFFIX)));
      const tail = await readTail(join(gitDir, pack + PACK_SUFFIX), index.packBytes);
      if (tail !== index.packChecksum) return undefined;
    }
    return { commit, treeOid: text.treeOid, gitDir, packs: text.packs, packBytes: text.packBytes };
  } catch {
    return undefined;
  }
}

async function readTail(path: string, sizeBytes: number): Promise<string | undefined> {
  const file = await open(path, 'r');
  try {
    if ((await file.stat()).size !== sizeBytes) return undefined;
    const { buffer } = await file.read({ buffer: Buffer.alloc(20), position: sizeBytes - 20 });
    return buffer.toString('hex');
  } finally {
    await file.close();
  }
}

/** Once a process: unfinished work, what only an earlier process can reach, what got no new snapshot for long. */
async function sweep({ dataDir, limits, clock }: SnapshotStoreOptions): Promise<void> {
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  for (const name of await readdir(dataDir)) {
    const folder = join(dataDir, name);
    const ageMs = clock.now() - (await stat(folder)).mtimeMs;
    if (isPrivate(name) || ageMs > limits.forgetRepositoryMs) {
      await rm(folder, { recursive: true, force: true });
      continue;
    }
    for (const inner of await readdir(folder)) {
      if (inner.startsWith(TEMPORARY)) await rm(join(folder, inner), { recursive: true, force: true });
    }
  }
}
