/** The parent's side of a render: sends the job to the sandbox and decodes the manifests of the reply. */
import { dirname } from 'node:path';
import type { KubeObject } from '../object/value.ts';
import type { RenderOptions } from '../application/render-schema.ts';
import type { Manifests, RenderLimits } from '../render/manifests.ts';
import type { Answer, Answers, Release, TreeOrigin } from '../render/needs.ts';
import type { RenderedSizeLimits } from '../render/rendered-size.ts';
import type { Snapshot, SnapshotTree } from '../source/snapshot.ts';
import { decodeManifests, isUnchanged } from './manifests-wire.ts';
import type { Sandbox } from './sandbox.ts';

/** The input of the job. The child may read only the folders of the trees and its own code from the disk. */
export interface RenderJobInput {
  readonly tree: SnapshotTree;
  readonly origin: TreeOrigin | undefined;
  readonly path: string;
  readonly trees: readonly (readonly [name: string, tree: NamedTree])[];
  readonly options: RenderOptions;
  readonly release: Release | undefined;
  readonly answers: readonly (readonly [key: string, answer: Answer])[];
  readonly limits: RenderLimits;
  readonly sizeLimits: RenderedSizeLimits;
  readonly treeLimits: TreeLimits;
  /** Memory for the parsed files of earlier renders. */
  readonly parsedCacheBytes: number;
  /** Digests of objects that the parent has; they are not sent. */
  readonly known: readonly string[];
  /** The read-set of the last render of this path. If none of it has changed, the reply is `UNCHANGED`. */
  readonly previousReadSet: Readonly<Record<string, string>> | undefined;
}

/** A tree beside that of `spec.source`, and the folder in it that paths begin at. */
export interface NamedTree {
  readonly tree: SnapshotTree;
  readonly path: string;
  /** Absent: nothing but the objects of the tree is read. */
  readonly origin?: TreeOrigin | undefined;
}

/** Bounds on reading objects from packs; the same as for the fetch. */
export interface TreeLimits {
  readonly maxObjectBytes: number;
  readonly maxDeltaDepth: number;
  readonly cacheBytes: number;
}

export interface RenderRequest {
  readonly snapshot: Snapshot;
  /** The repository of the snapshot. Absent: nothing but the objects of its tree is read. */
  readonly origin?: TreeOrigin | undefined;
  /** Path of the folder within the snapshot; '' is the root. */
  readonly path: string;
  /** `spec.render`. Absent: no options. */
  readonly options?: RenderOptions;
  readonly release?: Release | undefined;
  /** By `$name` of spec.sources, or by the key of a need that a tree answers. Absent: none. */
  readonly trees?: ReadonlyMap<string, NamedTree>;
  readonly answers?: Answers;
  /** The last render of this path, from any snapshot. Its objects are reused if they are unchanged. */
  readonly previous: Manifests | undefined;
  /** False: `previous` had other options or answers, so it does not stand although no file has changed. */
  readonly mayBeUnchanged?: boolean;
  /** The namespace of the Application; '' on a person's machine. */
  readonly tenant: string;
  readonly signal: AbortSignal;
}

export interface RenderSettings {
  readonly limits: RenderLimits;
  readonly sizeLimits: RenderedSizeLimits;
  readonly treeLimits: TreeLimits;
  /** Memory for the parsed files of earlier renders. */
  readonly parsedCacheBytes: number;
  readonly deadlineMs: number;
}

/** Rejects with StageError: one of the sandbox (Killed, Cancelled, ...), or one that the job threw in the child. */
export async function renderInSandbox(
  sandbox: Sandbox,
  request: RenderRequest,
  { limits, sizeLimits, treeLimits, parsedCacheBytes, deadlineMs }: RenderSettings,
): Promise<Manifests> {
  const { snapshot, origin, path, options = {}, release, previous, mayBeUnchanged = true, tenant, signal } = request;
  const { trees = new Map<string, NamedTree>(), answers = new Map<string, Answer>() } = request;
  const known = new Map<string, KubeObject>(previous?.manifests.map(({ digest, object }) => [digest, object]));
  const input: RenderJobInput = {
    tree: snapshot.tree,
    origin,
    path,
    trees: [...trees],
    options,
    release,
    answers: [...answers],
    limits,
    sizeLimits,
    treeLimits,
    parsedCacheBytes,
    known: [...known.keys()],
    previousReadSet: mayBeUnchanged ? previous?.readSet : undefined,
  };
  // The folders of the repositories, so that the child can keep parsed files from one commit to the next.
  const gitDirs = [snapshot.tree.gitDir, ...Array.from(trees.values(), ({ tree }) => tree.gitDir)];
  const dataFolders = [...new Set(gitDirs.map((gitDir) => dirname(gitDir)))];
  const job = { name: 'render', stage: 'render', input, tenant, dataFolders } as const;
  const bytes = await sandbox.run(job, { deadlineMs, signal });
  return previous !== undefined && isUnchanged(bytes) ? previous : decodeManifests(bytes, known);
}
