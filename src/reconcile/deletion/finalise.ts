/**
 * A deleted Application is finished: its objects are pruned or released, as spec.deletionPolicy says, then its
 * finalizer is removed. The plan and the guards are those of every other prune. Hooks run before and after a prune.
 *
 * Invariant: the finalizer is removed only when every object of the inventory is confirmed gone or released.
 */
import { declaredPolicy } from '../../application/deletion-policy.ts';
import { decodeInventory } from '../../application/inventory.ts';
import { PRUNE_FINALIZER } from '../../application/keys.ts';
import { idKey, type ObjectId } from '../../object/identity.ts';
import { composeDeleting } from '../../status/compose-bare.ts';
import { replaceInventory } from '../decide/inventory.ts';
import { lookForMissingKinds } from '../decide/missing-kinds.ts';
import type { NextPass } from '../pass.ts';
import { adoptAnswer, writeGuarded, writeStatusValue, type Adopter } from '../report/status-writer.ts';
import { reasonToAwaitNeighbours } from './await-neighbours.ts';
import type { DeletedApplication, DeletedRecord, Deletion, DeletionContext } from './deletion.ts';
import { permissionToPrune } from './deletion-policy.ts';
import { hooksDue } from './hooks-to-run.ts';
import { pruneObjects } from './prune-objects.ts';
import { releaseObjects } from './release-objects.ts';
import { tellWait } from './tell-progress.ts';
import { identityToFinish, isTenantGone, tellTenantGone } from './tenant-gone.ts';

export async function finalise(
  deleted: DeletedApplication,
  record: DeletedRecord,
  context: DeletionContext & { readonly cluster: Deletion['target'] },
  signal: AbortSignal,
): Promise<NextPass> {
  if (!deleted.metadata.finalizers.includes(PRUNE_FINALIZER)) return { type: 'none' };
  const identity = identityToFinish(deleted, record, context);
  if (!identity) {
    context.log.warn('objects are released: spec.serviceAccountName is not the name of an account', {
      application: record.key,
    });
    return removeFinalizer({ record, base: record.stored }, context);
  }
  return finish({ deleted, identity, target: context.cluster, record, context, base: record.stored, signal });
}

async function finish(deletion: Deletion): Promise<NextPass> {
  const { context, deleted, record } = deletion;
  const isOrphaning = declaredPolicy(deleted.spec) === 'Orphan';
  // Marks that no inventory names cannot be removed, and must not hold an Application that lets its objects go.
  const ids = readIds(deletion) ?? (isOrphaning ? [] : undefined);
  if (!ids) return tellUnreadable(deletion);
  const left = isOrphaning ? await releaseObjects(deletion, ids) : await prune(deletion, ids);
  if (left === 'waiting') return { type: 'backoff', atMostMs: context.settings.progressCheckMs };
  replaceInventory(record.memory.inventory, left);
  if (left.length === 0) return removeFinalizer(deletion, context);
  return { type: 'after', delayMs: context.settings.progressCheckMs };
}

/** Returns the objects that are left; an empty list also where they are not to be touched. */
async function prune(deletion: Deletion, ids: readonly ObjectId[]): Promise<readonly ObjectId[] | 'waiting'> {
  const { context, record, target } = deletion;
  const { clock, settings } = context;
  const { evidence } = record.memory;
  const { discoveryRetryMs } = settings;
  const known = await lookForMissingKinds(ids, { evidence, target, clock, discoveryRetryMs });
  const { preDelete, postDelete } = hooksDue(deletion.deleted.status);
  if ((ids.length > 0 || preDelete || postDelete) && (await isTenantGone(deletion))) {
    tellTenantGone(deletion, ids);
    return [];
  }
  const permission = await permissionToPrune(context.hub);
  if (permission.type === 'abandon') return [];
  const reason = permission.type === 'wait' ? permission.reason : reasonToAwaitNeighbours(deletion);
  if (reason === undefined) return pruneObjects(deletion, { ids, ...known });
  await tellWait(deletion, { left: ids, reason });
  return 'waiting';
}

/**
 * The union of the stored inventory and the one in memory: a person may have cut the stored one since it was read, and
 * each object must be proven gone. undefined: neither can be read.
 */
function readIds({ deleted, record }: Deletion): ObjectId[] | undefined {
  const stored = decodeInventory(deleted.status.inventory);
  const known = record.memory.inventory.ids;
  if (!stored.ok && !known) return undefined;
  const both = new Map([...(known ?? []), ...(stored.ok ? stored.ids : []).map((id) => [idKey(id), id] as const)]);
  return [...both.values()];
}

async function tellUnreadable(deletion: Deletion): Promise<NextPass> {
  const { metadata, status } = deletion.deleted;
  const stored = decodeInventory(status.inventory);
  const message =
    `nothing is deleted, since status.inventory cannot be read (${stored.ok ? '' : stored.problem}); ` +
    'set spec.deletionPolicy to Orphan to release all objects';
  const parts = { metadata, status, inventory: undefined, message, isStalled: true };
  await writeStatusValue(deletion, composeDeleting(parts, deletion.context.clock.now()));
  return { type: 'none' };
}

async function removeFinalizer(
  writer: Adopter,
  { hub, onFaultPoint }: Pick<DeletionContext, 'hub' | 'onFaultPoint'>,
): Promise<NextPass> {
  const { applications } = hub;
  const answer = await writeGuarded(writer, applications, (base) =>
    applications.removeFinalizer(base, PRUNE_FINALIZER),
  );
  // An Application that is gone already needs no finalizer removed.
  if (answer.ok || answer.refusal.code !== 'NotFound') adoptAnswer(writer, answer);
  await onFaultPoint('finalizer-removed');
  return { type: 'none' };
}
