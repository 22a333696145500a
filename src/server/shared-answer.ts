/**
 * Bounds on the cost of answers that anybody may ask for: callers share an answer, and the number of answers that
 * clients have not taken yet is bounded by address and in all, and so is the time to take one.
 */
import type { Response } from 'express';
import type { Clock } from '../telemetry/ports.ts';

const MAX_AGE_MS = 1_000;
const MAX_ANSWERS = 16;
const MAX_ANSWERS_OF_ADDRESS = 4;
const TAKE_MS = 10_000;

/** Calls share an answer: the one that is being made, or one that was made less than a second ago. */
export function atMostOnceASecond<T>(make: () => Promise<T>, clock: Pick<Clock, 'monotonicMs'>): () => Promise<T> {
  let last: Promise<T> | undefined;
  let goodUntilMs = Infinity;
  return () => {
    if (last && clock.monotonicMs() < goodUntilMs) return last;
    goodUntilMs = Infinity;
    last = make().finally(() => (goodUntilMs = clock.monotonicMs() + MAX_AGE_MS));
    return last;
  };
}

/**
 * Counts the answers that are not taken yet. Returns the function that stops to count this one before its end, as for
 * an answer that stays open; undefined if one more would be too many.
 */
export function createTurnstile(): (address: string, response: Response) => (() => void) | undefined {
  const held = new Map<string, number>();
  let total = 0;
  return (address, response) => {
    const own = held.get(address) ?? 0;
    if (total >= MAX_ANSWERS || own >= MAX_ANSWERS_OF_ADDRESS) return undefined;
    held.set(address, own + 1);
    total++;
    const timer = setTimeout(() => response.destroy(), TAKE_MS);
    const leave = (): void => {
      response.off('close', leave);
      clearTimeout(timer);
      total--;
      const left = (held.get(address) ?? 1) - 1;
      if (left > 0) held.set(address, left);
      else held.delete(address);
    };
    response.once('close', leave);
    return leave;
  };
}
