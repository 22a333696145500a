/**
 * The status API. Applications are answered from memory; the API server decides what a caller sees and may do.
 *
 * Invariants: a caller sees an Application only with the right to `list` or `get` it, and values of an object's fields
 * only with the right to `get` such objects. The number of answers that are being made or taken is bounded by address
 * and in all.
 */
import { randomBytes } from 'node:crypto';
import type { Express } from 'express';
import type { Hub } from '../../cluster/ports.ts';
import type { Clock, Log } from '../../telemetry/ports.ts';
import { createAccess } from '../access.ts';
import { networkOf } from '../connection-limit.ts';
import { checkHost } from '../host-check.ts';
import { createRoutes, endRoutes } from '../listener.ts';
import { addPage, type Page } from '../page.ts';
import { refuse } from '../refuse.ts';
import { createProvider } from '../session/provider.ts';
import { createSeal } from '../session/seal.ts';
import { createSessions } from '../session/sessions.ts';
import type { SignInSettings } from '../session/sign-in-settings.ts';
import { createTurnstile } from '../shared-answer.ts';
import { createActionHandlers } from './actions.ts';
import { createApplicationHandlers } from './applications.ts';
import { createChanges } from './changes.ts';
import { createObjectHandlers, createReportHandlers } from './objects.ts';
import { printOpenApi } from './openapi.ts';
import { addOperations, type Call } from './router.ts';
import { createRows, type ApplicationIndex } from './rows.ts';
import { createSessionHandlers } from './session.ts';
import { createStreamHandler, type StreamLimits } from './stream.ts';
import { entityTagOf, isUnchanged, sendJson } from './write-json.ts';

/** The part that a caller without a token sees; `names` are names and states. */
export type AnonymousRead = 'nothing' | 'names';

export interface ApiOptions {
  readonly applications: ApplicationIndex;
  readonly hub: Pick<Hub, 'reviews' | 'kinds' | 'asCaller'>;
  readonly anonymousRead: AnonymousRead;
  /** Names by which the API is called, beside addresses and names of the cluster; in lower case. */
  readonly hosts: readonly string[];
  /** The page in the browser. undefined: there is none, and only the API is served. */
  readonly page?: Page | undefined;
  readonly log: Log;
  readonly clock: Clock;
  readonly signIn: SignInSettings;
  /** For tests: other bounds on streams. */
  readonly streamLimits?: StreamLimits;
}

export function apiRoutes(options: ApiOptions): Express {
  const { applications, hub, anonymousRead, page, log, clock, signIn, streamLimits } = options;
  const { publicUrl } = signIn;
  const hosts = [...options.hosts, ...(publicUrl === undefined ? [] : [new URL(publicUrl).hostname])];
  const routes = createRoutes();
  routes.use(checkHost(hosts));
  const enter = createTurnstile();
  routes.use((request, response, next) => {
    response.set('Cache-Control', 'no-store');
    const leave = enter(networkOf(request.socket.remoteAddress ?? ''), response);
    response.locals['leaveTurnstile'] = leave;
    if (leave) return next();
    refuse(response.set('Retry-After', '1'), 503, 'too many requests at the same time');
  });
  const changes = createChanges();
  const rows = createRows({ applications, clock, onChange: (found) => changes.note(found) });
  // Versions of rows begin at one in each process.
  const process = randomBytes(8).toString('hex');
  const seal = createSeal(signIn.sessionSecret);
  const sessions = createSessions({ seal, hosts, clock });
  const provider = signIn.provider && createProvider({ ...signIn.provider, seal, clock });
  const access = createAccess({ reviews: hub.reviews, log, clock, sessions });
  addOperations(routes, {
    access,
    answersAnonymous: anonymousRead === 'names',
    hosts,
    handlers: {
      getOpenApi: createDocumentHandler(),
      ...createSessionHandlers({ access, sessions, provider, publicUrl, log }),
      ...createApplicationHandlers({ applications, hub, rows, process }),
      ...createObjectHandlers({ applications, hub }),
      ...createReportHandlers({ applications, hub }),
      ...createActionHandlers(hub),
      ...createStreamHandler({ rows, changes, process, ...(streamLimits ? { limits: streamLimits } : {}) }),
    },
  });
  if (page) addPage(routes, page);
  endRoutes(routes, log);
  return routes;
}

/** The document is made when it is first asked for. */
function createDocumentHandler(): (call: Call) => Promise<void> {
  let made: { readonly text: string; readonly tag: string } | undefined;
  return async ({ request, response }) => {
    if (!made) {
      const text = printOpenApi();
      made = { text, tag: entityTagOf(text) };
    }
    if (!isUnchanged(request, response, made.tag)) sendJson(response, [made.text]);
  };
}
