/**
 * Fair shares of a bound that several parties use, mostly namespaces.
 *
 * Invariant: a party that holds nothing gets a part as long as one is free.
 */

interface Holding {
  /** Parts that the party holds. */
  readonly held: number;
  /** Parts that are held by none. */
  readonly free: number;
  /** How many times as much as it holds a party must leave free. 1: one party gets at most half of all parts. */
  readonly leave?: number;
}

/** Whether the party may take one more part. */
export function isWithinFairShare({ held, free, leave = 1 }: Holding): boolean {
  return held * leave < free;
}

/** The time that parties have used lately. */
export interface UsedTime {
  /** Milliseconds; 0 if it is negligible. */
  of(party: string): number;
  add(party: string, usedMs: number): void;
}

/** Used time counts half after this time, in milliseconds. */
const HALF_LIFE_MS = 60_000;
/** Used time below this counts as none, in milliseconds. */
const NEGLIGIBLE_MS = 1;

/** `nowMs` is monotonic. A party whose time is negligible takes no memory. */
export function createUsedTime(nowMs: () => number): UsedTime {
  /** In the order of their last use. */
  const used = new Map<string, { readonly ms: number; readonly atMs: number }>();

  function usedBy(party: string): number {
    const entry = used.get(party);
    const ms = entry ? entry.ms * 0.5 ** ((nowMs() - entry.atMs) / HALF_LIFE_MS) : 0;
    return ms < NEGLIGIBLE_MS ? 0 : ms;
  }

  return {
    of: usedBy,
    add(party, usedMs) {
      const ms = usedBy(party) + usedMs;
      used.delete(party);
      used.set(party, { ms, atMs: nowMs() });
      for (const oldest of used.keys()) {
        if (usedBy(oldest) > 0) break;
        used.delete(oldest);
      }
    },
  };
}
