/**
 * How many hooks are looked at: a token bucket for each remote address and one for all. Invariant: asked before
 * anything of a request is read; memory is bounded by `maxAddresses`, whoever calls.
 */
import type { Clock } from '../telemetry/ports.ts';

export interface HookLimit {
  /** Of one remote address; a minute's worth may come at once. */
  readonly perMinute: number;
  /** Of all addresses together. */
  readonly totalPerMinute: number;
  /** Remembered at once; beyond, the one that was quiet for longest is forgotten. */
  readonly maxAddresses: number;
  readonly clock: Clock;
}

interface Bucket {
  tokens: number;
  /** Monotonic. */
  filledMs: number;
}

/** Takes a token for a request from this address; answers 0, or after how many seconds to try again. */
export type TakeToken = (address: string) => number;

export function createHookLimit({ perMinute, totalPerMinute, maxAddresses, clock }: HookLimit): TakeToken {
  const total: Bucket = { tokens: totalPerMinute, filledMs: clock.monotonicMs() };
  /** In the order of their last use. */
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

/** Whole seconds until there is a token; 0 if there is one. */
function fill(bucket: Bucket, perMinute: number, nowMs: number): number {
  const perMs = perMinute / 60_000;
  bucket.tokens = Math.min(perMinute, bucket.tokens + (nowMs - bucket.filledMs) * perMs);
  bucket.filledMs = nowMs;
  return bucket.tokens >= 1 ? 0 : Math.ceil((1 - bucket.tokens) / perMs / 1000);
}
