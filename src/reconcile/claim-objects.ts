/**
 * What an Application claims of the objects of a pass, and what it lets go of. Invariant: whoever waits for an object
 * that was let go is woken.
 */
import { idKey, type ObjectId } from '../object/identity.ts';
import type { Pass } from './pass.ts';

/**
 * Claims what is desired and lets go of what is neither desired nor held. The result names, by `idKey`, the Application
 * that stands in the way of a desired object, or that wants one which is desired no more.
 */
export function claimObjects(
  pass: Pass,
  desired: readonly ObjectId[],
  inventory: ReadonlyMap<string, ObjectId>,
): Map<string, string> {
  const { application, context, state } = pass;
  const { claims, cluster } = context;
  const claimants = new Map<string, string>();
  // What only reports takes nothing from anybody.
  const isReporting = application.spec.sync.mode === 'detect';
  for (const id of desired) {
    const holder = isReporting
      ? (claims.ownerOf(cluster.clusterId, id) ?? state.key)
      : claims.claim(cluster.clusterId, id, state.key);
    if (holder !== state.key) claimants.set(idKey(id), holder);
  }
  const wanted = new Set(desired.map(idKey));
  for (const [key, id] of inventory) {
    const other = wanted.has(key) ? undefined : claims.wantedBy(cluster.clusterId, id)[0];
    if (other !== undefined) claimants.set(key, other);
  }
  keepClaims(pass, desired, inventory);
  return claimants;
}

/** Lets go of what is neither desired nor in the inventory (any more). */
export function keepClaims(
  { context, state }: Pass,
  desired: readonly ObjectId[],
  inventory: ReadonlyMap<string, ObjectId>,
): void {
  const { claims, cluster, wake } = context;
  const kept = new Set(inventory.keys());
  for (const id of desired) kept.add(idKey(id));
  for (const other of claims.keepOnly(cluster.clusterId, state.key, kept)) wake(other);
}
