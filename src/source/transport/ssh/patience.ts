/**
 * The time limits of one exchange by ssh. An SSH channel reports no time-out and may never end, so every wait is held
 * against the limits here.
 *
 * Invariant: a promise of `race` settles by the end of the exchange's time, or at once when the caller cancels,
 * whatever the server does.
 */
import { cancelled, sourceError } from '../../../object/source-error.ts';

export interface Patience {
  /** Rejects with StageError Timeout or Cancelled if that is earlier. `silenceMs`: for this wait alone. */
  race<T>(work: Promise<T>, silenceMs?: number): Promise<T>;
  /** Aborted with that error. */
  readonly signal: AbortSignal;
  /** Call it when the exchange has ended. */
  end(): void;
}

export interface PatienceOptions {
  readonly label: string;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

export function createPatience({ label, timeoutMs, signal }: PatienceOptions): Patience {
  const waiting = new Set<(reason: Error) => void>();
  const ended = new AbortController();
  const fail = (reason: Error): void => {
    ended.abort(reason);
    for (const reject of waiting) reject(reason);
    waiting.clear();
  };
  const onAbort = (): void => fail(cancelled(label));
  const timer = setTimeout(() => {
    fail(sourceError('Timeout', `${label} did not answer completely within ${timeoutMs} ms.`));
  }, timeoutMs);
  if (signal?.aborted) onAbort();
  else signal?.addEventListener('abort', onAbort, { once: true });

  return {
    signal: ended.signal,
    race<T>(work: Promise<T>, silenceMs?: number) {
      const { promise, resolve, reject } = Promise.withResolvers<T>();
      const silence =
        silenceMs === undefined
          ? undefined
          : setTimeout(() => reject(sourceError('Timeout', `${label} did not answer in time.`)), silenceMs);
      const settle = (): void => {
        clearTimeout(silence);
        waiting.delete(reject);
      };
      if (ended.signal.aborted) reject(ended.signal.reason as Error);
      else waiting.add(reject);
      work.then(resolve, reject);
      return promise.finally(settle);
    },
    end() {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
    },
  };
}
