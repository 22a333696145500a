/**
 * The waves that people declare: phase (PreSync, Sync, PostSync), then `sync-wave` or hook weight. Other than the order
 * of kinds they are a gate: a new manifest is applied only once all that comes before it is applied and Healthy.
 *
 * Invariants: what was applied before is healed whatever its wave waits for; a Namespace and a CustomResourceDefinition
 * are in no later wave than what lives in them; where all is in one wave, nothing waits.
 */
import type { Change } from '../diff/changes.ts';
import { formatId, idKey } from '../object/identity.ts';
import { PHASES } from '../object/hooks.ts';
import { DEFAULT_POLICY, type ObjectPolicy } from '../object/policy.ts';
import { homesOf, indexHomes } from './homes.ts';

export interface Gate {
  /** By `idKey`: desired objects that are neither Healthy nor Suspended, with how they do, for people. */
  readonly unwell: ReadonlyMap<string, string>;
  /** Whether the server has accepted this very manifest before: what is left to do is to heal it. */
  readonly isAccepted: (change: Change) => boolean;
}

/** More than the distance between the least wave and the greatest (nine digits and a sign). */
const WAVES_PER_PHASE = 4e9;

/** A number that orders (phase, wave). */
export function syncWaveOf({ phase, wave }: Pick<ObjectPolicy, 'phase' | 'wave'> = DEFAULT_POLICY): number {
  return PHASES.indexOf(phase) * WAVES_PER_PHASE + wave;
}

/** By `idKey`, for all that is desired; undefined where all is in one. */
export function syncWavesOf(changes: readonly Change[]): ReadonlyMap<string, number> | undefined {
  const desired = changes.filter((change) => change.desired !== undefined);
  const ranks = desired.map((change) => syncWaveOf(change.desired?.policy));
  // Most Applications declare no wave: then it costs no look-up.
  if (ranks.every((rank) => rank === ranks[0])) return undefined;
  const waves = new Map(desired.map((change, index) => [idKey(change.id), ranks[index] ?? 0]));
  const homes = indexHomes(desired);
  for (const { id } of desired) {
    const wave = waves.get(idKey(id)) ?? 0;
    for (const home of homesOf(id, homes)) {
      if (idKey(home) !== idKey(id)) waves.set(idKey(home), Math.min(waves.get(idKey(home)) ?? wave, wave));
    }
  }
  return waves;
}

/** By `idKey`: what must wait for an earlier wave, and for which object of it. */
export function gateWaves(
  changes: readonly Change[],
  waves: ReadonlyMap<string, number>,
  { unwell, isAccepted }: Gate,
): Map<string, string> {
  let first: { readonly wave: number; readonly reason: string } | undefined;
  for (const change of changes) {
    const wave = waves.get(idKey(change.id));
    if (wave === undefined || (first && first.wave <= wave)) continue;
    const why = reasonUnsettled(change, { unwell, isAccepted });
    if (why !== undefined) first = { wave, reason: `an earlier wave waits for ${formatId(change.id)}: ${why}` };
  }
  const held = new Map<string, string>();
  if (!first) return held;
  for (const change of changes) {
    const wave = waves.get(idKey(change.id));
    if (wave !== undefined && wave > first.wave && !isAccepted(change)) held.set(idKey(change.id), first.reason);
  }
  return held;
}

function reasonUnsettled(change: Change, { unwell, isAccepted }: Gate): string | undefined {
  if (change.type === 'prune') return undefined;
  if (change.type === 'conflict' || change.type === 'unknown') return change.reason ?? 'it cannot be applied';
  if (change.type !== 'none' && !isAccepted(change)) return 'it is not applied yet';
  return unwell.get(idKey(change.id));
}
