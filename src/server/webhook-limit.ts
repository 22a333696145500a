/**
 * Rate limit of the webhook listener: a token bucket for each remote address, and one for all addresses together.
 *
 * Invariant: the limit is checked before anything of a request is read. At most `maxAddresses` buckets are kept.
 */
import type { Clock } from '../telemetry/ports.ts';

export interface HookLimit {
  /** Requests from one remote address. The requests of one minute may arrive at once. */
  readonly perMinute: number;
  /** Requests from all addresses together. */
  readonly totalPerMinute: number;
  /** Number of addresses with a bucket. Beyond it, the bucket that was not used for the longest time is dropped. */
  readonly maxAddresses: number;
  readonly clock: Clock;
}

interface Bucket {
  tokens: number;
  /** Monotonic time of the last refill. */
  filledMs: number;
}

/** Takes a token for a request from this address. Returns 0, or the number of seconds after which to try again. */
export type TakeToken = (address: string) => number;

export function createHookLimit({ perMinute, totalPerMinute, maxAddresses, clock }: HookLimit): TakeToken {
  const total: Bucket = { tokens: totalPerMinute, filledMs: clock.monotonicMs() };
  /** Ordered by their last use, the oldest first. */
  const buckets = new Map<string, Bucket>();
  const bucketOf = (address: string, nowMs: number): Bucket => {
    const bucket = buckets.get(address) ?? { tokens: perMinute, filledMs: nowMs };
    buckets.delete(address);
    const [oldest] = buckets.size >= maxAddresses ? buckets.keys() : [];
    if (oldest !== undefined) buckets.delete(oldest);
    buckets.set(address, bucket);
    return bucket;
  };
  return (address) => {
    const nowMs = clock.monotonicMs();
    const own = bucketOf(address, nowMs);
    const waitS = Math.max(fill(own, perMinute, nowMs), fill(total, totalPerMinute, nowMs));
    if (waitS > 0) return waitS;
    own.tokens--;
    total.tokens--;
    return 0;
  };
}

/** Refills a bucket. Returns the whole seconds until it holds a token, or 0 if it holds one. */
function fill(bucket: Bucket, perMinute: number, nowMs: number): number {
  const perMs = perMinute / 60_000;
  bucket.tokens = Math.min(perMinute, bucket.tokens + (nowMs - bucket.filledMs) * perMs);
  bucket.filledMs = nowMs;
  return bucket.tokens >= 1 ? 0 : Math.ceil((1 - bucket.tokens) / perMs / 1000);
}
