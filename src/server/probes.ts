/** The probes listener: `/healthz`, `/readyz`, `/metrics`. Never asks Git or the API server for an answer. */
import type { Express } from 'express';
import type { Log } from '../telemetry/ports.ts';
import { createRoutes, endRoutes, readOnly } from './listener.ts';

export interface ProbeSources {
  /** What is wrong with the process; empty while it is healthy. An answer at all shows that the event loop is alive. */
  readonly ailments: () => readonly string[];
  /** Named checks: CRD found, first list done, not draining. */
  readonly readiness: () => Readonly<Record<string, boolean>>;
  readonly metrics: () => Promise<{ contentType: string; body: string }>;
  readonly log: Log;
}

export function probeRoutes({ ailments, readiness, metrics, log }: ProbeSources): Express {
  const routes = createRoutes();
  readOnly(routes);
  routes.get('/healthz', (_request, response) => {
    const found = ailments();
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
  routes.get('/metrics', async (_request, response) => {
    const { contentType, body } = await metrics();
    response.type(contentType).send(body);
  });
  endRoutes(routes, log);
  return routes;
}
