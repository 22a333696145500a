/**
 * Delays the events on an object while we write that object. The echo of our own write is then compared with the
 * write's answer, even if it arrives first, and is not taken for a change.
 *
 * Invariant: events on one object keep their order, and wait only while a write on that object is under way.
 */

export interface WritesUnderWay {
  /** Returns the function that ends the write. Call it once, after the answer is recorded. */
  begin(key: string): () => void;
  /** Calls `run` now, or as soon as no write on this object is under way. */
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
