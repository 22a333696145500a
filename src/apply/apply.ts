/**
 * Carries out a Plan, several requests at a time within a wave. plan/ has decided the changes and their order.
 *
 * Invariant: every object goes through exactly one of sendChange, pruneObject and releaseObject, which hold the guards
 * (owner, uid, resourceVersion). No answer of the API server makes it throw.
 */
import { forEachConcurrently } from '../cluster/concurrency.ts';
import { idKey } from '../object/identity.ts';
import type { Change } from '../diff/changes.ts';
import type { Plan, PlannedChange, Wave } from '../plan/plan.ts';
import type { Applied, ChangeResult } from './applied.ts';
import { pruneObject, releaseObject } from './prune.ts';
import { placesHeld } from './places-held.ts';
import { sendChange, type SendContext } from './send.ts';

export interface ApplyContext extends SendContext {
  /** prune: objects left Git; deletion: their Application is deleted. Annotations may forbid only one of the two. */
  readonly occasion: 'prune' | 'deletion';
  /** Whether a person has confirmed the deletion of all objects that the plan prunes. */
  readonly isConfirmed: boolean;
  /** Maximum of concurrent requests. */
  readonly concurrency: number;
  /** On abort no further change is started. Changes that have not started are left to the next pass. */
  readonly signal: AbortSignal;
  /** Called for each result, before the same lane starts its next change. */
  readonly onResult: (result: ChangeResult) => void;
}

export async function applyPlan(plan: Plan, context: ApplyContext): Promise<Applied> {
  const results = new Map<string, ChangeResult>();
  const note = (result: ChangeResult): void => {
    results.set(idKey(result.change.id), result);
    context.onResult(result);
  };
  for (const wave of plan.waves) {
    await runWave(wave, context, async (planned) => note(await sendWhenPossible(planned, results, context)));
  }
  const releases = { name: 'released', changes: plan.releases.map((change) => ({ change, requires: [] })) };
  await runWave(releases, context, async ({ change }) => note(await releaseObject(change, context)));
  // Nothing is pruned unless all objects were applied, but for what a refused object needs.
  if (isPruneHeld(results)) await yieldPlace(plan, { ...context, results, note });
  if (isPruneHeld(results)) return results;
  for (const wave of plan.prunes) {
    const changes = wave.changes.filter(({ change }) => !results.has(idKey(change.id)));
    await runWave({ ...wave, changes }, context, async ({ change }) => note(await pruneObject(change, context)));
    // An object that is still there may need an object of the next wave, such as the controller of its CRD.
    if (isHeld(wave, results)) break;
  }
  return results;
}

const HOLDS_PRUNE: ReadonlySet<ChangeResult['outcome']> = new Set(['failed', 'conflict', 'waiting', 'recreating']);

function isPruneHeld(results: Applied): boolean {
  return [...results.values()].some(({ outcome }) => HOLDS_PRUNE.has(outcome));
}

interface Yielding extends ApplyContext {
  readonly results: Applied;
  readonly note: (result: ChangeResult) => void;
}

/** Prunes what holds the place of a refused object, and sends that object once more. */
async function yieldPlace(plan: Plan, { results, note, ...context }: Yielding): Promise<void> {
  const held = placesHeld(results, plan.yielding ?? []);
  const wave = (changes: Iterable<Change>): Wave => ({
    name: 'holders of a place',
    changes: [...changes].map((change) => ({ change, requires: [] })),
  });
  const holders = new Set([...held.values()].flat());
  await runWave(wave(holders), context, async ({ change }) => note(await pruneObject(change, context)));
  const isPruned = (change: Change): boolean => results.get(idKey(change.id))?.outcome === 'pruned';
  const free = [...held].flatMap(([refused, of]) => (of.some(isPruned) ? [refused] : []));
  await runWave(wave(free), context, async ({ change }) => note(await sendChange(change, context)));
}

function isHeld(wave: Wave, results: Applied): boolean {
  return wave.changes.some(({ change }) => {
    const outcome = results.get(idKey(change.id))?.outcome;
    return outcome === 'pruning' || outcome === 'failed' || outcome === 'waiting';
  });
}

async function sendWhenPossible(
  planned: PlannedChange,
  results: Applied,
  context: ApplyContext,
): Promise<ChangeResult> {
  const missing = planned.requires.find((id) => {
    const outcome = results.get(idKey(id))?.outcome;
    return idKey(id) !== idKey(planned.change.id) && outcome !== undefined && HOLDS_PRUNE.has(outcome);
  });
  if (missing) return waits(planned.change, `${missing.kind} ${missing.name}, which it requires, could not be applied`);
  return sendChange(planned.change, context);
}

function waits(change: Change, message: string): ChangeResult {
  return { change, outcome: 'waiting', message };
}

function runWave(
  { changes }: Wave,
  { concurrency, signal }: ApplyContext,
  run: (planned: PlannedChange) => Promise<void>,
): Promise<void> {
  return forEachConcurrently(changes, { concurrency, signal }, run);
}
