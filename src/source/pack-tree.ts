/**
 * A FileTree over the packs of a snapshot. Links are followed within the tree only: one that is absolute, climbs above
 * the root or runs in a circle is `outside`. Everything looked up by path goes into the read-set, absence included, so
 * that a render needs repeating only when one of those ids has changed.
 */
import { StageError } from '../object/stage-error.ts';
import type { FileEntry, FileTree, Found } from '../render/file-tree.ts';
import { parseTree, type TreeEntry } from './git-tree.ts';
import { openPackStore, type PackStore, type PackStoreLimits } from './pack-store.ts';

export interface PackTree extends FileTree {
  /** Path to object id; the empty string for what was absent or outside. */
  readSet(): Readonly<Record<string, string>>;
  close(): void;
}

export interface PackTreeLimits extends PackStoreLimits {
  /** Bytes of one file that may be read. */
  readonly maxFileBytes: number;
}

export interface PackTreeOptions {
  readonly gitDir: string;
  /** 40 hex digits. */
  readonly treeOid: string;
  readonly limits: PackTreeLimits;
}

/** As many as the kernel follows. */
const MAX_LINKS = 40;
const MAX_LINK_BYTES = 4096;

type Place =
  | { readonly type: 'file' | 'folder'; readonly path: string; readonly oid: string }
  | { readonly type: 'absent' | 'outside' };

export function openPackTree({ gitDir, treeOid, limits }: PackTreeOptions): PackTree {
  const store = openPackStore(gitDir, limits);
  const trees = new Map<string, Map<string, TreeEntry>>();
  const readSet: Record<string, string> = Object.create(null);

  function treeAt(oid: string, path: string): Map<string, TreeEntry> {
    const known = trees.get(oid);
    if (known) return known;
    const parsed = parseTree(store.read(oid), path);
    trees.set(oid, parsed);
    return parsed;
  }

  function look(path: string): Place {
    const place = walk({ store, treeOid, treeAt }, path);
    readSet[path] = 'oid' in place ? place.oid : '';
    return place;
  }

  return {
    find(path): Found {
      const place = look(path);
      if (place.type === 'folder') return { type: 'folder', oid: place.oid };
      if (place.type !== 'file') return { type: place.type };
      return { type: 'file', oid: place.oid, sizeBytes: store.find(place.oid)?.sizeBytes ?? 0 };
    },
    list(path): readonly FileEntry[] {
      const place = look(path);
      if (place.type !== 'folder') return [];
      return sortByName([...treeAt(place.oid, place.path)].map(([name, { type }]) => ({ name, type })));
    },
    read(path) {
      const place = look(path);
      if (place.type !== 'file') throw unreadable('FileNotFound', path, 'is no file');
      const sizeBytes = store.find(place.oid)?.sizeBytes ?? 0;
      if (sizeBytes > limits.maxFileBytes) {
        throw unreadable('FileTooLarge', path, `holds ${sizeBytes} bytes, more than ${limits.maxFileBytes}`);
      }
      return store.read(place.oid);
    },
    resolve(path) {
      const place = look(path);
      return 'path' in place ? place.path : undefined;
    },
    readSet: () => readSet,
    close: () => store.close(),
  };
}

interface Walk {
  readonly store: PackStore;
  readonly treeOid: string;
  readonly treeAt: (oid: string, path: string) => Map<string, TreeEntry>;
}

/** Goes down segment by segment; a link puts the segments of its target in front of those that are left. */
function walk({ store, treeOid, treeAt }: Walk, path: string): Place {
  const left = path.split('/').filter(Boolean).reverse();
  const above: { name: string; oid: string }[] = [];
  let links = 0;
  let file: Place | undefined;
  for (let segment = left.pop(); segment !== undefined; segment = left.pop()) {
    if (file) return { type: 'absent' };
    if (segment === '.') continue;
    if (segment === '..') {
      if (above.pop() === undefined) return { type: 'outside' };
      continue;
    }
    const folderPath = above.map(({ name }) => name).join('/');
    const entry = treeAt(above.at(-1)?.oid ?? treeOid, folderPath).get(segment);
    if (!entry || entry.type === 'submodule') return { type: 'absent' };
    if (entry.type === 'folder') above.push({ name: segment, oid: entry.oid });
    if (entry.type === 'file') {
      file = { type: 'file', oid: entry.oid, path: folderPath === '' ? segment : `${folderPath}/${segment}` };
    }
    if (entry.type !== 'link') continue;
    const target = readLink(store, entry.oid);
    if (target === undefined || ++links > MAX_LINKS) return { type: 'outside' };
    left.push(...target.split('/').filter(Boolean).reverse());
  }
  return file ?? { type: 'folder', path: above.map(({ name }) => name).join('/'), oid: above.at(-1)?.oid ?? treeOid };
}

/** The target of a link, or undefined where it is absolute or none at all. */
function readLink(store: PackStore, oid: string): string | undefined {
  if ((store.find(oid)?.sizeBytes ?? 0) > MAX_LINK_BYTES) return undefined;
  const target = store.read(oid).toString('utf8');
  return target === '' || target.startsWith('/') || target.includes('\0') ? undefined : target;
}

function sortByName(entries: FileEntry[]): FileEntry[] {
  return entries.sort((a, b) => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)));
}

function unreadable(code: string, path: string, what: string): StageError {
  const message = `The file ${JSON.stringify(path)} of the repository ${what}.`;
  return new StageError({ stage: 'render', code, retry: 'never', message });
}
