/**
 * Sessions of people in browsers. A session is a cookie that holds the token of its owner, sealed by the agent; the
 * agent itself keeps nothing of it.
 *
 * Invariants: a session ends with its token, and after twelve hours at the latest. It counts only in requests that a
 * page of the API itself sends. A session that was ended is not accepted again by this process.
 */
import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock } from '../../telemetry/ports.ts';
import { isOfThisSite } from '../same-site.ts';
import { cookieOf, removeCookie, setCookie } from './cookies.ts';
import type { Seal } from './seal.ts';

export interface Session {
  readonly id: string;
  readonly token: string;
  /** Milliseconds since the epoch. */
  readonly expiresAtMs: number;
}

export type FoundSession =
  | { readonly type: 'none' }
  /** There is a cookie, but its session has ended: it is too old, or the key of the agent is another one. */
  | { readonly type: 'ended' }
  | { readonly type: 'open'; readonly session: Session };

export interface Sessions {
  readonly find: (request: IncomingMessage) => FoundSession;
  readonly isOpen: (session: Session) => boolean;
  /** Begins a session. The token has been reviewed and has at most MAX_SESSION_TOKEN_CHARS characters. */
  readonly begin: (request: IncomingMessage, response: ServerResponse, begun: Begun) => void;
  /** Ends the session of the request, and removes its cookie from the browser. */
  readonly end: (request: IncomingMessage, response: ServerResponse) => void;
}

export interface Begun {
  readonly token: string;
  /** Whether the browser reaches the API by https. */
  readonly isSecure: boolean;
}

export interface SessionOptions {
  readonly seal: Seal;
  /** Further names of the API, in lower case. */
  readonly hosts: readonly string[];
  readonly clock: Pick<Clock, 'now'>;
}

/** Its cookies fit into the headers of a request. */
export const MAX_SESSION_TOKEN_CHARS = 8_000;

const LONGEST_MS = 12 * 3_600_000;
/** Sessions that were ended before their time. Beyond this number the oldest is forgotten. */
const MAX_ENDED = 10_000;
const COOKIE = { name: 'tautline-session', sameSite: 'Strict' } as const;
const PURPOSE = 'session';

export function createSessions({ seal, hosts, clock }: SessionOptions): Sessions {
  const ended = new Set<string>();
  const isOpen = ({ id, expiresAtMs }: Session): boolean => expiresAtMs > clock.now() && !ended.has(id);
  const find = (request: IncomingMessage): FoundSession => {
    const value = isOfThisSite(request.headers, hosts) ? cookieOf(request, COOKIE.name) : undefined;
    if (value === undefined) return { type: 'none' };
    const text = seal.open(PURPOSE, value);
    const session = text === undefined ? undefined : (JSON.parse(text) as Session);
    return session && isOpen(session) ? { type: 'open', session } : { type: 'ended' };
  };
  return {
    find,
    isOpen,
    begin(request, response, { token, isSecure }) {
      const nowMs = clock.now();
      const expiresAtMs = Math.min(nowMs + LONGEST_MS, expiryOf(token) ?? Infinity);
      const session: Session = { id: randomBytes(12).toString('base64url'), token, expiresAtMs };
      const value = seal.close(PURPOSE, JSON.stringify(session));
      const maxAgeS = Math.max(0, Math.floor((expiresAtMs - nowMs) / 1000));
      setCookie(request, response, { ...COOKIE, isSecure, value, maxAgeS });
    },
    end(request, response) {
      const found = find(request);
      if (found.type === 'open') {
        ended.add(found.session.id);
        const [oldest] = ended;
        if (ended.size > MAX_ENDED && oldest !== undefined) ended.delete(oldest);
      }
      removeCookie(request, response, COOKIE);
    },
  };
}

/**
 * The end of a token in milliseconds since the epoch, as the token itself tells it (`exp` of a JWT); undefined for
 * other tokens. The signature is not looked at: the API server has reviewed the token.
 */
export function expiryOf(token: string): number | undefined {
  const [, payload, signature] = token.split('.');
  if (payload === undefined || signature === undefined) return undefined;
  try {
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')) as { readonly exp?: unknown } | null;
    const seconds = claims?.exp;
    return typeof seconds === 'number' && seconds > 0 && seconds < MAX_SECONDS ? seconds * 1000 : undefined;
  } catch {
    return undefined;
  }
}

/** Dates beyond the year 9999 cannot be written in the form of RFC 3339. */
const MAX_SECONDS = 253_402_300_800;
