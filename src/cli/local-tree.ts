/**
 * A local folder as the tree that render/ reads. Links are followed as the file system does it; only what the files
 * of the tree themselves name is ever read.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, realpathSync, statSync, type Dirent } from 'node:fs';
import { join, relative, resolve as resolvePath, sep } from 'node:path';
import type { FileEntry, FileTree, Found } from '../render/file-tree.ts';

/** The tree begins at the root of the file system: bases may lie beside or above the folder that is rendered. */
export const LOCAL_ROOT = resolvePath('/');

/** A folder, as a person names it, as a path of the tree at `LOCAL_ROOT`. */
export function pathInTree(dir: string): string {
  return relative(LOCAL_ROOT, resolvePath(dir)).split(/[\\/]/).join('/');
}

/** A path of that tree as seen from where the person stands. */
export function pathFromHere(path: string): string {
  return relative(process.cwd(), resolvePath(LOCAL_ROOT, path)) || '.';
}

/** `root`: an absolute path; links that leave it are reported, not followed. */
export function openLocalTree(root: string): FileTree {
  const base = realpathSync(root);
  const real = (path: string): string | undefined => {
    try {
      return realpathSync(join(base, path));
    } catch {
      return undefined;
    }
  };
  const inside = (path: string): boolean => base === sep || path === base || path.startsWith(base + sep);
  const resolve = (path: string): string | undefined => {
    const found = real(path);
    if (found === undefined || !inside(found)) return undefined;
    return found
      .slice(base.length)
      .split(sep)
      .filter((part) => part !== '')
      .join('/');
  };
  const find = (path: string): Found => {
    const found = real(path);
    if (found === undefined) return { type: 'absent' };
    if (!inside(found)) return { type: 'outside' };
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
  return { find, list, resolve, read: (path) => readFileSync(join(base, path)) };
}

function entryType(entry: Dirent): FileEntry['type'] {
  if (entry.isSymbolicLink()) return 'link';
  return entry.isDirectory() ? 'folder' : 'file';
}

function compareBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
