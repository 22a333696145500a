/**
 * Makes a local folder readable as the tree of render/. Links are followed as by the file system. Only files that the
 * rendered files name are read.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, realpathSync, statSync, type Dirent } from 'node:fs';
import { join, relative, resolve as resolvePath, sep } from 'node:path';
import type { FileEntry, FileTree, Found } from '../render/file-tree.ts';

/** Root of the tree. It is the root of the file system, since bases may be beside or above the rendered folder. */
export const LOCAL_ROOT = resolvePath('/');

/** Converts a folder of the command line into a path of the tree at `LOCAL_ROOT`. */
export function pathInTree(dir: string): string {
  return relative(LOCAL_ROOT, resolvePath(dir)).split(/[\\/]/).join('/');
}

/** Converts a path of that tree into one relative to the working directory. */
export function pathFromHere(path: string): string {
  return relative(process.cwd(), resolvePath(LOCAL_ROOT, path)) || '.';
}

/** Whether a folder of the command line exists. */
export function isLocalFolder(dir: string): boolean {
  return statSync(dir, { throwIfNoEntry: false })?.isDirectory() === true;
}

/** A text about paths of the tree at `LOCAL_ROOT`, with paths as the person at the command line writes them. */
export function withPathsFromHere(text: string, dir: string): string {
  const [inDir, here] = [pathInTree(dir), pathInTree('.')];
  const shown = inDir === '' ? text : text.replaceAll(inDir, dir);
  return here === '' ? shown : shown.replaceAll(`${here}/`, '');
}

/** `root` is an absolute path. A link that leads out of it is reported as `outside` and not followed. */
export function openLocalTree(root: string): FileTree {
  const base = realpathSync(root);
  const real = (path: string): string | undefined => {
    try {
      return realpathSync(join(base, path));
    } catch {
      return undefined;
    }
  };
  const isInside = (path: string): boolean => base === sep || path === base || path.startsWith(base + sep);
  const resolve = (path: string): string | undefined => {
    const found = real(path);
    if (found === undefined || !isInside(found)) return undefined;
    return found
      .slice(base.length)
      .split(sep)
      .filter((part) => part !== '')
      .join('/');
  };
  const find = (path: string): Found => {
    const found = real(path);
    if (found === undefined) return { type: 'absent' };
    if (!isInside(found)) return { type: 'outside' };
    const stat = statSync(found);
    const oid = createHash('sha1').update(`${found}\0${stat.mtimeMs}\0${stat.size}`).digest('hex');
    return stat.isDirectory() ? { type: 'folder', oid } : { type: 'file', oid, sizeBytes: stat.size };
  };
  const list = (path: string): readonly FileEntry[] => {
    if (find(path).type !== 'folder') return [];
    const entries = readdirSync(join(base, path), { withFileTypes: true });
    return entries
      .map((entry) => ({ name: entry.name, type: entryType(entry) }))
      .sort((a, b) => compareBytes(a.name, b.name));
  };
  // On a person's disk a submodule is a folder.
  return { find, list, resolve, read: (path) => readFileSync(join(base, path)), submodule: () => undefined };
}

function entryType(entry: Dirent): FileEntry['type'] {
  if (entry.isSymbolicLink()) return 'link';
  return entry.isDirectory() ? 'folder' : 'file';
}

function compareBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
