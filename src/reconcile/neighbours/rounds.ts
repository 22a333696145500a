/**
 * Rounds: the Applications of one source that wait at the same commit for all the others. They ask together, so that a
 * commit that concerns every Application of a large repository costs no question for each pair of them.
 *
 * Invariant: an Application waits in one round at most, and an Application is asked once in a while for all of a round.
 */
import { addMember, removeMember } from '../../object/set-map.ts';

export interface Round {
  /** The commit at which it waits. */
  readonly state: string;
  readonly waiters: Set<string>;
  /** By key: when an Application was asked last. Monotonic. */
  readonly asked: Map<string, number>;
  /** Keys that have not answered yet. */
  readonly pending: Set<string>;
}

export interface Question {
  /** A text that is equal for Applications of the same source. */
  readonly source: string;
  /** The commit at which the Application waits. */
  readonly state: string;
  readonly others: Iterable<string>;
  /** Monotonic. */
  readonly nowMs: number;
  /** An Application is asked again after this time. */
  readonly askAgainMs: number;
}

export class Rounds {
  /** By source and state. */
  readonly #rounds = new Map<string, Round>();
  /** By Application: the round in which it waits. */
  readonly #roundOf = new Map<string, string>();
  /** By Application: the rounds that have asked it. */
  readonly #askedBy = new Map<string, Set<string>>();

  /** Joins the round of this source and state, and returns those of the others that are to be asked now. */
  ask(key: string, { source, state, others, nowMs, askAgainMs }: Question): string[] {
    const id = `${source} ${state}`;
    if (this.#roundOf.get(key) !== id) this.leave(key);
    const round = this.#rounds.get(id) ?? { state, waiters: new Set(), asked: new Map(), pending: new Set() };
    this.#rounds.set(id, round);
    this.#roundOf.set(key, id);
    round.waiters.add(key);
    const due: string[] = [];
    for (const other of others) {
      if (nowMs - (round.asked.get(other) ?? -Infinity) < askAgainMs) continue;
      round.asked.set(other, nowMs);
      round.pending.add(other);
      addMember(this.#askedBy, other, id);
      due.push(other);
    }
    return due;
  }

  leave(key: string): void {
    const id = this.#roundOf.get(key) ?? '';
    const round = this.#rounds.get(id);
    if (!round) return;
    this.#roundOf.delete(key);
    round.waiters.delete(key);
    if (round.waiters.size > 0) return;
    this.#rounds.delete(id);
    for (const other of round.asked.keys()) removeMember(this.#askedBy, other, id);
  }

  /** Takes an answer, and returns the rounds that had asked for it. */
  answer(key: string): Round[] {
    return [...(this.#askedBy.get(key) ?? [])].flatMap((id) => {
      const round = this.#rounds.get(id);
      round?.pending.delete(key);
      return round ? [round] : [];
    });
  }
}
