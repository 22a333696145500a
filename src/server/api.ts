/** The status API: read-only JSON, answered from memory without a request to the cluster. */
import type { Express } from 'express';
import { compareTexts } from '../object/identity.ts';
import { stringifyJson } from '../object/json.ts';
import type { Value } from '../object/value.ts';
import type { Log } from '../telemetry/ports.ts';
import { createRoutes, endRoutes, readOnly } from './listener.ts';
import { describe, summarise, type KnownApplication } from './views.ts';

export interface ApplicationIndex {
  list(): readonly KnownApplication[];
  get(namespace: string, name: string): KnownApplication | undefined;
}

export function apiRoutes(applications: ApplicationIndex, log: Log): Express {
  const routes = createRoutes();
  readOnly(routes);
  routes.use((_request, response, next) => {
    response.set('Cache-Control', 'no-store');
    next();
  });
  routes.get('/api/v1/applications', (_request, response) => {
    const summaries = applications.list().map(summarise);
    summaries.sort((a, b) => compareTexts(a.namespace, b.namespace) || compareTexts(a.name, b.name));
    response.json({ applications: summaries });
  });
  routes.get('/api/v1/applications/:namespace/:name', (request, response) => {
    const { namespace, name } = request.params;
    const known = applications.get(namespace, name);
    if (!known) {
      response.status(404).json({ error: 'no such Application' });
      return;
    }
    // express would use JSON.stringify, which cannot write the bigints of field values beyond 2^53.
    response.type('application/json').send(stringifyJson(describe(known) as unknown as Value));
  });
  endRoutes(routes, log);
  return routes;
}
