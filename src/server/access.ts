/**
 * Identifies the sender of a request to a listener. Kubernetes alone decides: the API server reviews the bearer token
 * and each right of its owner (see cluster/requests/access-reviews.ts).
 *
 * Invariants: where there is no answer of the API server, nothing is shown. Tokens that are refused use up a budget of
 * the sender's address, which bounds the questions to the API server.
 */
import type { Request, Response } from 'express';
import type { AccessQuestion, AccessReviews, User } from '../cluster/ports.ts';
import { StageError } from '../object/stage-error.ts';
import type { Clock, Log } from '../telemetry/ports.ts';
import { networkOf } from './connection-limit.ts';
import { createFailureBudget } from './failure-budget.ts';
import { refuse } from './refuse.ts';
import { expiryOf, type Session, type Sessions } from './session/sessions.ts';

/** A request without a token is anonymous. */
export type Caller =
  | {
      readonly type: 'anonymous';
      /** Why it counts as anonymous: it has no token, or a session that has ended. */
      readonly because: 'noToken' | 'sessionEnded';
    }
  | {
      readonly type: 'user';
      readonly user: User;
      /** Sent to the API server alone, which decides what the caller may read and write. */
      readonly token: string;
      /** Whether the token is that of a session, which a browser sends by itself. */
      readonly isSession: boolean;
      /** The end of the token or session in milliseconds since the epoch; undefined if it is not known. */
      readonly expiresAtMs: number | undefined;
      /** Whether the API server still accepts the token. Throws StageError where there is no answer. */
      readonly isStillValid: () => Promise<boolean>;
      /** Throws StageError where there is no answer. */
      readonly may: (question: AccessQuestion) => Promise<boolean>;
    };

/** undefined: the request has been answered with a refusal, also because of a token that is not valid. */
export type Identify = (request: Request, response: Response) => Promise<Caller | undefined>;

export interface AccessOptions {
  readonly reviews: AccessReviews;
  readonly log: Log;
  readonly clock: Clock;
  /** undefined: cookies are not looked at. */
  readonly sessions?: Sessions | undefined;
}

/** Refused tokens a minute: of one address, and of all addresses together. */
const BUDGET = { perMinute: 60, totalPerMinute: 600, maxAddresses: 10_000 };
/** How often the log says that access cannot be reviewed. */
const TOLD_EVERY_MS = 60_000;

export interface Access {
  readonly identify: Identify;
  /** The same, but a token that is not valid is answered by the caller of this function. */
  readonly lookUp: (request: Request, response: Response) => Promise<Caller | { readonly type: 'unknown' } | undefined>;
  /**
   * Reviews a token of any origin within the budget of the sender. undefined: the request has been answered with a
   * refusal.
   */
  readonly review: (request: Request, response: Response, token: string) => Promise<Reviewed | undefined>;
  /** Takes an attempt from the same budget. undefined: the request has been answered with a refusal. */
  readonly admit: (request: Request, response: Response) => { readonly giveBack: () => void } | undefined;
  /** Answers an error of a review with 503, and throws every other error. */
  readonly refuseUnreviewed: (response: Response, error: unknown) => void;
}

export type Reviewed = { readonly isValid: true; readonly user: User } | { readonly isValid: false };

export function createAccess({ reviews, log, clock, sessions }: AccessOptions): Access {
  const takeFromBudget = createFailureBudget({ ...BUDGET, clock });
  let toldMs = -Infinity;
  const refuseUnreviewed: Access['refuseUnreviewed'] = (response, error) => {
    if (!(error instanceof StageError)) throw error;
    if (clock.monotonicMs() - toldMs >= TOLD_EVERY_MS) {
      toldMs = clock.monotonicMs();
      log.warn('callers cannot be identified', { code: error.code, error: error.message });
    }
    const text = 'the API server does not say who you are and what you may see; the log of the agent has the reason';
    refuse(response.set('Retry-After', '5'), 503, text);
  };
  const admit: Access['admit'] = (request, response) => {
    const admission = takeFromBudget(networkOf(request.socket.remoteAddress ?? ''));
    if (admission.isAdmitted) return admission;
    refuse(response.set('Retry-After', String(admission.retryAfterS)), 429, 'too many tokens that are not valid');
    return undefined;
  };
  const review: Access['review'] = async (request, response, token) => {
    const admission = admit(request, response);
    if (!admission) return undefined;
    try {
      const user = await authenticate(reviews, token);
      if (user === undefined) return { isValid: false };
      admission.giveBack();
      return { isValid: true, user };
    } catch (error) {
      admission.giveBack();
      refuseUnreviewed(response, error);
      return undefined;
    }
  };
  const lookUp: Access['lookUp'] = async (request, response) => {
    const found = credentialOf(request, sessions);
    if (found.type === 'none') return { type: 'anonymous', because: found.because };
    const { token, session } = found;
    const reviewed = await review(request, response, token);
    if (!reviewed) return undefined;
    if (!reviewed.isValid) return session ? { type: 'anonymous', because: 'sessionEnded' } : { type: 'unknown' };
    const isOpen = (): boolean => !session || sessions?.isOpen(session) === true;
    return {
      type: 'user',
      user: reviewed.user,
      token,
      isSession: session !== undefined,
      expiresAtMs: session?.expiresAtMs ?? expiryOf(token),
      isStillValid: async () => isOpen() && (await reviews.authenticate(token)) !== undefined,
      may: (question) => reviews.authorize(reviewed.user, question),
    };
  };
  return {
    refuseUnreviewed,
    admit,
    review,
    lookUp,
    async identify(request, response) {
      const caller = await lookUp(request, response);
      if (caller?.type !== 'unknown') return caller;
      refuseAnonymous(response, 'the token is not valid');
      return undefined;
    },
  };
}

type Credential =
  | { readonly type: 'none'; readonly because: 'noToken' | 'sessionEnded' }
  /** `session`: the one that holds the token. */
  | { readonly type: 'token'; readonly token: string; readonly session?: Session };

/** A header goes before a session. */
function credentialOf(request: Request, sessions: Sessions | undefined): Credential {
  const token = tokenOf(request.headers.authorization);
  if (token !== undefined) return { type: 'token', token };
  const found = sessions?.find(request) ?? { type: 'none' };
  if (found.type !== 'open') {
    return { type: 'none', because: found.type === 'ended' ? 'sessionEnded' : 'noToken' };
  }
  return { type: 'token', token: found.session.token, session: found.session };
}

/** 401 with the challenge of RFC 6750. */
export function refuseAnonymous(response: Response, reason: string, code?: string): void {
  refuse(response.set('WWW-Authenticate', 'Bearer realm="tautline"'), 401, reason, code);
}

/** The characters of RFC 6750; other tokens are not sent to the API server. */
const TOKEN = /^[\w.~+/-]+=*$/;
const MAX_TOKEN_CHARS = 16_384;

async function authenticate(reviews: AccessReviews, token: string): Promise<User | undefined> {
  return token.length <= MAX_TOKEN_CHARS && TOKEN.test(token) ? reviews.authenticate(token) : undefined;
}

/** The token of the header `Authorization`; empty if the header has another scheme. */
function tokenOf(header: string | undefined): string | undefined {
  if (header === undefined) return undefined;
  return /^Bearer +(\S+) *$/i.exec(header)?.[1] ?? '';
}
