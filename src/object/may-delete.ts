/**
 * Decides whether a live object may be deleted: by a prune, as a hook that has run, to be created again, or with its
 * Application. No other code decides this. `diff` calls it before the plan, `apply` calls it again with the object of
 * the GET right before the DELETE.
 *
 * Invariant: `delete` only for an object whose owner label and owner annotation both name this Application, and that no
 * controller owns. An Application never prunes itself. An object that gives or bounds rights is never released because
 * of what its live form says: its Application keeps it, and says so.
 */
import { APPLICATION_GROUP, APPLICATION_KIND, parseOwner, readOwnership, type Owner } from './applyset.ts';
import { isAccessKind } from './access-kinds.ts';
import { isGuardedKind } from './guarded-kinds.ts';
import { formatId, type ObjectId } from './identity.ts';
import { policyInGit, policyOfLeft, type LivePolicy, type ReadObject } from './live-policy.ts';
import { listAt, stringAt, valueAt, type KubeObject } from './value.ts';

/**
 * - prune: the object left Git.
 * - hook: the object is a hook that has run, and its manifest asks to delete it.
 * - recreate: a field cannot be changed in place, and the manifest allows to delete and create the object.
 * - deletion: the Application itself is deleted.
 */
export type DeleteOccasion = 'prune' | 'hook' | 'recreate' | 'deletion';

export type DeleteDecision =
  | { readonly type: 'delete' }
  /** Deleted after a person has confirmed it, because of its annotations. */
  | { readonly type: 'confirm'; readonly reason: string }
  /** Not touched, because its reconciliation is disabled. */
  | { readonly type: 'leave'; readonly reason: string }
  /** Not deleted, and no longer managed by this Application; our marks are removed from the object. */
  | { readonly type: 'release'; readonly reason: string }
  /** Not deleted on this occasion, and still managed by this Application. */
  | { readonly type: 'refuse'; readonly reason: string };

export interface DeleteQuestion {
  /** The object as it was last read; only its id, its `metadata` and the retention of its claims are used. */
  readonly live: ReadObject;
  /** The marks of this Application. */
  readonly owner: Owner;
  readonly occasion: DeleteOccasion;
  /** Whether a person has confirmed the deletion of this object. Default: no. */
  readonly isConfirmed?: boolean;
}

export const KEPT_BY_DISABLED = 'not changed: it carries kustomize.toolkit.fluxcd.io/reconcile: disabled';
export const KEPT_BY_ANNOTATION = 'its annotations forbid deleting it, so only the owner marks are removed';

const ASKS = 'its annotations ask for a confirmation before it is deleted';

export function mayDelete({ live, owner, occasion, isConfirmed = false }: DeleteQuestion): DeleteDecision {
  const { id, body } = live;
  const isDesired = occasion === 'recreate' || occasion === 'hook';
  const policy = isDesired ? policyInGit(body, owner) : policyOfLeft(live, owner);
  if (policy.isDisabled) return { type: 'leave', reason: KEPT_BY_DISABLED };
  const reason = reasonNotOurs(body, owner);
  if (isDesired) {
    const kept = reason ?? reasonItself(id, owner) ?? reasonProtected(policy);
    return decideDesired(live, occasion, kept);
  }
  if (reason !== undefined) return letGo(live, owner, reason);
  const removal = policy[occasion];
  if (removal === 'keep') return { type: 'release', reason: KEPT_BY_ANNOTATION };
  const itself = occasion === 'prune' ? reasonItself(id, owner) : undefined;
  if (itself !== undefined) return { type: 'refuse', reason: itself };
  return removal === 'confirm' && !isConfirmed ? { type: 'confirm', reason: ASKS } : { type: 'delete' };
}

/** An object with other marks belongs to another owner now. Rights do not end up with another namespace in this way. */
function letGo({ id, body }: ReadObject, owner: Owner, reason: string): DeleteDecision {
  const ownership = readOwnership(body, owner);
  const taker = ownership.type === 'application' ? parseOwner(ownership.annotation) : undefined;
  const self = parseOwner(owner.ownerAnnotation);
  const isTakenAtHome = taker?.namespace === self?.namespace && taker?.hubId === self?.hubId;
  if (!isAccessKind(id) || (taker && isTakenAtHome) || owner.allowsLiveAnnotations) return { type: 'release', reason };
  return { type: 'refuse', reason: `${reason}; delete ${formatId(id)} by hand if nothing else needs it` };
}

/** An object that is in Git is never released: it stays as it is where it may not be deleted. */
function decideDesired(
  { id, body }: ReadObject,
  occasion: 'recreate' | 'hook',
  reason: string | undefined,
): DeleteDecision {
  if (occasion === 'recreate' && isGuardedKind(id)) {
    return {
      type: 'refuse',
      reason: `a ${id.kind} is never deleted to be created again, regardless of its annotations`,
    };
  }
  if (occasion === 'recreate' && losesClaims(id, body)) return { type: 'refuse', reason: LOSES_CLAIMS };
  return reason === undefined ? { type: 'delete' } : { type: 'refuse', reason: `it is not deleted: ${reason}` };
}

const LOSES_CLAIMS =
  'it is not deleted, since its PersistentVolumeClaims would be deleted with it ' +
  '(spec.persistentVolumeClaimRetentionPolicy.whenDeleted is Delete): set that to Retain and sync before this change';

/** Whether the data of an object goes with it, although the object is to be created again. */
function losesClaims({ group, kind }: ObjectId, body: KubeObject): boolean {
  if (group !== 'apps' || kind !== 'StatefulSet') return false;
  return stringAt(body, 'spec', 'persistentVolumeClaimRetentionPolicy', 'whenDeleted') === 'Delete';
}

/** No request confirms the deletion of an object that is in Git, so one that asks for a confirmation is kept. */
function reasonProtected({ prune, deletion }: LivePolicy): string | undefined {
  if (prune === 'keep' && deletion === 'keep') return 'its annotations forbid deleting it';
  return prune === 'confirm' || deletion === 'confirm' ? ASKS : undefined;
}

/** An Application deletes neither its own object nor the Namespace in which it lives, unless it is deleted itself. */
function reasonItself({ group, kind, namespace, name }: ObjectId, owner: Owner): string | undefined {
  const self = parseOwner(owner.ownerAnnotation);
  if (!self) return undefined;
  const isObject =
    group === APPLICATION_GROUP && kind === APPLICATION_KIND && namespace === self.namespace && name === self.name;
  if (isObject) return 'it is the Application itself';
  return group === '' && kind === 'Namespace' && name === self.namespace ? 'this Application lives in it' : undefined;
}

function reasonNotOurs(object: KubeObject, owner: Owner): string | undefined {
  const ownership = readOwnership(object, owner);
  if (ownership.type === 'application') return `managed by Application ${ownership.annotation}`;
  if (ownership.type !== 'ours') return 'its owner label and annotation no longer name this Application';
  const references = listAt(object.metadata, 'ownerReferences');
  return references.some((reference) => valueAt(reference, 'controller') === true) ? 'a controller owns it' : undefined;
}
