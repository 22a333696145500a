/** The stages of a pass that remember: each answers from memory when what it depends on has not changed. */
import { sourcePath } from '../application/parse.ts';
import { bindManifests } from '../bind/bind.ts';
import type { Desired, DesiredObject } from '../bind/desired.ts';
import type { Kinds } from '../cluster/kinds.ts';
import { isPassing } from '../object/problem.ts';
import { StageError } from '../object/stage-error.ts';
import type { Manifests } from '../render/manifests.ts';
import type { Snapshot } from '../source/snapshot.ts';
import { reachOf } from './act-as.ts';
import type { Pass } from './pass.ts';
import { readCredential } from './read-credential.ts';

/** Codes of a snapshot that is gone or damaged on disk; it is fetched again. */
const UNUSABLE: ReadonlySet<string> = new Set(['CorruptPack', 'IncompletePack', 'SnapshotGone']);

/** Renders in the child process, once a tree and path. */
export async function renderSnapshot(pass: Pass, snapshot: Snapshot): Promise<Manifests> {
  const { application, context, signal } = pass;
  const { memory } = pass.state;
  const path = sourcePath(application.spec.source.path);
  const key = `${snapshot.treeOid}:${path}`;
  if (memory.rendered?.key === key) return memory.rendered.manifests;
  const fresh = (await context.source.find(snapshot)) ?? (await fetchAgain(pass, snapshot));
  const previous = memory.rendered?.key.endsWith(`:${path}`) ? memory.rendered.manifests : undefined;
  try {
    const manifests = await context.render.render({ snapshot: fresh, path, previous, signal });
    memory.rendered = { key, manifests };
    return manifests;
  } catch (error) {
    if (error instanceof StageError && UNUSABLE.has(error.code)) await context.source.discard(fresh);
    throw error;
  }
}

/** A snapshot that nobody asked for in a while may have left the disk. */
async function fetchAgain(pass: Pass, snapshot: Snapshot): Promise<Snapshot> {
  const { application, context, signal } = pass;
  const credential = await readCredential(pass);
  return context.source.fetch({ repoUrl: application.spec.source.repoURL, credential, resolved: snapshot, signal });
}

export interface BoundSet {
  readonly desired: Desired;
  readonly kinds: Kinds;
  /** False: something is missing from it, so nothing may be pruned on it. */
  readonly isComplete: boolean;
}

/**
 * Binds to the cluster's kinds; kinds that nobody serves are asked for again, but not all the time. Where the render
 * is of no use, drift is healed by the last one that was. undefined: there is none.
 */
export async function bindDesired(pass: Pass, manifests: Manifests | undefined): Promise<BoundSet | undefined> {
  const { context, state } = pass;
  const { memory } = state;
  const { clock, cluster, settings } = context;
  let kinds = await cluster.kinds();
  if (!manifests || !isUsable(manifests)) {
    const desired = memory.desired ?? { objects: [], problems: [], digest: '' };
    const problems = manifests?.problems ?? [];
    return memory.desired || manifests ? { desired: { ...desired, problems }, kinds, isComplete: false } : undefined;
  }
  let desired = bindOnce(pass, manifests, kinds);
  if (isMissingKinds(desired) && clock.monotonicMs() >= memory.nextDiscoveryMs) {
    const awaits = desired.objects.some(({ awaitsCrd }) => awaitsCrd);
    memory.nextDiscoveryMs =
      clock.monotonicMs() + (awaits ? settings.awaitedDiscoveryRetryMs : settings.discoveryRetryMs);
    kinds = await cluster.kinds({ refresh: true });
    desired = bindOnce(pass, manifests, kinds);
  }
  memory.desired = desired;
  return { desired, kinds, isComplete: desired.problems.length === 0 };
}

/** A render that failed as a whole says nothing about what is desired. */
export function isUsable({ manifests, problems }: Manifests): boolean {
  return manifests.length > 0 || problems.length === 0;
}

function bindOnce({ application, owner, identity, context, state }: Pass, manifests: Manifests, kinds: Kinds): Desired {
  const { metadata, spec } = application;
  const { memory } = state;
  const before = memory.bound;
  // What this render does not use is dropped with the old map, so that commits do not pile up.
  const used = new Map<string, DesiredObject>();
  memory.bound = used;
  return bindManifests({
    manifests,
    kinds,
    owner,
    destinationNamespace: spec.destination.namespace,
    applicationNamespace: metadata.namespace,
    ignoreDifferences: spec.ignoreDifferences,
    mayCrossNamespaces: reachOf(identity, metadata, context.settings).mayCross,
    cache: {
      get(key) {
        const known = before.get(key);
        if (known) used.set(key, known);
        return known;
      },
      set: (key, object) => used.set(key, object),
    },
  });
}

function isMissingKinds({ objects, problems }: Desired): boolean {
  return objects.some(({ awaitsCrd }) => awaitsCrd) || problems.some(isPassing);
}
