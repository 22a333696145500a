/**
 * The watches that identities may have open at once.
 *
 * Invariant: at most `maxWatches` are taken, and the accounts of one namespace have at most half of them, so that no
 * tenant takes the watches of all others.
 */
import type { Identity } from '../identity.ts';

export interface WatchBudget {
  /** Takes a watch for the identity; false if there is none left for it. */
  take(identity: Identity): boolean;
  giveBack(identity: Identity): void;
  /** Watches that are taken now. */
  count(): number;
}

export function createWatchBudget(maxWatches: number): WatchBudget {
  const maxPerNamespace = Math.ceil(maxWatches / 2);
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
      const isShareTaken =
        identity.type !== 'agent' && (countByNamespace.get(identity.namespace) ?? 0) >= maxPerNamespace;
      if (count >= maxWatches || isShareTaken) return false;
      add(identity, 1);
      return true;
    },
    giveBack: (identity) => add(identity, -1),
    count: () => count,
  };
}
