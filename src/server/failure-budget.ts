/**
 * The budget of requests that are not genuine, such as webhooks with a wrong signature or callers with a wrong token: a
 * token bucket for each address, and one for all addresses together.
 *
 * Invariants: a genuine request gives its token back, so only failures use up a budget. Where a budget is empty, a
 * reserve is left by which a genuine request is still found among false ones. Failures of other addresses do not use up
 * the budget of an address that has sent a genuine request. At most `maxAddresses` buckets are kept.
 */
import type { Clock } from '../telemetry/ports.ts';

export interface FailureBudget {
  /** Failures of one address. Those of one minute may arrive at once. */
  readonly perMinute: number;
  /** Failures of all addresses together. Half as many more are checked by the reserve. */
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

interface Address extends Bucket {
  /** Whether a genuine request has come from it. */
  isKnown: boolean;
}

export type Admission =
  /** To be called if the request is genuine. */
  | { readonly isAdmitted: true; readonly giveBack: () => void }
  | { readonly isAdmitted: false; readonly retryAfterS: number };

/** Takes a token for a request from this address. */
export type Admit = (address: string) => Admission;

export function createFailureBudget({ perMinute, totalPerMinute, maxAddresses, clock }: FailureBudget): Admit {
  const startMs = clock.monotonicMs();
  const total: Bucket = { tokens: totalPerMinute, filledMs: startMs };
  const reservePerMinute = Math.max(1, totalPerMinute / 2);
  const reserve: Bucket = { tokens: reservePerMinute, filledMs: startMs };
  /** Ordered by their last use, the oldest first. */
  const addresses = new Map<string, Address>();
  const addressOf = (name: string, nowMs: number): Address => {
    const address = addresses.get(name) ?? { tokens: perMinute, filledMs: nowMs, isKnown: false };
    addresses.delete(name);
    const oldest = addresses.size >= maxAddresses ? oldestOf(addresses) : undefined;
    if (oldest !== undefined) addresses.delete(oldest);
    addresses.set(name, address);
    return address;
  };
  return (name) => {
    const nowMs = clock.monotonicMs();
    const own = addressOf(name, nowMs);
    const ownWaitS = fill(own, perMinute, nowMs);
    const totalWaitS = own.isKnown ? 0 : fill(total, totalPerMinute, nowMs);
    const waitS = Math.max(ownWaitS, totalWaitS);
    const taken: Bucket[] = waitS > 0 ? [reserve] : own.isKnown ? [own] : [own, total];
    if (waitS > 0 && fill(reserve, reservePerMinute, nowMs) > 0) return { isAdmitted: false, retryAfterS: waitS };
    for (const bucket of taken) bucket.tokens--;
    const giveBack = (): void => {
      own.isKnown = true;
      for (const bucket of taken) bucket.tokens++;
    };
    return { isAdmitted: true, giveBack };
  };
}

/** The address that was not used for the longest time. Addresses that have sent a genuine request are kept. */
function oldestOf(addresses: ReadonlyMap<string, Address>): string | undefined {
  const [oldest] = addresses.keys();
  let looked = 0;
  for (const [name, { isKnown }] of addresses) {
    if (!isKnown) return name;
    if (++looked === MAX_KNOWN) break;
  }
  return oldest;
}

/** Bounds the search above; a cluster has a few forges. */
const MAX_KNOWN = 100;

/** Refills a bucket. Returns the whole seconds until it holds a token, or 0 if it holds one. */
function fill(bucket: Bucket, perMinute: number, nowMs: number): number {
  const perMs = perMinute / 60_000;
  bucket.tokens = Math.min(perMinute, bucket.tokens + (nowMs - bucket.filledMs) * perMs);
  bucket.filledMs = nowMs;
  return bucket.tokens >= 1 ? 0 : Math.ceil((1 - bucket.tokens) / perMs / 1000);
}
