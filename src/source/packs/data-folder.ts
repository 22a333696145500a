/**
 * The folder for fetched data. Its content is trusted when it is read again, so it must not belong to another user: in
 * a folder such as /tmp anybody can make it first. A user who may write one of the folders above it could put another
 * one in its place, so these are checked as well, and the links on the way.
 */
import { constants } from 'node:fs';
import { access, chmod, lstat, mkdir, realpath } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { StageError } from '../../object/stage-error.ts';

interface FolderFacts {
  readonly uid: number;
  /** Permission bits. */
  readonly mode: number;
  readonly isFolder: boolean;
}

/** Completes a sentence that begins with the folder; undefined: the folder may be used. */
export function whyUntrusted({ uid, mode, isFolder }: FolderFacts, ownUid: number): string | undefined {
  if (!isFolder) return 'is not a folder';
  if (uid === ownUid) return undefined;
  if (uid !== ROOT_UID) return `belongs to another user (uid ${uid})`;
  // A mounted volume belongs to root, and is open to the user of the container.
  return (mode & STICKY) === 0 ? undefined : 'is a folder that all users share';
}

export interface ParentFacts {
  readonly uid: number;
  readonly gid: number;
  /** Permission bits. */
  readonly mode: number;
  /** A symbolic link, whose permission bits mean nothing. */
  readonly isLink: boolean;
}

export interface Self {
  readonly uid: number;
  readonly groups: readonly number[];
}

/** Completes a sentence that begins with a folder above the data folder; undefined: it protects the data folder. */
export function whyReplaceable({ uid, gid, mode, isLink }: ParentFacts, self: Self): string | undefined {
  if (uid !== self.uid && uid !== ROOT_UID) return `belongs to another user (uid ${uid})`;
  if (isLink || (mode & STICKY) !== 0) return undefined;
  if ((mode & OTHERS_WRITE) !== 0) return 'may be written by all users';
  return (mode & GROUP_WRITE) === 0 || self.groups.includes(gid) ? undefined : `may be written by the group ${gid}`;
}

const ROOT_UID = 0;
const OTHERS_WRITE = 0o002;
const GROUP_WRITE = 0o020;
/** Set on folders such as /tmp. */
const STICKY = 0o1000;
/** Set by the kubelet on a volume that belongs to a group. */
const SETGID = 0o2000;
const PRIVATE_MODE = 0o700;
const OTHERS = 0o077;

/** Makes the folder if it is missing, and closes its own folder to other users. Throws StageError DataDirUnusable. */
export async function prepareDataFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true, mode: PRIVATE_MODE });
    const ownUid = process.getuid?.();
    if (ownUid !== undefined) {
      await closeToOthers(folder, ownUid);
      await checkParents(folder, { uid: ownUid, groups: process.getgroups?.() ?? [] });
    }
    await access(folder, constants.W_OK | constants.X_OK);
  } catch (error) {
    if (error instanceof StageError) throw error;
    throw unusable(`${folder} cannot be written (${(error as NodeJS.ErrnoException).code ?? 'unknown'})`, error);
  }
}

async function closeToOthers(folder: string, ownUid: number): Promise<void> {
  const stat = await lstat(folder);
  const why = whyUntrusted({ uid: stat.uid, mode: stat.mode, isFolder: stat.isDirectory() }, ownUid);
  if (why !== undefined) throw unusable(`${folder} ${why}`);
  const isOpen = (stat.mode & OTHERS) !== 0;
  const isMounted = stat.uid !== ownUid || (stat.mode & SETGID) !== 0;
  if (isOpen && !isMounted) await chmod(folder, PRIVATE_MODE);
}

/** Both the folders that the path names, which may be links, and those that it leads to. */
async function checkParents(folder: string, self: Self): Promise<void> {
  const named = parentsOf(resolve(folder));
  const real = parentsOf(await realpath(folder));
  for (const parent of new Set([...named, ...real])) {
    const stat = await lstat(parent);
    const { uid, gid, mode } = stat;
    const why = whyReplaceable({ uid, gid, mode, isLink: stat.isSymbolicLink() }, self);
    if (why !== undefined) throw unusable(`${folder} can be replaced, since ${parent} ${why}`);
  }
}

function parentsOf(path: string): string[] {
  const parent = dirname(path);
  return parent === path ? [] : [parent, ...parentsOf(parent)];
}

function unusable(problem: string, cause?: unknown): StageError {
  const message = `the folder ${problem}: choose another folder with --data-dir`;
  return new StageError({ stage: 'source', code: 'DataDirUnusable', retry: 'never', message, cause });
}
