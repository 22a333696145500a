/**
 * Callers that ask for the same thing at the same time share one answer. The work is aborted when the signal of every
 * caller has aborted.
 *
 * Invariant: a caller never gets the answer of work that began before the time that it names.
 */
import type { Clock } from '../telemetry/ports.ts';

export interface Flights<T> {
  /** Rejects with `onAbort()` as soon as the caller's own signal aborts. */
  join(options: FlightOptions<T>): Promise<T>;
  /** Aborts all work under way. */
  close(): void;
}

export interface FlightOptions<T> {
  readonly key: string;
  readonly signal: AbortSignal | undefined;
  /** Monotonic; work that began earlier is not joined. undefined: any work under way is. */
  readonly notBeforeMs?: number | undefined;
  readonly work: (signal: AbortSignal) => Promise<T>;
  readonly onAbort: () => Error;
}

interface Flight<T> {
  readonly answer: Promise<T>;
  readonly controller: AbortController;
  /** Monotonic. */
  readonly begunMs: number;
  /** Callers that still wait for the answer. */
  callerCount: number;
}

export function createFlights<T>({ monotonicMs }: Pick<Clock, 'monotonicMs'>): Flights<T> {
  /** By key: the work that began last. */
  const newest = new Map<string, Flight<T>>();
  /** Everything that is under way, with the work that later callers could not join any more. */
  const underWay = new Set<Flight<T>>();

  function end(key: string, flight: Flight<T>): void {
    underWay.delete(flight);
    if (newest.get(key) === flight) newest.delete(key);
  }

  function begin({ key, work }: FlightOptions<T>): Flight<T> {
    const controller = new AbortController();
    const begunMs = monotonicMs();
    const answer = work(controller.signal).finally(() => end(key, flight));
    // Every caller awaits it; this only keeps a failure after the last one left from counting as unhandled.
    answer.catch(() => undefined);
    const flight: Flight<T> = { answer, controller, begunMs, callerCount: 0 };
    underWay.add(flight);
    newest.set(key, flight);
    return flight;
  }

  return {
    async join(options) {
      const { key, signal, notBeforeMs = -Infinity, onAbort } = options;
      if (signal?.aborted) throw onAbort();
      const known = newest.get(key);
      const flight = known && known.begunMs >= notBeforeMs ? known : begin(options);
      flight.callerCount += 1;
      const { promise: aborted, reject } = Promise.withResolvers<never>();
      const onOwnAbort = () => reject(onAbort());
      signal?.addEventListener('abort', onOwnAbort, { once: true });
      try {
        return await Promise.race([flight.answer, aborted]);
      } finally {
        signal?.removeEventListener('abort', onOwnAbort);
        flight.callerCount -= 1;
        if (flight.callerCount === 0 && underWay.has(flight)) {
          end(key, flight);
          flight.controller.abort();
        }
      }
    },
    close() {
      for (const flight of underWay) flight.controller.abort();
      underWay.clear();
      newest.clear();
    },
  };
}
