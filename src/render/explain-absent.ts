/** Explains to people why a path is not in the tree: a submodule, or a name that is written another way. */
import { nearestName } from '../object/nearest.ts';
import { StageError } from '../object/stage-error.ts';
import { fail, type ProblemPlace } from './fail.ts';
import type { FileEntry, FileTree } from './file-tree.ts';

export const SUBMODULE_HINT = 'Set spec.source.submodules to true, or make an Application of its repository.';

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
        hint: SUBMODULE_HINT,
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

/** Fails if a path leads into a submodule that is not read. */
export function refuseSubmodule(tree: FileTree, path: string, place: ProblemPlace = {}): void {
  const found = tree.submodule(path);
  if (found === undefined) return;
  fail('PathNotFound', `${found.path} is a submodule, and submodules are not fetched`, {
    ...place,
    hint: SUBMODULE_HINT,
  });
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
