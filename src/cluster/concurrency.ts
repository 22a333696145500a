/** Bounded concurrency for requests, and turns of the one thread for long computations. */
import { setImmediate } from 'node:timers/promises';

export interface ConcurrencyOptions {
  /** Calls under way at once. */
  readonly concurrency: number;
  readonly signal?: AbortSignal;
}

/**
 * Calls `run` once for each item, in their order. Once the signal is aborted no further call begins, and calls under
 * way end first. Rejects with the first error, while the other calls still go through the remaining items.
 */
export async function forEachConcurrently<T>(
  items: readonly T[],
  { concurrency, signal }: ConcurrencyOptions,
  run: (item: T) => Promise<void>,
): Promise<void> {
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < items.length && !signal?.aborted) {
      const item = items[next++];
      if (item !== undefined) await run(item);
    }
  };
  await Promise.all(Array.from({ length: Math.min(concurrency, items.length) }, work));
}

/** Lets others have their turn of the thread: timers, requests and other Applications. */
export async function nextTurn(): Promise<void> {
  await setImmediate();
}

/** Probes, watches and other Applications wait no longer than this for a computation. */
const TURN_MS = 10;

/** Runs a computation to its end, and lets others have their turn whenever it has held the thread for a while. */
export async function inTurns<T>(steps: Generator<undefined, T>): Promise<T> {
  let sinceMs = performance.now();
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
    if (performance.now() - sinceMs < TURN_MS) continue;
    await setImmediate();
    sinceMs = performance.now();
  }
}
