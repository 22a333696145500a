/**
 * Runs work for tenants, a bounded number at a time. Tenants that wait take turns, so that one with much work does not
 * hold up the others.
 */

export interface TurnQueue {
  /** Rejects with `onFull()` if too much work waits, or with the reason of the signal if it aborts before the start. */
  run<T>(turn: Turn, work: () => Promise<T>): Promise<T>;
}

interface Turn {
  readonly tenant: string;
  readonly signal: AbortSignal;
}

interface TurnQueueOptions {
  readonly slots: number;
  readonly maxWaiting: number;
  readonly onFull: () => Error;
}

export function createTurnQueue({ slots, maxWaiting, onFull }: TurnQueueOptions): TurnQueue {
  /** Starts of waiting work by tenant; the tenant whose turn is next comes first. */
  const waiting = new Map<string, Set<() => void>>();
  let waitingCount = 0;
  let running = 0;

  function startNext(): void {
    const next = waiting.entries().next().value;
    if (next === undefined || running >= slots) return;
    const [tenant, starts] = next;
    const [start] = starts;
    waiting.delete(tenant);
    if (start === undefined) return;
    starts.delete(start);
    waitingCount -= 1;
    if (starts.size > 0) waiting.set(tenant, starts);
    running += 1;
    start();
  }

  function waitForTurn({ tenant, signal }: Turn): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const starts = waiting.get(tenant) ?? new Set();
    const onAbort = (): void => {
      if (!starts.delete(start)) return;
      waitingCount -= 1;
      if (starts.size === 0) waiting.delete(tenant);
      reject(signal.reason as Error);
    };
    const start = (): void => {
      signal.removeEventListener('abort', onAbort);
      resolve();
    };
    signal.addEventListener('abort', onAbort, { once: true });
    starts.add(start);
    waiting.set(tenant, starts);
    waitingCount += 1;
    startNext();
    return promise;
  }

  return {
    async run(turn, work) {
      turn.signal.throwIfAborted();
      if (waitingCount >= maxWaiting) throw onFull();
      await waitForTurn(turn);
      try {
        return await work();
      } finally {
        running -= 1;
        startNext();
      }
    },
  };
}
