/** A folder with a chart in one of the trees of a render, and how its files are looked up and named for people. */
import { digestText } from '../../object/digest.ts';
import { fail } from '../fail.ts';
import type { RenderContext } from '../file-loader.ts';
import type { FileTree } from '../file-tree.ts';
import type { TreePlace } from '../needs.ts';

/** A place of a tree that is open. */
export interface OpenPlace extends TreePlace {
  readonly files: FileTree;
  /** Stands before the path in messages: empty for the tree of `spec.source`. */
  readonly shownAs: string;
}

/** A path whose first part may be the name of a tree beside the main one. */
export function openPlace({ tree, trees }: Pick<RenderContext, 'tree' | 'trees'>, path: string): OpenPlace {
  const [first = '', ...rest] = path.split('/');
  const named = trees.get(first);
  if (named === undefined) return { tree: '', path, files: tree, shownAs: '' };
  return { tree: first, path: rest.join('/'), files: named.tree, shownAs: first };
}

export function within(place: OpenPlace, path: string): OpenPlace {
  return { ...place, path: place.path === '' ? path : `${place.path}/${path}` };
}

/** The path for messages and problems. */
export function shownPath({ shownAs, path }: Pick<OpenPlace, 'shownAs' | 'path'>): string {
  if (shownAs === '') return path;
  return path === '' ? shownAs : `${shownAs}/${path}`;
}

/** The plain data of a place, for a need. */
export function treePlace({ tree, path }: TreePlace): TreePlace {
  return { tree, path };
}

/** Links in one chart that are followed to find out its identity. */
const MAX_LINKS = 10_000;
const MAX_DEPTH = 40;

/**
 * The identity of all files of a folder. The object id of a folder does not cover the targets of its links, so their
 * identities are added. Asks for the content of all files, so that it is there when helm reads them. Fails with
 * PathNotFound, or LimitExceeded if there are too many links.
 */
export function identityOf(place: OpenPlace): string {
  const found = place.files.find(place.path);
  if (found.type !== 'folder') return fail('PathNotFound', `there is no folder ${shownPath(place) || 'the root'}`);
  const targets: string[] = [];
  collectTargets(place.files, { folder: place.path, depth: 0 }, targets);
  return targets.length === 0 ? found.oid : digestText([found.oid, ...targets].join('\n'));
}

interface Folder {
  readonly folder: string;
  readonly depth: number;
}

function collectTargets(files: FileTree, { folder, depth }: Folder, targets: string[]): void {
  if (depth > MAX_DEPTH) fail('LimitExceeded', `the folders of the chart are more than ${MAX_DEPTH} levels deep`);
  for (const { name, type } of files.list(folder)) {
    const path = folder === '' ? name : `${folder}/${name}`;
    if (type === 'folder') collectTargets(files, { folder: path, depth: depth + 1 }, targets);
    if (type === 'file' && files.asksForContent === true) files.find(path);
    if (type !== 'link') continue;
    const target = files.find(path);
    targets.push(`${path}\0${'oid' in target ? target.oid : target.type}`);
    if (targets.length > MAX_LINKS) fail('LimitExceeded', `the chart has more than ${MAX_LINKS} links`);
    if (target.type === 'folder') collectTargets(files, { folder: path, depth: depth + 1 }, targets);
  }
}
