/**
 * Kinds of the inventory that discovery lacks. An API server that is starting, or one of several that is behind, lacks
 * groups for a while without a word; only what is still lacking when it is asked again later took its objects with it.
 */
import { createKindFinder, type Kinds } from '../../cluster/kinds.ts';
import type { ObjectId } from '../../object/identity.ts';
import type { ReconcileContext } from '../context.ts';
import type { ApplicationState } from '../memory.ts';

export interface SettledKinds {
  readonly kinds: Kinds;
  /** Whether an object of a kind that nobody serves may be taken for gone. */
  readonly isUnservedGone: boolean;
}

export async function settleKinds(
  { memory }: Pick<ApplicationState, 'memory'>,
  { cluster, clock, settings }: ReconcileContext,
  ids: Iterable<ObjectId>,
): Promise<SettledKinds> {
  const all = [...ids];
  const isLacking = (kinds: Kinds): boolean => {
    const findKind = createKindFinder(kinds);
    return all.some((id) => typeof findKind(id) !== 'object');
  };
  const kinds = await cluster.kinds();
  if (!isLacking(kinds)) {
    memory.unserved = undefined;
    return { kinds, isUnservedGone: false };
  }
  const nowMs = clock.monotonicMs();
  const { sinceMs, isSettled } = memory.unserved ?? { sinceMs: nowMs, isSettled: false };
  if (isSettled) return { kinds, isUnservedGone: true };
  const isDue = nowMs - sinceMs >= settings.discoveryRetryMs;
  const fresh = memory.unserved && !isDue ? kinds : await cluster.kinds({ refresh: true });
  memory.unserved = isLacking(fresh) ? { sinceMs, isSettled: isDue } : undefined;
  return { kinds: fresh, isUnservedGone: memory.unserved?.isSettled ?? false };
}
