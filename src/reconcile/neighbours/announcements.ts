/**
 * Announcements: which objects each Application desires, at which commit and generation of its spec. An Application
 * that wants to prune waits for the announcements of the other Applications of its source; see decide/hand-over.ts.
 *
 * Invariant: only a complete set of desired objects is announced, and the last complete one stays until it is replaced.
 * /
 */

import { addMember, removeMember } from '../../object/set-map.ts';

export interface Announcement {
  /** 40 hex digits. */
  readonly commit: string;
  /** `metadata.generation` of the spec that was rendered. */
  readonly generation: number;
  /** `idKey` of every desired object. */
  readonly ids: ReadonlySet<string>;
}

export interface Awaiting {
  /** The commit at which the others are waited for. */
  readonly commit: string;
  /** Monotonic; since when. */
  readonly sinceMs: number;
}

/** An Application that must be told of an announcement. */
export interface Told {
  /** Key of the Application that waits. */
  readonly key: string;
  /** It waits at another commit: one of the two has seen an older state of the branch. */
  readonly isAtOtherCommit: boolean;
}

export class Announcements {
  readonly #announced = new Map<string, Announcement>();
  /** By Application: the commit at which it waits, and the keys that it has asked there. */
  readonly #awaiting = new Map<string, Awaiting & { readonly asked: Set<string> }>();
  /** By Application: the keys that wait for its announcement. */
  readonly #awaitedBy = new Map<string, Set<string>>();
  /** By `idKey`: the Applications that desire an object. */
  readonly #desiredBy = new Map<string, Set<string>>();

  of(key: string): Announcement | undefined {
    return this.#announced.get(key);
  }

  /** Keys of the Applications that have announced to desire an object. `id` is its `idKey`. */
  desiredBy(id: string): Iterable<string> {
    return this.#desiredBy.get(id) ?? [];
  }

  /** Returns the Applications that wait for this announcement, if it is of another commit or spec than the last. */
  announce(key: string, announcement: Announcement): Told[] {
    const before = this.#announced.get(key);
    this.#announced.set(key, announcement);
    this.#index(key, before?.ids, announcement.ids);
    if (before?.commit === announcement.commit && before.generation === announcement.generation) return [];
    return [...(this.#awaitedBy.get(key) ?? [])].map((waiter) => ({
      key: waiter,
      isAtOtherCommit: this.#awaiting.get(waiter)?.commit !== announcement.commit,
    }));
  }

  /** Begins to wait at a commit; waiting at an earlier one ends with it. */
  await(key: string, commit: string, nowMs: number): Awaiting {
    const before = this.#awaiting.get(key);
    if (before?.commit === commit) return before;
    this.stopAwaiting(key);
    const awaiting = { commit, sinceMs: nowMs, asked: new Set<string>() };
    this.#awaiting.set(key, awaiting);
    return awaiting;
  }

  /**
   * Notes that a waiting Application asks another one. False if it has asked before at this commit: two Applications
   * that see different commits must not ask each other without end.
   */
  ask(key: string, other: string): boolean {
    const awaiting = this.#awaiting.get(key);
    if (!awaiting || awaiting.asked.has(other)) return false;
    awaiting.asked.add(other);
    addMember(this.#awaitedBy, other, key);
    return true;
  }

  stopAwaiting(key: string): void {
    for (const other of this.#awaiting.get(key)?.asked ?? []) removeMember(this.#awaitedBy, other, key);
    this.#awaiting.delete(key);
  }

  /** Forgets an Application that is gone, or whose memory is dropped. */
  drop(key: string): void {
    this.#index(key, this.#announced.get(key)?.ids, undefined);
    this.#announced.delete(key);
    this.stopAwaiting(key);
  }

  #index(key: string, before: ReadonlySet<string> = new Set(), after: ReadonlySet<string> = new Set()): void {
    for (const id of before) if (!after.has(id)) removeMember(this.#desiredBy, id, key);
    for (const id of after) if (!before.has(id)) addMember(this.#desiredBy, id, key);
  }
}
