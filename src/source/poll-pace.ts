/**
 * How webhooks lengthen the time between polls. The law: each commit that a hook announced before a poll found it
 * doubles the interval, up to tenfold and never beyond ten minutes (or the interval itself, where that is longer). One
 * commit that no hook announced, or a day without a hook, and the interval is what the spec says again. A hook whose
 * commit the poll does not find leaves the next poll to the interval of the spec: a replica of the server may be late.
 */

export interface PollPace {
  /** By how much the interval is multiplied; from 1 to MAX_FACTOR. */
  readonly factor: number;
  /** Monotonic; when the newest hook that a poll knows of came. */
  readonly heardMs: number | undefined;
  /** A hook has announced a commit that no poll has found yet. */
  readonly isAwaiting: boolean;
}

export const START_PACE: PollPace = { factor: 1, heardMs: undefined, isAwaiting: false };

const MAX_FACTOR = 10;
const MAX_LENGTHENED_MS = 10 * 60_000;
/** Monotonic age beyond which a hook says nothing about the next one. */
const MAX_SILENCE_MS = 24 * 3_600_000;

/** To be called when a poll begins, with the time of the newest hook: what came is awaited until a poll finds it. */
export function hearHook(pace: PollPace, heardMs: number | undefined): PollPace {
  const isNews = heardMs !== undefined && (pace.heardMs === undefined || heardMs > pace.heardMs);
  return isNews ? { ...pace, heardMs, isAwaiting: true } : pace;
}

export interface Polled {
  /** The pace before `hearHook`: so a hook of this poll is told from one that is awaited since the last. */
  readonly before: PollPace;
  readonly hasMoved: boolean;
  readonly nowMs: number;
}

/** The pace after a poll that succeeded. */
export function paceAfterPoll(pace: PollPace, { before, hasMoved, nowMs }: Polled): PollPace {
  const isSilent = pace.heardMs === undefined || nowMs - pace.heardMs > MAX_SILENCE_MS;
  if (isSilent || (hasMoved && !pace.isAwaiting)) return { ...pace, factor: 1, isAwaiting: false };
  if (hasMoved) return { ...pace, factor: Math.min(MAX_FACTOR, pace.factor * 2), isAwaiting: false };
  return { ...pace, isAwaiting: pace.isAwaiting && pace.heardMs !== before.heardMs };
}

/** The time until the next poll, for an interval of the spec. */
export function pacedIntervalMs({ factor, isAwaiting }: PollPace, intervalMs: number): number {
  if (isAwaiting) return intervalMs;
  return Math.max(intervalMs, Math.min(intervalMs * factor, MAX_LENGTHENED_MS));
}
