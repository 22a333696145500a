/**
 * The probes listener: `/healthz` and `/readyz`, on a listener of their own, so that no scrape and no webhook delays
 * the kubelet. No answer needs a request to Git or to the API server.
 */
import type { Express } from 'express';
import type { Log } from '../telemetry/ports.ts';
import { createRoutes, endRoutes, readOnly } from './listener.ts';

export interface ProbeSources {
  /** Defects that only a restart can clear; empty while the process is healthy. */
  readonly failures: () => readonly string[];
  /** Checks by name, such as `crd-found`; the agent is ready when all of them are true. */
  readonly readiness: () => Readonly<Record<string, boolean>>;
  readonly log: Log;
}

export function probeRoutes({ failures, readiness, log }: ProbeSources): Express {
  const routes = createRoutes();
  readOnly(routes);
  routes.get('/healthz', (_request, response) => {
    const found = failures();
    const isHealthy = found.length === 0;
    response
      .status(isHealthy ? 200 : 503)
      .type('text/plain')
      .send(isHealthy ? 'ok\n' : `${found.join('\n')}\nnot healthy\n`);
  });
  routes.get('/readyz', (_request, response) => {
    const checks = Object.entries(readiness());
    const isReady = checks.every(([, passed]) => passed);
    const lines = checks.map(([name, passed]) => `[${passed ? '+' : '-'}] ${name}`);
    response
      .status(isReady ? 200 : 503)
      .type('text/plain')
      .send(`${lines.join('\n')}\n${isReady ? 'ok' : 'not ready'}\n`);
  });
  endRoutes(routes, log);
  return routes;
}
