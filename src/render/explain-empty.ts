/**
 * Explains to people why a folder renders no object: which of its files are no manifests, and which folders below it
 * hold some.
 *
 * Invariant: the search is bounded.
 */
import type { FileEntry, FileTree } from './file-tree.ts';
import { isManifestName } from './manifest-name.ts';

/** Folders that the search lists at most, and how far below the first one it goes. */
const MAX_FOLDERS = 200;
const MAX_DEPTH = 4;
/** Folders that a message names. */
const MAX_NAMED = 4;

/** `kustomization` is the file that describes the folder; undefined for a folder of plain files. */
export function explainEmpty(tree: FileTree, folder: string, kustomization: string | undefined): string {
  const name = folder || 'the root of the repository';
  if (kustomization !== undefined) {
    const file = folder === '' ? kustomization : `${folder}/${kustomization}`;
    return `${file} renders no object\n  List files or folders under resources.`;
  }
  const entries = tree.list(folder);
  const below = foldersWithManifests(tree, folder);
  if (below.length > 0) {
    const more = below.length > MAX_NAMED ? ' and others' : '';
    return (
      `no manifests in ${name}; there are some in ${below.slice(0, MAX_NAMED).join(', ')}${more}\n` +
      '  Folders below it are not read: set spec.source.path to one of them, or add a kustomization.yaml that lists them.'
    );
  }
  return `no manifests in ${name}: ${whatIsThere(entries)}\n  Check spec.source.path and the revision.`;
}

/** Why a folder of plain files renders nothing although it holds manifests. */
export function explainLeftOut(folder: string, count: number): string {
  const files = count === 1 ? 'the only manifest' : `all ${count} manifests or folders with manifests`;
  return (
    `${files} in ${folder || 'the root of the repository'} ${count === 1 ? 'is' : 'are'} left out\n` +
    '  Look at spec.render.directory, and at the files .sourceignore and .tautlineignore here and in the folders above.'
  );
}

function whatIsThere(entries: readonly FileEntry[]): string {
  const files = entries.filter(({ type }) => type === 'file' || type === 'link');
  const submodule = entries.find(({ type }) => type === 'submodule');
  if (files.some(({ name }) => isManifestName(name))) return 'its YAML and JSON files hold no object';
  if (submodule) return `${submodule.name} is a submodule, and submodules are not fetched`;
  if (files.length === 0) return entries.length === 0 ? 'it is empty' : 'it holds no file';
  const count = files.length === 1 ? 'its only file is' : `its ${files.length} files are`;
  return `${count} ignored; a manifest ends in .yaml, .yml or .json and does not begin with a dot`;
}

/** Breadth first, so that the nearest folders are named; one more than a message names, at most. */
function foldersWithManifests(tree: FileTree, folder: string): string[] {
  const found: string[] = [];
  let level = [folder];
  let listed = 0;
  for (let depth = 0; depth < MAX_DEPTH && level.length > 0; depth += 1) {
    const next: string[] = [];
    for (const parent of level) {
      listed += 1;
      if (listed > MAX_FOLDERS || found.length > MAX_NAMED) return found;
      const entries = tree.list(parent);
      if (parent !== folder && entries.some(({ name, type }) => type === 'file' && isManifestName(name))) {
        found.push(parent);
      }
      for (const { name, type } of entries) {
        if (type === 'folder' && !name.startsWith('.')) next.push(parent === '' ? name : `${parent}/${name}`);
      }
    }
    level = next;
  }
  return found;
}
