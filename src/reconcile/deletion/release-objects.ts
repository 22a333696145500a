/**
 * Releases the objects of a deleted Application: the owner marks are removed, the objects stay.
 *
 * Invariant: the Application always goes. An object whose marks cannot be removed keeps them: at once if a right is
 * missing, after a while if its API does not answer.
 */
import { howToTakeOver } from '../../application/request.ts';
import { isOutOfReach, reachOf } from '../../bind/reach.ts';
import type { RefusalCode } from '../../cluster/answers.ts';
import { formatId, idKey, type ObjectId } from '../../object/identity.ts';
import { StageError } from '../../object/stage-error.ts';
import { lookForMissingKinds } from '../decide/missing-kinds.ts';
import { carryOut, isGone, observeIds } from './carry-out.ts';
import type { Deletion } from './deletion.ts';
import { tellProgress } from './tell-progress.ts';

/** Refusals that pass by themselves. Any other one would be repeated. */
const PASSING: ReadonlySet<RefusalCode> = new Set(['Modified', 'Throttled', 'Unavailable', 'KindNotServed']);

/** Returns the objects for whose release the Application has to wait: none, once the time for that is over. */
export async function releaseObjects(deletion: Deletion, ids: readonly ObjectId[]): Promise<readonly ObjectId[]> {
  const { context, record } = deletion;
  const memory = record.memory.deletion;
  const nowMs = context.clock.monotonicMs();
  memory.sinceMs ??= nowMs;
  const isOver = nowMs - memory.sinceMs >= context.settings.handOverWaitMs;
  try {
    return await tryToRelease(deletion, { ids, isOver });
  } catch (error) {
    if (!isOver || !(error instanceof StageError)) throw error;
    tellLeftMarked(deletion, { ids, reason: error.message });
    return [];
  }
}

interface Attempt {
  readonly ids: readonly ObjectId[];
  /** Whether the last attempt is due. */
  readonly isOver: boolean;
}

async function tryToRelease(deletion: Deletion, { ids, isOver }: Attempt): Promise<readonly ObjectId[]> {
  const { deleted, identity, target, context, record } = deletion;
  const { clock, settings } = context;
  const { evidence } = record.memory;
  const reach = reachOf(identity, deleted.metadata, settings);
  // An object that the Application may not touch is released as it is, with its marks.
  const own = ids.filter((id) => !isOutOfReach(id, reach));
  const { discoveryRetryMs } = settings;
  const known = await lookForMissingKinds(own, { evidence, target, clock, discoveryRetryMs });
  const { kindOf, live } = await observeIds(deletion, { ids: own, ...known });
  const changes = own.flatMap((id) => {
    const kind = kindOf.get(idKey(id));
    const isKnown = kind !== undefined || live.get(idKey(id))?.state === 'absent';
    return isKnown ? [{ type: 'release' as const, id, kind, fields: [] }] : [];
  });
  const applied = await carryOut(deletion, { changes, isConfirmed: false });
  await context.onFaultPoint('objects-pruned');
  const marked = own.filter((id) => !isGone(applied.get(idKey(id))));
  const left = isOver
    ? []
    : marked.filter((id) => {
        const { refusal } = applied.get(idKey(id)) ?? {};
        return !refusal || PASSING.has(refusal.code);
      });
  const stays = new Set(left.map(idKey));
  const letGo = marked.filter((id) => !stays.has(idKey(id)));
  const [first] = letGo;
  if (first) {
    const entry = live.get(idKey(first));
    const unknown = entry?.state === 'unknown' ? entry.reason : 'it did not answer in time';
    tellLeftMarked(deletion, { ids: letGo, reason: applied.get(idKey(first))?.refusal?.message ?? unknown });
  }
  if (left.length > 0) await tellProgress(deletion, { left, named: left, applied, live });
  return left;
}

/** The log tells it too: a namespace in deletion takes no new Event. */
function tellLeftMarked(
  { context, record }: Deletion,
  { ids, reason }: { readonly ids: readonly ObjectId[]; readonly reason: string },
): void {
  const first = ids[0] ? formatId(ids[0]) : '';
  const fields = { application: record.key, left: ids.length, first, reason };
  context.log.warn('objects are released with their owner marks', fields);
  const note =
    `${ids.length} released with the owner marks (${first}${ids.length > 1 ? ', …' : ''}: ${reason}); to manage them ` +
    `with another Application, ${howToTakeOver(undefined)}`;
  context.notify({ type: 'Warning', reason: 'OwnerMarksLeft', action: 'Orphan', note }, record.stored);
}
