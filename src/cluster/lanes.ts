/**
 * Runs an effect for each item, a bounded number at a time. Nothing new begins once the signal is aborted; effects
 * under way end first.
 */

export interface LaneOptions {
  /** Items under way at once. */
  readonly concurrency: number;
  readonly signal?: AbortSignal;
}

export async function forEachInLanes<T>(
  items: readonly T[],
  { concurrency, signal }: LaneOptions,
  run: (item: T) => Promise<void>,
): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < items.length && !signal?.aborted) {
      const item = items[next++];
      if (item !== undefined) await run(item);
    }
  };
  await Promise.all(Array.from({ length: Math.min(concurrency, items.length) }, lane));
}
