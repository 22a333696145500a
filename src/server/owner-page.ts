/**
 * The status API for the owner of a kubeconfig alone, who opens it in a browser by an address with a secret.
 *
 * Invariants: only a browser that was opened by this address is answered, so that neither other users of the machine
 * nor pages of other sites act with the rights of the owner. The API server decides about every object and change.
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Express } from 'express';
import type { CallerClient, Hub, User } from '../cluster/ports.ts';
import type { Kinds } from '../cluster/kinds.ts';
import type { Clock, Log } from '../telemetry/ports.ts';
import { apiRoutes } from './api/api.ts';
import type { ApplicationIndex } from './api/rows.ts';
import { checkHost } from './host-check.ts';
import { createRoutes } from './listener.ts';
import { readPage } from './page.ts';
import { refuse } from './refuse.ts';
import { createSeal } from './session/seal.ts';
import { createSessions } from './session/sessions.ts';

export interface OwnerPage {
  /** The Applications that the owner may list. */
  readonly applications: ApplicationIndex;
  readonly owner: User;
  /** Requests with the rights of the owner. */
  readonly client: CallerClient;
  readonly kinds: () => Promise<Kinds>;
  /** The secret of the address; only characters of base64url. */
  readonly key: string;
  readonly clock: Clock;
  readonly log: Log;
}

/** The path and query that begin a session in a browser. */
export function openingPath(key: string): string {
  return `${OPEN_PATH}?key=${key}`;
}

const OPEN_PATH = '/open';

export function ownerPageRoutes({ applications, owner, client, kinds, key, clock, log }: OwnerPage): Express {
  const sessionSecret = randomBytes(32);
  const sessions = createSessions({ seal: createSeal(sessionSecret), hosts: [], clock });
  const isKey = (text: string): boolean => timingSafeEqual(digestOf(text), digestOf(key));
  const hub: Pick<Hub, 'reviews' | 'kinds' | 'asCaller'> = {
    kinds,
    asCaller: () => client,
    reviews: {
      authenticate: (token) => Promise.resolve(isKey(token) ? owner : undefined),
      // The Applications were listed with these rights, and everything else is read with them.
      authorize: () => Promise.resolve(true),
    },
  };
  const routes = createRoutes();
  routes.get(OPEN_PATH, checkHost([]), (request, response) => {
    response.set('Cache-Control', 'no-store');
    if (!isKey(new URL(request.url, 'http://127.0.0.1').searchParams.get('key') ?? '')) {
      return refuse(response, 403, 'open the address that "tautline page" has printed');
    }
    sessions.begin(request, response, { token: key, isSecure: false });
    response.redirect(303, '/');
  });
  const page = readPage();
  const signIn = { publicUrl: undefined, sessionSecret, provider: undefined, isForOwner: true };
  routes.use(apiRoutes({ applications, hub, anonymousRead: 'nothing', hosts: [], page, signIn, log, clock }));
  return routes;
}

function digestOf(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
