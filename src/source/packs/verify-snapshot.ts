/**
 * Proves that a commit can be read completely: its tree, every tree below and every file are there and of their type.
 * A pack may be whole and still lack objects, since the server decides what it sends. Trees are visited once each, so
 * that a tree which names itself a million times over costs no more than it is long, and a commit that changes one file
 * no more than its folders.
 */
import { notACommit, parseCommit, parseTree } from './git-tree.ts';
import type { SourceLimits } from '../limits.ts';
import type { PackStore } from './pack-store.ts';
import { sourceError } from '../source-error.ts';

export interface VerifiedCommit {
  readonly treeOid: string;
  /** By path: the same content in two places counts twice. */
  readonly fileCount: number;
  /** Every tree of the commit, and those that were known before. */
  readonly trees: VerifiedTrees;
}

/** Trees by id that are known to be complete, with their counts of files. */
export type VerifiedTrees = readonly (readonly [oid: string, fileCount: number])[];

export type VerifyLimits = Pick<SourceLimits, 'maxFiles' | 'maxTreeDepth'>;

export interface VerifyOptions {
  readonly store: PackStore;
  /** 40 hex digits. */
  readonly commit: string;
  readonly limits: VerifyLimits;
  /** Of an older commit all of whose objects are in the store: its trees are not read again. */
  readonly verified: VerifiedTrees;
}

/** Throws StageError NotACommit, IncompletePack, MalformedTree, TooLarge. */
export function verifyCommit({ store, commit, limits, verified }: VerifyOptions): VerifiedCommit {
  const found = store.find(commit);
  if (!found) throw lacks('commit', commit);
  if (found.type !== 'commit') throw notACommit(commit);
  const { treeOid } = parseCommit(store.read(commit), commit);
  const filesOf = new Map(verified);

  function countFiles(oid: string, path: string, depth: number): number {
    const known = filesOf.get(oid);
    if (known !== undefined) return known;
    if (depth > limits.maxTreeDepth) {
      throw sourceError('TooLarge', `The repository nests folders deeper than ${limits.maxTreeDepth} (maxTreeDepth).`);
    }
    if (store.find(oid)?.type !== 'tree') throw lacks('folder', path);
    let files = 0;
    for (const [name, entry] of parseTree(store.read(oid), path)) {
      const entryPath = path === '' ? name : `${path}/${name}`;
      if (entry.type === 'folder') files += countFiles(entry.oid, entryPath, depth + 1);
      else files += 1;
      if (files > limits.maxFiles) {
        throw sourceError('TooLarge', `The repository holds more than ${limits.maxFiles} files (maxFiles).`);
      }
      const isContent = entry.type === 'file' || entry.type === 'link';
      if (isContent && store.find(entry.oid)?.type !== 'blob') throw lacks('file', entryPath);
    }
    filesOf.set(oid, files);
    return files;
  }

  const fileCount = countFiles(treeOid, '', 0);
  return { treeOid, fileCount, trees: [...filesOf] };
}

function lacks(what: string, name: string): Error {
  return sourceError(
    'IncompletePack',
    `The fetched pack lacks the ${what} ${JSON.stringify(name)}. It is fetched again.`,
  );
}
