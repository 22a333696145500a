/**
 * A tree in which pointers of Git LFS are the files that they stand for. The content is a need: the render asks for it
 * when it looks up the file.
 *
 * Invariant: until the content is there, the identity of a file is that of its pointer, so no cache mistakes one for
 * the other.
 */
import { digestValue } from '../../object/digest.ts';
import { fail } from '../fail.ts';
import { ask } from '../file-loader.ts';
import type { FileTree, Found } from '../file-tree.ts';
import type { LfsNeed } from '../needs.ts';
import type { Asking } from '../asking.ts';
import { MAX_POINTER_BYTES, readLfsPointer, type LfsPointer } from './lfs-pointer.ts';

/** Keys of needs for content begin with it. */
export const LFS_KEY = 'lfs:';

/** The file that holds the content in the tree of an answer. */
export const LFS_FILE = 'object';

/** Files in LFS that one render reads. */
const MAX_FILES = 100;
/** Bound on the content that one render asks for, in multiples of the largest file. */
const MAX_CONTENT_FILES = 8;

/** The repository whose files are read. */
export interface LfsHolder {
  readonly repoURL: string;
  /** As `LfsNeed.owner`. */
  readonly owner: string;
  /** The place of its root in the paths of messages. */
  readonly shownAs: string;
}

type FoundFile = Extract<Found, { readonly type: 'file' }>;

export function withLfs(asking: Asking, tree: FileTree, holder: LfsHolder): FileTree {
  /** By the object id of the file; undefined: it is no pointer. */
  const pointers = new Map<string, LfsPointer | undefined>();

  function pointerAt(path: string, { oid, sizeBytes }: FoundFile): LfsPointer | undefined {
    if (sizeBytes > MAX_POINTER_BYTES) return undefined;
    if (!pointers.has(oid)) pointers.set(oid, readLfsPointer(tree.read(path)));
    return pointers.get(oid);
  }

  /** undefined: the content is not there yet. */
  function contentOf(path: string, pointer: LfsPointer): FileTree | undefined {
    const need = needOf(asking, { path, pointer, holder });
    if (ask(asking, need)?.type !== 'tree') return undefined;
    const found = asking.trees.get(need.key);
    if (found === undefined) throw new Error(`the content of ${path} is not open`);
    return found.tree;
  }

  return {
    find(path) {
      const found = tree.find(path);
      const pointer = found.type === 'file' ? pointerAt(path, found) : undefined;
      if (found.type !== 'file' || pointer === undefined) return found;
      const { sizeBytes } = pointer;
      const isTooLarge = sizeBytes > asking.limits.maxFileBytes;
      const content = isTooLarge ? undefined : contentOf(path, pointer)?.find(LFS_FILE);
      return content?.type === 'file' ? content : { ...found, sizeBytes };
    },
    read(path) {
      const found = tree.find(path);
      const pointer = found.type === 'file' ? pointerAt(path, found) : undefined;
      if (pointer === undefined) return tree.read(path);
      const content = contentOf(path, pointer);
      return (
        content?.read(LFS_FILE) ?? fail('LfsUnavailable', 'the content of the file is not there yet', { file: path })
      );
    },
    list: (path) => tree.list(path),
    resolve: (path) => tree.resolve(path),
    submodule: (path) => tree.submodule(path),
    asksForContent: true,
  };
}

interface Wanted {
  readonly path: string;
  readonly pointer: LfsPointer;
  readonly holder: LfsHolder;
}

/** Fails with LimitExceeded. */
function needOf({ usage, limits, answers }: Asking, { path, pointer, holder }: Wanted): LfsNeed {
  const { repoURL, owner, shownAs } = holder;
  const { oid, sizeBytes } = pointer;
  const file = shownAs === '' ? path : `${shownAs}/${path}`;
  const key = `${LFS_KEY}${digestValue({ oid, sizeBytes, repoURL, owner })}`;
  if (!usage.lfs.has(key)) {
    usage.lfs.set(key, sizeBytes);
    const totalBytes = [...usage.lfs.values()].reduce((sum, size) => sum + size, 0);
    const maxBytes = MAX_CONTENT_FILES * limits.maxFileBytes;
    if (usage.lfs.size > MAX_FILES)
      fail('LimitExceeded', `the render reads more than ${MAX_FILES} files in LFS`, { file });
    if (totalBytes > maxBytes && !answers.has(key)) {
      fail('LimitExceeded', `the files in LFS that the render reads have more than ${maxBytes} bytes`, { file });
    }
  }
  return { type: 'lfs', key, oid, sizeBytes, repoURL, owner, file, line: 1 };
}
