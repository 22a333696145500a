/**
 * Manifests of the revision that was applied last, as far as the memory lacks them: after a restart status has only one
 * digest of the whole set. While a newer revision waits for a wave or a dependency, objects of it that are unchanged go
 * on to be healed, so the applied revision is rendered once more.
 *
 * Invariant: only a set whose digest equals the one in status counts as accepted.
 */
import type { Desired } from '../../bind/desired.ts';
import { idKey } from '../../object/identity.ts';
import { StageError } from '../../object/stage-error.ts';
import { readRevision, type ResolvedRevision } from '../../source/revision.ts';
import type { Snapshot } from '../../source/snapshot.ts';
import { acceptedDigest } from '../accepted.ts';
import { bindDesired, type BoundSet } from '../desired/bind-desired.ts';
import { readCredential, readVerification } from '../desired/read-credential.ts';
import { recallSnapshot } from '../desired/recall-source.ts';
import { renderSnapshot } from '../desired/render-snapshot.ts';
import { readPlace } from '../desired/source-place.ts';
import { emptyMemory } from '../memory.ts';
import { beginReading, type Pass } from '../pass.ts';

/** Returns whether manifests were recalled that the memory lacked. */
export async function recallAccepted(pass: Pass, { desired }: Pick<BoundSet, 'desired'>): Promise<boolean> {
  const { application, identity, memory } = pass;
  const { evidence } = memory;
  const stored = application.status.sync?.digest;
  if (stored === undefined || evidence.recalledDigest === stored) return false;
  const isPresent = acceptedDigest(identity, desired.digest) === stored;
  const applied = isPresent ? desired : await readApplied(pass);
  if (!applied) return false;
  evidence.recalledDigest = stored;
  // A set with another digest was made by another spec: it is not asked for again.
  if (applied === 'other') return false;
  noteAll(pass, applied);
  return true;
}

/** A manifest that this process has applied is newer than that of the stored set. */
function noteAll({ memory }: Pass, { objects }: Desired): void {
  const { accepted } = memory.evidence;
  for (const { id, digest } of objects) if (!accepted.has(idKey(id))) accepted.set(idKey(id), digest);
}

/**
 * Renders and binds the revision that was applied last, in a memory of its own. other: the result is not the set whose
 * digest is in status. undefined: the revision cannot be read now.
 */
export async function readApplied(pass: Pass): Promise<Desired | 'other' | undefined> {
  const { application, context, identity, signal } = pass;
  const { sync } = application.status;
  const resolved = readRevision(sync?.lastAppliedRevision ?? '');
  if (!resolved) return undefined;
  const reading = beginReading({ application, memory: emptyMemory(), context, signal });
  try {
    const snapshot = await bringApplied(pass, resolved);
    if (!snapshot) return undefined;
    const desired = (await bindDesired(reading, await renderSnapshot(reading, snapshot)))?.desired;
    return !desired || acceptedDigest(identity, desired.digest) === sync?.digest ? desired : 'other';
  } catch (error) {
    if (signal.aborted || !(error instanceof StageError)) throw error;
    return undefined;
  }
}

async function bringApplied(pass: Pass, resolved: ResolvedRevision): Promise<Snapshot | undefined> {
  const { application, context, signal } = pass;
  const { source: spec } = application.spec;
  const readers = { spec, credential: () => readCredential(pass), verification: () => readVerification(pass) };
  const found = await recallSnapshot({ ...readers, context }, resolved);
  // While Git is down, a request to it would only delay the heals of this pass.
  const isDown = pass.failures.some(({ stage }) => stage === 'source');
  if (found || isDown) return found;
  const { namespace: tenant } = application.metadata;
  return context.source.fetch({ ...(await readPlace(readers)), resolved, tenant, signal });
}
