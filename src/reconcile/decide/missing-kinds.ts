/**
 * Kinds of the inventory that discovery lacks. An API server that is starting, or one of several that is behind, lacks
 * groups for a while without saying so. Only a kind that is still lacking when discovery is asked again later is taken
 * to be gone, and its objects with it.
 */
import { createKindFinder, type Kinds } from '../../cluster/kinds.ts';
import type { Cluster } from '../../cluster/ports.ts';
import type { ObjectId } from '../../object/identity.ts';
import type { Clock } from '../../telemetry/ports.ts';
import type { EvidenceMemory } from './memory.ts';

export interface MissingKindsOptions {
  readonly evidence: Pick<EvidenceMemory, 'unserved'>;
  readonly target: Pick<Cluster, 'kinds'>;
  readonly clock: Pick<Clock, 'monotonicMs'>;
  /** Time between two looks at discovery. */
  readonly discoveryRetryMs: number;
}

export interface KnownKinds {
  readonly kinds: Kinds;
  /** Whether an object of a kind that is not served may be taken to be gone. */
  readonly isUnservedGone: boolean;
}

export async function lookForMissingKinds(
  ids: Iterable<ObjectId>,
  { evidence, target, clock, discoveryRetryMs }: MissingKindsOptions,
): Promise<KnownKinds> {
  const all = [...ids];
  const isLacking = (kinds: Kinds): boolean => {
    const findKind = createKindFinder(kinds);
    return all.some((id) => typeof findKind(id) !== 'object');
  };
  const kinds = await target.kinds();
  if (!isLacking(kinds)) {
    evidence.unserved = undefined;
    return { kinds, isUnservedGone: false };
  }
  const nowMs = clock.monotonicMs();
  const { sinceMs, isSettled } = evidence.unserved ?? { sinceMs: nowMs, isSettled: false };
  if (isSettled) return { kinds, isUnservedGone: true };
  const isDue = nowMs - sinceMs >= discoveryRetryMs;
  const latest = evidence.unserved && !isDue ? kinds : await target.kinds({ refresh: true });
  evidence.unserved = isLacking(latest) ? { sinceMs, isSettled: isDue } : undefined;
  return { kinds: latest, isUnservedGone: evidence.unserved?.isSettled ?? false };
}
