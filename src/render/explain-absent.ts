/** Explains to people why a path is not in the tree: a submodule, or a name that is written another way. */
import { nearestName } from '../object/nearest.ts';
import { StageError } from '../object/stage-error.ts';
import type { FileEntry, FileTree } from './file-tree.ts';

/** A sentence about the first part of the path that is absent; undefined if there is nothing to say. */
export function explainAbsent(tree: FileTree, path: string): { message?: string; hint?: string } {
  const parts = path.split('/');
  for (const [index, part] of parts.entries()) {
    const parent = parts.slice(0, index).join('/');
    if (tree.find(parent === '' ? part : `${parent}/${part}`).type === 'folder') continue;
    const entries = entriesOf(tree, parent);
    const place = [...parts.slice(0, index), part].join('/');
    if (entries.some(({ name, type }) => name === part && type === 'submodule')) {
      return {
        message: `${place} is a submodule, and submodules are not fetched`,
        hint: 'Make an Application of its repository, or commit its files.',
      };
    }
    const near = nearestName(
      part,
      entries.map(({ name }) => name),
    );
    if (near === undefined) return {};
    const meant = [...parts.slice(0, index), near, ...parts.slice(index + 1)].join('/');
    return { hint: `Did you mean ${meant}?` };
  }
  return {};
}

/** On a person's own machine a folder may be unreadable. */
function entriesOf(tree: FileTree, folder: string): readonly FileEntry[] {
  try {
    return tree.list(folder);
  } catch (error) {
    if (error instanceof StageError) throw error;
    return [];
  }
}
