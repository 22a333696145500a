/**
 * Results of access reviews, each believed for a while.
 *
 * Invariants: a result is never believed for longer than `KEPT_MS`, and a failed review is not kept at all. Questions
 * that are asked while their review is under way share it.
 */
import type { Clock } from '../../telemetry/ports.ts';

/** A right that was granted or taken away counts after this time. */
const KEPT_MS = 60_000;
const MAX_KEPT = 10_000;

/** Returns the result for a key, or asks for it. Rejects as `send` does. */
export type KeptReviews<T> = (key: string, send: () => Promise<T>) => Promise<T>;

/** `maxKept`: results that are remembered at once; the oldest are forgotten first. */
export function keepReviews<T>(clock: Pick<Clock, 'monotonicMs'>, maxKept = MAX_KEPT): KeptReviews<T> {
  const reviews = new Map<string, { readonly endsMs: number; readonly result: Promise<T> }>();
  return (key, send) => {
    const nowMs = clock.monotonicMs();
    const known = reviews.get(key);
    if (known && nowMs < known.endsMs) return known.result;
    reviews.delete(key);
    const review = { endsMs: nowMs + KEPT_MS, result: send() };
    reviews.set(key, review);
    const [oldest] = reviews.size > maxKept ? reviews.keys() : [];
    if (oldest !== undefined) reviews.delete(oldest);
    review.result.catch(() => {
      if (reviews.get(key) === review) reviews.delete(key);
    });
    return review.result;
  };
}
