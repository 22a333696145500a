/**
 * Keeps an event on an object waiting while we are writing that object, so that the echo of our own write is compared
 * with its answer, whichever comes first, and wakes nobody. Invariant: events on one object keep their order, and none
 * waits longer than the writes that were under way when it came.
 */

export interface WritesUnderWay {
  /** Returns the function that ends the write; call it once the answer is taken in. */
  begin(key: string): () => void;
  /** Runs now, or as soon as no write on this object is under way. */
  whenSettled(key: string, run: () => void): void;
}

export function createWritesUnderWay(): WritesUnderWay {
  const writes = new Map<string, { count: number; waiting: (() => void)[] }>();
  return {
    begin(key) {
      const write = writes.get(key) ?? { count: 0, waiting: [] };
      write.count++;
      writes.set(key, write);
      return () => {
        write.count--;
        if (write.count > 0) return;
        writes.delete(key);
        for (const run of write.waiting) run();
      };
    },
    whenSettled(key, run) {
      const write = writes.get(key);
      if (write) write.waiting.push(run);
      else run();
    },
  };
}
