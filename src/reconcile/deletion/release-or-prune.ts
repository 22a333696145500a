/** Prunes or releases the objects of a deleted Application, by the plan and the guards of every other prune. */
import { HOW_TO_CONFIRM, parseRequest } from '../../application/request.ts';
import { REQUEST_ANNOTATION } from '../../application/keys.ts';
import type { Applied } from '../../apply/applied.ts';
import { applyPlan } from '../../apply/apply.ts';
import { isOutOfReach, reachOf } from '../../bind/reach.ts';
import type { Live } from '../../cluster/live.ts';
import type { Change } from '../../diff/changes.ts';
import { ownerOf, type Owner } from '../../object/applyset.ts';
import { formatId, idKey, type ObjectId } from '../../object/identity.ts';
import { mayDelete } from '../../object/may-delete.ts';
import { removalsOf } from '../../object/policy.ts';
import { observe, type Observation } from '../../observe/observe.ts';
import { planChanges } from '../../plan/plan.ts';
import type { KnownKinds } from '../decide/missing-kinds.ts';
import { reasonToAwaitNeighbours, wishElsewhere } from './await-neighbours.ts';
import type { DeletedApplication, Deletion } from './deletion.ts';
import { tellProgress, tellWait } from './tell-progress.ts';

export interface Remainder extends KnownKinds {
  readonly ids: readonly ObjectId[];
  readonly policy: 'Prune' | 'Orphan';
}

/** Returns the objects that are neither gone nor released yet. */
export async function releaseOrPrune(deletion: Deletion, remainder: Remainder): Promise<readonly ObjectId[]> {
  const { deleted, identity, context } = deletion;
  const { ids, policy } = remainder;
  const observation = await observeIds(deletion, remainder);
  const asking = policy === 'Prune' && !isConfirmed(deleted) ? askingForConfirmation(ids, observation.live) : [];
  if (asking[0]) {
    const more = asking.length > 1 ? ` and ${asking.length - 1} more` : '';
    const reason = `${formatId(asking[0])}${more} asks for a confirmation (Delete=confirm); ${HOW_TO_CONFIRM}`;
    await tellWait(deletion, ids, reason);
    return ids;
  }
  const applied = await carryOut(deletion, changesOf(deletion, remainder, observation));
  await context.onFaultPoint('objects-pruned');
  const reach = reachOf(identity, deleted.metadata, context.settings);
  const left = ids.filter((id) => {
    // An object that the Application may not touch is released as it is, with its marks.
    if (policy === 'Orphan' && isOutOfReach(id, reach)) return false;
    const outcome = applied.get(idKey(id))?.outcome;
    return outcome !== 'pruned' && outcome !== 'released';
  });
  if (left.length > 0) await tellProgress(deletion, { left, applied, live: observation.live });
  return left;
}

function observeIds(
  { deleted, identity, target, record, context }: Deletion,
  { ids, kinds, isUnservedGone }: Remainder,
): Promise<Observation> {
  return observe({
    cluster: target,
    identity,
    reach: reachOf(identity, deleted.metadata, context.settings),
    kinds,
    isUnservedGone,
    application: record.key,
    desired: [],
    inventory: new Map(ids.map((id) => [idKey(id), id])),
    shouldProveAbsence: false,
    concurrency: context.settings.applyConcurrency,
  });
}

function changesOf(deletion: Deletion, { ids, policy }: Remainder, { kindOf, live }: Observation): Change[] {
  const owner = ownerMarks(deletion);
  // Asked again, since other Applications may have read a newer commit while the objects were observed.
  const isAwaiting = policy === 'Prune' && reasonToAwaitNeighbours(deletion) !== undefined;
  return ids.flatMap((id): Change[] => {
    const entry = live.get(idKey(id));
    if (entry?.state === 'unknown') return [];
    const shown = entry?.state === 'present' ? { live: entry.object } : {};
    const isKept =
      entry?.state === 'present' && !isDeletable(mayDelete({ live: entry.object, owner, occasion: 'deletion' }).type);
    const wish = policy === 'Prune' && !isKept ? wishElsewhere(deletion, id) : 'released';
    if (wish === 'taken' || (wish === 'none' && isAwaiting)) return [];
    const type = wish === 'none' ? 'prune' : 'release';
    return [{ type, id, kind: kindOf.get(idKey(id)), fields: [], ...shown }];
  });
}

function isDeletable(decision: ReturnType<typeof mayDelete>['type']): boolean {
  return decision === 'delete' || decision === 'confirm';
}

function carryOut(deletion: Deletion, changes: readonly Change[]): Promise<Applied> {
  const { context, identity, signal, target } = deletion;
  const plan = planChanges({
    changes,
    mode: 'auto',
    mayPrune: true,
    isComplete: true,
    inventorySize: changes.length,
    guard: context.settings.pruneGuard,
    // Deleting the Application is the confirmation.
    isConfirmed: true,
  });
  return applyPlan(plan, {
    client: target.as(identity),
    owner: ownerMarks(deletion),
    occasion: 'deletion',
    concurrency: context.settings.applyConcurrency,
    signal,
    onResult: ({ outcome }) => context.metrics.onChange(outcome),
  });
}

function ownerMarks({ deleted: { metadata }, context: { hub } }: Deletion): Owner {
  return ownerOf({ hubId: hub.hubId, namespace: metadata.namespace, name: metadata.name });
}

function askingForConfirmation(ids: readonly ObjectId[], live: Live): ObjectId[] {
  return ids.filter((id) => {
    const entry = live.get(idKey(id));
    return entry?.state === 'present' && removalsOf(entry.object.body).deletion === 'confirm';
  });
}

/** A confirmation that was already answered belongs to an earlier prune. */
function isConfirmed({ metadata, status }: DeletedApplication): boolean {
  const parsed = parseRequest(metadata.annotations[REQUEST_ANNOTATION]);
  return (
    parsed?.ok === true && parsed.request.action === 'confirm-prune' && parsed.request.id !== status.lastRequest?.id
  );
}
