/**
 * Decides whether a live object may be deleted: by a prune, as a hook that has run, to be created again, or with its
 * Application. No other code decides this. `diff` calls it before the plan, `apply` calls it again with the object of
 * the GET right before the DELETE.
 *
 * Invariant: `delete` only for an object whose owner label and owner annotation both name this Application, and that no
 * controller owns. An Application never prunes itself.
 */
import { APPLICATION_GROUP, APPLICATION_KIND, parseOwner, readOwnership, type Owner } from './applyset.ts';
import { isGuardedKind } from './guarded-kinds.ts';
import type { ObjectId } from './identity.ts';
import { isReconcileDisabled, removalsOf } from './policy.ts';
import { listAt, valueAt, type KubeObject } from './value.ts';

/**
 * - prune: the object left Git, or is a hook that has run.
 * - recreate: a field cannot be changed in place, and the manifest allows to delete and create the object.
 * - deletion: the Application itself is deleted.
 */
export type DeleteOccasion = 'prune' | 'recreate' | 'deletion';

export type DeleteDecision =
  | { readonly type: 'delete' }
  /** Deleted after a person has confirmed it, because of its annotations. */
  | { readonly type: 'confirm' }
  /** Not touched, because its reconciliation is disabled. */
  | { readonly type: 'leave'; readonly reason: string }
  /** Not deleted, and no longer managed by this Application; our marks are removed from the object. */
  | { readonly type: 'release'; readonly reason: string }
  /** Not deleted on this occasion, and still managed by this Application. */
  | { readonly type: 'refuse'; readonly reason: string };

export interface DeleteQuestion {
  /** The object as it was last read; only its id and its `metadata` are used. */
  readonly live: { readonly id: ObjectId; readonly body: KubeObject };
  /** The marks of this Application. */
  readonly owner: Owner;
  readonly occasion: DeleteOccasion;
}

export const KEPT_BY_DISABLED = 'not changed: it carries kustomize.toolkit.fluxcd.io/reconcile: disabled';
export const KEPT_BY_ANNOTATION = 'its annotations forbid deleting it, so only the owner marks are removed';

export function mayDelete({ live: { id, body }, owner, occasion }: DeleteQuestion): DeleteDecision {
  if (isReconcileDisabled(body)) return { type: 'leave', reason: KEPT_BY_DISABLED };
  const reason = reasonNotOurs(body, owner);
  if (occasion === 'recreate') return decideRecreate(id, reason ?? reasonItself(id, owner));
  if (reason !== undefined) return { type: 'release', reason };
  const removal = removalsOf(body)[occasion];
  if (removal === 'keep') return { type: 'release', reason: KEPT_BY_ANNOTATION };
  const itself = occasion === 'prune' ? reasonItself(id, owner) : undefined;
  if (itself !== undefined) return { type: 'refuse', reason: itself };
  return { type: removal === 'confirm' ? 'confirm' : 'delete' };
}

function decideRecreate(id: ObjectId, reason: string | undefined): DeleteDecision {
  if (isGuardedKind(id)) {
    return {
      type: 'refuse',
      reason: `a ${id.kind} is never deleted to be created again, regardless of its annotations`,
    };
  }
  return reason === undefined ? { type: 'delete' } : { type: 'refuse', reason: `it is not deleted: ${reason}` };
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
