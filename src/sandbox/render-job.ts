/** The parent's side of a render: sends what to render into the sandbox, and reads the manifests that come back. */
import type { KubeObject } from '../object/value.ts';
import type { Manifests, RenderLimits } from '../render/manifests.ts';
import type { Snapshot, SnapshotTree } from '../source/snapshot.ts';
import { decodeManifests, isUnchanged } from './manifests-wire.ts';
import type { Sandbox } from './sandbox.ts';

/** The job's input. Of the machine's files, the child may read only `tree.gitDir` and its own code. */
export interface RenderJobInput {
  readonly tree: SnapshotTree;
  readonly path: string;
  readonly limits: RenderLimits;
  readonly treeLimits: TreeLimits;
  /** Bytes of memory for parsed files of earlier renders. */
  readonly parsedCacheBytes: number;
  /** Digests of objects that need not be sent. */
  readonly known: readonly string[];
  /** The read-set of the last render of this path: if nothing of it has changed, there is nothing to render. */
  readonly previousReadSet: Readonly<Record<string, string>> | undefined;
}

/** Bounds of reading objects out of packs: those under which they were fetched. */
export interface TreeLimits {
  readonly maxObjectBytes: number;
  readonly maxDeltaDepth: number;
  readonly cacheBytes: number;
}

export interface RenderRequest {
  readonly snapshot: Snapshot;
  /** Within the snapshot; '' is its root. */
  readonly path: string;
  /** The last render of this path, of whatever snapshot: handed on as far as it is still right. */
  readonly previous: Manifests | undefined;
  readonly signal: AbortSignal;
}

export interface RenderSettings {
  readonly limits: RenderLimits;
  readonly treeLimits: TreeLimits;
  /** As in the input. */
  readonly parsedCacheBytes: number;
  readonly deadlineMs: number;
}

/** Rejects with StageError: the sandbox's own (Killed, Cancelled), or one of the child's. */
export async function renderInSandbox(
  sandbox: Sandbox,
  { snapshot, path, previous, signal }: RenderRequest,
  { limits, treeLimits, parsedCacheBytes, deadlineMs }: RenderSettings,
): Promise<Manifests> {
  const known = new Map<string, KubeObject>(previous?.manifests.map(({ digest, object }) => [digest, object]));
  const previousReadSet = previous?.readSet;
  const input: RenderJobInput = {
    tree: snapshot.tree,
    path,
    limits,
    treeLimits,
    parsedCacheBytes,
    known: [...known.keys()],
    previousReadSet,
  };
  const bytes = await sandbox.run({ name: 'render', stage: 'render', input }, { deadlineMs, signal });
  return previous !== undefined && isUnchanged(bytes) ? previous : decodeManifests(bytes, known);
}
