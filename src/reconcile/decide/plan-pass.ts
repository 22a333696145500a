/**
 * The plan of a pass: the other Applications of the source, the brake on heals, dependencies and waves are heard, and
 * their answers go into one value.
 *
 * Invariant: a dry run waits for no other Application, and asks none for anything.
 */
import type { Change } from '../../diff/changes.ts';
import { StageError } from '../../object/stage-error.ts';
import { idKey, type ObjectId } from '../../object/identity.ts';
import type { Plan } from '../../plan/plan.ts';
import type { Gate } from '../../plan/sync-waves.ts';
import type { Snapshot } from '../../source/snapshot.ts';
import { acceptanceOf } from '../accepted.ts';
import { bindDesired, type BoundSet } from '../desired/bind-desired.ts';
import { renderSnapshot } from '../desired/render-snapshot.ts';
import { emptyMemory } from '../memory.ts';
import type { Neighbour } from '../neighbours/neighbours.ts';
import { beginReading, type Pass } from '../pass.ts';
import { refuse } from '../requests.ts';
import { awaitDependencies, type DependencyWait } from './await-dependencies.ts';
import { brakeHeals, type Braked } from './brake-heals.ts';
import { gateOf, retireHooks } from './gate-waves.ts';
import { handOver, type HandOver } from './hand-over.ts';
import { completeInventory, measureInventory } from './inventory.ts';
import { planGuarded, type GuardFindings } from './plan-guarded.ts';

export interface Planned {
  /** As the other Applications of the source leave them to this one. */
  readonly changes: readonly Change[];
  readonly braked: Braked;
  readonly awaited: DependencyWait | undefined;
  /** The gate between waves. undefined: all objects are in one wave, or this is a dry run. */
  readonly gate: Gate | undefined;
  readonly plan: Plan;
  /** Source, render, bind and observation were complete: the condition of every prune. */
  readonly isComplete: boolean;
  /** No object is desired while the inventory holds some: more likely a mistake than a wish. */
  readonly isEmptyRender: boolean;
  readonly guard: GuardFindings;
}

export interface PlanInput {
  readonly snapshot: Snapshot;
  readonly bound: BoundSet;
  readonly inventory: Map<string, ObjectId>;
  readonly changes: readonly Change[];
}

export async function planPass(pass: Pass, input: PlanInput): Promise<Planned> {
  const { refusal, ...planned } = await planGoal(pass, input);
  if (refusal === undefined) return planned;
  // The confirmation is about another prune: the pass goes on as the spec declares it.
  pass.goal = refuse(pass.goal, pass.application.spec, refusal);
  return planGoal(pass, input);
}

async function planGoal(pass: Pass, input: PlanInput): Promise<Planned & { readonly refusal: string | undefined }> {
  const { application, context, goal, memory, owner } = pass;
  const { snapshot, bound, inventory } = input;
  const { intent, isDryRun } = goal;
  const handed: HandOver = isDryRun ? { changes: input.changes, waits: new Map() } : await handOverTo(pass, input);
  // Outside mode auto nothing is deleted; the next sync removes hooks that have run.
  const isActing = intent.mode === 'auto';
  const changes = isActing ? retireHooks(handed.changes, application.status.finished ?? {}, owner) : handed.changes;
  const isComplete = bound.isComplete && pass.failures.length === 0 && !changes.some(({ type }) => type === 'unknown');
  const isEmptyRender = bound.desired.objects.length === 0 && bound.isComplete && inventory.size > 0;
  if (intent.mode !== 'detect') completeInventory({ inventory, changes, owner });
  const braked = brakeHeals(memory.heals, changes, context.clock.monotonicMs());
  const awaited = isDryRun ? undefined : awaitOthers(pass, snapshot, { bound, changes });
  // Objects that a request names are applied whatever the waves before them lack.
  const scoped = changes.filter(({ id }) => intent.objects?.has(idKey(id)) !== false);
  const isAccepted = acceptanceOf(pass, bound.desired);
  const gate = isDryRun ? undefined : gateOf(scoped, { self: application.metadata, isAccepted });
  const objectsBefore = measureInventory(memory.inventory, bound.desired.objects);
  const guarded = planGuarded(pass, {
    changes: scoped,
    postponed: new Map([...handed.waits, ...braked.held, ...(awaited?.waits ?? [])]),
    gate,
    mode: intent.mode,
    mayPrune: intent.prune,
    isComplete: isComplete && !isEmptyRender,
    objectsBefore,
    commit: snapshot.commit,
  });
  return { changes, braked, awaited, gate, isComplete, isEmptyRender, ...guarded };
}

function handOverTo(pass: Pass, { snapshot, changes }: PlanInput): Promise<HandOver> {
  const { application, context, goal, record, target } = pass;
  const { claims, clock, neighbours, settings } = context;
  return handOver({
    key: record.key,
    application,
    snapshot,
    changes,
    isActing: goal.intent.mode === 'auto',
    isPinned: goal.commit !== undefined,
    nowMs: clock.monotonicMs(),
    handOverWaitMs: settings.handOverWaitMs,
    neighbours,
    ownerOf: (id) => claims.ownerOf(target.clusterId, id),
    readForSuspended: (suspended) => readForSuspended(pass, suspended, snapshot),
  });
}

function awaitOthers(
  pass: Pass,
  { revision }: Snapshot,
  { bound, changes }: Pick<PlanInput, 'bound' | 'changes'>,
): DependencyWait | undefined {
  const { context, record } = pass;
  return awaitDependencies({
    key: record.key,
    stored: record.stored,
    revision,
    changes,
    isAccepted: acceptanceOf(pass, bound.desired),
    neighbours: context.neighbours,
  });
}

/** Renders and binds in a memory of this pass's own, and announces the result in the name of each neighbour. */
async function readForSuspended(
  { context, signal }: Pass,
  suspended: readonly Neighbour[],
  snapshot: Snapshot,
): Promise<void> {
  for (const { key, application } of suspended) {
    if (!application) continue;
    const reading = beginReading({ application, memory: emptyMemory(), context, signal });
    try {
      const bound = await bindDesired(reading, await renderSnapshot(reading, snapshot));
      if (bound) announceDesired({ key, application, context }, snapshot, bound);
    } catch (error) {
      // It cannot say what it desires, like any other Application whose folder cannot be rendered.
      if (signal.aborted || !(error instanceof StageError)) throw error;
    }
  }
}

/** Announces what an Application desires at a commit; only a complete set is announced. */
export function announceDesired(
  { key, application, context }: Pick<Pass, 'application' | 'context'> & { readonly key: string },
  { commit }: Pick<Snapshot, 'commit'>,
  { desired, isComplete }: BoundSet,
): void {
  if (!isComplete) return;
  const { generation } = application.metadata;
  context.neighbours.announce(key, { commit, generation, ids: new Set(desired.objects.map(({ id }) => idKey(id))) });
}
