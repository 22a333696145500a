/**
 * The operations of sessions: who the caller is, sign-in with a token or at an OpenID Connect provider, and sign-out.
 *
 * Invariants: a session begins only with a token that the API server has confirmed. A failed sign-in uses up the budget
 * of its address. A cookie is never handed out where it would cross a network as plain text.
 */
import type { Log } from '../../telemetry/ports.ts';
import type { Access, Caller } from '../access.ts';
import { refuse } from '../refuse.ts';
import { reachedBy } from '../session/plain-site.ts';
import { SignInError, type Provider } from '../session/provider.ts';
import { MAX_SESSION_TOKEN_CHARS, type Sessions } from '../session/sessions.ts';
import { refusePerson } from './refuse-person.ts';
import type { Call, Handlers } from './router.ts';
import type { SessionView } from './session-schema.ts';
import { sendJson, writeJson } from './write-json.ts';

export interface SessionHandlerOptions {
  readonly access: Access;
  readonly sessions: Sessions;
  readonly provider: Provider | undefined;
  /** Origin by which browsers reach the API; undefined if it is not set. */
  readonly publicUrl: string | undefined;
  readonly log: Log;
}

type SessionOperation = 'getSession' | 'signIn' | 'signOut' | 'startOidc' | 'finishOidc';

export function createSessionHandlers(options: SessionHandlerOptions): Pick<Handlers, SessionOperation> {
  const { access, sessions, provider, publicUrl } = options;
  const ways = ['token', ...(provider ? (['oidc'] as const) : [])] as const;
  const oidc = provider && { oidc: { name: provider.name } };
  return {
    async getSession({ request, response }) {
      const caller = await access.lookUp(request, response);
      if (!caller) return;
      sendJson(response, [writeJson({ ...viewOf(caller), ways: [...ways], ...oidc } satisfies SessionView)]);
    },

    async signIn({ body: { token }, request, response }) {
      const reached = reachedBy(request.headers, publicUrl);
      if (reached === 'refused') return refuse(response, 403, PLAIN_HTTP, 'PlainHttp');
      const reviewed = await access.review(request, response, token);
      if (!reviewed) return;
      if (!reviewed.isValid) return refuse(response, 401, 'the API server does not know this token', 'TokenUnknown');
      sessions.begin(request, response, { token, isSecure: reached === 'secure' });
      response.status(204).end();
    },

    async signOut({ request, response }) {
      sessions.end(request, response);
      response.status(204).end();
    },

    async startOidc({ query, request, response }) {
      if (!provider) return refuse(response, 404, NO_PROVIDER, 'NoProvider');
      try {
        response.redirect(303, await provider.start(request, response, query.return));
      } catch (error) {
        refuseSignIn({ request, response }, error, options);
      }
    },

    async finishOidc({ request, response }) {
      if (!provider) return refuse(response, 404, NO_PROVIDER, 'NoProvider');
      const admission = access.admit(request, response);
      if (!admission) return;
      try {
        const { idToken, isSecure, returnTo } = await provider.finish(request, response);
        admission.giveBack();
        if (idToken.length > MAX_SESSION_TOKEN_CHARS) {
          return refusePerson({ request, response }, 403, TOO_LONG, 'TokenTooLong');
        }
        const reviewed = await access.review(request, response, idToken);
        if (!reviewed) return;
        if (!reviewed.isValid) {
          const text = `the API server does not accept the token of ${provider.name}: it must trust the issuer`;
          return refusePerson({ request, response }, 401, text, 'TokenUnknown');
        }
        sessions.begin(request, response, { token: idToken, isSecure });
        // The page itself asks for the session then. No request of another site would carry the cookie.
        response.redirect(303, returnTo);
      } catch (error) {
        refuseSignIn({ request, response }, error, options);
      }
    },
  };
}

const PLAIN_HTTP =
  'the browser reached this page by plain HTTP, so that others could read the session: use https, or 127.0.0.1 by ' +
  'kubectl port-forward, or name this address in --public-url';
const NO_PROVIDER = 'no OpenID Connect provider is configured: see --oidc-issuer';
const TOO_LONG = `the token of the provider has more than ${MAX_SESSION_TOKEN_CHARS} characters: let it send fewer groups`;

function viewOf(caller: Caller | { readonly type: 'unknown' }): Omit<SessionView, 'ways'> {
  if (caller.type !== 'user') return { signedIn: false };
  const { expiresAtMs, user } = caller;
  const expiresAt = expiresAtMs === undefined ? {} : { expiresAt: new Date(expiresAtMs).toISOString() };
  return { signedIn: true, user: user.username, groups: [...user.groups], ...expiresAt };
}

const STATUSES = { FlowUnknown: 400, ProviderRefused: 403, ProviderUnavailable: 503 } as const;

function refuseSignIn(
  exchange: Pick<Call, 'request' | 'response'>,
  error: unknown,
  { log }: Pick<SessionHandlerOptions, 'log'>,
): void {
  if (!(error instanceof SignInError)) throw error;
  const { code, message, reason } = error;
  if (code !== 'FlowUnknown') log.warn('sign-in failed', { code, reason });
  refusePerson(exchange, STATUSES[code], message, code);
}
