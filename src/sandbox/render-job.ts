/** The parent's side of a render: sends the job to the sandbox and decodes the manifests of the reply. */
import { dirname } from 'node:path';
import type { KubeObject } from '../object/value.ts';
import type { Manifests, RenderLimits } from '../render/manifests.ts';
import type { RenderedSizeLimits } from '../render/rendered-size.ts';
import type { Snapshot, SnapshotTree } from '../source/snapshot.ts';
import { decodeManifests, isUnchanged } from './manifests-wire.ts';
import type { Sandbox } from './sandbox.ts';

/** The input of the job. The child may read only `tree.gitDir` and its own code from the disk. */
export interface RenderJobInput {
  readonly tree: SnapshotTree;
  readonly path: string;
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

/** Bounds on reading objects from packs; the same as for the fetch. */
export interface TreeLimits {
  readonly maxObjectBytes: number;
  readonly maxDeltaDepth: number;
  readonly cacheBytes: number;
}

export interface RenderRequest {
  readonly snapshot: Snapshot;
  /** Path of the folder within the snapshot; '' is the root. */
  readonly path: string;
  /** The last render of this path, from any snapshot. Its objects are reused if they are unchanged. */
  readonly previous: Manifests | undefined;
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
  { snapshot, path, previous, tenant, signal }: RenderRequest,
  { limits, sizeLimits, treeLimits, parsedCacheBytes, deadlineMs }: RenderSettings,
): Promise<Manifests> {
  const known = new Map<string, KubeObject>(previous?.manifests.map(({ digest, object }) => [digest, object]));
  const previousReadSet = previous?.readSet;
  const input: RenderJobInput = {
    tree: snapshot.tree,
    path,
    limits,
    sizeLimits,
    treeLimits,
    parsedCacheBytes,
    known: [...known.keys()],
    previousReadSet,
  };
  // The folder of the repository, so that the child can keep parsed files from one commit to the next.
  const dataFolder = dirname(snapshot.tree.gitDir);
  const job = { name: 'render', stage: 'render', input, tenant, dataFolder } as const;
  const bytes = await sandbox.run(job, { deadlineMs, signal });
  return previous !== undefined && isUnchanged(bytes) ? previous : decodeManifests(bytes, known);
}
