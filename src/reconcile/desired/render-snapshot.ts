/** The render stage of a pass: renders in the child process, once for each tree and path. */
import { sourcePath } from '../../application/parse.ts';
import { StageError } from '../../object/stage-error.ts';
import type { Manifests } from '../../render/manifests.ts';
import type { Snapshot } from '../../source/snapshot.ts';
import type { Reading } from '../pass.ts';
import { readCredential } from './read-credential.ts';

/** Codes of a snapshot that is gone from the disk or damaged there; it is fetched again. */
const UNUSABLE_SNAPSHOT: ReadonlySet<string> = new Set(['CorruptPack', 'IncompletePack', 'SnapshotGone']);

export async function renderSnapshot(reading: Reading, snapshot: Snapshot): Promise<Manifests> {
  const { application, context, memory, signal } = reading;
  const path = sourcePath(application.spec.source.path);
  const tenant = application.metadata.namespace;
  const key = `${snapshot.tree.treeOid}:${path}`;
  const { rendered } = memory.desired;
  if (rendered?.key === key) return rendered.manifests;
  const found = (await context.source.find(snapshot)) ?? (await fetchAgain(reading, snapshot));
  const previous = rendered?.key.endsWith(`:${path}`) ? rendered.manifests : undefined;
  try {
    const manifests = await context.render.render({ snapshot: found, path, previous, tenant, signal });
    memory.desired.rendered = { key, manifests };
    return manifests;
  } catch (error) {
    if (error instanceof StageError && UNUSABLE_SNAPSHOT.has(error.code)) await context.source.discard(found);
    throw error;
  }
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
