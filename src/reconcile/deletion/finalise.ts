/**
 * A deleted Application is finished: its objects are pruned or released, as spec.deletionPolicy says, then its
 * finalizer is removed. The plan and the guards are those of every other prune.
 *
 * Invariant: the finalizer is removed only when every object of the inventory is confirmed gone or released. /
 */
import { decodeInventory } from '../../application/inventory.ts';
import { PRUNE_FINALIZER } from '../../application/keys.ts';
import { idKey, type ObjectId } from '../../object/identity.ts';
import { composeDeleting } from '../../status/compose-bare.ts';
import type { ReconcileContext } from '../context.ts';
import { lookForMissingKinds } from '../decide/missing-kinds.ts';
import type { ApplicationRecord } from '../memory.ts';
import type { NextPass } from '../pass.ts';
import { adoptAnswer, writeStatusValue, type Writer } from '../report/status-writer.ts';
import { reasonToAwaitNeighbours } from './await-neighbours.ts';
import type { DeletedApplication, Deletion, DeletionContext } from './deletion.ts';
import { policyFor } from './deletion-policy.ts';
import { releaseOrPrune } from './release-or-prune.ts';
import { tellWait } from './tell-progress.ts';
import { identityToFinish, isTenantGone, tellTenantGone } from './tenant-gone.ts';

export async function finalise(
  deleted: DeletedApplication,
  record: ApplicationRecord,
  context: ReconcileContext,
  signal: AbortSignal,
): Promise<NextPass> {
  if (!deleted.metadata.finalizers.includes(PRUNE_FINALIZER)) return { type: 'none' };
  const identity = identityToFinish(deleted, record, context);
  if (!identity) {
    context.log.warn('objects are released: spec.serviceAccountName is not the name of an account', {
      application: record.key,
    });
    return removeFinalizer({ record, context, base: record.stored }, context);
  }
  return finish({ deleted, identity, target: context.cluster, record, context, base: record.stored, signal });
}

async function finish(deletion: Deletion): Promise<NextPass> {
  const { context, record, target } = deletion;
  const { clock, settings } = context;
  const { evidence, inventory } = record.memory;
  const ids = await readIds(deletion);
  if (!ids) return { type: 'none' };
  const { discoveryRetryMs } = settings;
  const known = await lookForMissingKinds(ids, { evidence, target, clock, discoveryRetryMs });
  if (ids.length > 0 && (await isTenantGone(deletion))) {
    tellTenantGone(deletion, ids);
    return removeFinalizer(deletion, context);
  }
  const policy = await policyFor(deletion);
  if (policy.type === 'Abandon') return removeFinalizer(deletion, context);
  if (policy.type === 'Wait') return tellWait(deletion, ids, policy.reason);
  const reason = policy.type === 'Prune' ? reasonToAwaitNeighbours(deletion) : undefined;
  if (reason !== undefined) return tellWait(deletion, ids, reason);
  const left = await releaseOrPrune(deletion, { ids, ...known, policy: policy.type });
  inventory.ids = new Map(left.map((id) => [idKey(id), id]));
  if (left.length === 0) return removeFinalizer(deletion, context);
  return { type: 'after', delayMs: settings.progressCheckMs };
}

/**
 * The union of the stored inventory and the one in memory: a person may have cut the stored one since it was read, and
 * each object must be proven gone. undefined: neither can be read, and the status says so.
 */
async function readIds(deletion: Deletion): Promise<ObjectId[] | undefined> {
  const { deleted, context, record } = deletion;
  const { metadata, status } = deleted;
  const stored = decodeInventory(status.inventory);
  const known = record.memory.inventory.ids;
  if (!stored.ok && !known) {
    const message =
      `nothing is deleted, since status.inventory cannot be read (${stored.problem}); ` +
      `remove the finalizer ${PRUNE_FINALIZER} to release all objects`;
    await writeStatusValue(
      deletion,
      composeDeleting({ metadata, status, inventory: undefined, message, isStalled: true }, context.clock.now()),
    );
    return undefined;
  }
  const both = new Map([...(known ?? []), ...(stored.ok ? stored.ids : []).map((id) => [idKey(id), id] as const)]);
  return [...both.values()];
}

async function removeFinalizer(
  writer: Writer,
  { hub, onFaultPoint }: Pick<DeletionContext, 'hub' | 'onFaultPoint'>,
): Promise<NextPass> {
  const answer = await hub.applications.removeFinalizer(writer.base, PRUNE_FINALIZER);
  // An Application that is gone already needs no finalizer removed.
  if (answer.ok || answer.refusal.code !== 'NotFound') adoptAnswer(writer, answer);
  await onFaultPoint('finalizer-removed');
  return { type: 'none' };
}
