/**
 * Changes → Plan: the effects that may be carried out, their order, and the changes that wait. A plan is plain data.
 *
 * Invariants: nothing is pruned while the knowledge of a pass is incomplete; a new manifest is applied only after all
 * earlier declared waves are settled; a Namespace or CustomResourceDefinition comes before the objects in it; prunes
 * come after all applies, in reverse order; outside mode `auto` a plan has no effects.
 */
import { HOW_TO_CONFIRM } from '../application/request.ts';
import type { Change } from '../diff/changes.ts';
import { isGuardedKind } from '../object/guarded-kinds.ts';
import { compareIds, formatId, idKey, type ObjectId } from '../object/identity.ts';
import { removalsOf, policyOf } from '../object/policy.ts';
import { homesOf, indexHomes } from './homes.ts';
import { gateWaves, syncWaveOf, syncWavesOf, type Gate } from './sync-waves.ts';
import { waveOf, WAVES } from './waves.ts';

export interface PlannedChange {
  readonly change: Change;
  /** Objects of the same plan that must succeed first: its Namespace, its CRD. */
  readonly requires: readonly ObjectId[];
}

export interface Wave {
  readonly name: string;
  readonly changes: readonly PlannedChange[];
}

export interface Wait {
  readonly id: ObjectId;
  /** For people: `CustomResourceDefinition widgets.example.com is not served yet`. */
  readonly reason: string;
}

export interface HeldPrune {
  readonly changes: readonly Change[];
  /** For people: why the prune is held, and how to confirm it. */
  readonly reason: string;
}

export interface Plan {
  readonly waves: readonly Wave[];
  /** In the order of deletion, the reverse of the order of application. */
  readonly prunes: readonly Wave[];
  /** Objects that are not deleted and only lose their owner marks. */
  readonly releases: readonly Change[];
  readonly waitingFor: readonly Wait[];
  readonly held: HeldPrune | undefined;
  /** Prunes that may come before the applies, if a refused object needs what they hold. None is of a guarded kind. */
  readonly yielding?: readonly Change[];
}

export interface PruneGuard {
  /** Share of the inventory, from 0 to 1. A prune that exceeds both bounds waits for a confirmation. */
  readonly maxShare: number;
  /** Number of objects. */
  readonly maxObjects: number;
}

export interface PlanOptions {
  readonly changes: readonly Change[];
  /** Only `auto` plans effects. A sync that a person requests in mode `manual` is planned as `auto`. */
  readonly mode: 'auto' | 'manual' | 'detect';
  /** spec.sync.prune, or the choice of the request. */
  readonly mayPrune: boolean;
  /** Whether source, render, bind and observation of this pass were complete. Otherwise nothing is pruned. */
  readonly isComplete: boolean;
  /** Number of objects in the inventory before this pass. */
  readonly inventorySize: number;
  readonly guard: PruneGuard;
  /** By `idKey`: changes that must wait (heals, prunes, hand-overs), with the reason for people. */
  readonly postponed?: ReadonlyMap<string, string>;
  /** Decides when later waves may start. undefined: the waves are only an order, and none waits (a dry run). */
  readonly gate?: Gate | undefined;
  /** Whether a person confirmed this prune, or deleted the Application. */
  readonly isConfirmed: boolean;
}

const KEEP_ANNOTATION = 'kustomize.toolkit.fluxcd.io/prune: disabled';

const SENDS: ReadonlySet<Change['type']> = new Set(['create', 'update', 'adopt', 'unsure']);

export function planChanges(options: PlanOptions): Plan {
  const { changes, mode, mayPrune, isComplete } = options;
  if (mode !== 'auto') return { waves: [], prunes: [], releases: [], waitingFor: [], held: undefined };
  // A completed hook, the only prune with a desired object, is deleted even if objects that left Git are kept.
  const gone = changes.filter(({ type, desired }) => isComplete && type === 'prune' && (mayPrune || desired));
  const left = gone.filter(({ keptFor }) => keptFor === undefined);
  const candidates = changes.filter(({ type }) => SENDS.has(type));
  const refused = changes.filter(({ type }) => type === 'conflict');
  const syncWaves = syncWavesOf(changes);
  const gated = syncWaves && options.gate ? gateWaves(changes, syncWaves, options.gate) : new Map<string, string>();
  // Nothing is pruned before all desired objects are applied: the replacement of a pruned object may be missing yet.
  const late = candidates.filter(({ desired, id }) => desired?.awaitsCrd || gated.has(idKey(id)));
  const unapplied = [...late, ...refused][0];
  const waitingFor = [...candidates, ...left, ...refused].flatMap((change) => {
    const reason = reasonToWait(change, options) ?? gatedReason(change, gated) ?? reasonToStay(change, unapplied);
    return reason === undefined ? [] : [{ id: change.id, reason }];
  });
  const waiting = new Set(waitingFor.map(({ id }) => idKey(id)));
  const sends = candidates.filter(({ id }) => !waiting.has(idKey(id)));
  const homes = indexHomes(sends);
  const prunes = left.filter(({ id }) => !waiting.has(idKey(id)));
  const held = holdPrunes(prunes, options);
  const ready = left.filter((change) => reasonToWait(change, options) === undefined);
  const rankOf = ({ id }: Change): number => syncWaves?.get(idKey(id)) ?? 0;
  const planned = sends.map((change) => ({ change, requires: homesOf(change.id, homes) }));
  return {
    waves: groupByWave(planned, rankOf),
    prunes: orderPrunes(held ? prunes.filter((change) => isTerminating(change) || change.desired) : prunes),
    releases: isComplete ? changes.filter((change) => change.type === 'release') : [],
    waitingFor,
    yielding: held || holdPrunes(ready, options) ? [] : ready.filter(mayYield),
    held: held ?? holdKept(gone.filter(({ keptFor }) => keptFor !== undefined)),
  };
}

function gatedReason({ id, type }: Change, gated: ReadonlyMap<string, string>): string | undefined {
  return SENDS.has(type) ? gated.get(idKey(id)) : undefined;
}

function reasonToWait({ id, desired }: Change, { postponed }: PlanOptions): string | undefined {
  if (desired?.awaitsCrd) return `${formatId(desired.awaitsCrd)} is not served yet`;
  return postponed?.get(idKey(id));
}

function reasonToStay(change: Change, unapplied: Change | undefined): string | undefined {
  if (!unapplied || change.type !== 'prune' || isTerminating(change)) return undefined;
  return `it is pruned once ${formatId(unapplied.id)} is applied`;
}

export function hasEffects(plan: Plan): boolean {
  return plan.waves.length > 0 || plan.prunes.length > 0 || plan.releases.length > 0;
}

/**
 * Sorts prunes in the reverse order of application, objects with `PruneLast` after all others. The wave is read from
 * the live object, since the manifest has left Git.
 */
function orderPrunes(prunes: readonly Change[]): Wave[] {
  const policies = new Map(prunes.map((change) => [change, change.live && policyOf(change.live.body)] as const));
  const rankOf = (change: Change): number => syncWaveOf(policies.get(change));
  const isLast = (change: Change): boolean => policies.get(change)?.isPrunedLast === true;
  return [prunes.filter((change) => !isLast(change)), prunes.filter(isLast)].flatMap((group) =>
    groupByWave(
      group.map((change) => ({ change, requires: [] })),
      rankOf,
    ).reverse(),
  );
}

/** Groups by declared wave first, then by the order of kinds. */
function groupByWave(planned: readonly PlannedChange[], rankOf: (change: Change) => number): Wave[] {
  const waves = new Map<string, { rank: number; kindWave: number; changes: PlannedChange[] }>();
  for (const item of planned) {
    const [rank, kindWave] = [rankOf(item.change), waveOf(item.change.id)];
    const key = `${rank} ${kindWave}`;
    const wave = waves.get(key) ?? { rank, kindWave, changes: [] };
    wave.changes.push(item);
    waves.set(key, wave);
  }
  return [...waves.values()]
    .sort((a, b) => a.rank - b.rank || a.kindWave - b.kindWave)
    .map(({ kindWave, changes }) => ({
      name: WAVES[kindWave]?.name ?? 'other kinds',
      changes: changes.sort((a, b) => compareIds(a.change.id, b.change.id)),
    }));
}

function holdPrunes(planned: readonly Change[], options: PlanOptions): HeldPrune | undefined {
  const { isConfirmed, guard, inventorySize } = options;
  // Left out: objects whose deletion has begun, and completed hooks, which have not left Git.
  const prunes = planned.filter((change) => !isTerminating(change) && !change.desired);
  if (isConfirmed || prunes.length === 0) return undefined;
  const guarded = prunes.filter(({ id }) => isGuardedKind(id));
  if (guarded.length > 0) {
    const names = guarded.slice(0, 3).map(({ id }) => formatId(id));
    const more = guarded.length > 3 ? ` and ${guarded.length - 3} more` : '';
    const reason = `pruning ${names.join(', ')}${more} would delete everything that belongs to it; ${HOW_TO_CONFIRM}`;
    return { changes: prunes, reason };
  }
  const annotated = prunes.filter(({ live }) => live && removalsOf(live.body).prune === 'confirm');
  if (annotated[0]) {
    const more = annotated.length > 1 ? ` and ${annotated.length - 1} more` : '';
    const reason = `pruning ${formatId(annotated[0].id)}${more} needs a confirmation (Prune=confirm); ${HOW_TO_CONFIRM}`;
    return { changes: prunes, reason };
  }
  if (prunes.length > guard.maxObjects && prunes.length > guard.maxShare * inventorySize) {
    const reason = `pruning ${prunes.length} of ${inventorySize} objects needs a confirmation; ${HOW_TO_CONFIRM}`;
    return { changes: prunes, reason };
  }
  return undefined;
}

function mayYield(change: Change): boolean {
  return !change.desired && change.live !== undefined && !isTerminating(change) && !isGuardedKind(change.id);
}

/** Objects that no confirmation deletes. They hold back no other prune. */
function holdKept(kept: readonly Change[]): HeldPrune | undefined {
  const [first] = kept;
  if (!first) return undefined;
  const reason =
    `${formatId(first.id)} left Git and is not deleted: ${first.keptFor}; restore its manifest, or annotate the ` +
    `object with ${KEEP_ANNOTATION} to let go of it`;
  return { changes: kept, reason };
}

function isTerminating({ live }: Change): boolean {
  return live?.deletionTimestamp !== undefined;
}

/** The ids that a plan would apply. They are stored in the inventory before the first apply. */
export function plannedIds(plan: Plan): ObjectId[] {
  const seen = new Map<string, ObjectId>();
  for (const wave of plan.waves) for (const { change } of wave.changes) seen.set(idKey(change.id), change.id);
  return [...seen.values()];
}
