/** The parent's side of a render: sends what to render into the sandbox, and reads the manifests that come back. */
import type { KubeObject } from '../object/value.ts';
import type { Manifests, RenderLimits } from '../render/manifests.ts';
import type { Snapshot } from '../source/snapshot.ts';
import { decodeManifests } from './manifests-wire.ts';
import type { Sandbox } from './sandbox.ts';

/** The job's input; the child has leave to read `gitDir` and nothing else of the machine's files but its own code. */
export interface RenderJobInput {
  readonly gitDir: string;
  readonly treeOid: string;
  readonly path: string;
  readonly limits: RenderLimits;
  readonly treeLimits: TreeLimits;
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
  /** Objects of an earlier render by digest: they are used again, not parsed. */
  readonly known: ReadonlyMap<string, KubeObject>;
  readonly signal: AbortSignal;
}

export interface RenderSettings {
  readonly limits: RenderLimits;
  readonly treeLimits: TreeLimits;
  readonly deadlineMs: number;
}

/** Rejects with StageError: the sandbox's own (Killed, Cancelled), or one of the child's. */
export async function renderInSandbox(
  sandbox: Sandbox,
  { snapshot, path, known, signal }: RenderRequest,
  { limits, treeLimits, deadlineMs }: RenderSettings,
): Promise<Manifests> {
  const input: RenderJobInput = { gitDir: snapshot.gitDir, treeOid: snapshot.treeOid, path, limits, treeLimits };
  const bytes = await sandbox.run({ name: 'render', stage: 'render', input }, { deadlineMs, signal });
  return decodeManifests(bytes, known);
}
