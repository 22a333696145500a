/**
 * The metrics listener: `/metrics`.
 *
 * Invariants: the metrics are rendered at most once a second, whatever the number of scrapes. The number of answers
 * that clients have not taken yet is bounded by address and in all, and so is the time to take one.
 */
import type { Express } from 'express';
import type { Clock, Log } from '../telemetry/ports.ts';
import { networkOf } from './connection-limit.ts';
import { createRoutes, endRoutes, readOnly } from './listener.ts';
import { atMostOnceASecond, createTurnstile } from './shared-answer.ts';

export interface Exposition {
  readonly contentType: string;
  readonly body: string;
}

export interface MetricsSources {
  readonly expose: () => Promise<Exposition>;
  readonly clock: Clock;
  readonly log: Log;
}

export function metricsRoutes({ expose, clock, log }: MetricsSources): Express {
  const routes = createRoutes();
  readOnly(routes);
  const render = atMostOnceASecond(async () => {
    const { contentType, body } = await expose();
    return { contentType, body: Buffer.from(body) };
  }, clock);
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
