/** Reads and carries out changes of a deleted Application: what its two policies, Prune and Orphan, have in common. */
import type { Applied, ChangeResult } from '../../apply/applied.ts';
import { applyPlan } from '../../apply/apply.ts';
import { reachOf } from '../../bind/reach.ts';
import { inTurns } from '../../cluster/concurrency.ts';
import type { Refusal } from '../../cluster/answers.ts';
import type { Change } from '../../diff/changes.ts';
import type { Owner } from '../../object/applyset.ts';
import { idKey, type ObjectId } from '../../object/identity.ts';
import { observe, type Observation } from '../../observe/observe.ts';
import { planSteps } from '../../plan/plan.ts';
import { releaseEventOf } from '../../status/released.ts';
import { ownerMarks } from '../pass.ts';
import type { KnownKinds } from '../decide/missing-kinds.ts';
import type { Deletion } from './deletion.ts';

export interface Remainder extends KnownKinds {
  readonly ids: readonly ObjectId[];
}

export function observeIds(
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
    maxReadBytes: context.settings.maxReadBytes,
  });
}

export interface Effects {
  readonly changes: readonly Change[];
  /** Whether a person has confirmed that objects are deleted that ask for it (`Delete=confirm`). */
  readonly isConfirmed: boolean;
}

export async function carryOut(deletion: Deletion, { changes, isConfirmed }: Effects): Promise<Applied> {
  const { context, identity, record, signal, target } = deletion;
  const plan = await inTurns(
    planSteps({
      changes,
      mode: 'auto',
      mayPrune: true,
      isComplete: true,
      objectsBefore: changes.length,
      guard: context.settings.pruneGuard,
      // Deleting the Application is the confirmation, but for objects that ask for one of their own.
      isConfirmed: true,
    }),
  );
  const applied = await applyPlan(plan, {
    client: target.as(identity),
    owner: ownerOfDeleted(deletion),
    occasion: 'deletion',
    isConfirmed,
    concurrency: context.settings.applyConcurrency,
    signal,
    onResult: ({ outcome }) => context.metrics.onChange(outcome),
  });
  const event = releaseEventOf(applied, 'Delete');
  if (event) {
    context.log.warn('objects stay in the cluster', { application: record.key, detail: event.note });
    context.notify(event, record.stored);
  }
  return applied;
}

export function ownerOfDeleted({ deleted: { metadata, spec }, context: { hub } }: Deletion): Owner {
  return ownerMarks(hub, metadata, spec?.sync.allowLiveAnnotations === true);
}

/** Whether the object needs no further work: it is gone, or no longer has the marks of the Application. */
export function isGone(result: ChangeResult | undefined): boolean {
  return result?.outcome === 'pruned' || result?.outcome === 'released';
}

export function isLackOfRights(refusal: Refusal | undefined): boolean {
  return refusal?.code === 'Forbidden' || refusal?.code === 'Unauthorized';
}
