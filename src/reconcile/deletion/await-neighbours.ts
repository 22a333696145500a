/**
 * A deleted Application waits for the announcements of other Applications of its repository, for as long as a hand-over
 * may take: an Application that is renamed, or merged into another one, in one commit or while the agent is away, keeps
 * its objects alive. The rules are those of decide/hand-over.ts; a deleted Application reads no commit, so the others
 * must have polled since its deletion.
 */
import { idKey, type ObjectId } from '../../object/identity.ts';
import { desireFor, isActing, isDetecting, isHolding, isOfNewestSpec, isSameRepository } from '../neighbours/desire.ts';
import type { Announcement } from '../neighbours/announcements.ts';
import type { Neighbour } from '../neighbours/neighbours.ts';
import { mayPass, reviewStanding, type Standing, type StandingPair } from '../decide/standing.ts';
import type { Deletion } from './deletion.ts';

/** The state at which a deletion waits, in place of a commit. */
const DELETION = 'deletion';

/** undefined: all have announced, or the time for that is over. */
export function reasonToAwaitNeighbours(deletion: Deletion): string | undefined {
  const { deleted, record, context } = deletion;
  const { neighbours } = context;
  const sinceMs = beginOf(deletion);
  if (!deleted.spec || isOver(deletion)) return undefined;
  const others = [...neighbours.ofRepository(deleted.spec.source.repoURL)].filter(
    ({ key, isDeleted, application }) => key !== record.key && !isDeleted && application && !application.spec.suspend,
  );
  const newest = newestOf(others.filter((other) => hasPolledSince(other, sinceMs)));
  const silent = others.filter((other) => !isCurrent(other, newest));
  const [first] = silent;
  if (!first) return undefined;
  neighbours.awaitAnnouncements(record.key, DELETION);
  for (const key of toAsk(silent, newest)) neighbours.askToAnnounce(record.key, key);
  return `Application ${first.key} of the same repository has still to say what it desires`;
}

/**
 * - none: no other Application desires the object.
 * - taken: one of the same repository desires it, and takes it while it still carries our marks.
 * - released: another one desires it, or desired it when it could say so last.
 * - `to`: one of the same repository, which is paused, desires it and has it in its inventory: it gets its marks.
 */
export type OtherWish = 'none' | 'taken' | 'released' | { readonly to: string };

/** Reviews the standing of the Applications that want one of these objects: one that may not write it has no say. */
export function reviewWishes(deletion: Deletion, ids: readonly ObjectId[]): Promise<Standing> {
  const { neighbours, settings } = deletion.context;
  const pairsOf = (): StandingPair[] =>
    ids.flatMap((id) => [
      ...waitingElsewhere(deletion, id).map((key) => ({ key, id })),
      ...Array.from(wishingFor(deletion, id), ({ key }) => ({ key, id })),
    ]);
  return reviewStanding(pairsOf, { neighbours, target: deletion.target, settings });
}

/** An object that another Application waits for or desires, and may write, goes over to it alive. */
export function wishElsewhere(deletion: Deletion, id: ObjectId, standing: Standing): OtherWish {
  const { record, context } = deletion;
  const { neighbours } = context;
  const own = neighbours.get(record.key);
  let wish: OtherWish = waitingElsewhere(deletion, id).some((key) => standing(key, id)) ? 'released' : 'none';
  for (const other of wishingFor(deletion, id)) {
    const isTaker = standing(other.key, id);
    // It came to desire the object after the review: the next pass decides.
    if (isTaker === undefined) return 'taken';
    if (!isTaker) continue;
    // The time to announce is over by now: an announcement of an older state counts as far as it goes.
    const desire = desireFor(idKey(id), other, isOfNewestSpec(other) ? 'same' : 'older');
    if (desire === 'undesired' || desire === 'unknown') continue;
    const isTaking = desire === 'desired' && isActing(other) && own !== undefined && isSameRepository(own, other);
    if (isTaking && !other.dependsOn(record.key) && !isOver(deletion)) {
      neighbours.wake(other.key);
      return 'taken';
    }
    wish = 'released';
    if (desire !== 'desired' || isActing(other) || own === undefined || !isSameRepository(own, other)) continue;
    if (other.stores(id)) return { to: other.key };
    if (isOver(deletion)) continue;
    neighbours.entrust(other.key, id);
    return 'taken';
  }
  return wish;
}

/** The Applications of other repositories that wait for an object, and that it could go over to. */
function waitingElsewhere({ record, context, target }: Deletion, id: ObjectId): string[] {
  const { claims, neighbours } = context;
  const own = neighbours.get(record.key);
  return claims.wantedBy(target.clusterId, id).filter((key) => {
    const other = neighbours.get(key);
    return (!own || !other || !isSameRepository(own, other)) && mayPass({ key, id }, record.key);
  });
}

/** The Applications that have announced to desire an object, and that it could go over to. */
function* wishingFor({ record, context: { neighbours } }: Deletion, id: ObjectId): Iterable<Neighbour> {
  for (const other of neighbours.desiredBy(id)) {
    if (other.key === record.key || other.isDeleted || (isDetecting(other) && !isHolding(other))) continue;
    if (mayPass({ key: other.key, id }, record.key)) yield other;
  }
}

function beginOf({ record, context }: Deletion): number {
  const memory = record.memory.deletion;
  memory.sinceMs ??= context.clock.monotonicMs();
  return memory.sinceMs;
}

function isOver(deletion: Deletion): boolean {
  const { clock, settings } = deletion.context;
  return clock.monotonicMs() - beginOf(deletion) >= settings.handOverWaitMs;
}

/** By branch or tag: the announcement of the newest commit. */
type Newest = ReadonlyMap<string | undefined, Announcement>;

function newestOf(polled: readonly Neighbour[]): Newest {
  const newest = new Map<string | undefined, Announcement>();
  for (const other of polled) {
    const known = newest.get(refOf(other));
    const { announced } = other;
    if (announced && (!known || announced.readFromMs > known.readFromMs)) newest.set(refOf(other), announced);
  }
  return newest;
}

/** Whether it has announced its newest spec at the newest commit that a poll since the deletion has brought. */
function isCurrent(other: Neighbour, newest: Newest): boolean {
  const { announced } = other;
  return (
    isOfNewestSpec(other) && announced?.isComplete === true && newest.get(refOf(other))?.commit === announced.commit
  );
}

function hasPolledSince({ announced }: Neighbour, sinceMs: number): boolean {
  return announced !== undefined && announced.poll.begunMs >= sinceMs;
}

/** The branch or tag that an Application follows. */
function refOf({ application, followedRef }: Neighbour): string | undefined {
  return followedRef ?? application?.spec.source.revision;
}

/** One poll of a branch shows which commit is the newest; the others are asked only where theirs is another. */
function toAsk(silent: readonly Neighbour[], newest: Newest): string[] {
  const reachable = silent.filter(({ isSourceFailing }) => !isSourceFailing);
  const firstOf = new Map(reachable.map((other) => [refOf(other), other]));
  return silent
    .filter((other) => newest.has(refOf(other)) || firstOf.get(refOf(other)) === other || other.isSourceFailing)
    .map(({ key }) => key);
}
