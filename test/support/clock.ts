/** The clock for unit tests. */
import type { Clock } from '../../src/telemetry/ports.ts';

/** A clock that stands still until the test sets it. Both times are the same number. */
export interface SetClock extends Clock {
  nowMs: number;
}

export function createClock(nowMs = 0): SetClock {
  const it: SetClock = { nowMs, now: () => it.nowMs, monotonicMs: () => it.nowMs };
  return it;
}
