/**
 * The changes of rows in their order, for streams that go on where they were cut.
 *
 * Invariant: at most `MAX_CHANGES` are kept. A position before them is answered with undefined, so that its reader
 * reads everything again.
 */
import { setImmediate } from 'node:timers/promises';
import type { Row, RowChanges } from './rows.ts';

export interface Change {
  readonly position: number;
  readonly row: Row;
  readonly isRemoved: boolean;
}

export interface Changes {
  note(changes: RowChanges): void;
  /** Position of the newest change; 0: there was none. */
  readonly last: () => number;
  /** The newest change of each Application after a position. undefined: older changes are not kept any more. */
  since(position: number): readonly Change[] | undefined;
  /** Calls the listener soon after each note, also once after it was removed. Returns the function that removes it. */
  listen(listener: () => void): () => void;
}

const MAX_CHANGES = 4_096;

export function createChanges(max: number = MAX_CHANGES): Changes {
  const listeners = new Set<() => void>();
  /** By the key of the Application, the newest change of it; ordered by position. */
  const newest = new Map<string, Change>();
  let last = 0;
  /** The highest position of a change that was dropped or replaced by nothing. */
  let forgotten = 0;
  const add = (row: Row, isRemoved: boolean): void => {
    newest.delete(row.key);
    newest.set(row.key, { position: ++last, row, isRemoved });
    const [oldest] = newest.size > max ? newest.values() : [];
    if (!oldest) return;
    newest.delete(oldest.row.key);
    forgotten = oldest.position;
  };
  return {
    note({ changed, removed }) {
      for (const row of changed) add(row, false);
      for (const row of removed) add(row, true);
      void tellInTurns([...listeners]);
    },
    last: () => last,
    since(position) {
      if (position < forgotten || position > last) return undefined;
      if (position === last) return [];
      return [...newest.values()].filter((change) => change.position > position);
    },
    listen(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

/** Listeners that are called before others have their turn: each writes to a client. */
const CALLS_OF_TURN = 20;

async function tellInTurns(listeners: readonly (() => void)[]): Promise<void> {
  for (const [index, listener] of listeners.entries()) {
    if (index > 0 && index % CALLS_OF_TURN === 0) await setImmediate();
    listener();
  }
}
