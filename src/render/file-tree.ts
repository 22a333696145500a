/**
 * The interface through which render/ reads files: a read-only tree of a snapshot or of a local folder. Paths are
 * relative to the root of the tree, separated by `/`, without `.`, `..` or empty segments ('' is the root itself). The
 * tree resolves links inside itself; a link that leaves it is reported as outside and never followed. Reading is
 * synchronous, because the tree is immutable and render runs in a child process of its own.
 */

export interface FileEntry {
  readonly name: string;
  readonly type: 'file' | 'folder' | 'link' | 'submodule';
}

export type Found =
  | { readonly type: 'file'; /** Identity of the content. */ readonly oid: string; readonly sizeBytes: number }
  | { readonly type: 'folder'; readonly oid: string }
  | { readonly type: 'absent' }
  /** A link on the path points out of the tree, or to itself through other links. */
  | { readonly type: 'outside' };

/** A submodule on a path. */
export interface SubmodulePlace {
  /** Path of the submodule, links resolved. */
  readonly path: string;
  /** The commit of its repository, 40 hex digits. */
  readonly commit: string;
  /** The rest of the path that was looked up, within the submodule; '' is its root. */
  readonly rest: string;
}

export interface FileTree {
  /** Looks up a path, following links. The path is recorded in the read-set, even if it is absent. */
  find(path: string): Found;
  /** The entries of a folder, sorted by the bytes of their names; empty if the path is not a folder. */
  list(path: string): readonly FileEntry[];
  /** The bytes of a file; callers `find` it first. Throws StageError `FileTooLarge` beyond the bound of the tree. */
  read(path: string): Uint8Array;
  /** The path with all links resolved; undefined if it is absent or outside. */
  resolve(path: string): string | undefined;
  /** The first submodule that a path leads to or into; its files are `absent` in this tree. undefined: none. */
  submodule(path: string): SubmodulePlace | undefined;
  /** Whether `find` may ask for the content of a file, so that a later reader finds it. Absent: it never does. */
  readonly asksForContent?: boolean;
}
