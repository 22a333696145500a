/** Random choices from a seed: the same seed makes the same case on every machine. */

export interface Chance {
  /** An integer from 0 (included) to `below` (excluded). */
  readonly int: (below: number) => number;
  /** True with this probability. */
  readonly may: (probability: number) => boolean;
  readonly pick: <T>(from: readonly T[]) => T;
  /** Up to `max` different members, in a random order. */
  readonly some: <T>(from: readonly T[], max: number) => T[];
}

export function newChance(seed: number): Chance {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const int = (below: number): number => Math.floor(next() * below);
  return {
    int,
    may: (probability) => next() < probability,
    pick: (from) => from[int(from.length)] as (typeof from)[number],
    some: (from, max) => {
      const left = [...from];
      return Array.from(
        { length: int(Math.min(max, left.length) + 1) },
        () => left.splice(int(left.length), 1)[0],
      ).filter((item) => item !== undefined);
    },
  };
}
