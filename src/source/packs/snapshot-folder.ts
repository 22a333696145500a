/**
 * The folder of one snapshot: packs, an index beside each, the trees that were verified, and snapshot.json.
 *
 * Invariant: the folder gets its final name by a rename when it is complete and does not change afterwards, so a folder
 * without the prefix `tmp-` is complete, whenever the process was killed.
 */
import { randomUUID } from 'node:crypto';
import { copyFile, link, mkdir, open, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CommitAbout, Lineage } from '../snapshot.ts';
import { decodePackIndex } from './pack-index-file.ts';
import { INDEX_SUFFIX, PACK_SUFFIX } from './pack-store.ts';
import type { VerifiedTrees } from './verify-snapshot.ts';

export interface StoredSnapshot {
  readonly commit: string;
  readonly treeOid: string;
  readonly lineage: Lineage;
  readonly gitDir: string;
  /** Names without suffix, the oldest first. */
  readonly packs: readonly string[];
  /** All packs together. */
  readonly packBytes: number;
  readonly about?: CommitAbout;
}

export interface NewPack {
  readonly commit: string;
  readonly treeOid: string;
  readonly lineage: Lineage;
  readonly about: CommitAbout;
  readonly index: Uint8Array;
  readonly trees: VerifiedTrees;
  /** SHA-1 in hex. */
  readonly checksum: string;
  readonly packBytes: number;
}

export interface Draft {
  /** The folder in the making. */
  readonly draftDir: string;
  /** The folder that it becomes. */
  readonly gitDir: string;
  /** The snapshot that the new pack builds on; its packs are in the draft already. */
  readonly onto: StoredSnapshot | undefined;
}

/** The trees that were found complete, so that the check of the next commit reads only new ones. */
export const TREES_FILE = 'trees.json';
/** The new pack before its checksum is known. */
export const INCOMING_FILE = 'incoming';
const DESCRIPTION_FILE = 'snapshot.json';
const DESCRIPTION_VERSION = 3;

const TEMPORARY_PREFIX = 'tmp-';

/** A name for a folder that is not complete, or no longer. */
export function temporaryName(): string {
  return TEMPORARY_PREFIX + randomUUID();
}

export function isTemporary(name: string): boolean {
  return name.startsWith(TEMPORARY_PREFIX);
}

/** Makes the folder of a draft, with the packs of the snapshot to build on. Leaves nothing behind if that fails. */
export async function createDraft(draftDir: string, onto: StoredSnapshot | undefined): Promise<void> {
  await mkdir(draftDir, { recursive: true, mode: 0o700 });
  try {
    if (onto) await sharePacks(onto, draftDir);
  } catch (error) {
    await rm(draftDir, { recursive: true, force: true });
    throw error;
  }
}

/** Shares packs by hard links, or by copies if the file system has none. */
async function sharePacks(from: StoredSnapshot, draftDir: string): Promise<void> {
  for (const name of from.packs.flatMap((pack) => [pack + PACK_SUFFIX, pack + INDEX_SUFFIX])) {
    const [source, target] = [join(from.gitDir, name), join(draftDir, name)];
    await link(source, target).catch(() => copyFile(source, target));
  }
}

/** Makes a draft, whose new pack is indexed and verified, a snapshot. */
export async function completeDraft({ draftDir, gitDir, onto }: Draft, pack: NewPack): Promise<StoredSnapshot> {
  const older = onto?.packs ?? [];
  // The server may send a pack that the snapshot has already.
  const isKnown = older.some((name) => name.endsWith(pack.checksum));
  const name = packName(older.length, pack.checksum);
  if (isKnown) await rm(join(draftDir, INCOMING_FILE));
  else {
    await rename(join(draftDir, INCOMING_FILE), join(draftDir, name + PACK_SUFFIX));
    await writeFile(join(draftDir, name + INDEX_SUFFIX), pack.index, { mode: 0o600 });
  }
  await writeFile(join(draftDir, TREES_FILE), JSON.stringify(pack.trees), { mode: 0o600 });
  const { commit, treeOid, lineage, about } = pack;
  const packs = isKnown ? older : [...older, name];
  const packBytes = (onto?.packBytes ?? 0) + (isKnown ? 0 : pack.packBytes);
  const description = { version: DESCRIPTION_VERSION, commit, treeOid, lineage, packs, packBytes, about };
  await writeFile(join(draftDir, DESCRIPTION_FILE), JSON.stringify(description));
  await rename(draftDir, gitDir);
  return { commit, treeOid, lineage, gitDir, packs, packBytes, about };
}

/**
 * Packs sort by age. The base of a delta is in its own pack or in an older one. So a reader that takes each object from
 * the oldest pack that holds it never runs in a circle, although each of two packs may hold a delta on an object of the
 * other.
 */
function packName(age: number, checksum: string): string {
  return `pack-${String(age).padStart(6, '0')}-${checksum}`;
}

/** Reads a snapshot that an earlier process left; undefined if any part of it is missing or changed. */
export async function readSnapshot(gitDir: string, commit: string): Promise<StoredSnapshot | undefined> {
  try {
    const text = await readFile(join(gitDir, DESCRIPTION_FILE), 'utf8');
    const { version, ...described } = JSON.parse(text) as StoredSnapshot & { version?: number };
    if (version !== DESCRIPTION_VERSION || described.commit !== commit) return undefined;
    for (const pack of described.packs) {
      const index = decodePackIndex(await readFile(join(gitDir, pack + INDEX_SUFFIX)));
      const checksum = await readChecksum(join(gitDir, pack + PACK_SUFFIX), index.packBytes);
      if (checksum !== index.packChecksum) return undefined;
    }
    const { treeOid, lineage, packs, packBytes, about } = described;
    return { commit, treeOid, lineage, gitDir, packs, packBytes, ...(about === undefined ? {} : { about }) };
  } catch {
    return undefined;
  }
}

const CHECKSUM_BYTES = 20;

/** The SHA-1 that a pack ends with, in hex; undefined if the file has another size. */
async function readChecksum(path: string, sizeBytes: number): Promise<string | undefined> {
  const file = await open(path, 'r');
  try {
    if ((await file.stat()).size !== sizeBytes) return undefined;
    const end = { buffer: Buffer.alloc(CHECKSUM_BYTES), position: sizeBytes - CHECKSUM_BYTES };
    const { buffer } = await file.read(end);
    return buffer.toString('hex');
  } finally {
    await file.close();
  }
}

/** Removes a snapshot's folder, if it is there. A kill in the middle leaves a temporary folder. */
export async function removeSnapshot(repositoryDir: string, commit: string): Promise<void> {
  const doomed = join(repositoryDir, temporaryName());
  try {
    await rename(join(repositoryDir, commit), doomed);
  } catch (error) {
    if ((error as { code?: unknown }).code === 'ENOENT') return;
    throw error;
  }
  await rm(doomed, { recursive: true, force: true });
}
