/**
 * HTTP to one API server: identity, bounds on concurrency and time, and the retries that a caller does not see (a
 * socket that was reset while idle, a 401 once with a new token, a 429 that names a short wait).
 *
 * Invariant: every request carries the headers of exactly one Identity, made here; nothing else sets Impersonate-User.
 * There are two HTTP/1.1 pools: in a single one watches would starve requests, and HTTP/2 hangs on GOAWAY and starves
 * at its 101st stream.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Agent, type Dispatcher } from 'undici';
import type { Credentials, TlsOptions } from './credentials.ts';
import { describeFailure, isBeyondBound, isReset, isTimeout } from './failures.ts';
import { createGate } from './gate.ts';
import { identityHeaders, identityKey, type Identity } from '../identity.ts';
import type { ClusterLimits } from '../limits.ts';
import type { ClusterMetrics, RequestCategory, RequestCounts } from '../metrics.ts';
import { requestWhole, textOf, type WholeAnswer } from './whole-answer.ts';

export interface HttpRequest {
  /** The verb in metrics and messages: get, list, watch, apply, patch, update, create or delete. */
  readonly verb: string;
  readonly method: 'GET' | 'PUT' | 'POST' | 'PATCH' | 'DELETE';
  /** Path below the root of the API, with the query. */
  readonly path: string;
  readonly identity: Identity;
  readonly category: RequestCategory;
  readonly body?: string;
  readonly contentType?: string;
  readonly accept?: string;
  /** The header `Authorization` of a caller, in place of the credentials of the transport. */
  readonly authorization?: string;
  /** The ETag of an answer that the caller still holds; status 304 confirms it. */
  readonly ifNoneMatch?: string;
  /** Accept a compressed answer; pays off for lists. */
  readonly acceptsGzip?: boolean;
}

export interface HttpAnswer {
  /** 0: there was no answer, and `failure` says why. */
  readonly status: number;
  readonly headers: Dispatcher.ResponseData['headers'];
  readonly text: string;
  /** For people: the server's address, the cause and advice. */
  readonly failure?: string;
  /** With status 0: the answer is larger than `maxResponseBytes`. */
  readonly isTooLarge?: boolean;
}

export interface StreamAnswer {
  readonly status: number;
  readonly headers: Dispatcher.ResponseData['headers'];
  readonly chunks: AsyncIterable<Uint8Array>;
}

export interface Transport {
  readonly server: string;
  /** Resolves to an answer of any status, or to status 0; never rejects. */
  send(request: HttpRequest): Promise<HttpAnswer>;
  /** Rejects if there is no answer. The caller must read `chunks` to their end, or abort. */
  openStream(request: HttpRequest, signal: AbortSignal): Promise<StreamAnswer>;
  /**
   * Calls the listener on the first answer after requests without an answer. `isSuspect`: one of these timed out, so a
   * stream that was open then may be dead without notice. Returns the function that removes the listener.
   */
  onRecovery(listener: (isSuspect: boolean) => void): () => void;
  /** Requests sent so far, by category; repeated and failed ones count too. */
  requestCounts(): RequestCounts;
  /** Waits at most `drainTimeoutMs` for requests under way, then ends every request and stream. */
  close(): Promise<void>;
}

export interface TransportOptions {
  readonly credentials: Credentials;
  readonly limits: ClusterLimits;
  readonly metrics: ClusterMetrics;
  readonly userAgent: string;
}

const DRAIN_POLL_MS = 20;

interface Gates {
  /** Resolves to the function that gives the permit back. */
  enter(request: HttpRequest): Promise<() => void>;
  isBusy(): boolean;
}

/** Every request needs a permit. A page of a list needs another one, because its answer may be large. */
function createGates({ maxRequests, maxLists }: Pick<ClusterLimits, 'maxRequests' | 'maxLists'>): Gates {
  const [all, lists] = [createGate(maxRequests), createGate(maxLists)];
  return {
    async enter({ verb, category, identity, path }) {
      const key = identity.type === 'agent' ? `agent ${namespaceIn(path)}` : identityKey(identity);
      const leaveLists = verb === 'list' && category === 'watch' ? await lists.enter(key) : undefined;
      const leave = await all.enter(key);
      return () => {
        leave();
        leaveLists?.();
      };
    },
    isBusy: () => all.running + all.waiting + lists.waiting > 0,
  };
}

/** The agent acts as itself for Applications of many namespaces: each namespace has its own turns. */
function namespaceIn(path: string): string {
  return /\/namespaces\/([^/?]+)\//.exec(path)?.[1] ?? '';
}

export function createTransport(options: TransportOptions): Transport {
  const { credentials, limits } = options;
  const { server } = credentials;
  const agents = createAgents(credentials.tls, limits);
  const gates = createGates(limits);
  const closing = new AbortController();
  const counts: Record<RequestCategory, number> = { object: 0, status: 0, watch: 0, discovery: 0, event: 0, other: 0 };
  const sender = createSender(options, counts);
  const recovery = createRecovery();

  async function sendOnce(request: HttpRequest, mustRenewToken: boolean): Promise<HttpAnswer> {
    for (let isRetry = false; ; isRetry = true) {
      try {
        const answer = await sender.send(agents.requests, request, mustRenewToken);
        const text = await textOf(answer, limits.maxResponseBytes);
        recovery.noteAnswer();
        return { status: answer.statusCode, headers: answer.headers, text };
      } catch (error) {
        // The server has answered; only the answer was not read to its end.
        if (!isBeyondBound(error)) recovery.noteFailure(isTimeout(error));
        // The server closes idle sockets while a request is on its way, so a reset one was not begun: send it again.
        if (isRetry || !isReset(error) || closing.signal.aborted) {
          const failure = describeFailure(error, server);
          return { status: 0, headers: {}, text: '', failure, isTooLarge: isBeyondBound(error) };
        }
      }
    }
  }

  /** Holds a permit of the gate only while the request is under way, not during the wait after a 429. */
  async function sendWithinGate(request: HttpRequest, mustRenewToken: boolean): Promise<HttpAnswer> {
    const leave = await gates.enter(request);
    try {
      return await sendOnce(request, mustRenewToken);
    } finally {
      leave();
    }
  }

  return {
    server,
    async send(request) {
      let answer = await sendWithinGate(request, false);
      if (answer.status === 401 && !request.authorization) answer = await sendWithinGate(request, true);
      for (let retries = 0; answer.status === 429 && retries < limits.maxThrottleRetries; retries++) {
        if (!(await waitAsTold(answer.headers, { maxWaitMs: limits.maxThrottleWaitMs, signal: closing.signal }))) break;
        answer = await sendWithinGate(request, false);
      }
      return answer;
    },
    openStream(request, signal) {
      const either = AbortSignal.any([signal, closing.signal]);
      const open: OpenOnce = (mustRenewToken) =>
        sender.open(agents.watches, request, { mustRenewToken, signal: either });
      return openPatiently(open, { maxWaitMs: limits.maxThrottleWaitMs, signal: either });
    },
    onRecovery: (listener) => recovery.listen(listener),
    requestCounts: () => ({ ...counts }),
    async close() {
      const deadline = AbortSignal.timeout(limits.drainTimeoutMs);
      while (gates.isBusy() && !deadline.aborted) await sleep(DRAIN_POLL_MS);
      closing.abort();
      await Promise.all([agents.requests.destroy(), agents.watches.destroy()]);
    },
  };
}

type OpenOnce = (mustRenewToken: boolean) => Promise<Dispatcher.ResponseData>;

/** Opens a stream again after a 401 with a new token, and after a 429 that names a short wait. */
async function openPatiently(open: OpenOnce, patience: Patience): Promise<StreamAnswer> {
  let answer = await open(false);
  if (answer.statusCode === 401) {
    await answer.body.dump();
    answer = await open(true);
  }
  // A kind whose definition has just changed cannot be watched for a second.
  if (answer.statusCode === 429 && (await waitAsTold(answer.headers, patience))) {
    await answer.body.dump();
    answer = await open(false);
  }
  return { status: answer.statusCode, headers: answer.headers, chunks: answer.body };
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

/** Both count a request, and send it with the headers of its identity. */
interface Sender {
  /** Rejects if there is no whole answer. */
  send(agent: Agent, request: HttpRequest, mustRenewToken: boolean): Promise<WholeAnswer>;
  /** Resolves to an answer whose body is still to be read. */
  open(agent: Agent, request: HttpRequest, options: OpenOptions): Promise<Dispatcher.ResponseData>;
}

interface OpenOptions {
  readonly mustRenewToken: boolean;
  readonly signal: AbortSignal;
}

function createSender(
  { credentials, metrics, userAgent }: TransportOptions,
  counts: Record<RequestCategory, number>,
): Sender {
  const base = new URL(credentials.server);
  const prefix = base.pathname.replace(/\/+$/, '');

  async function begin(request: HttpRequest, mustRenew: boolean): Promise<Dispatcher.DispatchOptions> {
    const authorization = request.authorization ?? (await credentials.authorization({ mustRenew }));
    counts[request.category]++;
    return {
      origin: base.origin,
      path: prefix + request.path,
      method: request.method,
      headers: {
        ...identityHeaders(request.identity),
        ...(authorization !== undefined && { authorization }),
        ...(request.contentType !== undefined && { 'content-type': request.contentType }),
        ...(request.acceptsGzip && { 'accept-encoding': 'gzip' }),
        ...(request.ifNoneMatch !== undefined && { 'if-none-match': request.ifNoneMatch }),
        accept: request.accept ?? 'application/json',
        'user-agent': userAgent,
      },
      body: request.body ?? null,
    };
  }

  return {
    async send(agent, request, mustRenewToken) {
      const options = await begin(request, mustRenewToken);
      let code = 0;
      try {
        return await requestWhole(agent, options, (statusCode) => (code = statusCode));
      } finally {
        metrics.onRequest({ verb: request.verb, code });
      }
    },
    async open(agent, request, { mustRenewToken, signal }) {
      const options = await begin(request, mustRenewToken);
      let code = 0;
      try {
        const answer = await agent.request({ ...options, signal });
        code = answer.statusCode;
        return answer;
      } finally {
        metrics.onRequest({ verb: request.verb, code });
      }
    },
  };
}

interface Recovery {
  noteAnswer(): void;
  noteFailure(isTimeout: boolean): void;
  listen(listener: (isSuspect: boolean) => void): () => void;
}

/** Remembers whether the API server answers, and tells the listeners when it answers again. */
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

interface Patience {
  readonly maxWaitMs: number;
  readonly signal: AbortSignal;
}

/** Waits for the time that a 429 names. false: it names none or a long one, or the request is not to be repeated. */
async function waitAsTold(headers: HttpAnswer['headers'], { maxWaitMs, signal }: Patience): Promise<boolean> {
  const waitMs = retryAfterMs(headers);
  if (waitMs === undefined || waitMs > maxWaitMs || signal.aborted) return false;
  await sleep(waitMs, undefined, { signal }).catch(() => {});
  return !signal.aborted;
}

/** `Retry-After` in milliseconds. Dates are ignored: the API server sends only seconds. */
export function retryAfterMs(headers: HttpAnswer['headers']): number | undefined {
  const value = headers['retry-after'];
  const seconds = typeof value === 'string' && /^\d{1,6}$/.test(value) ? Number(value) : undefined;
  return seconds === undefined ? undefined : seconds * 1000;
}
