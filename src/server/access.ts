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

/** A request without a token is anonymous. */
export type Caller =
  | { readonly type: 'anonymous' }
  | {
      readonly type: 'user';
      readonly user: User;
      /** Sent to the API server alone, which decides what the caller may read and write. */
      readonly token: string;
      /** Whether the API server still accepts the token. Throws StageError where there is no answer. */
      readonly isStillValid: () => Promise<boolean>;
      /** Throws StageError where there is no answer. */
      readonly may: (question: AccessQuestion) => Promise<boolean>;
    };

/** undefined: the request has been answered with a refusal. */
export type Identify = (request: Request, response: Response) => Promise<Caller | undefined>;

export interface AccessOptions {
  readonly reviews: AccessReviews;
  readonly log: Log;
  readonly clock: Clock;
}

/** Refused tokens a minute: of one address, and of all addresses together. */
const BUDGET = { perMinute: 60, totalPerMinute: 600, maxAddresses: 10_000 };
/** How often the log says that access cannot be reviewed. */
const TOLD_EVERY_MS = 60_000;

export interface Access {
  readonly identify: Identify;
  /** Answers an error of a review with 503, and throws every other error. */
  readonly refuseUnreviewed: (response: Response, error: unknown) => void;
}

export function createAccess({ reviews, log, clock }: AccessOptions): Access {
  const admit = createFailureBudget({ ...BUDGET, clock });
  let toldMs = -Infinity;
  const refuseUnreviewed = (response: Response, error: unknown): void => {
    if (!(error instanceof StageError)) throw error;
    if (clock.monotonicMs() - toldMs >= TOLD_EVERY_MS) {
      toldMs = clock.monotonicMs();
      log.warn('callers cannot be identified', { code: error.code, error: error.message });
    }
    const text = 'the API server does not say who you are and what you may see; the log of the agent has the reason';
    refuse(response.set('Retry-After', '5'), 503, text);
  };
  return {
    refuseUnreviewed,
    async identify(request, response) {
      const token = tokenOf(request.headers.authorization);
      if (token === undefined) return { type: 'anonymous' };
      const admission = admit(networkOf(request.socket.remoteAddress ?? ''));
      if (!admission.isAdmitted) {
        refuse(response.set('Retry-After', String(admission.retryAfterS)), 429, 'too many tokens that are not valid');
        return undefined;
      }
      try {
        const user = await authenticate(reviews, token);
        if (user === undefined) {
          refuseAnonymous(response, 'the token is not valid');
          return undefined;
        }
        admission.giveBack();
        return {
          type: 'user',
          user,
          token,
          isStillValid: async () => (await reviews.authenticate(token)) !== undefined,
          may: (question) => reviews.authorize(user, question),
        };
      } catch (error) {
        admission.giveBack();
        refuseUnreviewed(response, error);
        return undefined;
      }
    },
  };
}

/** 401 with the challenge of RFC 6750. */
export function refuseAnonymous(response: Response, reason: string): void {
  refuse(response.set('WWW-Authenticate', 'Bearer realm="tautline"'), 401, reason);
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
