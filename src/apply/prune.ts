/**
 * Deletes or releases one object that left Git, or whose Application is deleted. `apply/recreate.ts` is the only other
 * place that deletes.
 *
 * Invariant: a DELETE is sent only for an object that a GET immediately before has shown and `mayDelete` allows, and it
 * carries the uid and resourceVersion of that GET.
 */
import type { Owner } from '../bind/desired.ts';
import type { ClusterClient } from '../cluster/ports.ts';
import type { KindInfo } from '../cluster/kinds.ts';
import type { LiveObject } from '../cluster/live.ts';
import type { Change } from '../diff/changes.ts';
import { OWNER_ANNOTATION } from '../object/applyset.ts';
import { annotationsOf } from '../object/identity.ts';
import { mayDelete } from '../object/may-delete.ts';
import { listAt, stringAt } from '../object/value.ts';
import type { ChangeResult } from './applied.ts';

export interface PruneContext {
  readonly client: ClusterClient;
  readonly owner: Owner;
  /** prune: the object left Git, or is a completed hook; deletion: its Application is deleted. */
  readonly occasion: 'prune' | 'deletion';
  /** Whether a person has confirmed the deletion of this object. */
  readonly isConfirmed: boolean;
}

/** Attempts after lost races. If all fail, another client is writing the object continuously. */
const MAX_ATTEMPTS = 3;

export async function pruneObject(change: Change, context: PruneContext): Promise<ChangeResult> {
  const { kind } = change;
  // The kind is no longer served: its objects were deleted with its definition.
  if (!kind) return { change, outcome: 'pruned', message: 'its kind is no longer served' };
  for (let attempt = 1; ; attempt++) {
    const result = await pruneOnce(change, kind, context);
    if (result.refusal?.code !== 'Modified' || attempt === MAX_ATTEMPTS) return result;
  }
}

async function pruneOnce(change: Change, kind: KindInfo, context: PruneContext): Promise<ChangeResult> {
  const { client, owner, isConfirmed } = context;
  const read = await client.get(kind, change.id);
  if (!read.ok) return { change, outcome: 'failed', refusal: read.refusal };
  const live = read.object;
  if (!live) return { change, outcome: 'pruned' };
  // The only prune of a desired object is that of a hook.
  const occasion = change.desired ? 'hook' : context.occasion;
  const decision = mayDelete({ live, owner, occasion, isConfirmed });
  if (decision.type === 'leave' || decision.type === 'refuse') {
    return { change, outcome: 'unchanged', message: decision.reason };
  }
  if (decision.type === 'release') return releaseObject({ ...change, reason: decision.reason }, context);
  // It was annotated after the prune was decided: the next pass holds the prune.
  if (decision.type === 'confirm' && !live.deletionTimestamp) {
    return { change, outcome: 'waiting', message: decision.reason };
  }
  if (live.deletionTimestamp) return { change, outcome: 'pruning', live, message: deletionText(live) };
  const { uid, resourceVersion } = live;
  const answer = await client.remove({ kind, id: change.id, uid, resourceVersion });
  if (!answer.ok) return { change, outcome: 'failed', refusal: answer.refusal };
  if (answer.outcome === 'gone') return { change, outcome: 'pruned' };
  return { change, outcome: 'pruning', live, message: deletionText(live) };
}

/** Removes our owner marks, or replaces them by those of another Application; the rest of the object stays as it is. */
export async function releaseObject(
  change: Change,
  { client, owner }: Pick<PruneContext, 'client' | 'owner'>,
): Promise<ChangeResult> {
  const { kind } = change;
  if (!kind) return { change, outcome: 'released' };
  for (let attempt = 1; ; attempt++) {
    const result = await releaseOnce(change, kind, { client, owner });
    if (result.refusal?.code !== 'Modified' || attempt === MAX_ATTEMPTS) return result;
  }
}

async function releaseOnce(
  change: Change,
  kind: KindInfo,
  { client, owner }: Pick<PruneContext, 'client' | 'owner'>,
): Promise<ChangeResult> {
  const read = await client.get(kind, change.id);
  if (!read.ok) return { change, outcome: 'failed', refusal: read.refusal };
  // The object no longer exists, so there is nothing to release.
  if (!read.object) return { change, outcome: 'pruned' };
  const released: ChangeResult = {
    change,
    outcome: 'released',
    ...(change.reason === undefined ? {} : { message: change.reason }),
  };
  if (annotationsOf(read.object.body)[OWNER_ANNOTATION] !== owner.ownerAnnotation) return released;
  const answer = await client.release(kind, read.object, change.releasedTo);
  if (answer.ok || answer.refusal.code === 'NotFound') return released;
  return { change, outcome: 'failed', refusal: answer.refusal };
}

/** Why a deletion is not complete: the finalizers, or for a Namespace the conditions of its controller. */
function deletionText(live: LiveObject): string {
  const isNamespace = live.id.group === '' && live.id.kind === 'Namespace';
  const left = (isNamespace ? listAt(live.body, 'status', 'conditions') : [])
    .filter((condition) => stringAt(condition, 'status') === 'True')
    .map((condition) => stringAt(condition, 'message') ?? '')
    .filter((message) => message !== '');
  if (left.length > 0) return `deletion waits: ${left.join('; ')}`;
  const finalizers = listAt(live.body.metadata, 'finalizers').filter((item) => typeof item === 'string');
  return finalizers.length > 0 ? `deletion waits for ${finalizers.join(', ')}` : 'deletion has begun';
}
