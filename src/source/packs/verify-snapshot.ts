/**
 * Verifies that a commit can be read completely: its tree, every tree below it and every file exist and have the right
 * type. A complete pack may still lack objects, since the server decides what it sends.
 *
 * Each tree is visited once. So a tree that contains the same tree a million times costs no more than its own length,
 * and a commit that changes one file costs no more than the folders above it.
 */
import { sourceError } from '../../object/source-error.ts';
import type { CommitAbout } from '../snapshot.ts';
import { readCommitAbout } from './commit-about.ts';
import { notACommit, parseCommit, parseTree } from './git-tree.ts';
import type { SourceLimits } from '../limits.ts';
import type { Lineage } from '../snapshot.ts';
import type { PackStore } from './pack-store.ts';

export interface VerifiedCommit {
  readonly treeOid: string;
  readonly lineage: Lineage;
  readonly about: CommitAbout;
  /** Counted by path: the same content in two places counts twice. */
  readonly fileCount: number;
  /** Every tree of the commit, and those of `VerifyOptions.verified`. */
  readonly trees: VerifiedTrees;
}

/** Complete trees by id, with their counts of files. */
export type VerifiedTrees = readonly (readonly [oid: string, fileCount: number])[];

export type VerifyLimits = Pick<SourceLimits, 'maxFiles' | 'maxTreeDepth'>;

export interface VerifyOptions {
  readonly store: PackStore;
  /** 40 hex digits. */
  readonly commit: string;
  readonly limits: VerifyLimits;
  /** From an older commit all of whose objects are in the store; these trees are not read again. */
  readonly verified: VerifiedTrees;
}

/** Throws StageError NotACommit, IncompletePack, MalformedTree, TooLarge. */
export function verifyCommit({ store, commit, limits, verified }: VerifyOptions): VerifiedCommit {
  const found = store.find(commit);
  if (!found) throw lacks('commit', commit);
  if (found.type !== 'commit') throw notACommit(commit);
  const data = store.read(commit);
  const { treeOid, lineage } = parseCommit(data, commit);
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
  return { treeOid, lineage, about: readCommitAbout(data), fileCount, trees: [...filesOf] };
}

function lacks(type: string, name: string): Error {
  return sourceError(
    'IncompletePack',
    `The fetched pack lacks the ${type} ${JSON.stringify(name)}. Tautline fetches it again.`,
  );
}
