/**
 * The claims of an Application on the objects of a pass.
 *
 * Invariants: a claim yields to one with a better title, so an Application keeps no object from others that it may not
 * write itself. Every Application that gains or loses by a claim is woken: those that wait for a released object, and
 * the owner of an object that is claimed a second time or no longer.
 */
import type { Identity } from '../../cluster/identity.ts';
import { idKey, type ObjectId } from '../../object/identity.ts';
import type { RivalClaim } from '../../status/report.ts';
import type { ReconcileContext } from '../context.ts';
import type { Claims } from '../neighbours/claims.ts';
import {
  desireFor,
  isGiving,
  isOfNewestSpec,
  isSameRepository,
  isSameSource,
  relationTo,
} from '../neighbours/desire.ts';
import type { Neighbour, Neighbours } from '../neighbours/neighbours.ts';
import { identityOf, type Pass } from '../pass.ts';
import { mayPass, mayReceive, type Standing, type StandingPair } from './standing.ts';

export interface Claimant {
  /** `namespace/name` of the Application. */
  readonly key: string;
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
export interface ClaimingPass {
  readonly record: Pick<Pass['record'], 'key'>;
  readonly target: Pick<Pass['target'], 'clusterId'>;
  readonly goal: Pick<Pass['goal'], 'isDryRun'> & { readonly intent: Pick<Pass['goal']['intent'], 'mode'> };
  readonly context: Pick<Claimant, 'claims' | 'neighbours' | 'settings'>;
}

export function claimantOf({ record, target, goal, context }: ClaimingPass): Claimant {
  const { claims, neighbours, settings } = context;
  return {
    key: record.key,
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

export interface ClaimedSets {
  readonly desired: readonly ObjectId[];
  readonly inventory: ReadonlyMap<string, ObjectId>;
}

/** The pairs whose standing decides about these claims. None where no object is claimed or wanted by two. */
export function disputedPairs(claimant: Claimant, { desired, inventory }: ClaimedSets): StandingPair[] {
  const { key, clusterId, claims, neighbours } = claimant;
  const pairs: StandingPair[] = [];
  for (const id of desired) {
    const owner = claims.ownerOf(clusterId, id);
    if (owner === undefined || owner === key || neighbours.get(owner)?.hasWritten(id)) continue;
    pairs.push({ key, id }, { key: owner, id });
  }
  const wanted = new Set(desired.map(idKey));
  for (const [each, id] of inventory) {
    if (wanted.has(each)) continue;
    for (const other of wantedElsewhere(claimant, id)) pairs.push({ key: other, id });
  }
  return pairs;
}

/** Claims desired objects, and lets go of objects that are neither desired nor in the inventory. */
export function claimObjects(claimant: Claimant, { desired, inventory }: ClaimedSets, standing: Standing): ClaimResult {
  const { key, clusterId, claims, neighbours, isReporting } = claimant;
  const claimants = new Map<string, string>();
  const rivalClaims: RivalClaim[] = [];
  const waitsFor = new Set<string>();
  for (const id of desired) {
    const owner = claimOne(claimant, id, standing);
    if (owner === key) {
      const [rival] = claims.wantedBy(clusterId, id);
      if (rival !== undefined) rivalClaims.push({ id, claimant: rival });
    } else {
      claimants.set(idKey(id), owner);
      if (!isReporting) waitsFor.add(idKey(id));
    }
  }
  for (const owner of claims.wantOnly(clusterId, key, waitsFor)) neighbours.wake(owner);
  addWantedLeftovers(claimants, claimant, { desired, inventory, standing });
  keepClaims(claimant, desired, inventory);
  return { claimants, rivalClaims };
}

/** The same without claiming anything, for a dry run. */
export function readClaims(claimant: Claimant, { desired, inventory }: ClaimedSets, standing: Standing): ClaimResult {
  const claimants = new Map<string, string>();
  for (const id of desired) {
    const owner = readOwner(claimant, id, standing);
    if (owner !== claimant.key) claimants.set(idKey(id), owner);
  }
  addWantedLeftovers(claimants, claimant, { desired, inventory, standing });
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

/**
 * A claim of an Application of another source counts as it stands, if it may write the object. One of the same source
 * may be that of an older commit: decide/hand-over.ts decides about it by what the other one has announced.
 */
function addWantedLeftovers(
  claimants: Map<string, string>,
  claimant: Claimant,
  { desired, inventory, standing }: ClaimedSets & { readonly standing: Standing },
): void {
  const wanted = new Set(desired.map(idKey));
  for (const [key, id] of inventory) {
    const others = wanted.has(key) ? [] : wantedElsewhere(claimant, id);
    const other = others.find((each) => mayReceive({ key: each, id }, claimant.key, standing) === true);
    if (other !== undefined) claimants.set(key, other);
  }
}

/** The Applications of other sources that wait for an object, and that it could go over to. */
function wantedElsewhere({ key: self, clusterId, claims, neighbours }: Claimant, id: ObjectId): string[] {
  const own = neighbours.get(self);
  return claims.wantedBy(clusterId, id).filter((other) => {
    const neighbour = neighbours.get(other);
    return (!own || !neighbour || !isSameSource(own, neighbour)) && mayPass({ key: other, id }, self);
  });
}

/** The owner of an object: the claimant, unless another Application with a title as good came first. */
function claimOne(claimant: Claimant, id: ObjectId, standing: Standing): string {
  const { key, clusterId, claims, neighbours, isReporting } = claimant;
  if (isReporting) return readOwner(claimant, id, standing);
  const hasWaited = claims.wantedBy(clusterId, id).includes(key);
  const owner = claims.claim(clusterId, id, key);
  if (owner !== key && !hasWaited) neighbours.wake(owner);
  if (owner === key || (!hasGivenUp(claimant, owner, id) && !isBetter(claimant, owner, { id, standing }))) return owner;
  claims.take(clusterId, id, key);
  return key;
}

/** The same without claiming anything. */
function readOwner(claimant: Claimant, id: ObjectId, standing: Standing): string {
  const { key, clusterId, claims } = claimant;
  const owner = claims.ownerOf(clusterId, id) ?? key;
  return owner === key || isBetter(claimant, owner, { id, standing }) ? key : owner;
}

/** By what an Application claims an object, the weakest title first. */
const TITLES = ['none', 'allowed', 'at home', 'held', 'written'] as const;
type Title = (typeof TITLES)[number];

interface Disputed {
  readonly id: ObjectId;
  readonly standing: Standing;
}

function isBetter(claimant: Claimant, owner: string, disputed: Disputed): boolean {
  const { key, neighbours } = claimant;
  const own = titleOf(claimant, key, { ...disputed, isHeld: neighbours.get(key)?.holds(disputed.id) === true });
  // Until its inventory is read, the owner holds what status says: a restart must not shuffle owners.
  const isHeld = neighbours.get(owner)?.holds(disputed.id) !== false;
  const theirs = titleOf(claimant, owner, { ...disputed, isHeld });
  // A review forecasts and does not decide: the write of the claimant will tell.
  if (own === 'none' && theirs === 'none') return claimant.isActing;
  return TITLES.indexOf(own) > TITLES.indexOf(theirs);
}

/**
 * - written: the API server has shown or accepted the object with the marks of the Application.
 * - held: its account may write the object, and the object is in its inventory. The inventory alone proves nothing,
 *   since an object enters it before its first write.
 * - at home: its account may write the object, and is of the object's namespace.
 * - allowed: its account may write the object.
 */
function titleOf(
  { neighbours, settings }: Claimant,
  key: string,
  { id, standing, isHeld }: Disputed & { readonly isHeld: boolean },
): Title {
  const neighbour: Neighbour | undefined = neighbours.get(key);
  if (neighbour?.hasWritten(id)) return 'written';
  if (!neighbour?.application || !standing(key, id)) return 'none';
  if (isHeld) return 'held';
  return isAtHome(identityOf(neighbour.application, settings), id) ? 'at home' : 'allowed';
}

/**
 * Whether the owner of an object lets this Application have it while it still carries the owner's marks: both follow
 * one source, and the owner, at its newest spec and at our commit, does not desire it; or the owner is being deleted.
 * An owner at another commit lets go of nothing: one of the two has read an older state.
 */
export function hasGivenUp({ key, neighbours, isActing: isApplying }: Claimant, owner: string, id: ObjectId): boolean {
  const [own, other] = [neighbours.get(key), neighbours.get(owner)];
  if (!mayPass({ key, id }, owner)) return false;
  if (!isApplying || !own?.announced?.ids.has(idKey(id)) || !isOfNewestSpec(own) || !other) return false;
  if (other.isDeleted) return isSameRepository(own, other);
  if (!isGiving(other) || !isSameSource(own, other)) return false;
  return desireFor(idKey(id), other, relationTo(own.announced, other)) === 'undesired';
}

/** Whether an object that does not exist yet is in the namespace of the account. The agent is at home everywhere. */
function isAtHome(identity: Identity, { namespace }: Pick<ObjectId, 'namespace'>): boolean {
  return identity.type === 'agent' || identity.namespace === namespace;
}
