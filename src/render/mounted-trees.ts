/**
 * Several trees as one: each tree beside the main one is a folder with its name at the root (`$shared/…`), and hides a
 * file or folder of that name in the main tree.
 *
 * Invariant: no link leads from one tree into another; `joinInTree` keeps relative paths in their tree as well.
 */
import { joinPath, type RenderContext, type RenderTree } from './file-loader.ts';
import type { FileTree } from './file-tree.ts';

export function mountTrees(main: FileTree, trees: ReadonlyMap<string, RenderTree>): FileTree {
  if (trees.size === 0) return main;
  const at = <T>(path: string, use: (tree: FileTree, inner: string) => T): T => {
    const name = mountOf(trees, path);
    const mounted = name === '' ? undefined : trees.get(name);
    return mounted === undefined ? use(main, path) : use(mounted.tree, path.slice(name.length + 1));
  };
  return {
    find: (path) => at(path, (tree, inner) => tree.find(inner)),
    list: (path) => at(path, (tree, inner) => tree.list(inner)),
    read: (path) => at(path, (tree, inner) => tree.read(inner)),
    resolve: (path) => {
      const resolved = at(path, (tree, inner) => tree.resolve(inner));
      const name = mountOf(trees, path);
      return resolved === undefined || name === '' ? resolved : trimSlash(`${name}/${resolved}`);
    },
    asksForContent: main.asksForContent === true,
    submodule: (path) => at(path, (tree, inner) => tree.submodule(inner)),
  };
}

/** The name of the tree that a path is in; '' is the main tree. */
function mountOf(trees: ReadonlyMap<string, RenderTree>, path: string): string {
  if (trees.size === 0) return '';
  const end = path.indexOf('/');
  const first = end < 0 ? path : path.slice(0, end);
  return trees.has(first) ? first : '';
}

/** `joinPath` that stays in the tree of the folder; undefined if the path leaves it. */
export function joinInTree({ trees }: Pick<RenderContext, 'trees'>, folder: string, path: string): string | undefined {
  const mount = mountOf(trees, folder);
  if (mount === '') {
    const joined = joinPath(folder, path);
    return joined === undefined || mountOf(trees, joined) !== '' ? undefined : joined;
  }
  const joined = joinPath(folder.slice(mount.length + 1), path);
  return joined === undefined ? undefined : trimSlash(`${mount}/${joined}`);
}

/**
 * The path of `$name/rest`, a path that begins in the folder of a source of `spec.sources`. undefined: there is no such
 * source, or the path leaves its tree.
 */
export function pathInSource({ trees }: Pick<RenderContext, 'trees'>, path: string): string | undefined {
  const [name = '', ...rest] = path.split('/');
  const source = trees.get(name);
  if (source === undefined) return undefined;
  const joined = joinPath(source.path, rest.join('/'));
  return joined === undefined ? undefined : trimSlash(`${name}/${joined}`);
}

function trimSlash(path: string): string {
  return path.endsWith('/') ? path.slice(0, -1) : path;
}
