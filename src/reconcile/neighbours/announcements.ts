/**
 * Announcements: which objects each Application desires, at which commit and generation of its spec. An Application
 * that wants to prune waits for the announcements of the other Applications of its source; see decide/hand-over.ts.
 *
 * Invariants: the last complete set stays until another complete one replaces it; an object waits since it left,
 * however many commits come meanwhile.
 */
import { addMember, removeMember } from '../../object/set-map.ts';
import { Rounds, type Question, type Round } from './rounds.ts';

/** A set of desired objects, with the state that it was made of. */
export interface Statement {
  /** 40 hex digits. */
  readonly commit: string;
  /** `metadata.generation` of the spec that was rendered. */
  readonly generation: number;
  /** `idKey` of every desired object. */
  readonly ids: ReadonlySet<string>;
  /** False: the Application may desire more objects, which it cannot render or bind. */
  readonly isComplete: boolean;
  /** The last poll that was answered. Monotonic. */
  readonly poll: PollTimes;
}

export interface PollTimes {
  readonly begunMs: number;
  readonly endedMs: number;
}

export interface Announcement extends Statement {
  /** Monotonic; the beginning and the end of the first poll that brought the commit. */
  readonly readFromMs: number;
  readonly readByMs: number;
  /** By commit, the newest last: the beginning of the first poll that brought each of the last commits. Monotonic. */
  readonly readFrom: ReadonlyMap<string, number>;
  /** Monotonic; since when the Application announces by this generation of its spec. -Infinity: since it is known. */
  readonly specSinceMs: number;
}

interface Said {
  readonly last: Announcement;
  readonly whole: Announcement | undefined;
}

/** The objects of one Application that wait, and the others that it has asked. */
interface Awaiting {
  /** The state at which it waits: a commit, or a text of its own for a deletion. */
  readonly state: string;
  /** Monotonic; since when it waits at this state. */
  readonly stateSinceMs: number;
  /** By `idKey`: since when each object waits. Monotonic. */
  readonly sinceMs: ReadonlyMap<string, number>;
  /** By key: when it asked another Application last. Monotonic. */
  readonly asked: Map<string, number>;
  /** Keys that have not answered yet. */
  readonly pending: Set<string>;
}

/** An Application that must be told of an announcement. */
export interface Told {
  /** Key of the Application that waits. */
  readonly key: string;
  /** It waits at another commit: one of the two has seen an older state of the branch. */
  readonly isAtOtherCommit: boolean;
}

/** An Application is asked again after this time: the Git server may have answered with an older state. */
export const ASK_AGAIN_MS = 5_000;

export class Announcements {
  readonly #said = new Map<string, Said>();
  readonly #awaiting = new Map<string, Awaiting>();
  /** By Application: the keys that wait for its announcement. */
  readonly #awaitedBy = new Map<string, Set<string>>();
  /** By `idKey`: the Applications that wait with an object. */
  readonly #waitersOf = new Map<string, Set<string>>();
  readonly #rounds = new Rounds();
  /** By `idKey`: the Applications that desire an object, or desired it when they were complete last. */
  readonly #desiredBy = new Map<string, Set<string>>();

  of(key: string): Announcement | undefined {
    return this.#said.get(key)?.last;
  }

  /** The newest announcement of a complete set. */
  wholeOf(key: string): Announcement | undefined {
    return this.#said.get(key)?.whole;
  }

  /** Keys of the Applications that have announced to desire an object. `id` is its `idKey`. */
  desiredBy(id: string): Iterable<string> {
    return this.#desiredBy.get(id) ?? [];
  }

  /**
   * Returns the Applications that this announcement lets go on: those that waited for the last answer or for one of
   * these objects, and those that have seen another commit. `isNewSpec`: the spec has changed since its last status.
   */
  announce(key: string, statement: Statement, { nowMs, isNewSpec }: { nowMs: number; isNewSpec: boolean }): Told[] {
    const before = this.#said.get(key);
    const last: Announcement = {
      ...statement,
      ...readTimes(statement, before?.last),
      specSinceMs: specSinceMs(statement, before?.last, { nowMs, isNewSpec }),
    };
    const said = { last, whole: last.isComplete ? last : before?.whole };
    this.#said.set(key, said);
    this.#index(key, idsOf(before), idsOf(said));
    if (before && isSameState(before.last, last)) return [];
    const told = new Map([...(this.#awaitedBy.get(key) ?? [])].flatMap((waiter) => this.#tell(waiter, key, last)));
    for (const round of this.#rounds.answer(key)) {
      const isAtOtherCommit = round.state !== last.commit;
      for (const waiter of this.#toldIn(round, last)) if (waiter !== key) told.set(waiter, isAtOtherCommit);
    }
    return Array.from(told, ([waiter, isAtOtherCommit]) => ({ key: waiter, isAtOtherCommit }));
  }

  /** All of a round for its last answer and for another commit, else those whose objects are desired. */
  #toldIn({ state, pending, waiters }: Round, { commit, ids }: Announcement): Iterable<string> {
    if (state !== commit || pending.size === 0) return waiters;
    return [...ids].flatMap((id) => [...(this.#waitersOf.get(id) ?? [])]).filter((waiter) => waiters.has(waiter));
  }

  #tell(waiter: string, key: string, { commit, ids }: Announcement): [string, boolean][] {
    const awaiting = this.#awaiting.get(waiter);
    if (!awaiting) return [];
    awaiting.pending.delete(key);
    const isAtOtherCommit = awaiting.state !== commit;
    const isDue =
      isAtOtherCommit || awaiting.pending.size === 0 || [...awaiting.sinceMs.keys()].some((id) => ids.has(id));
    return isDue ? [[waiter, isAtOtherCommit]] : [];
  }

  /**
   * Begins to wait at a state, and returns since when. Questions of another state are forgotten, the times of the
   * objects are not.
   */
  await(key: string, state: string, nowMs: number): number {
    const before = this.#awaiting.get(key);
    if (before?.state === state) return before.stateSinceMs;
    this.stopAwaiting(key);
    const sinceMs = before?.sinceMs ?? new Map<string, number>();
    this.#set(key, { state, stateSinceMs: nowMs, sinceMs, asked: new Map(), pending: new Set() });
    return nowMs;
  }

  /** By `idKey`: since when each of the given objects waits. Others have stopped waiting. */
  waitSince(key: string, ids: Iterable<string>, nowMs: number): ReadonlyMap<string, number> {
    const awaiting = this.#awaiting.get(key);
    const sinceMs = new Map([...ids].map((id) => [id, awaiting?.sinceMs.get(id) ?? nowMs]));
    if (awaiting) this.#set(key, { ...awaiting, sinceMs });
    return sinceMs;
  }

  #set(key: string, awaiting: Awaiting | undefined): void {
    const [before, after] = [this.#awaiting.get(key)?.sinceMs, awaiting?.sinceMs];
    for (const id of before?.keys() ?? []) if (!after?.has(id)) removeMember(this.#waitersOf, id, key);
    for (const id of after?.keys() ?? []) if (!before?.has(id)) addMember(this.#waitersOf, id, key);
    if (awaiting) this.#awaiting.set(key, awaiting);
    else this.#awaiting.delete(key);
  }

  /**
   * Notes that a waiting Application asks another one. False if it has asked a moment ago at this state: two
   * Applications that see different commits must not ask each other without a pause.
   */
  ask(key: string, other: string, nowMs: number): boolean {
    const awaiting = this.#awaiting.get(key);
    if (!awaiting || nowMs - (awaiting.asked.get(other) ?? -Infinity) < ASK_AGAIN_MS) return false;
    awaiting.asked.set(other, nowMs);
    awaiting.pending.add(other);
    addMember(this.#awaitedBy, other, key);
    return true;
  }

  /**
   * The same for all others of a source, together with the Applications of that source that wait at the same state.
   * Returns those that are to be asked now.
   */
  askAll(key: string, source: string, { others, nowMs }: Pick<Question, 'others' | 'nowMs'>): string[] {
    const state = this.#awaiting.get(key)?.state;
    if (state === undefined) return [];
    return this.#rounds.ask(key, { source, state, others, nowMs, askAgainMs: ASK_AGAIN_MS });
  }

  stopAwaiting(key: string): void {
    for (const other of this.#awaiting.get(key)?.asked.keys() ?? []) removeMember(this.#awaitedBy, other, key);
    this.#rounds.leave(key);
    this.#set(key, undefined);
  }

  /** Forgets an Application that is gone, or whose memory is dropped. */
  drop(key: string): void {
    this.#index(key, idsOf(this.#said.get(key)), new Set());
    this.#said.delete(key);
    this.stopAwaiting(key);
  }

  #index(key: string, before: ReadonlySet<string>, after: ReadonlySet<string>): void {
    if (before === after) return;
    for (const id of before) if (!after.has(id)) removeMember(this.#desiredBy, id, key);
    for (const id of after) if (!before.has(id)) addMember(this.#desiredBy, id, key);
  }
}

function idsOf(said: Said | undefined): ReadonlySet<string> {
  if (!said) return new Set();
  if (!said.whole || said.whole === said.last) return said.last.ids;
  return said.last.ids.union(said.whole.ids);
}

function isSameState(before: Announcement, after: Announcement): boolean {
  return (
    before.commit === after.commit &&
    before.generation === after.generation &&
    before.isComplete === after.isComplete &&
    before.poll.begunMs === after.poll.begunMs
  );
}

function readTimes(
  { commit, poll }: Statement,
  before: Announcement | undefined,
): Pick<Announcement, 'readFromMs' | 'readByMs' | 'readFrom'> {
  // A commit that was recalled from the disk has no times until a poll has brought it.
  if (before?.commit === commit && before.readByMs !== Infinity) {
    return { readFromMs: before.readFromMs, readByMs: before.readByMs, readFrom: before.readFrom };
  }
  const readFrom = new Map([...(before?.readFrom ?? []), [commit, poll.begunMs] as const].slice(-MAX_READ_COMMITS));
  return { readFromMs: poll.begunMs, readByMs: poll.endedMs, readFrom };
}

/** On a busy branch the commit that an Application has applied is a few commits behind the one that it read last. */
const MAX_READ_COMMITS = 20;

function specSinceMs(
  { generation }: Statement,
  before: Announcement | undefined,
  { nowMs, isNewSpec }: { readonly nowMs: number; readonly isNewSpec: boolean },
): number {
  if (before?.generation === generation) return before.specSinceMs;
  return before || isNewSpec ? nowMs : -Infinity;
}
