/**
 * The claims of an Application on the objects of a pass. Invariant: every Application that gains or loses by a claim is
 * woken: those that wait for a released object, and the owner of an object that is claimed a second time or no longer.
 */
import type { Identity } from '../../cluster/identity.ts';
import { idKey, type ObjectId } from '../../object/identity.ts';
import type { RivalClaim } from '../../status/report.ts';
import type { ReconcileContext } from '../context.ts';
import type { Claims } from '../neighbours/claims.ts';
import {
  desireFor,
  isActing,
  isOfNewestSpec,
  isSameRepository,
  isSameSource,
  relationTo,
} from '../neighbours/desire.ts';
import type { Neighbours } from '../neighbours/neighbours.ts';
import { identityOf, type Pass } from '../pass.ts';

export interface Claimant {
  /** `namespace/name` of the Application. */
  readonly key: string;
  readonly identity: Identity;
  readonly clusterId: string;
  /** In mode detect an Application claims nothing. */
  readonly isReporting: boolean;
  /** It applies what it desires in this pass. */
  readonly isActing: boolean;
  readonly claims: Claims;
  readonly neighbours: Pick<Neighbours, 'get' | 'wake'>;
  readonly settings: Pick<ReconcileContext['settings'], 'defaultServiceAccount'>;
}

/** The part of a pass that its claims need. */
export interface ClaimingPass extends Pick<Pass, 'identity'> {
  readonly record: Pick<Pass['record'], 'key'>;
  readonly target: Pick<Pass['target'], 'clusterId'>;
  readonly goal: Pick<Pass['goal'], 'isDryRun'> & { readonly intent: Pick<Pass['goal']['intent'], 'mode'> };
  readonly context: Pick<Claimant, 'claims' | 'neighbours' | 'settings'>;
}

export function claimantOf({ record, identity, target, goal, context }: ClaimingPass): Claimant {
  const { claims, neighbours, settings } = context;
  return {
    key: record.key,
    identity,
    clusterId: target.clusterId,
    isReporting: goal.intent.mode === 'detect',
    isActing: goal.intent.mode === 'auto' && !goal.isDryRun,
    claims,
    neighbours,
    settings,
  };
}

export interface ClaimResult {
  /** By `idKey`: the owner of a desired object, or the Application that wants an object that is no longer desired. */
  readonly claimants: ReadonlyMap<string, string>;
  /** Desired objects of this Application that others claim as well. */
  readonly rivalClaims: readonly RivalClaim[];
}

/** Claims desired objects, and lets go of objects that are neither desired nor in the inventory. */
export function claimObjects(
  claimant: Claimant,
  desired: readonly ObjectId[],
  inventory: ReadonlyMap<string, ObjectId>,
): ClaimResult {
  const { key, clusterId, claims, neighbours, isReporting } = claimant;
  const claimants = new Map<string, string>();
  const rivalClaims: RivalClaim[] = [];
  const waitsFor = new Set<string>();
  for (const id of desired) {
    const owner = claimOne(claimant, id);
    if (owner === key) {
      const [rival] = claims.wantedBy(clusterId, id);
      if (rival !== undefined) rivalClaims.push({ id, claimant: rival });
    } else {
      claimants.set(idKey(id), owner);
      if (!isReporting) waitsFor.add(idKey(id));
    }
  }
  for (const owner of claims.wantOnly(clusterId, key, waitsFor)) neighbours.wake(owner);
  addWantedLeftovers(claimants, claimant, { desired, inventory });
  keepClaims(claimant, desired, inventory);
  return { claimants, rivalClaims };
}

/** The same without claiming anything, for a dry run. */
export function readClaims(
  claimant: Claimant,
  desired: readonly ObjectId[],
  inventory: ReadonlyMap<string, ObjectId>,
): ClaimResult {
  const { key, clusterId, claims } = claimant;
  const claimants = new Map<string, string>();
  for (const id of desired) {
    const owner = claims.ownerOf(clusterId, id) ?? key;
    if (owner !== key) claimants.set(idKey(id), owner);
  }
  addWantedLeftovers(claimants, claimant, { desired, inventory });
  return { claimants, rivalClaims: [] };
}

/** Lets go of objects that are neither desired nor in the inventory. */
export function keepClaims(
  { key, clusterId, claims, neighbours, isReporting }: Claimant,
  desired: readonly ObjectId[],
  inventory: ReadonlyMap<string, ObjectId>,
): void {
  const kept = new Set(inventory.keys());
  if (!isReporting) for (const id of desired) kept.add(idKey(id));
  for (const other of claims.keepOnly(clusterId, key, kept)) neighbours.wake(other);
}

/** A suspended Application takes no object over, so its owner need not leave one for it. */
export function stopWaiting({ key, clusterId, claims, neighbours }: Claimant): void {
  for (const owner of claims.wantOnly(clusterId, key, new Set())) neighbours.wake(owner);
}

interface Sets {
  readonly desired: readonly ObjectId[];
  readonly inventory: ReadonlyMap<string, ObjectId>;
}

/**
 * A claim of an Application of another source counts as it stands. One of the same source may be that of an older
 * commit: decide/hand-over.ts decides about it by what the other one has announced.
 */
function addWantedLeftovers(
  claimants: Map<string, string>,
  { key: self, clusterId, claims, neighbours }: Claimant,
  { desired, inventory }: Sets,
): void {
  const wanted = new Set(desired.map(idKey));
  const own = neighbours.get(self);
  const isElsewhere = (other: string): boolean => {
    const neighbour = neighbours.get(other);
    return !own || !neighbour || !isSameSource(own, neighbour);
  };
  for (const [key, id] of inventory) {
    const other = wanted.has(key) ? undefined : claims.wantedBy(clusterId, id).find(isElsewhere);
    if (other !== undefined) claimants.set(key, other);
  }
}

/** The owner of an object: the claimant, unless another Application came first. */
function claimOne(claimant: Claimant, id: ObjectId): string {
  const { key, identity, clusterId, claims, neighbours, isReporting } = claimant;
  if (isReporting) return claims.ownerOf(clusterId, id) ?? key;
  const hasWaited = claims.wantedBy(clusterId, id).includes(key);
  const owner = claims.claim(clusterId, id, key);
  if (owner !== key && !hasWaited) neighbours.wake(owner);
  if (owner === key) return owner;
  if (!hasGivenUp(claimant, owner, id) && (!hasStanding(identity, id) || hasTitle(claimant, owner, id))) return owner;
  claims.take(clusterId, id, key);
  return key;
}

/** Whether the owner may well write the object, or has written it. An unknown owner counts as one that has. */
function hasTitle({ neighbours, settings }: Claimant, owner: string, id: ObjectId): boolean {
  const neighbour = neighbours.get(owner);
  const { application } = neighbour ?? {};
  if (!neighbour || !application) return true;
  return hasStanding(identityOf(application, settings), id) || neighbour.holds(id) !== false;
}

/**
 * Whether the owner of an object lets this Application have it while it still carries the owner's marks: both follow
 * one source, and the owner, at its newest spec and at our commit, does not desire it; or the owner is being deleted.
 * An owner at another commit lets go of nothing: one of the two has read an older state.
 */
export function hasGivenUp({ key, neighbours, isActing: isApplying }: Claimant, owner: string, id: ObjectId): boolean {
  const [own, other] = [neighbours.get(key), neighbours.get(owner)];
  if (!isApplying || !own?.announced?.ids.has(idKey(id)) || !isOfNewestSpec(own) || !other) return false;
  if (other.isDeleted) return isSameRepository(own, other);
  if (!isActing(other) || !isSameSource(own, other)) return false;
  return desireFor(idKey(id), other, relationTo(own.announced, other)) === 'undesired';
}

/**
 * Whether the claim of an Application counts before it has written the object: in its own namespace, and with the
 * agent's rights. Rights of an account in other namespaces show only by its writes.
 */
export function hasStanding(identity: Identity, { namespace }: Pick<ObjectId, 'namespace'>): boolean {
  return identity.type === 'agent' || identity.namespace === namespace;
}
