/**
 * The plan of a pass: everybody who has a say in what it found is heard (other Applications of the source, the brake on
 * heals, what it depends on, the waves), and what they say goes into one value.
 *
 * Invariant: a trial waits for nobody, and asks nobody for anything.
 */
import type { Change } from '../diff/changes.ts';
import { idKey, type ObjectId } from '../object/identity.ts';
import { planChanges, type Plan } from '../plan/plan.ts';
import type { Gate } from '../plan/sync-waves.ts';
import type { Snapshot } from '../source/snapshot.ts';
import { brakeHeals, type Braked } from './brake-heals.ts';
import { awaitDependencies, type Awaited } from './dependencies.ts';
import { gateOf, retireHooks } from './gate-waves.ts';
import { handOver } from './hand-over.ts';
import { completeInventory } from './inventory.ts';
import type { Pass } from './pass.ts';
import type { BoundSet } from './stages.ts';

export interface Planned {
  /** As the other Applications of the source leave them to this one. */
  readonly changes: readonly Change[];
  readonly braked: Braked;
  readonly awaited: Awaited | undefined;
  /** Of the waves, where there are several. */
  readonly gate: Gate | undefined;
  readonly plan: Plan;
  /** Nothing that this pass should know is missing: the condition of every prune. */
  readonly isComplete: boolean;
  /** Nothing is desired where something is applied: more likely a slip than a wish. */
  readonly isEmptyRender: boolean;
}

interface Found {
  readonly snapshot: Snapshot;
  readonly bound: BoundSet;
  readonly inventory: Map<string, ObjectId>;
  readonly changes: readonly Change[];
}

export async function planPass(pass: Pass, { snapshot, bound, inventory, changes: found }: Found): Promise<Planned> {
  const { intent, confirmsPrune, isDryRun } = pass.asked;
  const { desired } = bound;
  const handed = isDryRun ? { changes: found, waits: [] } : await handOver(pass, snapshot, found);
  const changes = retireHooks(pass, handed.changes);
  const isComplete = bound.isComplete && pass.failures.length === 0 && !changes.some(({ type }) => type === 'unknown');
  const isEmptyRender = desired.objects.length === 0 && bound.isComplete && inventory.size > 0;
  completeInventory(pass, changes, inventory);
  const braked = brakeHeals(pass, changes);
  const awaited = isDryRun ? undefined : awaitDependencies(pass, snapshot, { changes, desired });
  // Whoever names objects wants these, whatever the waves before them lack.
  const scoped = changes.filter(({ id }) => intent.objects?.has(idKey(id)) !== false);
  const gate = isDryRun ? undefined : gateOf(pass, scoped, desired);
  const plan = planChanges({
    changes: scoped,
    postponed: new Map([...handed.waits, ...braked.held, ...(awaited?.waits ?? [])]),
    gate,
    mode: intent.mode,
    mayPrune: intent.prune,
    isComplete: isComplete && !isEmptyRender,
    inventorySize: inventory.size,
    guard: pass.context.settings.pruneGuard,
    isConfirmed: confirmsPrune,
  });
  return { changes, braked, awaited, gate, plan, isComplete, isEmptyRender };
}
