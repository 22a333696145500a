/**
 * The metrics listener: `/metrics`.
 *
 * Invariants: the metrics are rendered at most once a second, whatever the number of scrapes. The number of answers
 * that clients have not taken yet is bounded by address and in all, and so is the time to take one.
 */
import type { Express, Response } from 'express';
import type { Clock, Log } from '../telemetry/ports.ts';
import { networkOf } from './connection-limit.ts';
import { createRoutes, endRoutes, readOnly } from './listener.ts';

export interface Exposition {
  readonly contentType: string;
  readonly body: string;
}

export interface MetricsSources {
  readonly expose: () => Promise<Exposition>;
  readonly clock: Clock;
  readonly log: Log;
}

const MAX_AGE_MS = 1_000;
const MAX_ANSWERS = 16;
const MAX_ANSWERS_OF_ADDRESS = 4;
const TAKE_MS = 10_000;

export function metricsRoutes({ expose, clock, log }: MetricsSources): Express {
  const routes = createRoutes();
  readOnly(routes);
  const render = atMostOnceASecond(expose, clock);
  const enter = createTurnstile();
  routes.get('/metrics', async (request, response) => {
    if (!enter(networkOf(request.socket.remoteAddress ?? ''), response)) {
      response.set('Retry-After', '1').status(503).json({ error: 'too many scrapes at the same time' });
      return;
    }
    const { contentType, body } = await render();
    // express would look for a charset in each body again.
    response.set('Content-Type', contentType).set('Content-Length', String(body.length)).end(body);
  });
  endRoutes(routes, log);
  return routes;
}

interface Rendered {
  readonly contentType: string;
  readonly body: Buffer;
}

/** Scrapes share a rendering: the one under way, or one that ended less than a second ago. */
function atMostOnceASecond(expose: MetricsSources['expose'], clock: Clock): () => Promise<Rendered> {
  let last: Promise<Rendered> | undefined;
  let goodUntilMs = Infinity;
  return () => {
    if (last && clock.monotonicMs() < goodUntilMs) return last;
    goodUntilMs = Infinity;
    last = expose()
      .then(({ contentType, body }) => ({ contentType, body: Buffer.from(body) }))
      .finally(() => (goodUntilMs = clock.monotonicMs() + MAX_AGE_MS));
    return last;
  };
}

/** Counts the answers that are not taken yet; false if one more would be too many. */
function createTurnstile(): (address: string, response: Response) => boolean {
  const held = new Map<string, number>();
  let total = 0;
  return (address, response) => {
    const own = held.get(address) ?? 0;
    if (total >= MAX_ANSWERS || own >= MAX_ANSWERS_OF_ADDRESS) return false;
    held.set(address, own + 1);
    total++;
    const timer = setTimeout(() => response.destroy(), TAKE_MS);
    response.once('close', () => {
      clearTimeout(timer);
      total--;
      const left = (held.get(address) ?? 1) - 1;
      if (left > 0) held.set(address, left);
      else held.delete(address);
    });
    return true;
  };
}
