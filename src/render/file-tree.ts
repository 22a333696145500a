/**
 * The one way in which render/ sees files: a read-only tree of a snapshot or of a local folder. Paths are relative to
 * the tree's root, `/`-separated, without `.`, `..` or empty segments ('' is the root itself). Links are resolved by
 * the tree, inside the tree; one that leaves it is reported as such and never followed. Reading is synchronous: the
 * tree is immutable and render runs in a child process of its own.
 */

export interface FileEntry {
  readonly name: string;
  readonly type: 'file' | 'folder' | 'link' | 'submodule';
}

export type Found =
  | { readonly type: 'file'; /** Identity of the content. */ readonly oid: string; readonly sizeBytes: number }
  | { readonly type: 'folder'; readonly oid: string }
  | { readonly type: 'absent' }
  /** A link (or a folder on the way) points out of the tree, or in a circle. */
  | { readonly type: 'outside' };

export interface FileTree {
  /** Looks a path up, following links. Records the path in the read-set, absence included. */
  find(path: string): Found;
  /** Entries of a folder, sorted by name (bytewise). Empty if the path is no folder. */
  list(path: string): readonly FileEntry[];
  /** Bytes of a file. Throws StageError code `FileTooLarge` beyond the tree's bound; callers `find` first. */
  read(path: string): Uint8Array;
  /** The path after following links ('' segments removed), or undefined if absent or outside. */
  resolve(path: string): string | undefined;
}
