/**
 * Evidence of a pass: what the API server's answers prove about manifests and objects. An accepted manifest need not be
 * shown to the server again, and an answer is the baseline that later states of the object are compared with.
 */
import type { DesiredObject } from '../../bind/desired.ts';
import type { LiveObject } from '../../cluster/live.ts';
import { baselineOf } from '../../diff/baseline.ts';
import type { Change } from '../../diff/changes.ts';
import { judgeDryRun } from '../../diff/evidence.ts';
import { judgedDigest } from '../../diff/ignored.ts';
import { idKey, type ObjectId } from '../../object/identity.ts';
import type { EvidenceMemory } from './memory.ts';

/** Takes in the answer to an apply. */
export function noteApplied(evidence: EvidenceMemory, desired: DesiredObject, live: LiveObject): void {
  const key = idKey(desired.id);
  evidence.baselines.set(key, baselineOf(desired, live));
  evidence.accepted.set(key, desired.digest);
}

/** Takes in the answer to a dry run, and returns the change that it proves. */
export function noteDryRun(
  evidence: EvidenceMemory,
  change: Change & { readonly desired: DesiredObject },
  answer: LiveObject,
): Change {
  const { desired, id, live } = change;
  const key = idKey(id);
  const judged = judgeDryRun(change, answer);
  evidence.accepted.set(key, desired.digest);
  if (live) {
    const { resourceVersion } = live;
    evidence.settled.set(key, { manifestDigest: judgedDigest(desired), resourceVersion, change: judged });
  }
  if (judged.type === 'none') evidence.baselines.set(key, baselineOf(desired, answer));
  return judged;
}

/** A write may have changed the object: the settled comparison no longer holds. */
export function dropSettled(evidence: EvidenceMemory, id: ObjectId): void {
  evidence.settled.delete(idKey(id));
}

/** The object is gone or released. */
export function dropEvidence(evidence: EvidenceMemory, id: ObjectId): void {
  const key = idKey(id);
  evidence.baselines.delete(key);
  evidence.accepted.delete(key);
}
