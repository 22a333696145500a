/**
 * The render stage of a pass: renders in the child process, once for each tree and path. A render that exceeds its
 * bounds on memory, time or size is not repeated for a while, because it would end in the same way.
 */
import { applicationKey } from '../../application/keys.ts';
import { sourcePath } from '../../application/parse.ts';
import { StageError } from '../../object/stage-error.ts';
import type { Manifests } from '../../render/manifests.ts';
import type { Snapshot } from '../../source/snapshot.ts';
import type { Reading } from '../pass.ts';
import type { DesiredMemory } from './memory.ts';
import { readCredential } from './read-credential.ts';
import { refuseRendered } from './rendered-room.ts';

/** Codes of a snapshot that is gone from the disk or damaged there; it is fetched again. */
const UNUSABLE_SNAPSHOT: ReadonlySet<string> = new Set(['CorruptPack', 'IncompletePack', 'SnapshotGone']);

/** How long the error of a render that exceeded its own bounds is remembered, in milliseconds. */
const REFUSED_MS = 3_600_000;
/** The same if it only lacks room beside other renders, which may shrink at any time. */
const NO_ROOM_MS = 60_000;

export async function renderSnapshot(reading: Reading, snapshot: Snapshot): Promise<Manifests> {
  const { application, context, memory, signal } = reading;
  const path = sourcePath(application.spec.source.path);
  const tenant = application.metadata.namespace;
  const key = `${snapshot.tree.treeOid}:${path}`;
  const { rendered, refused } = memory.desired;
  if (rendered?.key === key) return rendered.manifests;
  if (refused?.key === key && context.clock.monotonicMs() < refused.untilMs) throw refused.error;
  const found = (await context.source.find(snapshot)) ?? (await fetchAgain(reading, snapshot));
  const previous = rendered?.key.endsWith(`:${path}`) ? rendered.manifests : undefined;
  const refuse = (error: StageError, forMs: number): void => {
    memory.desired.refused = { key, error, untilMs: context.clock.monotonicMs() + forMs };
  };
  try {
    const manifests = await context.render.render({ snapshot: found, path, previous, tenant, signal });
    const noRoom = refuseForRoom(reading, manifests);
    if (noRoom) refuse(noRoom, NO_ROOM_MS);
    if (noRoom) throw noRoom;
    memory.desired.rendered = { key, manifests };
    memory.desired.refused = undefined;
    return manifests;
  } catch (error) {
    if (error instanceof StageError && UNUSABLE_SNAPSHOT.has(error.code)) await context.source.discard(found);
    if (memory.desired.refused?.error !== error && isBoundExceeded(error)) refuse(error, REFUSED_MS);
    throw error;
  }
}

/** A person asks: the next render is tried, whatever came of the last one. */
export function forgetRefusedRender({ desired }: { readonly desired: DesiredMemory }): void {
  desired.refused = undefined;
}

function refuseForRoom({ application, context }: Reading, { sizeBytes = 0 }: Manifests): StageError | undefined {
  const { namespace, name } = application.metadata;
  const others = context.neighbours.renderedSizes(applicationKey(namespace, name));
  return refuseRendered(sizeBytes, others, context.settings);
}

/** A crash is no exceeded bound: the next process may do better. */
function isBoundExceeded(error: unknown): error is StageError {
  if (!(error instanceof StageError)) return false;
  const { reason } = (error.cause ?? {}) as { readonly reason?: unknown };
  return error.code === 'TooLarge' || (error.code === 'Killed' && reason !== 'crash');
}

/** A snapshot that was not used for a while may have left the disk. */
async function fetchAgain(reading: Reading, snapshot: Snapshot): Promise<Snapshot> {
  const { application, context, signal } = reading;
  const credential = await readCredential(reading);
  const { spec, metadata } = application;
  const repoUrl = spec.source.repoURL;
  return context.source.fetch({ repoUrl, credential, resolved: snapshot, tenant: metadata.namespace, signal });
}

/** A render that failed as a whole says nothing about the desired objects. */
export function isUsable({ manifests, problems }: Manifests): boolean {
  return manifests.length > 0 || problems.length === 0;
}
