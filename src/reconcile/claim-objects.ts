/**
 * What an Application claims of the objects of a pass, and what it lets go of. Invariant: whoever gains or loses by it
 * is woken: who waits for what was let go, and the owner of what is claimed a second time, or no more.
 */
import { parseApplication } from '../application/parse.ts';
import { idKey, type ObjectId } from '../object/identity.ts';
import type { RivalClaim } from '../status/report.ts';
import { hasStanding } from './act-as.ts';
import { identityOf, type Pass } from './pass.ts';

export interface ClaimResult {
  /** By `idKey`: who stands in the way of a desired object, or wants one that is desired no more. */
  readonly claimants: ReadonlyMap<string, string>;
  /** Desired objects of this Application that others claim as well. */
  readonly contests: readonly RivalClaim[];
}

/** Claims what is desired and lets go of what is neither desired nor held. */
export function claimObjects(
  pass: Pass,
  desired: readonly ObjectId[],
  inventory: ReadonlyMap<string, ObjectId>,
): ClaimResult {
  const { context, state } = pass;
  const { claims, cluster, wake } = context;
  const { clusterId } = cluster;
  const claimants = new Map<string, string>();
  const contests: RivalClaim[] = [];
  const waitsFor = new Set<string>();
  for (const id of desired) {
    const holder = claimOne(pass, id);
    if (holder === state.key) {
      const [claimant] = claims.wantedBy(clusterId, id);
      if (claimant !== undefined) contests.push({ id, claimant });
    } else {
      claimants.set(idKey(id), holder);
      if (!isReporting(pass)) waitsFor.add(idKey(id));
    }
  }
  for (const owner of claims.wantOnly(clusterId, state.key, waitsFor)) wake(owner);
  const wanted = new Set(desired.map(idKey));
  for (const [key, id] of inventory) {
    const other = wanted.has(key) ? undefined : claims.wantedBy(clusterId, id)[0];
    if (other !== undefined) claimants.set(key, other);
  }
  keepClaims(pass, desired, inventory);
  return { claimants, contests };
}

/** The same as far as it can be told without claiming anything. */
export function readClaims(
  { context, state }: Pass,
  desired: readonly ObjectId[],
  inventory: ReadonlyMap<string, ObjectId>,
): ClaimResult {
  const { claims, cluster } = context;
  const claimants = new Map<string, string>();
  const wanted = new Set(desired.map(idKey));
  for (const id of desired) {
    const owner = claims.ownerOf(cluster.clusterId, id) ?? state.key;
    if (owner !== state.key) claimants.set(idKey(id), owner);
  }
  for (const [key, id] of inventory) {
    const [other] = wanted.has(key) ? [] : claims.wantedBy(cluster.clusterId, id);
    if (other !== undefined) claimants.set(key, other);
  }
  return { claimants, contests: [] };
}

/** Lets go of what is neither desired nor in the inventory (any more). */
export function keepClaims(pass: Pass, desired: readonly ObjectId[], inventory: ReadonlyMap<string, ObjectId>): void {
  const { context, state } = pass;
  const { claims, cluster, wake } = context;
  const kept = new Set(inventory.keys());
  if (!isReporting(pass)) for (const id of desired) kept.add(idKey(id));
  for (const other of claims.keepOnly(cluster.clusterId, state.key, kept)) wake(other);
}

/** A suspended Application takes nothing over, so nothing is left for it. */
export function stopWaiting({ context, state }: Pass): void {
  const { claims, cluster, wake } = context;
  for (const owner of claims.wantOnly(cluster.clusterId, state.key, new Set())) wake(owner);
}

/** The owner of an object, which is the claimant unless another came first. */
function claimOne(pass: Pass, id: ObjectId): string {
  const { context, state } = pass;
  const { claims, cluster, wake } = context;
  if (isReporting(pass)) return claims.ownerOf(cluster.clusterId, id) ?? state.key;
  const waited = claims.wantedBy(cluster.clusterId, id).includes(state.key);
  const holder = claims.claim(cluster.clusterId, id, state.key);
  if (holder !== state.key && !waited) wake(holder);
  if (holder === state.key || !hasStanding(pass.identity, id) || hasTitle(pass, holder, id)) return holder;
  claims.take(cluster.clusterId, id, state.key);
  return state.key;
}

/** Whether the owner holds more than its own word: it may well write the object, or has. What is not known counts. */
function hasTitle({ context }: Pass, holder: string, id: ObjectId): boolean {
  const owner = [...context.peers()].find(({ key }) => key === holder);
  const parsed = owner && parseApplication(owner.stored);
  if (!owner || !parsed?.ok) return true;
  return (
    hasStanding(identityOf(parsed.application, context.settings), id) ||
    owner.memory.inventory?.has(idKey(id)) !== false
  );
}

/** What only reports takes nothing from anybody. */
function isReporting({ asked }: Pass): boolean {
  return asked.intent.mode === 'detect';
}
