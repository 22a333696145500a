/**
 * The one decision whether a live object may be deleted. Prunes, hooks that have run, objects that are deleted to be
 * created again, and the end of an Application all ask it; `diff` asks it ahead of the plan, `apply` once more with the
 * object as a GET has just shown it.
 *
 * Invariant: `delete` only for an object whose owner label and owner annotation both name this Application, and that no
 * controller owns.
 */
import { readOwnership, type Owner } from './applyset.ts';
import { isGuardedKind } from './guarded-kinds.ts';
import type { ObjectId } from './identity.ts';
import { isReconcileDisabled, removalsOf } from './policy.ts';
import { listAt, valueAt, type KubeObject } from './value.ts';

/**
 * - prune: the object left Git, or is a hook that has run.
 * - recreate: a field cannot be changed in place, and the manifest asks for a deletion and a new creation.
 * - deletion: the Application itself is deleted.
 */
export type DeleteOccasion = 'prune' | 'recreate' | 'deletion';

export type DeleteDecision =
  | { readonly type: 'delete' }
  /** Deleted only once a person has confirmed it, as its annotations ask. */
  | { readonly type: 'confirm' }
  /** Not touched at all: its reconciliation is disabled. */
  | { readonly type: 'leave'; readonly reason: string }
  /** Not deleted, and no longer this Application's: the marks are removed where they are still ours. */
  | { readonly type: 'release'; readonly reason: string }
  /** Not deleted on this occasion, and still this Application's. */
  | { readonly type: 'refuse'; readonly reason: string };

export interface DeleteQuestion {
  /** The object as it was seen last; its `metadata` decides. */
  readonly live: { readonly id: ObjectId; readonly body: KubeObject };
  /** The marks that an object of this Application carries. */
  readonly owner: Owner;
  readonly occasion: DeleteOccasion;
}

export const KEPT_BY_DISABLED = 'left alone, since it is annotated kustomize.toolkit.fluxcd.io/reconcile: disabled';
export const KEPT_BY_ANNOTATION = 'it left Git and is kept, as its annotations ask: Tautline lets go of it';

export function mayDelete({ live: { id, body }, owner, occasion }: DeleteQuestion): DeleteDecision {
  if (isReconcileDisabled(body)) return { type: 'leave', reason: KEPT_BY_DISABLED };
  const reason = reasonNotOurs(body, owner);
  if (occasion === 'recreate') return decideRecreate(id, reason);
  if (reason !== undefined) return { type: 'release', reason };
  const wish = removalsOf(body)[occasion];
  if (wish === 'keep') return { type: 'release', reason: KEPT_BY_ANNOTATION };
  return { type: wish === 'confirm' ? 'confirm' : 'delete' };
}

function decideRecreate(id: ObjectId, reason: string | undefined): DeleteDecision {
  if (isGuardedKind(id)) {
    return { type: 'refuse', reason: `a ${id.kind} is never deleted for that, whatever its annotations say` };
  }
  return reason === undefined ? { type: 'delete' } : { type: 'refuse', reason: `it is not deleted, since ${reason}` };
}

function reasonNotOurs(object: KubeObject, owner: Owner): string | undefined {
  const ownership = readOwnership(object, owner);
  if (ownership.type === 'application') return `managed by Application ${ownership.owner}`;
  if (ownership.type !== 'ours') return 'its owner label and annotation no longer name this Application';
  const references = listAt(object.metadata, 'ownerReferences');
  return references.some((reference) => valueAt(reference, 'controller') === true) ? 'a controller owns it' : undefined;
}
