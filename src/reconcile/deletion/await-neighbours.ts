/**
 * A deleted Application waits for the announcements of other Applications of its repository, for as long as a hand-over
 * may take: an Application that is renamed in one commit, or while the agent is away, keeps its objects alive.
 */
import type { ObjectId } from '../../object/identity.ts';
import { stringAt } from '../../object/value.ts';
import type { Neighbour } from '../neighbours/neighbours.ts';
import type { Deletion } from './deletion.ts';

/** undefined: all have announced, or the time for that is over. */
export function reasonToAwaitNeighbours({ deleted, record, context }: Deletion): string | undefined {
  const { clock, neighbours, settings } = context;
  const memory = record.memory.deletion;
  const nowMs = clock.monotonicMs();
  memory.sinceMs ??= nowMs;
  if (nowMs - memory.sinceMs >= settings.handOverWaitMs || !deleted.spec) return undefined;
  for (const other of neighbours.ofRepository(deleted.spec.source.repoURL)) {
    if (other.key === record.key || !isSilent(other)) continue;
    neighbours.wake(other.key);
    return `Application ${other.key} of the same repository has still to say what it desires`;
  }
  return undefined;
}

/** Whether a living Application may still announce what it desires. */
function isSilent({ announced, application, isDeleted, isSourceFailing }: Neighbour): boolean {
  if (isDeleted || announced || isSourceFailing) return false;
  return application !== undefined && !application.spec.suspend;
}

/** An object that another Application waits for or desires goes over to it alive. */
export function isWantedElsewhere({ record, context, target }: Deletion, id: ObjectId): boolean {
  const { claims, neighbours } = context;
  if (claims.wantedBy(target.clusterId, id).length > 0) return true;
  for (const { key, isDeleted, stored } of neighbours.desiredBy(id)) {
    if (key !== record.key && !isDeleted && stringAt(stored, 'spec', 'sync', 'mode') !== 'detect') return true;
  }
  return false;
}
