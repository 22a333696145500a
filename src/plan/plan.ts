/**
 * Changes → Plan: the effects that may be carried out, their order, and the changes that wait. A plan is plain data.
 *
 * Invariants: nothing is pruned while the knowledge of a pass is incomplete; a new manifest is applied only after all
 * earlier declared waves are settled; a Namespace or CustomResourceDefinition comes before the objects in it; prunes
 * come after all applies, in reverse order; outside mode `auto` a plan has no effects.
 */
import { isRunToCompletion } from '../application/ended-jobs.ts';
import type { Change } from '../diff/changes.ts';
import { isGuardedKind } from '../object/guarded-kinds.ts';
import { stemOf } from '../object/generated-name.ts';
import { GENERATED_NAME_ANNOTATION } from '../object/hooks.ts';
import { annotationsOf, compareIds, formatId, idKey, type ObjectId } from '../object/identity.ts';
import { policyOf } from '../object/policy.ts';
import { filterSteps, finish, mapSteps, sortSteps, visitSteps, type Steps } from '../object/steps.ts';
import { gateOrder, orderDeletions } from './explicit-order.ts';
import { homesOf, indexHomes } from './homes.ts';
import { reasonToHold, type Behind, type PruneGuard } from './prune-guard.ts';
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
  /** It only waits for the rollout of a workload, whose health tells more. */
  readonly isForRollout?: true;
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
  /** Every object that left Git and is to be pruned, now or later, whether it is held or not; no hooks. */
  readonly left: readonly Change[];
  /** Prunes that may come before the applies, if a refused object needs what they hold. None is of a guarded kind. */
  readonly yielding?: readonly Change[];
}

export interface PlanOptions {
  readonly changes: readonly Change[];
  /** Only `auto` plans effects. A sync that a person requests in mode `manual` is planned as `auto`. */
  readonly mode: 'auto' | 'manual' | 'detect';
  /** spec.sync.prune, or the choice of the request. */
  readonly mayPrune: boolean;
  /** Whether source, render, bind and observation of this pass were complete. Otherwise nothing is pruned. */
  readonly isComplete: boolean;
  /** Number of objects in the inventory before the first of those that left Git did so. */
  readonly objectsBefore: number;
  readonly guard: PruneGuard;
  /** By `idKey`: for Applications that left Git, the objects that each would delete. */
  readonly behind?: ReadonlyMap<string, Behind>;
  /** Ends the reason of a held prune. Default: nothing. */
  readonly howToConfirm?: string;
  /** By `idKey`: changes that must wait (heals, prunes, hand-overs), with the reason for people. */
  readonly postponed?: ReadonlyMap<string, string>;
  /** By `idKey`: prunes that wait for the rollout of a workload, with the reason for people. */
  readonly rollouts?: ReadonlyMap<string, string>;
  /** Decides when later waves may start. undefined: the waves are only an order, and none waits (a dry run). */
  readonly gate?: Gate | undefined;
  /** Whether a person confirmed this prune, or deleted the Application. */
  readonly isConfirmed: boolean;
}

const KEEP_ANNOTATION = 'kustomize.toolkit.fluxcd.io/prune: disabled';

const SENDS: ReadonlySet<Change['type']> = new Set(['create', 'update', 'adopt', 'unsure']);

/** The plan without a pause. */
export function planChanges(options: PlanOptions): Plan {
  return finish(planSteps(options));
}

/** The plan in steps, for a caller that has other work to do. */
export function* planSteps(options: PlanOptions): Steps<Plan> {
  const { changes, mode, mayPrune, isComplete } = options;
  if (mode !== 'auto') return { waves: [], prunes: [], releases: [], waitingFor: [], held: undefined, left: [] };
  // A completed hook, the only prune with a desired object, is deleted even if objects that left Git are kept.
  const isReplaced = replacedRuns(changes);
  const gone = changes.filter((change) => {
    return isComplete && change.type === 'prune' && (mayPrune || change.desired || isReplaced(change));
  });
  const left = gone.filter(({ keptFor }) => keptFor === undefined);
  const candidates = changes.filter(({ type }) => SENDS.has(type));
  const refused = changes.filter(({ type }) => type === 'conflict');
  const syncWaves = yield* syncWavesOf(changes);
  const gated = yield* gatedBy(changes, syncWaves, options.gate);
  // Nothing is pruned before all desired objects are applied: the replacement of a pruned object may be missing yet.
  const isLate = ({ desired, id }: Change): boolean => desired?.awaitsCrd !== undefined || gated.has(idKey(id));
  const [unapplied = refused[0]] = yield* filterSteps(candidates, isLate);
  const waitingFor: Wait[] = [];
  const waiting = new Set<string>();
  yield* visitSteps([...candidates, ...left, ...refused], (change) => {
    const wait = waitOf(change, { options, gated, unapplied });
    if (!wait) return;
    waitingFor.push(wait);
    waiting.add(idKey(change.id));
  });
  const isDue = ({ id }: Change): boolean => !waiting.has(idKey(id));
  const sends = yield* filterSteps(candidates, isDue);
  const homes = indexHomes(sends);
  const prunes = yield* filterSteps(left, isDue);
  const held = holdPrunes(prunes, left, options);
  const ready = yield* filterSteps(left, (change) => {
    return (reasonToWait(change, options) ?? reasonToKeep(change, options)) === undefined;
  });
  const rankOf = ({ desired, id }: Change): number =>
    syncWaves?.get(idKey(id)) ?? (desired?.policy?.isSyncFail ? desired.policy.wave : 0);
  const planned = yield* mapSteps(sends, (change) => ({ change, requires: homesOf(change.id, homes) }));
  const deleted = held ? prunes.filter((change) => isTerminating(change) || change.desired) : prunes;
  return {
    waves: yield* groupByWave(planned, rankOf),
    prunes: yield* orderDeletions(yield* orderPrunes(deleted)),
    releases: isComplete ? changes.filter((change) => change.type === 'release') : [],
    waitingFor,
    yielding: held || holdPrunes(ready, left, options) ? [] : ready.filter(mayYield),
    held: held ?? holdKept(gone.filter(({ keptFor }) => keptFor !== undefined)),
    left: left.filter(({ desired }) => !desired),
  };
}

/** Whether an object is an earlier run of a hook of which the desired objects have the next one under another name. */
function replacedRuns(changes: readonly Change[]): (change: Change) => boolean {
  const stems = new Set(changes.flatMap(({ desired, id }) => (desired?.policy?.runsEachSync ? [stemOf(id)] : [])));
  return ({ desired, id, live }) => {
    if (desired || !live || !stems.has(stemOf(id))) return false;
    return annotationsOf(live.body)[GENERATED_NAME_ANNOTATION] === 'true';
  };
}

/** By `idKey`: changes that wait for an earlier wave, or for an object that comes before them. */
function* gatedBy(
  changes: readonly Change[],
  syncWaves: ReadonlyMap<string, number> | undefined,
  gate: Gate | undefined,
): Steps<ReadonlyMap<string, string>> {
  if (!gate) return new Map();
  const held = yield* gateOrder(changes, gate);
  if (!syncWaves) return held;
  const behindWaves = yield* gateWaves(changes, syncWaves, gate);
  if (held.size === 0) return behindWaves;
  for (const [key, reason] of behindWaves) held.set(key, reason);
  return held;
}

interface Waiting {
  readonly options: PlanOptions;
  readonly gated: ReadonlyMap<string, string>;
  /** A desired object that is not applied by this plan. */
  readonly unapplied: Change | undefined;
}

/** undefined: the change waits for nothing. */
function waitOf(change: Change, { options, gated, unapplied }: Waiting): Wait | undefined {
  const { id } = change;
  const reason = reasonToWait(change, options) ?? gatedReason(change, gated) ?? reasonToStay(change, unapplied);
  if (reason !== undefined) return { id, reason };
  const rollout = reasonToKeep(change, options);
  return rollout === undefined ? undefined : { id, reason: rollout, isForRollout: true };
}

function gatedReason({ id, type }: Change, gated: ReadonlyMap<string, string>): string | undefined {
  return SENDS.has(type) ? gated.get(idKey(id)) : undefined;
}

function reasonToWait({ id, desired }: Change, { postponed }: PlanOptions): string | undefined {
  if (desired?.awaitsCrd) return `${formatId(desired.awaitsCrd)} is not served yet`;
  return postponed?.get(idKey(id));
}

function reasonToKeep(change: Change, { rollouts }: PlanOptions): string | undefined {
  return isTerminating(change) ? undefined : rollouts?.get(idKey(change.id));
}

/** A hook that has run waits for nothing: nothing replaces it, and one that failed holds back all that would follow. */
function reasonToStay(change: Change, unapplied: Change | undefined): string | undefined {
  if (!unapplied || change.type !== 'prune' || change.desired || isTerminating(change)) return undefined;
  return `it is pruned once ${formatId(unapplied.id)} is applied`;
}

export function hasEffects(plan: Plan): boolean {
  return plan.waves.length > 0 || plan.prunes.length > 0 || plan.releases.length > 0;
}

/**
 * Sorts prunes in the reverse order of application, objects with `PruneLast` after all others. The wave is read from
 * the live object, since the manifest has left Git.
 */
function* orderPrunes(prunes: readonly Change[]): Steps<Wave[]> {
  const policies = new Map(
    yield* mapSteps(prunes, (change) => [change, change.live && policyOf(change.live.body)] as const),
  );
  const rankOf = (change: Change): number => syncWaveOf(policies.get(change));
  const isLast = (change: Change): boolean => policies.get(change)?.isPrunedLast === true;
  const waves: Wave[] = [];
  for (const group of [prunes.filter((change) => !isLast(change)), prunes.filter(isLast)]) {
    const planned = group.map((change) => ({ change, requires: [] }));
    waves.push(...(yield* groupByWave(planned, rankOf)).reverse());
  }
  return waves;
}

/** Groups by declared wave first, then by the order of kinds. */
function* groupByWave(planned: readonly PlannedChange[], rankOf: (change: Change) => number): Steps<Wave[]> {
  const waves = new Map<string, { rank: number; kindWave: number; changes: PlannedChange[] }>();
  yield* visitSteps(planned, (item) => {
    const [rank, kindWave] = [rankOf(item.change), waveOf(item.change.id)];
    const key = `${rank} ${kindWave}`;
    const wave = waves.get(key) ?? { rank, kindWave, changes: [] };
    wave.changes.push(item);
    waves.set(key, wave);
  });
  const grouped: Wave[] = [];
  for (const { kindWave, changes } of [...waves.values()].sort((a, b) => a.rank - b.rank || a.kindWave - b.kindWave)) {
    const sorted = yield* sortSteps(changes, (a, b) => compareIds(a.change.id, b.change.id));
    grouped.push({ name: WAVES[kindWave]?.name ?? 'other kinds', changes: sorted });
  }
  return grouped;
}

/** Objects that still wait count as well: otherwise a large prune could go past the guard in small parts. */
function holdPrunes(
  prunes: readonly Change[],
  left: readonly Change[],
  { changes, isConfirmed, guard, objectsBefore, behind = new Map(), howToConfirm = '' }: PlanOptions,
): HeldPrune | undefined {
  // Left out: objects whose deletion has begun, and completed hooks, which have not left Git.
  const isNew = (change: Change): boolean => !isTerminating(change) && !change.desired;
  const ready = prunes.filter(isNew);
  if (isConfirmed || ready.length === 0) return undefined;
  const reason = reasonToHold({ left: left.filter(isNew), changes, objectsBefore, guard, behind });
  return reason === undefined
    ? undefined
    : { changes: ready, reason: [reason, howToConfirm].filter(Boolean).join('; ') };
}

function mayYield(change: Change): boolean {
  return !change.desired && change.live !== undefined && !isTerminating(change) && !isGuardedKind(change.id);
}

/** Objects that no confirmation deletes. They hold back no other prune. */
function holdKept(kept: readonly Change[]): HeldPrune | undefined {
  const [first] = kept;
  if (!first) return undefined;
  const reason =
    `${formatId(first.id)} left Git and is not deleted: ${first.keptFor}; restore its manifest, or set ` +
    `spec.sync.allowLiveAnnotations and annotate the object with ${KEEP_ANNOTATION} to let go of it`;
  return { changes: kept, reason };
}

function isTerminating({ live }: Change): boolean {
  return live?.deletionTimestamp !== undefined;
}

/**
 * The part of a plan that adds nothing to the inventory and to the records of Jobs, for an Application whose status
 * cannot be written: what is stored must name every object that may exist. Where something is left out, only what may
 * be the reason for the refusal is pruned: objects of admission.
 */
export function withoutAdditions(plan: Plan, isStored: (id: ObjectId) => boolean): Plan {
  const waves = plan.waves.map(({ name, changes }) => ({
    name,
    changes: changes.filter(({ change: { id } }) => isStored(id) && !isRunToCompletion(id)),
  }));
  const isWhole = waves.every(({ changes }, index) => changes.length === plan.waves[index]?.changes.length);
  if (isWhole) return plan;
  const prunes = plan.prunes.map(({ name, changes }) => ({
    name,
    changes: changes.filter(({ change: { id } }) => id.group === 'admissionregistration.k8s.io'),
  }));
  return { ...plan, waves, prunes, yielding: [] };
}

/** The ids that a plan would apply. They are stored in the inventory before the first apply. */
export function plannedIds(plan: Plan): ObjectId[] {
  const seen = new Map<string, ObjectId>();
  for (const wave of plan.waves) for (const { change } of wave.changes) seen.set(idKey(change.id), change.id);
  return [...seen.values()];
}
