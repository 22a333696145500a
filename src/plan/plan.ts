/**
 * Changes → Plan: what may be done, in which order, and what waits. A plan is a value: it can be shown, tested and
 * thrown away.
 *
 * Invariants: nothing is pruned while anything is incomplete; nothing new is applied before the waves that people put
 * before it are settled; a Namespace or CustomResourceDefinition comes before what lives in it; prunes come after all
 * applies, in the reverse order; `detect` plans no effect at all.
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
  /** Objects of the same plan without which this one cannot succeed: its Namespace, its CRD. */
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
  /** For people: why, and how to let it go on. */
  readonly reason: string;
}

export interface Plan {
  readonly waves: readonly Wave[];
  /** In the order of deletion: reverse of the order of application. */
  readonly prunes: readonly Wave[];
  /** Let go without deletion: another Application claims them. */
  readonly releases: readonly Change[];
  readonly waitingFor: readonly Wait[];
  readonly held: HeldPrune | undefined;
}

export interface PruneGuard {
  /** A prune of more than this share of the inventory … */
  readonly maxShare: number;
  /** … and of more than this many objects waits for a confirmation. */
  readonly maxObjects: number;
}

export interface PlanOptions {
  readonly changes: readonly Change[];
  /** `detect`: report only. `manual` plans nothing either, until a sync is asked for, which is then `auto`. */
  readonly mode: 'auto' | 'manual' | 'detect';
  /** spec.sync.prune. */
  readonly prune: boolean;
  /** Whether source, render, bind and observation of this pass were complete: the condition of every prune. */
  readonly complete: boolean;
  /** How many objects the inventory holds before this pass. */
  readonly inventorySize: number;
  readonly guard: PruneGuard;
  /** By `idKey`: what must wait, be it to be healed, pruned or handed over, with the reason for people. */
  readonly postponed?: ReadonlyMap<string, string>;
  /** What later waves wait for; undefined: for nothing, so that the waves are an order only (a dry run). */
  readonly gate?: Gate | undefined;
  /** A person has confirmed this prune, or deletes the Application. */
  readonly confirmed: boolean;
}

const SENDS: ReadonlySet<Change['type']> = new Set(['create', 'update', 'adopt', 'unsure', 'recreate']);

export function planChanges(options: PlanOptions): Plan {
  const { changes, mode, prune, complete } = options;
  if (mode !== 'auto') return { waves: [], prunes: [], releases: [], waitingFor: [], held: undefined };
  // A hook that has run is deleted whatever becomes of what left Git.
  const left = changes.filter(({ type, desired }) => complete && type === 'prune' && (prune || desired));
  const candidates = changes.filter(({ type }) => SENDS.has(type));
  const refused = changes.filter(({ type }) => type === 'conflict');
  const syncWaves = syncWavesOf(changes);
  const gated = syncWaves && options.gate ? gateWaves(changes, syncWaves, options.gate) : new Map<string, string>();
  // What is to replace an object may not be there yet: nothing is pruned before all that is desired has had its turn.
  const late = candidates.filter(({ desired, id }) => desired?.awaitsCrd || gated.has(idKey(id)));
  const first = [...late, ...refused][0];
  const waitingFor = [...candidates, ...left, ...refused].flatMap((change) => {
    const reason = reasonToWait(change, options) ?? gatedReason(change, gated) ?? reasonToStay(change, first);
    return reason === undefined ? [] : [{ id: change.id, reason }];
  });
  const waiting = new Set(waitingFor.map(({ id }) => idKey(id)));
  const sends = candidates.filter(({ id }) => !waiting.has(idKey(id)));
  const homes = indexHomes(sends);
  const prunes = left.filter(({ id }) => !waiting.has(idKey(id)));
  const held = holdPrunes(prunes, options);
  const rankOf = ({ id }: Change): number => syncWaves?.get(idKey(id)) ?? 0;
  const planned = sends.map((change) => ({ change, requires: homesOf(change.id, homes) }));
  return {
    waves: groupByWave(planned, rankOf),
    prunes: orderPrunes(held ? prunes.filter((change) => isTerminating(change) || change.desired) : prunes),
    releases: complete ? changes.filter((change) => change.type === 'release') : [],
    waitingFor,
    held,
  };
}

function gatedReason({ id, type }: Change, gated: ReadonlyMap<string, string>): string | undefined {
  return SENDS.has(type) ? gated.get(idKey(id)) : undefined;
}

function reasonToWait({ id, desired }: Change, { postponed }: PlanOptions): string | undefined {
  if (desired?.awaitsCrd) return `${formatId(desired.awaitsCrd)} is not served yet`;
  return postponed?.get(idKey(id));
}

function reasonToStay(change: Change, first: Change | undefined): string | undefined {
  if (!first || change.type !== 'prune' || isTerminating(change)) return undefined;
  return `it is pruned once ${formatId(first.id)} is applied`;
}

export function hasEffects(plan: Plan): boolean {
  return plan.waves.length > 0 || plan.prunes.length > 0 || plan.releases.length > 0;
}

/** The reverse of the order of application; `PruneLast` after all others. What left Git tells its wave as it lives. */
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

/** By the waves of people first, and the order of kinds within each. */
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
  const { confirmed, guard, inventorySize } = options;
  // What is being deleted cannot be held any more, and a hook that has run is none of what left Git.
  const prunes = planned.filter((change) => !isTerminating(change) && !change.desired);
  if (confirmed || prunes.length === 0) return undefined;
  const guarded = prunes.filter(({ id }) => isGuardedKind(id));
  if (guarded.length > 0) {
    const names = guarded.slice(0, 3).map(({ id }) => formatId(id));
    const more = guarded.length > 3 ? ` and ${guarded.length - 3} more` : '';
    return {
      changes: prunes,
      reason: `pruning ${names.join(', ')}${more} would delete what lives in it; ${HOW_TO_CONFIRM}`,
    };
  }
  const asking = prunes.filter(({ live }) => live && removalsOf(live.body).prune === 'confirm');
  if (asking[0]) {
    const more = asking.length > 1 ? ` and ${asking.length - 1} more` : '';
    return {
      changes: prunes,
      reason: `${formatId(asking[0].id)}${more} asks for a confirmation (Prune=confirm); ${HOW_TO_CONFIRM}`,
    };
  }
  if (prunes.length > guard.maxObjects && prunes.length > guard.maxShare * inventorySize) {
    return {
      changes: prunes,
      reason: `pruning ${prunes.length} of ${inventorySize} objects at once; ${HOW_TO_CONFIRM}`,
    };
  }
  return undefined;
}

function isTerminating({ live }: Change): boolean {
  return live?.deletionTimestamp !== undefined;
}

/** The ids that a plan would write or delete, for the inventory that goes ahead of them. */
export function plannedIds(plan: Plan): ObjectId[] {
  const seen = new Map<string, ObjectId>();
  for (const wave of plan.waves) for (const { change } of wave.changes) seen.set(idKey(change.id), change.id);
  return [...seen.values()];
}
