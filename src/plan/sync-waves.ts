/**
 * The waves that annotations declare: phase (PreSync, Sync, PostSync), then `sync-wave` or hook weight. Unlike the
 * order of kinds they are a gate: a new manifest is applied only after all objects of earlier waves are applied and
 * Healthy.
 *
 * Invariants: an object that was applied before is healed even if its wave waits; a Namespace or
 * CustomResourceDefinition is in no later wave than the objects in it; if there is only one wave, nothing waits.
 */
import type { Change } from '../diff/changes.ts';
import { formatId, idKey } from '../object/identity.ts';
import { PHASES } from '../object/hooks.ts';
import { DEFAULT_POLICY, type ObjectPolicy } from '../object/policy.ts';
import { mapSteps, visitSteps, type Steps } from '../object/steps.ts';
import { homesOf, indexHomes } from './homes.ts';

export interface Gate {
  /** By `idKey`: desired objects that are neither Healthy nor Suspended, with their health for people. */
  readonly unwell: ReadonlyMap<string, string>;
  /** Whether the server has accepted this manifest before, so that a change of the object is a heal. */
  readonly isAccepted: (change: Change) => boolean;
}

/** More than the distance between the lowest and the highest wave (nine digits and a sign). */
const WAVES_PER_PHASE = 4e9;

/** A number that orders (phase, wave). */
export function syncWaveOf({ phase, wave }: Pick<ObjectPolicy, 'phase' | 'wave'> = DEFAULT_POLICY): number {
  return PHASES.indexOf(phase) * WAVES_PER_PHASE + wave;
}

/** Whether the desired objects are in more than one wave. */
export function hasSyncWaves(changes: readonly Change[]): boolean {
  let first: number | undefined;
  for (const { desired } of changes) {
    if (!desired || desired.policy?.isSyncFail) continue;
    const wave = syncWaveOf(desired.policy);
    first ??= wave;
    if (wave !== first) return true;
  }
  return false;
}

/** By `idKey`: the wave of each desired object; undefined if all are in one wave. */
export function* syncWavesOf(changes: readonly Change[]): Steps<ReadonlyMap<string, number> | undefined> {
  // Most Applications declare no wave and need no map.
  if (!hasSyncWaves(changes)) return undefined;
  // Hooks of a failed sync neither wait for the waves that failed nor hold back what would mend it.
  const desired = changes.filter((change) => change.desired && !change.desired.policy?.isSyncFail);
  const waves = new Map(
    yield* mapSteps(desired, (change) => [idKey(change.id), syncWaveOf(change.desired?.policy)] as const),
  );
  const homes = indexHomes(desired);
  yield* visitSteps(desired, ({ id }) => {
    for (const home of homesOf(id, homes)) {
      const wave = waves.get(idKey(id)) ?? 0;
      if (idKey(home) !== idKey(id)) waves.set(idKey(home), Math.min(waves.get(idKey(home)) ?? wave, wave));
    }
  });
  return waves;
}

/** By `idKey`: changes that must wait for an earlier wave, with the reason, which names an object of that wave. */
export function* gateWaves(
  changes: readonly Change[],
  waves: ReadonlyMap<string, number>,
  { unwell, isAccepted }: Gate,
): Steps<Map<string, string>> {
  let first = undefined as { readonly wave: number; readonly reason: string } | undefined;
  yield* visitSteps(changes, (change) => {
    const wave = waves.get(idKey(change.id));
    if (wave === undefined || wave >= (first?.wave ?? Infinity)) return;
    const why = reasonUnsettled(change, { unwell, isAccepted });
    if (why !== undefined) first = { wave, reason: `an earlier wave waits for ${formatId(change.id)}: ${why}` };
  });
  const held = new Map<string, string>();
  if (!first) return held;
  const { wave: firstWave, reason } = first;
  yield* visitSteps(changes, (change) => {
    const key = idKey(change.id);
    const wave = waves.get(key);
    if (wave !== undefined && wave > firstWave && !isAccepted(change)) held.set(key, reason);
  });
  return held;
}

/** Why a change is not applied and well yet, for people. undefined: it is. */
export function reasonUnsettled(change: Change, { unwell, isAccepted }: Gate): string | undefined {
  // A hook that has run and is deleted: one that failed still holds back what follows.
  if (change.type === 'prune') return unwell.get(idKey(change.id));
  if (change.type === 'conflict' || change.type === 'unknown') return change.reason ?? 'it cannot be applied';
  if (change.type !== 'none' && !isAccepted(change)) return 'it is not applied yet';
  return unwell.get(idKey(change.id));
}
