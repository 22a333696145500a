/**
 * The rate at which a key may be served: a number of times a second on average, and several at once after a quiet time.
 * A tenant that rewrites an Application or its objects in a tight loop costs a bounded number of passes.
 *
 * Invariant: the record of a key outlives its stay in the queue, and is dropped once it no longer counts.
 */

/** The passes of this many seconds may come at once: waves and retries that follow each other are not slowed down. */
const BURST_S = 2;

export interface PassRate {
  /** 0: the key may be served now. */
  waitMs(key: string, nowMs: number): number;
  /** To be called when the key is served. */
  spend(key: string, nowMs: number): void;
}

/** All times are monotonic. */
export function createPassRate(perSecond: number): PassRate {
  /** By key: until when its passes so far count against it, in the order of their last use. */
  const spent = new Map<string, number>();
  return {
    waitMs: (key, nowMs) => Math.max(0, (spent.get(key) ?? 0) - BURST_S * 1000 - nowMs),
    spend(key, nowMs) {
      const untilMs = Math.max(nowMs, spent.get(key) ?? 0) + 1000 / perSecond;
      spent.delete(key);
      spent.set(key, untilMs);
      for (const [oldest, endMs] of spent) {
        if (endMs > nowMs) return;
        spent.delete(oldest);
      }
    },
  };
}
