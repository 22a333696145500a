/**
 * The effects of a pass, in the one order that survives a kill at any moment: finalizer and set on the Application, the
 * inventory as the union of old and new, the destination namespace, then what the plan says.
 */
import type { Applied, Outcome } from '../apply/applied.ts';
import { applyPlan } from '../apply/apply.ts';
import { decodeInventory } from '../application/inventory.ts';
import { idKey, type ObjectId } from '../object/identity.ts';
import { valueAt } from '../object/value.ts';
import { plannedIds, type Plan } from '../plan/plan.ts';
import type { Metrics } from '../telemetry/ports.ts';
import { keepClaims } from './claim-objects.ts';
import { ensureDestination, ensureParent } from './ensure.ts';
import type { Pass } from './pass.ts';
import { rememberResult } from './remember.ts';
import { remainingMs, reportOf, type Findings } from './report-of.ts';
import { writeStatus } from './status-writer.ts';

/** A sync past its deadline still gets this long a pass, so that it can succeed once the cause is gone. */
const LEAST_APPLY_MS = 30_000;

export async function carryOut(pass: Pass, plan: Plan, findings: Findings): Promise<Applied> {
  const { context, state, application, signal } = pass;
  const { inventory } = state.memory;
  if (!inventory) throw new RangeError('effects need an inventory');
  for (const id of plannedIds(plan)) inventory.set(idKey(id), id);
  const isWider = isWiderThanStored(pass, inventory);
  await ensureParent(pass, inventory.values());
  await context.reach('marks-written');
  const revision = findings.snapshot?.revision;
  const isNewRevision = application.status.sync?.lastAttemptedRevision !== revision;
  if (isWider || isNewRevision) await writeStatus(pass, reportOf(pass, findings, 'begun'));
  await context.reach('inventory-written');
  if (findings.bound) await ensureDestination(pass, findings.bound.desired);
  const applied = await applyPlan(plan, {
    client: context.cluster.as(pass.identity),
    owner: pass.owner,
    concurrency: context.settings.applyConcurrency,
    signal: AbortSignal.any([signal, AbortSignal.timeout(remainingMs(pass, revision, LEAST_APPLY_MS))]),
    onResult: (result) => rememberResult(pass, pass.identity, result),
  });
  await context.reach('wave-applied');
  if ([...applied.values()].some(({ outcome }) => outcome === 'pruned' || outcome === 'released')) {
    await context.reach('objects-pruned');
    const desired = findings.bound?.desired.objects.map(({ id }) => id) ?? [];
    keepClaims(pass, desired, inventory);
    await ensureParent(pass, inventory.values());
  }
  return applied;
}

/** Evidence that changed nothing, and a wait, are no sync. `applied` is undefined if it was cut short. */
export function countSync(metrics: Metrics, applied: Applied | undefined): void {
  const outcomes = [...(applied?.values() ?? [])].map(({ outcome }) => outcome);
  if (!applied || outcomes.some((outcome) => FAILURES.has(outcome))) return metrics.onSync('failure');
  if (outcomes.some((outcome) => !NO_EFFECTS.has(outcome))) metrics.onSync('success');
}

const FAILURES: ReadonlySet<Outcome> = new Set(['failed', 'conflict']);
const NO_EFFECTS: ReadonlySet<Outcome> = new Set(['unchanged', 'waiting', 'pruning']);

/** Held against what is stored, not against memory: an earlier write of it may have failed. */
function isWiderThanStored({ base }: Pass, inventory: ReadonlyMap<string, ObjectId>): boolean {
  const stored = decodeInventory(valueAt(base, 'status', 'inventory'));
  const keys = new Set(stored.ok ? stored.ids.map(idKey) : []);
  return [...inventory.keys()].some((key) => !keys.has(key));
}
