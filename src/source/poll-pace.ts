/**
 * Webhooks lengthen the time between polls. The law:
 * - Each commit that a hook announced before a poll found it doubles the interval, up to tenfold, but not beyond ten
 *   minutes (or the interval of the spec, if that is longer).
 * - After a commit that no hook announced, after the refusal of a hook that may have been genuine, or a day without a
 *   hook, the interval is that of the spec again.
 * - If a poll does not find the commit of a hook, the next poll follows after the interval of the spec: a replica of
 *   the server may be late.
 */

export interface PollPace {
  /** Multiplies the interval; from 1 to MAX_FACTOR. */
  readonly factor: number;
  /** Monotonic; when the newest hook came that a poll knows of. */
  readonly heardMs: number | undefined;
  /** Whether a hook has announced a commit that no poll has found yet. */
  readonly isAwaiting: boolean;
}

export const START_PACE: PollPace = { factor: 1, heardMs: undefined, isAwaiting: false };

const MAX_FACTOR = 10;
const MAX_LENGTHENED_MS = 10 * 60_000;
/** After this time without a hook, none is expected any more. */
const MAX_SILENCE_MS = 24 * 3_600_000;

/** The pace after webhooks were refused that may have been genuine: the interval is that of the spec again. */
export function doubtHooks(pace: PollPace): PollPace {
  return { ...pace, factor: 1 };
}

export function isLengthened({ factor }: PollPace): boolean {
  return factor > 1;
}

/** Call it when a poll begins, with the time of the newest hook: the commit is awaited until a poll finds it. */
export function hearHook(pace: PollPace, heardMs: number | undefined): PollPace {
  const isNews = heardMs !== undefined && (pace.heardMs === undefined || heardMs > pace.heardMs);
  return isNews ? { ...pace, heardMs, isAwaiting: true } : pace;
}

export interface Polled {
  /** The pace before `hearHook`. Tells a hook of this poll from one that has been awaited since the last. */
  readonly before: PollPace;
  readonly hasMoved: boolean;
  readonly nowMs: number;
}

/** The pace after a successful poll. */
export function paceAfterPoll(pace: PollPace, { before, hasMoved, nowMs }: Polled): PollPace {
  const isSilent = pace.heardMs === undefined || nowMs - pace.heardMs > MAX_SILENCE_MS;
  if (isSilent || (hasMoved && !pace.isAwaiting)) return { ...pace, factor: 1, isAwaiting: false };
  if (hasMoved) return { ...pace, factor: Math.min(MAX_FACTOR, pace.factor * 2), isAwaiting: false };
  return { ...pace, isAwaiting: pace.isAwaiting && pace.heardMs !== before.heardMs };
}

/** The time until the next poll; `intervalMs` is that of the spec. */
export function pacedIntervalMs({ factor, isAwaiting }: PollPace, intervalMs: number): number {
  if (isAwaiting) return intervalMs;
  return Math.max(intervalMs, Math.min(intervalMs * factor, MAX_LENGTHENED_MS));
}
