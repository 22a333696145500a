/**
 * HTTP to one API server: who asks, how many at once, how long, and what is tried again without the caller's knowledge
 * (a socket that was reset while idle, a 401 once with a fresh token, a 429 that names a short wait).
 *
 * Invariant: every request carries the headers of exactly one Identity, made here; nothing else sets Impersonate-User.
 * Two HTTP/1.1 agents, watches and requests: HTTP/2 hangs on GOAWAY and starves at its 101st stream, and in one pool
 * watches starve requests.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { gunzip } from 'node:zlib';
import { promisify } from 'node:util';
import { Agent, type Dispatcher } from 'undici';
import type { Credentials, TlsOptions } from './credentials.ts';
import { createGate } from './gate.ts';
import { identityHeaders, identityKey, type Identity } from '../identity.ts';
import type { ClusterLimits } from '../limits.ts';
import type { ClusterMetrics, RequestCategory, RequestCounts } from '../metrics.ts';

export interface HttpRequest {
  /** What is asked for, in words of the metrics: get, list, watch, apply, patch, update, create, delete. */
  readonly verb: string;
  readonly method: 'GET' | 'PUT' | 'POST' | 'PATCH' | 'DELETE';
  /** From the root of the API, query included. */
  readonly path: string;
  readonly identity: Identity;
  readonly category: RequestCategory;
  readonly body?: string;
  readonly contentType?: string;
  readonly accept?: string;
  /** The ETag of an answer that we still have: 304 says that it holds. */
  readonly ifNoneMatch?: string;
  /** Ask for a compressed answer; worth it for lists. */
  readonly gzip?: boolean;
}

export interface HttpAnswer {
  /** 0: there was no answer, `failure` says why. */
  readonly status: number;
  readonly headers: Dispatcher.ResponseData['headers'];
  readonly text: string;
  /** For people: address and cause. */
  readonly failure?: string;
}

export interface StreamAnswer {
  readonly status: number;
  readonly headers: Dispatcher.ResponseData['headers'];
  readonly chunks: AsyncIterable<Uint8Array>;
}

export interface Transport {
  readonly server: string;
  /** Never rejects; an answer of any status, or status 0. */
  send(request: HttpRequest): Promise<HttpAnswer>;
  /** Rejects when there is no answer. The caller reads `chunks` to their end or aborts. */
  openStream(request: HttpRequest, signal: AbortSignal): Promise<StreamAnswer>;
  /**
   * Called on the first answer after requests without one. `isSuspect`: one of them timed out, so streams that were
   * open then may be dead without knowing. Returns the function that ends the calls.
   */
  onRecovery(listener: (isSuspect: boolean) => void): () => void;
  requestCounts(): RequestCounts;
  close(): Promise<void>;
}

export interface TransportOptions {
  readonly credentials: Credentials;
  readonly limits: ClusterLimits;
  readonly metrics: ClusterMetrics;
  readonly userAgent: string;
}

const TIMEOUT_CODES: ReadonlySet<string> = new Set([
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
  'ETIMEDOUT',
]);
/** An idle socket that the server closed while our request was on its way: the request was not begun. */
const RESET_CODES: ReadonlySet<string> = new Set(['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE']);
const unzip = promisify(gunzip);

export function createTransport(options: TransportOptions): Transport {
  const { credentials, limits } = options;
  const { server } = credentials;
  const agents = createAgents(credentials.tls, limits);
  const gate = createGate(limits.maxRequests);
  const closing = new AbortController();
  const counts: Record<RequestCategory, number> = { object: 0, status: 0, watch: 0, discovery: 0, event: 0, other: 0 };
  const dispatch = createDispatch(options, counts);
  const recovery = createRecovery();

  async function attempt(request: HttpRequest, freshToken: boolean): Promise<HttpAnswer> {
    for (let isRetry = false; ; isRetry = true) {
      try {
        const answer = await dispatch(agents.requests, request, { freshToken, signal: closing.signal });
        const text = await readText(answer, limits.maxResponseBytes);
        recovery.noteAnswer();
        return { status: answer.statusCode, headers: answer.headers, text };
      } catch (error) {
        const code = causeCode(error);
        recovery.noteFailure(TIMEOUT_CODES.has(code));
        if (isRetry || !RESET_CODES.has(code) || closing.signal.aborted) {
          return { status: 0, headers: {}, text: '', failure: describeFailure(error, server) };
        }
      }
    }
  }

  /** Holds a permit only while a request is under way, not while it waits out a 429. */
  async function attemptWithinGate(request: HttpRequest, freshToken: boolean): Promise<HttpAnswer> {
    const leave = await gate.enter(identityKey(request.identity));
    try {
      return await attempt(request, freshToken);
    } finally {
      leave();
    }
  }

  return {
    server,
    async send(request) {
      let answer = await attemptWithinGate(request, false);
      if (answer.status === 401) answer = await attemptWithinGate(request, true);
      for (let retries = 0; answer.status === 429 && retries < limits.maxThrottleRetries; retries++) {
        const waitMs = retryAfterMs(answer.headers);
        if (waitMs === undefined || waitMs > limits.maxThrottleWaitMs || closing.signal.aborted) break;
        await sleep(waitMs, undefined, { signal: closing.signal }).catch(() => {});
        answer = await attemptWithinGate(request, false);
      }
      return answer;
    },
    async openStream(request, signal) {
      const either = AbortSignal.any([signal, closing.signal]);
      let answer = await dispatch(agents.watches, request, { freshToken: false, signal: either });
      if (answer.statusCode === 401) {
        await answer.body.dump();
        answer = await dispatch(agents.watches, request, { freshToken: true, signal: either });
      }
      return { status: answer.statusCode, headers: answer.headers, chunks: answer.body };
    },
    onRecovery: (listener) => recovery.listen(listener),
    requestCounts: () => ({ ...counts }),
    async close() {
      const deadline = AbortSignal.timeout(limits.drainTimeoutMs);
      while (gate.running + gate.waiting > 0 && !deadline.aborted) await sleep(20);
      closing.abort();
      await Promise.all([agents.requests.destroy(), agents.watches.destroy()]);
    },
  };
}

function createAgents(tls: TlsOptions, limits: ClusterLimits): { requests: Agent; watches: Agent } {
  const connect = { ...tls, timeout: limits.connectTimeoutMs };
  return {
    requests: new Agent({
      allowH2: false,
      connections: limits.maxRequests,
      pipelining: 1,
      keepAliveTimeout: 30_000,
      headersTimeout: limits.requestTimeoutMs,
      bodyTimeout: limits.requestTimeoutMs,
      maxResponseSize: limits.maxResponseBytes,
      connect,
    }),
    watches: new Agent({
      allowH2: false,
      connections: null,
      headersTimeout: limits.watchOpenTimeoutMs,
      bodyTimeout: 0,
      connect,
    }),
  };
}

type Dispatch = (agent: Agent, request: HttpRequest, options: DispatchOptions) => Promise<Dispatcher.ResponseData>;

/** One request on the wire: whose it is, and that it is counted. */
function createDispatch(
  { credentials, metrics, userAgent }: TransportOptions,
  counts: Record<RequestCategory, number>,
): Dispatch {
  const base = new URL(credentials.server);
  const prefix = base.pathname.replace(/\/+$/, '');
  return async (agent, request, { freshToken, signal }) => {
    const authorization = await credentials.authorization({ fresh: freshToken });
    counts[request.category]++;
    try {
      const answer = await agent.request({
        origin: base.origin,
        path: prefix + request.path,
        method: request.method,
        headers: {
          ...identityHeaders(request.identity),
          ...(authorization !== undefined && { authorization }),
          ...(request.contentType !== undefined && { 'content-type': request.contentType }),
          ...(request.gzip && { 'accept-encoding': 'gzip' }),
          ...(request.ifNoneMatch !== undefined && { 'if-none-match': request.ifNoneMatch }),
          accept: request.accept ?? 'application/json',
          'user-agent': userAgent,
        },
        body: request.body ?? null,
        signal,
      });
      metrics.onRequest({ verb: request.verb, code: answer.statusCode });
      return answer;
    } catch (error) {
      metrics.onRequest({ verb: request.verb, code: 0 });
      throw error;
    }
  };
}

interface Recovery {
  noteAnswer(): void;
  noteFailure(isTimeout: boolean): void;
  listen(listener: (isSuspect: boolean) => void): () => void;
}

/** Whether the API server was away, and who wants to know when it is back. */
function createRecovery(): Recovery {
  const listeners = new Set<(isSuspect: boolean) => void>();
  let health: 'up' | 'down' | 'suspect' = 'up';
  return {
    noteAnswer() {
      if (health === 'up') return;
      const isSuspect = health === 'suspect';
      health = 'up';
      for (const listener of listeners) listener(isSuspect);
    },
    noteFailure(isTimeout) {
      if (isTimeout) health = 'suspect';
      else if (health === 'up') health = 'down';
    },
    listen(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

interface DispatchOptions {
  readonly freshToken: boolean;
  readonly signal: AbortSignal;
}

/** `Retry-After` in milliseconds; the API server sends seconds only. */
export function retryAfterMs(headers: HttpAnswer['headers']): number | undefined {
  const value = headers['retry-after'];
  const seconds = typeof value === 'string' && /^\d{1,6}$/.test(value) ? Number(value) : undefined;
  return seconds === undefined ? undefined : seconds * 1000;
}

async function readText(answer: Dispatcher.ResponseData, maxBytes: number): Promise<string> {
  if (answer.headers['content-encoding'] !== 'gzip') return answer.body.text();
  const bytes = await unzip(await answer.body.arrayBuffer(), { maxOutputLength: maxBytes });
  return bytes.toString('utf8');
}

function causeCode(error: unknown): string {
  const cause = error instanceof Error && 'code' in error ? error : error instanceof Error ? error.cause : undefined;
  return cause instanceof Error && 'code' in cause ? String(cause.code) : '';
}

/** What people can do about each, by error code; tables before branches. */
const ADVICE: readonly (readonly [RegExp, string])[] = [
  [/ENOTFOUND|EAI_AGAIN/, 'its name does not resolve; check the server address and DNS'],
  [/ECONNREFUSED/, 'nothing listens there; check the address and whether the API server runs'],
  [/EHOSTUNREACH|ENETUNREACH/, 'there is no route to it; check the network and network policies'],
  [/CONNECT_TIMEOUT|ETIMEDOUT/, 'it does not accept connections; check the address and network policies'],
  [/HEADERS_TIMEOUT|BODY_TIMEOUT/, 'it accepted the request and did not answer in time; it may be overloaded'],
  [/ERR_TLS_CERT_ALTNAME_INVALID/, 'its certificate is for another name; check the server address or tls-server-name'],
  [/CERT|SELF_SIGNED|UNABLE_TO_VERIFY|ISSUER/, 'its certificate is not signed by the authority given; check the CA'],
  [/EPROTO|WRONG_VERSION_NUMBER|ERR_SSL/, 'TLS failed; check http or https, and the client certificate'],
  [/RES_EXCEEDED|ERR_BUFFER_TOO_LARGE/, 'its answer is larger than the bound on responses'],
  [/UND_ERR_SOCKET|ECONNRESET|EPIPE/, 'it closed the connection before it had answered'],
];

/** One sentence with the address, the error's code and what to check; never the error's own text. */
export function describeFailure(error: unknown, server: string): string {
  if (error instanceof Error && error.name === 'StageError') return error.message;
  if (error instanceof Error && error.name === 'AbortError') return `the request to ${server} was given up`;
  const code = causeCode(error);
  const advice = ADVICE.find(([pattern]) => pattern.test(code))?.[1] ?? 'it cannot be reached';
  return `no answer from the API server at ${server}: ${advice}${code && ` (${code})`}`;
}
