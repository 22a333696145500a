/**
 * The watches that identities may have open at once.
 *
 * Invariant: at most `maxWatches` are taken, and the accounts of a namespace take no more than their fair share, so
 * that a few tenants do not take the watches of all others.
 */
import { isWithinFairShare } from '../../object/fair-share.ts';
import type { Identity } from '../identity.ts';

export interface WatchBudget {
  /** Takes a watch for the identity; false if there is none left for it. */
  take(identity: Identity): boolean;
  giveBack(identity: Identity): void;
  /** Watches that are taken now. */
  count(): number;
}

export function createWatchBudget(maxWatches: number): WatchBudget {
  /** By namespace of the account; watches of the agent itself are not among them. */
  const countByNamespace = new Map<string, number>();
  let count = 0;

  function add(identity: Identity, change: 1 | -1): void {
    count += change;
    if (identity.type === 'agent') return;
    const left = (countByNamespace.get(identity.namespace) ?? 0) + change;
    if (left > 0) countByNamespace.set(identity.namespace, left);
    else countByNamespace.delete(identity.namespace);
  }

  return {
    take(identity) {
      const held = identity.type === 'agent' ? 0 : (countByNamespace.get(identity.namespace) ?? 0);
      if (!isWithinFairShare({ held, free: maxWatches - count })) return false;
      add(identity, 1);
      return true;
    },
    giveBack: (identity) => add(identity, -1),
    count: () => count,
  };
}
