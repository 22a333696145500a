/** A tree of files in memory, for tests of render/. Its folders follow from the paths of the files. */
import { createHash } from 'node:crypto';
import type { FileEntry, FileTree } from '../../../src/render/file-tree.ts';
import type { RenderLimits } from '../../../src/render/manifests.ts';

export const LIMITS: RenderLimits = {
  maxFileBytes: 10_000_000,
  maxNodes: 1_000_000,
  maxDepth: 100,
  maxObjects: 100_000,
  maxFiles: 10_000,
};

function hashOf(bytes: Uint8Array): string {
  return createHash('sha1').update(bytes).digest('hex');
}

/**
 * A link is given as `{ link: 'path from the root' }`, a link that leaves the tree as `{ link: undefined }`, and a
 * submodule as `{ submodule: commit }`, or `true` where the commit does not matter.
 */
export function memoryTree(
  files: Readonly<Record<string, string | Uint8Array | { link: string | undefined } | { submodule: string | true }>>,
): FileTree {
  const paths = Object.keys(files);
  const isFolder = (path: string): boolean => path === '' || paths.some((one) => one.startsWith(`${path}/`));
  const resolve = (path: string): string | undefined => {
    const file = files[path];
    if (file !== undefined && typeof file === 'object' && 'submodule' in file) return undefined;
    if (file !== undefined && typeof file === 'object' && 'link' in file) return file.link;
    return file !== undefined || isFolder(path) ? path : undefined;
  };
  const content = (path: string): Buffer => {
    const file = files[resolve(path) ?? ''];
    return Buffer.from(typeof file === 'string' || file instanceof Uint8Array ? file : '');
  };
  const isOutside = (path: string): boolean => {
    const file = files[path];
    return typeof file === 'object' && 'link' in file && file.link === undefined;
  };
  return {
    find: (path) => {
      if (isOutside(path)) return { type: 'outside' };
      const resolved = resolve(path);
      if (resolved === undefined) return { type: 'absent' };
      if (isFolder(resolved)) return { type: 'folder', oid: `folder ${resolved}` };
      // Equal content has an equal identity.
      const bytes = content(resolved);
      return { type: 'file', oid: hashOf(bytes), sizeBytes: bytes.length };
    },
    list: (path) => {
      const start = path === '' ? '' : `${path}/`;
      const entries = new Map<string, FileEntry>();
      for (const one of paths) {
        if (!one.startsWith(start)) continue;
        const [name = '', ...rest] = one.slice(start.length).split('/');
        const file = files[one];
        const leaf = typeof file === 'object' && 'submodule' in file ? 'submodule' : 'file';
        entries.set(name, { name, type: rest.length > 0 ? 'folder' : leaf });
      }
      return [...entries.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
    },
    read: content,
    resolve,
    submodule: (path) => {
      const parts = path.split('/');
      for (const index of parts.keys()) {
        const place = parts.slice(0, index + 1).join('/');
        const file = files[place];
        if (typeof file !== 'object' || !('submodule' in file)) continue;
        const commit = file.submodule === true ? '1'.repeat(40) : file.submodule;
        return { path: place, commit, rest: parts.slice(index + 1).join('/') };
      }
      return undefined;
    },
  };
}
