/**
 * Walks what of a Plan may run now, several requests at a time within a wave, and decides nothing: which change, in
 * which order and whether at all was settled by plan/.
 *
 * Invariant: every object goes through exactly one of sendChange, pruneObject and releaseObject, so each guard (owner,
 * uid, resourceVersion) stands in one place; nothing here throws for an answer of the server.
 */
import type { Owner } from '../bind/desired.ts';
import { forEachConcurrently } from '../cluster/concurrency.ts';
import type { ClusterClient } from '../cluster/ports.ts';
import { idKey } from '../object/identity.ts';
import type { Change } from '../diff/changes.ts';
import type { Plan, PlannedChange, Wave } from '../plan/plan.ts';
import type { Applied, ChangeResult } from './applied.ts';
import { pruneObject, releaseObject } from './prune.ts';
import { sendChange } from './send.ts';

export interface ApplyContext {
  readonly client: ClusterClient;
  readonly owner: Owner;
  /** Why prunes are made: their annotations may speak of one and not of the other. */
  readonly occasion: 'prune' | 'deletion';
  /** Requests under way at once for this plan. */
  readonly concurrency: number;
  /** Aborted when a newer pass or a shutdown should take over: what has not begun is left for the next pass. */
  readonly signal: AbortSignal;
  /** Called as each result arrives, before the next change begins on that lane. */
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
  // A set that could not be applied whole is incomplete knowledge: nothing is pruned on it.
  if ([...results.values()].some(({ outcome }) => HOLDS_PRUNE.has(outcome))) return results;
  for (const wave of plan.prunes) {
    await runWave(wave, context, async ({ change }) => note(await pruneObject(change, context)));
    // What is still terminating may need what the next wave would delete: a CRD its controller, a Pod its Namespace.
    if (isHeld(wave, results)) break;
  }
  return results;
}

const HOLDS_PRUNE: ReadonlySet<ChangeResult['outcome']> = new Set(['failed', 'conflict', 'waiting', 'recreating']);

function isHeld(wave: Wave, results: Applied): boolean {
  return wave.changes.some(({ change }) => {
    const outcome = results.get(idKey(change.id))?.outcome;
    return outcome === 'pruning' || outcome === 'failed';
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
  if (missing) return waits(planned.change, `${missing.kind} ${missing.name} could not be applied`);
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
