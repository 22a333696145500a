/** The trees of a render with everything that is read of their repositories beside their own objects. */
import type { Asking } from './asking.ts';
import type { RenderTree } from './file-loader.ts';
import type { FileTree } from './file-tree.ts';
import { LFS_KEY, withLfs } from './lfs/lfs-tree.ts';
import { SUBMODULE_KEY, withSubmodules } from './submodules/submodule-trees.ts';

export interface SourceTrees {
  readonly tree: FileTree;
  readonly trees: ReadonlyMap<string, RenderTree>;
}

/** `asking.trees`: the trees as they are. */
export function openSourceTrees(asking: Asking, main: Pick<RenderTree, 'tree' | 'origin'>): SourceTrees {
  const trees = Array.from(
    asking.trees,
    ([name, named]) => [name, { ...named, tree: open(asking, named, name) }] as const,
  );
  return { tree: open(asking, main, ''), trees: new Map(trees) };
}

function open(asking: Asking, { tree, origin }: Pick<RenderTree, 'tree' | 'origin'>, owner: string): FileTree {
  if (origin === undefined) return tree;
  const { repoURL, lfs, submodules } = origin;
  const holder = { repoURL, owner, shownAs: owner, ancestors: [], lfs };
  const read = lfs ? withLfs(asking, tree, holder) : tree;
  return submodules ? withSubmodules(asking, read, holder) : read;
}

/** Whether the tree of an answer is a part of the tree of a source, by the key of its need. */
export function isPartOfSource(key: string): boolean {
  return key.startsWith(SUBMODULE_KEY) || key.startsWith(LFS_KEY);
}
