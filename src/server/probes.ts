/** The probes listener: `/healthz`, `/readyz`, `/metrics`. Never asks Git or the API server for an answer. */
import type { Express } from 'express';
import { createRoutes, endRoutes } from './listener.ts';

export interface ProbeSources {
  /** Whether the event loop and the queue are alive. */
  readonly isHealthy: () => boolean;
  /** Named checks: CRD found, first list done, not draining. */
  readonly readiness: () => Readonly<Record<string, boolean>>;
  readonly metrics: () => Promise<{ contentType: string; body: string }>;
}

export function probeRoutes({ isHealthy, readiness, metrics }: ProbeSources): Express {
  const routes = createRoutes();
  routes.get('/healthz', (_request, response) => {
    response
      .status(isHealthy() ? 200 : 503)
      .type('text/plain')
      .send(isHealthy() ? 'ok' : 'not healthy');
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
  routes.get('/metrics', async (_request, response) => {
    const { contentType, body } = await metrics();
    response.type(contentType).send(body);
  });
  endRoutes(routes);
  return routes;
}
