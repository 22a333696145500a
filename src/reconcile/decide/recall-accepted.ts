/**
 * Manifests of the revision that was applied last, as far as the memory lacks them: after a restart status has only one
 * digest of the whole set. While a newer revision waits for a wave or a dependency, objects of it that are unchanged go
 * on to be healed, so the applied revision is rendered once more.
 *
 * Invariant: only a set whose digest equals the one in status counts as accepted.
 */
import type { Desired } from '../../bind/desired.ts';
import type { Change } from '../../diff/changes.ts';
import { idKey } from '../../object/identity.ts';
import { StageError } from '../../object/stage-error.ts';
import { hasSyncWaves } from '../../plan/sync-waves.ts';
import { readRevision, type ResolvedRevision } from '../../source/revision.ts';
import type { Snapshot } from '../../source/snapshot.ts';
import { acceptedDigest } from '../accepted.ts';
import { bindDesired, type BoundSet } from '../desired/bind-desired.ts';
import { readCredential, readVerification } from '../desired/read-credential.ts';
import { recallSnapshot } from '../desired/recall-source.ts';
import { renderSnapshot } from '../desired/render-snapshot.ts';
import { readPlace } from '../desired/source-place.ts';
import { emptyMemory } from '../memory.ts';
import { dependenciesOf } from '../neighbours/readiness.ts';
import { beginReading, type Pass } from '../pass.ts';

export async function recallAccepted(pass: Pass, bound: BoundSet, changes: readonly Change[]): Promise<void> {
  const { application, identity, memory, record } = pass;
  const { evidence } = memory;
  const { sync } = application.status;
  const stored = sync?.digest;
  if (stored === undefined || evidence.recalledDigest === stored) return;
  // Nothing is held back in an Application without waves and dependencies.
  if (dependenciesOf(record.stored).length === 0 && !hasSyncWaves(changes)) return;
  if (acceptedDigest(identity, bound.desired.digest) === stored) return noteAll(pass, bound.desired, stored);
  const applied = readRevision(sync?.lastAppliedRevision ?? '');
  const desired = applied && (await readApplied(pass, applied));
  if (!desired) return;
  // A set with another digest was made by another spec: it is not asked for again.
  if (acceptedDigest(identity, desired.digest) === stored) noteAll(pass, desired, stored);
  else evidence.recalledDigest = stored;
}

/** A manifest that this process has applied is newer than that of the stored set. */
function noteAll({ memory }: Pass, { objects }: Desired, storedDigest: string): void {
  const { accepted } = memory.evidence;
  for (const { id, digest } of objects) if (!accepted.has(idKey(id))) accepted.set(idKey(id), digest);
  memory.evidence.recalledDigest = storedDigest;
}

/** Renders and binds in a memory of its own. undefined: the revision cannot be read now. */
async function readApplied(pass: Pass, applied: ResolvedRevision): Promise<Desired | undefined> {
  const { application, context, signal } = pass;
  const reading = beginReading({ application, memory: emptyMemory(), context, signal });
  try {
    const snapshot = await bringApplied(pass, applied);
    if (!snapshot) return undefined;
    return (await bindDesired(reading, await renderSnapshot(reading, snapshot)))?.desired;
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
