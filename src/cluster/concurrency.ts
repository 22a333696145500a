/** Bounded concurrency for requests. */

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
