/**
 * Callers that ask for the same thing at the same time share one answer. The work is aborted when the signal of every
 * caller has aborted.
 */

export interface Flights<T> {
  /** Rejects with `onAbort()` as soon as the caller's own signal aborts. */
  join(options: FlightOptions<T>): Promise<T>;
  /** Aborts all work under way. */
  close(): void;
}

export interface FlightOptions<T> {
  readonly key: string;
  readonly signal: AbortSignal | undefined;
  readonly work: (signal: AbortSignal) => Promise<T>;
  readonly onAbort: () => Error;
}

interface Flight<T> {
  readonly answer: Promise<T>;
  readonly controller: AbortController;
  /** Callers that still wait for the answer. */
  callerCount: number;
}

export function createFlights<T>(): Flights<T> {
  const flights = new Map<string, Flight<T>>();

  function begin({ key, work }: FlightOptions<T>): Flight<T> {
    const controller = new AbortController();
    const answer = work(controller.signal).finally(() => {
      if (flights.get(key) === flight) flights.delete(key);
    });
    // Every caller awaits it; this only keeps a failure after the last one left from counting as unhandled.
    answer.catch(() => undefined);
    const flight: Flight<T> = { answer, controller, callerCount: 0 };
    flights.set(key, flight);
    return flight;
  }

  return {
    async join(options) {
      const { key, signal, onAbort } = options;
      if (signal?.aborted) throw onAbort();
      const flight = flights.get(key) ?? begin(options);
      flight.callerCount += 1;
      const { promise: aborted, reject } = Promise.withResolvers<never>();
      const onOwnAbort = () => reject(onAbort());
      signal?.addEventListener('abort', onOwnAbort, { once: true });
      try {
        return await Promise.race([flight.answer, aborted]);
      } finally {
        signal?.removeEventListener('abort', onOwnAbort);
        flight.callerCount -= 1;
        if (flight.callerCount === 0 && flights.get(key) === flight) {
          flights.delete(key);
          flight.controller.abort();
        }
      }
    },
    close() {
      for (const flight of flights.values()) flight.controller.abort();
      flights.clear();
    },
  };
}
