/**
 * Applies a desired object to a live one that the server refuses because of values that Git does not have: a field that
 * must not stand beside one of Git, left by a person, by a default or by another manager.
 *
 * Dry runs find the fewest such values without which the server accepts the object. They become ours, which changes no
 * value, and one apply with the resourceVersion then removes them and sets what Git has.
 *
 * Invariants: nothing is changed unless a dry run of the very object passed. A kill between the two writes loses
 * nothing: the next apply removes what is ours and not in Git.
 */
import type { DesiredObject } from '../bind/desired.ts';
import type { Refusal } from '../cluster/answers.ts';
import type { LiveObject } from '../cluster/live.ts';
import type { ClusterClient, WriteAnswer } from '../cluster/ports.ts';
import { bodyToSend } from '../diff/ignored.ts';
import { fieldsOfLeftovers, inOrderOfRemoval, mergedWith, suspectGroups, withoutLeftovers } from '../diff/leftovers.ts';
import type { Leftover, Merged } from '../diff/merge-applied.ts';

/** Dry runs for one object. Beyond them, values that may be harmless are removed with the others. */
const MAX_TRIALS = 40;

export interface RefusedApply {
  readonly desired: DesiredObject;
  /** The object that was applied to. */
  readonly live: LiveObject;
  readonly refusal: Refusal;
}

/**
 * Whether the server refuses the object that it made of Git and of the live object. A size counts only with 422: the
 * size of a request is not checked in a dry run.
 */
export function isRefusedForContent({ code, status }: Refusal): boolean {
  if (code === 'Taken') return status === 422 || status === 500;
  return status === 422 && (code === 'InvalidManifest' || code === 'TooLarge');
}

/** The answer to the apply, or the refusal that remains with the object as Git has it. */
export async function applyWithoutLeftovers(client: ClusterClient, refused: RefusedApply): Promise<WriteAnswer> {
  const { desired, live: seen, refusal } = refused;
  const failed: WriteAnswer = { ok: false, refusal };
  // Live objects of a watch lack a part of their managedFields.
  const read = await client.get(desired.kind, desired.id);
  if (!read.ok) return read;
  const live = read.object;
  if (live?.uid !== seen.uid) return failed;
  const merged = mergedWith(desired, live);
  const trials = createTrials(client, { desired, live, merged });
  const found = await findLeftovers(trials, { merged, refusal });
  if ('refusal' in found) return { ok: false, refusal: found.refusal };
  if (client.isDryRun) return trials.run(found.removed);
  const taken = await client.takeFields(desired.kind, live, fieldsOfLeftovers(found.removed));
  if (!taken.ok) return taken;
  const { body, liveSecretKeys } = bodyToSend(desired, taken.object);
  const { uid, resourceVersion } = taken.object;
  const guarded = { ...body, metadata: { ...body.metadata, uid, resourceVersion } };
  return client.apply({ kind: desired.kind, body: guarded, liveSecretKeys, force: true });
}

interface Trials {
  /** The answer to a dry run of the object without these leftovers. */
  readonly run: (removed: readonly Leftover[]) => Promise<WriteAnswer>;
  readonly isExhausted: () => boolean;
}

function createTrials(
  client: ClusterClient,
  { desired, live, merged }: { readonly desired: DesiredObject; readonly live: LiveObject; readonly merged: Merged },
): Trials {
  let count = 0;
  return {
    run(removed) {
      count++;
      return client.tryReplace(desired.kind, live, withoutLeftovers(merged.body, removed));
    },
    isExhausted: () => count >= MAX_TRIALS,
  };
}

type Found = { readonly removed: readonly Leftover[] } | { readonly refusal: Refusal };

async function findLeftovers(
  trials: Trials,
  { merged, refusal }: { readonly merged: Merged; readonly refusal: Refusal },
): Promise<Found> {
  const groups = suspectGroups(merged, refusal.fields ?? []);
  const all = groups[groups.length - 1];
  if (!all) return { refusal };
  let isKnownToHelp = false;
  for (const group of groups) {
    const answer = await trials.run(group);
    if (answer.ok) return { removed: await fewestOf(trials, { base: [], candidates: group }) };
    if (!isRefusedForContent(answer.refusal)) return { refusal: answer.refusal };
    if (group === all) return { refusal: wordsOf(refusal, answer.refusal) };
    if (isKnownToHelp) continue;
    const last = await trials.run(all);
    if (!last.ok) return { refusal: isRefusedForContent(last.refusal) ? wordsOf(refusal, last.refusal) : last.refusal };
    isKnownToHelp = true;
  }
  return { refusal };
}

/** The refusal of the object as Git has it, if it names a field that the first one names. */
function wordsOf(first: Refusal, asInGit: Refusal): Refusal {
  return asInGit.fields?.some((field) => first.fields?.includes(field)) ? asInGit : first;
}

/** The fewest leftovers whose removal is enough; of an applied value, the fewest of its parts. */
async function fewestOf(trials: Trials, { base, candidates }: Choice): Promise<readonly Leftover[]> {
  const chosen = await fewestAmong(trials, { base, candidates: inOrderOfRemoval(candidates) });
  const fewest: Leftover[] = [];
  for (const [index, leftover] of chosen.entries()) {
    const others = [...base, ...fewest, ...chosen.slice(index + 1)];
    fewest.push(...(await partsInstead(trials, { base: others, leftover })));
  }
  return fewest;
}

interface Instead {
  readonly base: readonly Leftover[];
  readonly leftover: Leftover;
}

/** The parts of a leftover that are removed in its place, if removing all of them is enough. */
async function partsInstead(trials: Trials, { base, leftover }: Instead): Promise<readonly Leftover[]> {
  const { parts } = leftover;
  if (parts.length === 0 || !(await passes(trials, [...base, ...parts]))) return [leftover];
  return fewestOf(trials, { base, candidates: parts });
}

interface Choice {
  /** Leftovers that are removed in any case. */
  readonly base: readonly Leftover[];
  /** Removing all of them is enough. */
  readonly candidates: readonly Leftover[];
  /** Whether `base` may be enough; by default it is known not to be. */
  readonly mayBaseDo?: boolean;
}

/** The fewest candidates whose removal is enough, those in front preferred: QuickXplain (Junker 2004). */
async function fewestAmong(
  trials: Trials,
  { base, candidates, mayBaseDo = false }: Choice,
): Promise<readonly Leftover[]> {
  if (mayBaseDo && (await passes(trials, base))) return [];
  if (candidates.length <= 1) return candidates;
  const half = Math.ceil(candidates.length / 2);
  const [first, second] = [candidates.slice(0, half), candidates.slice(half)];
  const ofSecond = await fewestAmong(trials, { base: [...base, ...first], candidates: second, mayBaseDo: true });
  const ofFirst = await fewestAmong(trials, {
    base: [...base, ...ofSecond],
    candidates: first,
    mayBaseDo: ofSecond.length > 0,
  });
  return [...ofFirst, ...ofSecond];
}

async function passes(trials: Trials, removed: readonly Leftover[]): Promise<boolean> {
  return !trials.isExhausted() && (await trials.run(removed)).ok;
}
