/**
 * Evidence of a pass: what the API server's answers prove about manifests and objects. An accepted manifest need not be
 * shown to the server again, and an answer is the baseline that later states of the object are compared with.
 */
import type { DesiredObject } from '../../bind/desired.ts';
import type { LiveObject } from '../../cluster/live.ts';
import type { WriteAnswer } from '../../cluster/ports.ts';
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
  evidence.foreseen.delete(key);
  evidence.doubted.delete(key);
}

/** Takes in the answer to a dry run, and returns the change that it proves. */
export function noteDryRun(
  evidence: EvidenceMemory,
  change: Change & { readonly desired: DesiredObject },
  answer: LiveObject,
): Change {
  const { desired, id, live } = change;
  const key = idKey(id);
  const judged: Change = { ...judgeDryRun(change, answer), isByAnswer: true };
  evidence.accepted.set(key, desired.digest);
  evidence.doubted.delete(key);
  if (live) {
    const { resourceVersion } = live;
    evidence.settled.set(key, { manifestDigest: judgedDigest(desired), resourceVersion, change: judged });
  }
  if (judged.type === 'none') evidence.baselines.set(key, baselineOf(desired, answer));
  return judged;
}

/** Takes in the answer to a dry run of a change that waits, and returns the change that it proves. */
export function noteForeseen(
  { foreseen }: EvidenceMemory,
  change: Change & { readonly desired: DesiredObject },
  answer: WriteAnswer,
): Change {
  const { desired, id, live } = change;
  const judged = answer.ok ? judgeDryRun(change, answer.object) : change;
  if (live && (answer.ok || answer.refusal.retry === 'never')) {
    const { resourceVersion } = live;
    foreseen.set(idKey(id), { manifestDigest: judgedDigest(desired), resourceVersion, change: judged });
  }
  return judged;
}

/** The result of an earlier dry run of the same manifest and the same live object. */
export function recallForeseen({ foreseen }: EvidenceMemory, { id, type, desired, live }: Change): Change | undefined {
  const known = foreseen.get(idKey(id));
  if (type !== 'unsure' || !known || !desired || !live) return undefined;
  const isSame = known.resourceVersion === live.resourceVersion && known.change.live?.uid === live.uid;
  return isSame && known.manifestDigest === judgedDigest(desired) ? known.change : undefined;
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
  evidence.foreseen.delete(key);
  evidence.doubted.delete(key);
}

export interface Doubt {
  /** A person asks for a sync: of these objects (by `idKey`), or of all. undefined: no person does. */
  readonly asked: ReadonlySet<string> | 'all' | undefined;
  /** Monotonic. */
  readonly nowMs: number;
  /** How long answers are believed this time. */
  readonly answerAgeMs: number;
}

/**
 * Doubts the answers of the server that are old, and those that a person asks about: a webhook or a policy that changed
 * them may be gone. An object that the comparison alone finds equal to Git is not asked about, whatever is doubted.
 */
export function doubtAnswers(evidence: EvidenceMemory, { asked, nowMs, answerAgeMs }: Doubt): void {
  const isDue = evidence.doubtAtMs !== undefined && nowMs >= evidence.doubtAtMs;
  if (isDue || asked === 'all' || evidence.doubtAtMs === undefined) evidence.doubtAtMs = nowMs + answerAgeMs;
  if (!isDue && asked === undefined) return;
  const isDoubted = (key: string): boolean => isDue || asked === 'all' || asked?.has(key) === true;
  for (const key of [...evidence.baselines.keys(), ...evidence.settled.keys()]) {
    if (isDoubted(key)) evidence.doubted.add(key);
  }
  for (const key of evidence.foreseen.keys()) if (isDoubted(key)) evidence.foreseen.delete(key);
}

/** When answers are doubted next; Infinity: no change of this pass rests on one. */
export function doubtInMs(
  { doubtAtMs = Infinity }: Pick<EvidenceMemory, 'doubtAtMs'>,
  changes: readonly Change[],
  nowMs: number,
): number {
  const isResting = changes.some(({ type, isByAnswer }) => isByAnswer === true || type === 'unsure');
  return isResting ? Math.max(0, doubtAtMs - nowMs) : Infinity;
}
