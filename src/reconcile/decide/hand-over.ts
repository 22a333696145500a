/**
 * Hand-over within a source: an object that leaves one Application and is desired by another one stays alive and
 * changes its owner.
 *
 * Invariants:
 * - Nothing is pruned before every other Application of the same source has announced, at its newest spec, what it
 *   desires at this commit. One that has read a newer commit counts for what it desires there.
 *   Each object waits for that since it left, up to a bound, however often the commit changes.
 * - An object that another Application desires goes over to it: the other one takes it while it still carries our
 *   marks, so it has an owner at any moment.
 * - An object that a paused Application desires, or one that has not taken it in time, is kept, with our marks and in
 *   our inventory, until that one takes it or none desires it any more: a released object would have no Application
 *   that deletes it when it leaves Git. Only the sync of a commit that a request names releases it for one that acts.
 * - An object that an Application desired when it could be read last is kept for as long as it cannot be read.
 * - An Application that may not write an object has no say over it, and objects that give or bound rights do not go
 *   over to another namespace; see standing.ts.
 */
import { applicationKey } from '../../application/keys.ts';
import type { Application } from '../../application/schema.ts';
import type { Change } from '../../diff/changes.ts';
import { OWNER_ANNOTATION, parseOwner } from '../../object/applyset.ts';
import { annotationsOf, idKey, type ObjectId } from '../../object/identity.ts';
import {
  desireFor,
  isActing,
  isDetecting,
  isHolding,
  isOfNewestSpec,
  isSameSource,
  relationTo,
  type SourceState,
} from '../neighbours/desire.ts';
import type { Neighbour, Neighbours } from '../neighbours/neighbours.ts';
import { REVIEW_AFTER_MS, sayOver, silenceText, silentByPlace, type ReviewSay, type Say } from './hand-over-say.ts';
import { mayPass, mayReceive, type Standing, type StandingPair } from './standing.ts';

export interface HandOver {
  readonly changes: readonly Change[];
  /** By `idKey`: changes that wait for another Application, with the reason for people. */
  readonly waits: ReadonlyMap<string, string>;
  /** When to look again, if no other Application says anything before. */
  readonly againInMs: number;
}

export interface HandOverQuestion {
  /** `namespace/name` of the Application. */
  readonly key: string;
  readonly state: SourceState;
  readonly changes: readonly Change[];
  /** False in modes that write nothing: then nothing is handed over. */
  readonly isActing: boolean;
  /** A request names the commit: the others do not come to it by themselves. */
  readonly isPinned: boolean;
  /** Monotonic. */
  readonly nowMs: number;
  readonly handOverWaitMs: number;
  readonly neighbours: Neighbours;
  /** Key of the Application that owns an object, if any. */
  readonly ownerOf: (id: ObjectId) => string | undefined;
  /**
   * Announces what suspended neighbours desire in the snapshot. They run no pass of their own, so their folders are
   * rendered by the Application that waits.
   */
  readonly readForSuspended: (suspended: readonly Neighbour[]) => Promise<void>;
  readonly reviewStanding: ReviewStanding;
  readonly reviewSay: ReviewSay;
}

/** Reviews whether Applications may write the objects that they desire. */
type ReviewStanding = (pairsOf: () => readonly StandingPair[]) => Promise<Standing>;

/**
 * An Application that can be reached gets at least this long at each commit, even where an object has waited for
 * another one long enough.
 */
const TIME_TO_READ_MS = 10_000;

/** An edit of the spec of a paused Application wakes no other one, so those that keep an object for it look again. */
const LOOK_AGAIN_MS = 30_000;

/** Several specs that are edited in one go arrive one after the other: a prune after an edit waits this long. */
export const EDITED_TOGETHER_MS = 3_000;

/** Releases objects that other Applications desire, and lets prunes wait until all others have announced. */
export async function handOver(question: HandOverQuestion): Promise<HandOver> {
  const { key, state, neighbours } = question;
  const changes = question.changes.map((change) => nameTaker(change, key));
  const left = changes.filter(({ type }) => question.isActing && type === 'prune');
  const refused = changes.filter(({ type }) => question.isActing && type === 'conflict');
  if (left.length + refused.length === 0) {
    neighbours.stopAwaiting(key);
    return { changes, waits: new Map(), againInMs: Infinity };
  }
  const awaitedSinceMs = neighbours.awaitAnnouncements(key, state.commit);
  const others = neighboursOfSource(question);
  const isUnread = (other: Neighbour): boolean =>
    (isSuspended(other) || isHeldBack(other, neighbours.get(key))) && relationTo(state, other) !== 'same';
  const unread = left.length > 0 ? [...others.values()].filter(isUnread) : [];
  const reviewMs = awaitedSinceMs + REVIEW_AFTER_MS;
  const late = left.length > 0 && question.nowMs >= reviewMs ? silentOf(question, others) : [];
  const say = await sayOver({
    ...question,
    left: left.map(({ id }) => id),
    silent: [...unread, ...late].map((other) => other.key),
  });
  await question.readForSuspended(unread.filter((other) => say.overAny(other.key)));
  const mayTake = await reviewTakers(question, left, others);
  const fates = new Map([
    ...fatesOfLeft(question, left, { others, mayTake, say }),
    ...fatesOfRefused(question, refused, others),
  ]);
  return carryTimes({ ...question, changes }, fates, { others, awaitedSinceMs, reviewMs });
}

/** Those that nothing is known of at the commit, although they could say what they desire. */
function silentOf({ isPinned, state }: Pick<HandOverQuestion, 'isPinned' | 'state'>, others: Others): Neighbour[] {
  return isPinned ? [] : [...others.values()].filter((other) => isAwaited(other) && !hasSaidAll(other, state));
}

interface WaitFate {
  readonly type: 'wait';
  readonly reason: string;
  /** The change once the time is over. */
  readonly after: 'asPlanned' | 'released' | 'left' | 'kept';
  /** Key of the Application that it waits for. undefined: for all. */
  readonly to?: string;
  /** Some that it waits for have not read the commit, although they can be reached. */
  readonly isUnread?: boolean;
}

/** The decision about one object before the time that it has waited is known. */
type Fate =
  | WaitFate
  | { readonly type: 'pause'; readonly reason: string; readonly untilMs: number }
  | { readonly type: 'keep'; readonly reason: string }
  | { readonly type: 'release'; readonly to: string };

type Others = ReadonlyMap<string, Neighbour>;

interface Takers {
  readonly others: Others;
  /** Whether an object may go over to another Application, or stay alive for it. undefined: not reviewed. */
  readonly mayTake: (pair: StandingPair) => boolean | undefined;
}

async function reviewTakers(
  { key, neighbours, reviewStanding }: Pick<HandOverQuestion, 'key' | 'neighbours' | 'reviewStanding'>,
  left: readonly Change[],
  others: Others,
): Promise<Takers['mayTake']> {
  const pairsOf = (): StandingPair[] =>
    left
      .flatMap(({ id }) => Array.from(neighbours.desiredBy(id), (other) => ({ key: other.key, id })))
      .filter((pair) => others.has(pair.key) && mayPass(pair, key));
  const standing = await reviewStanding(pairsOf);
  return (pair) => mayReceive(pair, key, standing);
}

function* fatesOfLeft(
  question: HandOverQuestion,
  left: readonly Change[],
  takers: Takers & { readonly say: Say },
): Iterable<readonly [string, Fate]> {
  const { key, neighbours, state, nowMs } = question;
  const own = neighbours.get(key);
  if (own && !isOfNewestSpec(own)) {
    // The others may have announced what the newer spec leaves to this one.
    for (const { id } of left) yield [idKey(id), { type: 'pause', reason: OUTDATED_TEXT, untilMs: nowMs }];
    return;
  }
  const allSilent = silentOf(question, takers.others);
  const canRead = (other: Neighbour): boolean => relationTo(state, other) === 'older' && !other.isSourceFailing;
  const silentFor = silentByPlace({ key, silent: allSilent, say: takers.say, canRead });
  const pauseMs = EDITED_TOGETHER_MS - (nowMs - (own?.announced?.specSinceMs ?? -Infinity));
  for (const { id } of left) {
    const wish = wishFor(question, id, takers);
    const { silent, isUnread } = silentFor(id);
    if (wish) yield [idKey(id), wish];
    else if (silent[0]) {
      yield [idKey(id), { type: 'wait', reason: silenceText(silent), after: 'asPlanned', isUnread }];
    } else if (pauseMs > 0) yield [idKey(id), { type: 'pause', reason: PAUSE_TEXT, untilMs: nowMs + pauseMs }];
  }
}

const OUTDATED_TEXT = 'the spec has changed since this pass began';
const UNREVIEWED_TEXT = 'another Application has just come to desire it';
const PAUSE_TEXT = 'it stays for a moment: the spec has changed, and other Applications may be edited with it';

function keptText(taker: string, which = ''): string {
  return `it is kept until Application ${taker}${which} takes it over`;
}

type WishQuestion = Pick<HandOverQuestion, 'key' | 'state' | 'isPinned' | 'neighbours'> &
  Partial<Pick<HandOverQuestion, 'nowMs'>>;

/** The fate of an object that another Application desires, or desired last. undefined: there is none. */
function wishFor(
  { key, state, isPinned, neighbours, nowMs = 0 }: WishQuestion,
  id: ObjectId,
  { others, mayTake }: Takers,
): Fate | undefined {
  const own = neighbours.get(key);
  let held: Fate | undefined;
  for (const { key: other } of neighbours.desiredBy(id)) {
    const neighbour = others.get(other);
    const isTaker = mayTake({ key: other, id });
    if (neighbour && isTaker === undefined) return { type: 'pause', reason: UNREVIEWED_TEXT, untilMs: nowMs };
    if (!neighbour || !isTaker) continue;
    const desire = desireFor(idKey(id), neighbour, isPinned ? 'same' : relationTo(state, neighbour));
    if (desire === 'desired' && isPaused(neighbour, own)) {
      held = { type: 'keep', reason: keptText(other, ', which is paused,') };
      continue;
    }
    if (desire === 'desired' && !isActing(neighbour)) return { type: 'release', to: other };
    if (desire === 'desired' && neighbour.dependsOn(key)) {
      return isPinned ? { type: 'release', to: other } : { type: 'keep', reason: keptText(other) };
    }
    if (desire === 'desired') {
      const reason = `Application ${other} takes it over`;
      return { type: 'wait', reason, after: isPinned ? 'released' : 'left', to: other };
    }
    if (desire !== 'held') continue;
    const reason = `it is kept: Application ${other} desired it before, and has not read the revision`;
    held = { type: 'wait', reason, after: 'kept' };
  }
  return held;
}

function* fatesOfRefused(
  question: HandOverQuestion,
  refused: readonly Change[],
  others: Others,
): Iterable<readonly [string, Fate]> {
  for (const { id } of refused) {
    const owner = others.get(question.ownerOf(id) ?? '');
    if (!owner || !isActing(owner)) continue;
    if (desireFor(idKey(id), owner, relationTo(question.state, owner)) === 'desired') continue;
    const reason = `Application ${owner.key} has still to let go of it`;
    yield [idKey(id), { type: 'wait', reason, after: 'asPlanned', to: owner.key }];
  }
}

interface Times {
  readonly others: Others;
  /** Monotonic: since when the others were to announce at this commit. */
  readonly awaitedSinceMs: number;
  /** Monotonic: when the rights of those are reviewed that have not. */
  readonly reviewMs: number;
}

/** Turns decisions into changes and waits, by the time that each object has waited, and asks the others. */
function carryTimes(
  question: HandOverQuestion,
  fates: ReadonlyMap<string, Fate>,
  { others, awaitedSinceMs, reviewMs }: Times,
): HandOver {
  const { changes, nowMs, handOverWaitMs } = question;
  const waiting = [...fates].flatMap(([id, { type }]) => (type === 'wait' ? [id] : []));
  const sinceMs = question.neighbours.waitSince(question.key, waiting);
  const waits = new Map<string, string>();
  const released = new Map<string, string>();
  const kept = new Map<string, string>();
  const open: WaitFate[] = [];
  let againMs = Infinity;
  const keep = (id: string, reason: string): void => {
    kept.set(id, reason);
    againMs = Math.min(againMs, nowMs + Math.min(handOverWaitMs, LOOK_AGAIN_MS));
  };
  for (const [id, fate] of fates) {
    if (fate.type === 'release') released.set(id, fate.to);
    if (fate.type === 'keep') keep(id, fate.reason);
    if (fate.type === 'pause') againMs = Math.min(againMs, fate.untilMs);
    if (fate.type === 'pause') waits.set(id, fate.reason);
    if (fate.type !== 'wait') continue;
    const leftMs = sinceMs.get(id) ?? nowMs;
    const readMs = fate.isUnread ? awaitedSinceMs + Math.min(handOverWaitMs, TIME_TO_READ_MS) : 0;
    const endsMs = Math.max(leftMs + handOverWaitMs, readMs);
    const isOver = nowMs >= endsMs;
    if (!isOver) againMs = Math.min(againMs, endsMs, fate.to === undefined && nowMs < reviewMs ? reviewMs : Infinity);
    if (!isOver) open.push(fate);
    // It may have looked before our announcement said that the object is free.
    if (fate.after !== 'asPlanned' && fate.to !== undefined && leftMs >= nowMs) question.neighbours.wake(fate.to);
    if (!isOver || fate.after === 'kept') waits.set(id, fate.reason);
    else if (fate.after === 'released' && fate.to !== undefined) released.set(id, fate.to);
    else if (fate.after === 'left' && fate.to !== undefined) keep(id, keptText(fate.to));
  }
  ask(question, others, open);
  const decided = changes.map((change) => keepForTaker(releaseToTaker(change, released), kept));
  return { waits, changes: decided, againInMs: againMs - nowMs };
}

/** Asks for a poll of those that have not announced, and for a pass of those that may take an object over. */
function ask({ key, state, isPinned, neighbours }: HandOverQuestion, others: Others, open: readonly WaitFate[]): void {
  if (open.length === 0 || isPinned) return;
  const named = new Set(open.flatMap(({ to }) => (to === undefined ? [] : [to])));
  const isForAll = open.some(({ to }) => to === undefined);
  const older: string[] = [];
  for (const [other, neighbour] of others) {
    if (!isAwaited(neighbour) || (!isForAll && !named.has(other))) continue;
    const relation = relationTo(state, neighbour);
    if (relation === 'same') continue;
    // A newer commit is known: this Application has to read it itself.
    if (relation === 'newer') neighbours.askToAnnounce(key, key);
    else if (named.has(other) || isSuspended(neighbour)) neighbours.askToAnnounce(key, other);
    else older.push(other);
  }
  if (older.length > 0) neighbours.askAllToAnnounce(key, older);
}

/** The changes as a dry run shows them: it waits for no other Application, and asks none. */
export async function foreseeHandOver(
  question: Pick<HandOverQuestion, 'key' | 'state' | 'changes' | 'neighbours' | 'isPinned' | 'reviewStanding'>,
): Promise<readonly Change[]> {
  const { changes } = question;
  const left = changes.filter(({ type }) => type === 'prune');
  if (left.length === 0) return changes;
  const others = neighboursOfSource(question);
  const mayTake = await reviewTakers(question, left, others);
  const takers = new Map<string, string>();
  const kept = new Map<string, string>();
  for (const { id } of left) {
    const wish = wishFor(question, id, { others, mayTake });
    if (wish?.type === 'keep') kept.set(idKey(id), wish.reason);
    const to = wish?.type === 'release' || wish?.type === 'wait' ? wish.to : undefined;
    if (to !== undefined) takers.set(idKey(id), to);
  }
  return changes.map((change) => keepForTaker(releaseToTaker(change, takers), kept));
}

/** An object that another Application has taken is no conflict. */
function nameTaker(change: Change, key: string): Change {
  if (change.type !== 'release' || !change.live) return change;
  const owner = parseOwner(annotationsOf(change.live.body)[OWNER_ANNOTATION] ?? '');
  const taker = owner && applicationKey(owner.namespace, owner.name);
  return taker === undefined || taker === key
    ? change
    : { ...change, reason: `Application ${taker} has taken it over` };
}

function releaseToTaker(change: Change, takers: ReadonlyMap<string, string>): Change {
  const taker = change.type === 'prune' ? takers.get(idKey(change.id)) : undefined;
  return taker === undefined ? change : { ...change, type: 'release', reason: `claimed by Application ${taker}` };
}

/** It stays in the inventory, and nothing waits for it: this Application has done all that it may. */
function keepForTaker(change: Change, kept: ReadonlyMap<string, string>): Change {
  const reason = kept.get(idKey(change.id));
  return reason === undefined ? change : { ...change, type: 'none', reason, isLeftToOther: true };
}

function hasSaidAll(other: Neighbour, state: SourceState): boolean {
  return relationTo(state, other) === 'same' && other.announced?.isComplete === true;
}

/** An Application whose spec cannot be read says nothing until it is edited. */
function isAwaited({ application }: Neighbour): boolean {
  return application !== undefined;
}

function isSuspended({ application }: Neighbour): boolean {
  return application?.spec.suspend === true;
}

/**
 * Whether an Application writes nothing for now, and can take an object over from this one later. One in mode detect
 * that holds no object only looks on: an object that moves to it is free for another manager.
 */
function isPaused(other: Neighbour, self: Neighbour | undefined): boolean {
  return isActing(other) ? isHeldBack(other, self) : isHolding(other) || !isDetecting(other);
}

/** Whether a rollback keeps an Application at another commit, so that it does not come to this one by itself. */
function isHeldBack({ application }: Neighbour, self: Neighbour | undefined): boolean {
  if (!self?.application || application?.status.hold === undefined) return false;
  return hasSameAccess(self.application, application);
}

/**
 * By key: the other Applications of the source. Suspended ones count only where this Application may read for them.
 */
function neighboursOfSource({ key, neighbours }: Pick<HandOverQuestion, 'key' | 'neighbours'>): Others {
  const self = neighbours.get(key);
  const found = new Map<string, Neighbour>();
  if (!self?.application) return found;
  for (const other of neighbours.ofRepository(self.application.spec.source.repoURL)) {
    if (other.key === key || other.isDeleted) continue;
    if (other.application && !isSameSource(self, other)) continue;
    if (!isSuspended(other) || hasSameAccess(self.application, other.application)) found.set(other.key, other);
  }
  return found;
}

/** Whether an Application may show its snapshot to another one, which cannot prove that it may fetch it itself. */
function hasSameAccess(one: Application, other: Application | undefined): boolean {
  const [secret, otherSecret] = [one, other].map((application) => application?.spec.source.secretRef?.name);
  if (secret !== otherSecret) return false;
  return secret === undefined || one.metadata.namespace === other?.metadata.namespace;
}
