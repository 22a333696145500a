/**
 * The metrics listener: `/metrics`.
 *
 * Invariants: the metrics are rendered at most once a second, whatever the number of scrapes. The number of answers
 * that clients have not taken yet is bounded by address and in all, and so is the time to take one.
 */
import type { Express, Request, Response } from 'express';
import type { AccessReviews } from '../cluster/ports.ts';
import type { Clock, Log } from '../telemetry/ports.ts';
import { createAccess, refuseAnonymous, type Access } from './access.ts';
import { networkOf } from './connection-limit.ts';
import { createRoutes, endRoutes, readOnly } from './listener.ts';
import { refuse } from './refuse.ts';
import { atMostOnceASecond, createTurnstile } from './shared-answer.ts';

export interface Exposition {
  readonly contentType: string;
  readonly body: string;
}

export interface MetricsSources {
  readonly expose: () => Promise<Exposition>;
  /** Set: a scrape needs the token of an account that may `get` the path /metrics. */
  readonly reviews?: AccessReviews | undefined;
  readonly clock: Clock;
  readonly log: Log;
}

export function metricsRoutes({ expose, reviews, clock, log }: MetricsSources): Express {
  const routes = createRoutes();
  readOnly(routes);
  const render = atMostOnceASecond(async () => {
    const { contentType, body } = await expose();
    return { contentType, body: Buffer.from(body) };
  }, clock);
  const enter = createTurnstile();
  const access = reviews && createAccess({ reviews, log, clock });
  routes.get('/metrics', async (request, response) => {
    if (!enter(networkOf(request.socket.remoteAddress ?? ''), response)) {
      refuse(response.set('Retry-After', '1'), 503, 'too many scrapes at the same time');
      return;
    }
    if (access && !(await isAllowed(access, request, response))) return;
    const { contentType, body } = await render();
    // express would look for a charset in each body again.
    response.set('Content-Type', contentType).set('Content-Length', String(body.length)).end(body);
  });
  endRoutes(routes, log);
  return routes;
}

/** false: the request has been answered with a refusal. */
async function isAllowed(access: Access, request: Request, response: Response): Promise<boolean> {
  const caller = await access.identify(request, response);
  if (!caller) return false;
  if (caller.type === 'anonymous') {
    refuseAnonymous(response, 'a scrape needs a token of the cluster');
    return false;
  }
  try {
    const isAllowed = await caller.may({ verb: 'get', path: '/metrics' });
    if (!isAllowed) refuse(response, 403, 'this account may not get the path /metrics');
    return isAllowed;
  } catch (error) {
    access.refuseUnreviewed(response, error);
    return false;
  }
}
