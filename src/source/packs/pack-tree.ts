/**
 * A FileTree over the packs of a snapshot.
 *
 * Invariants: links are followed within the tree only; a link that is absolute, climbs above the root or runs in a
 * circle is `outside`. The read-set holds every path that was looked up, absent ones included, so a render needs
 * repeating only if one of its ids has changed.
 */
import type { CodeOf } from '../../object/error-code.ts';
import { StageError } from '../../object/stage-error.ts';
import type { FileEntry, FileTree, Found, SubmodulePlace } from '../../render/file-tree.ts';
import type { SnapshotTree } from '../snapshot.ts';
import { parseTree, type TreeEntry } from './git-tree.ts';
import { corrupt } from './pack-entry.ts';
import { openPackStore, type PackStore, type PackStoreLimits } from './pack-store.ts';

export interface PackTree extends FileTree {
  /**
   * Every path that was looked up: with the object id of a file, `folder` for a folder, and the empty string if it was
   * absent or outside. If links were followed, the path that they led to is added. A path into a submodule has its
   * commit and its place. A path with a slash at its end stands for the list of a folder, and has the object id of the
   * folder.
   */
  readSet(): Readonly<Record<string, string>>;
  /** Whether every path in the read-set of another tree leads to the same in this one. */
  isUnchanged(readSet: Readonly<Record<string, string>>): boolean;
  close(): void;
}

export interface PackTreeLimits extends PackStoreLimits {
  /** Bytes of one file that may be read. */
  readonly maxFileBytes: number;
}

/** The kernel follows as many. */
const MAX_LINKS = 40;
const MAX_LINK_BYTES = 4096;

type Place =
  | { readonly type: 'file' | 'folder'; readonly path: string; readonly oid: string }
  | ({ readonly type: 'submodule' } & SubmodulePlace)
  | { readonly type: 'absent' | 'outside' };

/** Throws StageError SnapshotGone, CorruptPack. */
export function openPackTree({ gitDir, treeOid, commit }: SnapshotTree, limits: PackTreeLimits): PackTree {
  const store = openPackStore(gitDir, limits);
  if (commit !== undefined) checkCommit(store, commit, treeOid);
  const trees = new Map<string, Map<string, TreeEntry>>();
  const readSet: Record<string, string> = Object.create(null);

  function treeAt(oid: string, path: string): Map<string, TreeEntry> {
    const known = trees.get(oid);
    if (known) return known;
    const parsed = parseTree(store.read(oid), path);
    trees.set(oid, parsed);
    return parsed;
  }

  const places = new Map<string, Place>();

  function placeAt(path: string): Place {
    const known = places.get(path);
    if (known) return known;
    const place = walk({ store, treeOid, treeAt }, path);
    places.set(path, place);
    return place;
  }

  function look(path: string): Place {
    const place = placeAt(path);
    readSet[path] = describe(place, path);
    return place;
  }

  function describeEntry(entry: string): string {
    if (!entry.endsWith('/')) return describe(placeAt(entry), entry);
    const place = placeAt(entry);
    return place.type === 'folder' ? place.oid : '';
  }

  return {
    find(path): Found {
      const place = look(path);
      if (place.type === 'folder') return { type: 'folder', oid: place.oid };
      if (place.type === 'submodule') return { type: 'absent' };
      if (place.type !== 'file') return { type: place.type };
      return { type: 'file', oid: place.oid, sizeBytes: store.find(place.oid)?.sizeBytes ?? 0 };
    },
    list(path): readonly FileEntry[] {
      const place = placeAt(path);
      readSet[`${path}/`] = place.type === 'folder' ? place.oid : '';
      if (place.type !== 'folder') return [];
      return sortByName([...treeAt(place.oid, place.path)].map(([name, { type }]) => ({ name, type })));
    },
    read(path) {
      const place = look(path);
      if (place.type !== 'file') throw unreadable('FileNotFound', path, 'is not a file');
      const sizeBytes = store.find(place.oid)?.sizeBytes ?? 0;
      if (sizeBytes > limits.maxFileBytes) {
        throw unreadable('FileTooLarge', path, `holds ${sizeBytes} bytes, more than ${limits.maxFileBytes}`);
      }
      return store.read(place.oid);
    },
    resolve(path) {
      const place = look(path);
      return 'oid' in place ? place.path : undefined;
    },
    submodule(path) {
      const place = look(path);
      return place.type === 'submodule' ? { path: place.path, commit: place.commit, rest: place.rest } : undefined;
    },
    readSet: () => readSet,
    isUnchanged: (before) => Object.entries(before).every(([entry, text]) => describeEntry(entry) === text),
    close: () => store.close(),
  };
}

/**
 * The name of a snapshot's folder and its description were written by an earlier process, perhaps by another program.
 * Objects are compared with their ids when they are read, so a commit that names the tree proves every file.
 */
function checkCommit(store: PackStore, commit: string, treeOid: string): void {
  try {
    const named = /^tree ([0-9a-f]{40})\n/.exec(store.read(commit).toString('latin1'))?.[1];
    if (named !== treeOid) throw corrupt(`the commit ${commit} names another tree`);
  } catch (error) {
    store.close();
    throw error;
  }
}

function describe(place: Place, path: string): string {
  if (place.type === 'submodule') return `submodule ${place.commit} ${place.path}`;
  if (!('oid' in place)) return '';
  const content = place.type === 'folder' ? 'folder' : place.oid;
  return place.path === path ? content : `${content} ${place.path}`;
}

interface Walk {
  readonly store: PackStore;
  readonly treeOid: string;
  readonly treeAt: (oid: string, path: string) => Map<string, TreeEntry>;
}

/** Goes down segment by segment. A link puts the segments of its target in front of those that are left. */
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
    if (!entry) return { type: 'absent' };
    if (entry.type === 'submodule') {
      const rest = takeRest(left);
      if (rest === undefined) continue;
      const submodulePath = folderPath === '' ? segment : `${folderPath}/${segment}`;
      return { type: 'submodule', path: submodulePath, commit: entry.oid, rest };
    }
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

/**
 * The path within a submodule that the segments left over name. undefined: they lead back out of it, which a link may
 * do; then the segments behind that are left.
 */
function takeRest(left: string[]): string | undefined {
  const inside: string[] = [];
  for (let segment = left.pop(); segment !== undefined; segment = left.pop()) {
    if (segment === '.') continue;
    if (segment !== '..') inside.push(segment);
    else if (inside.pop() === undefined) return undefined;
  }
  return inside.join('/');
}

/** The target of a link; undefined if it is absolute or cannot be a path. */
function readLink(store: PackStore, oid: string): string | undefined {
  if ((store.find(oid)?.sizeBytes ?? 0) > MAX_LINK_BYTES) return undefined;
  const target = store.read(oid).toString('utf8');
  return target === '' || target.startsWith('/') || target.includes('\0') ? undefined : target;
}

function sortByName(entries: FileEntry[]): FileEntry[] {
  return entries.sort((a, b) => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)));
}

function unreadable(code: CodeOf<'snapshot'>, path: string, problem: string): StageError {
  const message = `The path ${JSON.stringify(path)} of the repository ${problem}.`;
  return new StageError({ stage: 'render', code, retry: 'never', message });
}
