/**
 * A proxy between a Kubernetes client and an API server that injects faults. It terminates TLS, forwards requests, and
 * does to those that match its rules what networks, load balancers and overloaded servers do.
 *
 * Invariant: a request that matches no rule passes unchanged, streams included. Every request is recorded. The proxy
 * listens on 127.0.0.1 only, and `stop` ends everything that it started and removes its files.
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { request as httpsRequest, createServer, Agent, type Server } from 'node:https';
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export type Fault =
  /** Resets the connection; the server does not get the request. */
  | { readonly type: 'reset' }
  /** Lets the server carry out the request, and resets the connection instead of passing the answer. */
  | { readonly type: 'lose-answer' }
  /** The proxy answers; the server does not get the request. A body that is not a string is sent as JSON. */
  | {
      readonly type: 'answer';
      readonly status: number;
      readonly headers?: OutgoingHttpHeaders;
      readonly body?: unknown;
    }
  /** Forwards the request after a delay. */
  | { readonly type: 'delay'; readonly delayMs: number }
  /** Never answers and keeps the connection open; the server does not get the request. */
  | { readonly type: 'silence' }
  /** Passes the first bytes of the answer, then resets the connection, or with `isClean` ends it as if complete. */
  | { readonly type: 'cut'; readonly afterBytes: number; readonly isClean?: boolean }
  /** Passes the first bytes of the answer and no more; the connection stays open. */
  | { readonly type: 'stall'; readonly afterBytes: number };

export interface FaultRule {
  /** Any method by default. */
  readonly method?: string;
  /** Matched against path and query. */
  readonly path: RegExp;
  /** Limits the rule to its n-th matching request, counted from 1. By default it applies to each. */
  readonly nth?: number;
  /** Limits the rule to this many matching requests, from the first. By default it applies to each. */
  readonly times?: number;
  readonly fault: Fault;
}

export interface ProxiedRequest {
  readonly method: string;
  /** Path with query. */
  readonly path: string;
  /** Time of arrival, by `performance.now()`. */
  readonly atMs: number;
  readonly headers: IncomingMessage['headers'];
  /** The injected fault; undefined if the request passed. */
  readonly fault: Fault | undefined;
  /** Status code that the client got; undefined if it got none so far. */
  readonly status: number | undefined;
}

export interface FaultProxyOptions {
  /** Base URL of the API server. */
  readonly target: string;
  /** The server's certificate, a `.crt` file with its `.key` file beside it. The proxy serves with both. */
  readonly caFile: string;
  /** Token for the kubeconfig. */
  readonly token: string;
}

export interface FaultProxy extends AsyncDisposable {
  readonly url: string;
  /** Path of a kubeconfig that leads to the server through the proxy. */
  readonly kubeconfig: string;
  /**
   * May be changed at any time. Every matching rule counts the request; the first one that applies to it decides.
   */
  readonly rules: FaultRule[];
  /** All requests so far, in the order of their arrival. */
  readonly requests: readonly ProxiedRequest[];
  /** Resets the connections of unfinished requests whose path matches, such as watches. Returns their number. */
  cutOpen(path: RegExp): number;
  /** Passes no more bytes of the unfinished answers whose path matches. Returns their number. */
  stallOpen(path: RegExp): number;
  /** Forgets the finished requests, so that hours of them need no memory. */
  forget(): void;
  stop(): Promise<void>;
}

export async function startFaultProxy({ target, caFile, token }: FaultProxyOptions): Promise<FaultProxy> {
  const [cert, key] = await Promise.all([readFile(caFile), readFile(caFile.replace(/\.crt$/, '.key'))]);
  const upstream: Upstream = { url: new URL(target), agent: new Agent({ ca: cert, keepAlive: true }) };
  const rules: FaultRule[] = [];
  const counts = new Map<FaultRule, number>();
  const requests: Exchange[] = [];
  const server = createServer({ cert, key }, (incoming, response) => {
    const [method, path] = [incoming.method ?? '', incoming.url ?? ''];
    const fault = chooseFault(rules, counts, { method, path });
    const exchange: Exchange = {
      method,
      path,
      atMs: performance.now(),
      headers: incoming.headers,
      fault,
      status: undefined,
      response,
      isStalled: false,
    };
    requests.push(exchange);
    serve(exchange, incoming, upstream).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const directory = await mkdtemp(join(tmpdir(), 'tautline-proxy-'));
  const kubeconfig = join(directory, 'kubeconfig');
  await writeFile(kubeconfig, kubeconfigText({ url, cert, token }), { mode: 0o600 });

  const underWay = (path: RegExp): Exchange[] =>
    requests.filter((exchange) => !exchange.response.closed && path.test(exchange.path));
  const stop = async (): Promise<void> => {
    await close(server);
    upstream.agent.destroy();
    await rm(directory, { recursive: true, force: true });
  };
  return {
    url,
    kubeconfig,
    rules,
    requests,
    cutOpen(path) {
      const open = underWay(path);
      for (const { response } of open) reset(response);
      return open.length;
    },
    stallOpen(path) {
      const open = underWay(path);
      for (const exchange of open) exchange.isStalled = true;
      return open.length;
    },
    forget() {
      requests.splice(0, requests.length, ...underWay(/./));
      for (const rule of counts.keys()) if (!rules.includes(rule)) counts.delete(rule);
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

interface Exchange extends ProxiedRequest {
  status: number | undefined;
  readonly response: ServerResponse;
  isStalled: boolean;
}

interface Upstream {
  readonly url: URL;
  readonly agent: Agent;
}

function chooseFault(
  rules: readonly FaultRule[],
  counts: Map<FaultRule, number>,
  { method, path }: { method: string; path: string },
): Fault | undefined {
  let chosen: Fault | undefined;
  for (const rule of rules) {
    if ((rule.method !== undefined && rule.method !== method) || !rule.path.test(path)) continue;
    const count = (counts.get(rule) ?? 0) + 1;
    counts.set(rule, count);
    const isDue = (rule.nth === undefined || rule.nth === count) && count <= (rule.times ?? Infinity);
    if (isDue) chosen ??= rule.fault;
  }
  return chosen;
}

async function serve(exchange: Exchange, incoming: IncomingMessage, upstream: Upstream): Promise<void> {
  const { fault, response } = exchange;
  switch (fault?.type) {
    case 'reset':
      return reset(response);
    case 'silence':
      return void incoming.resume();
    case 'answer': {
      incoming.resume();
      const { status, headers = {}, body = '' } = fault;
      const isText = typeof body === 'string';
      exchange.status = status;
      response.writeHead(status, { 'content-type': isText ? 'text/plain' : 'application/json', ...headers });
      return void response.end(isText ? body : JSON.stringify(body));
    }
    case 'delay':
      await sleep(fault.delayMs);
      break;
    case 'lose-answer':
    case 'cut':
    case 'stall':
    case undefined:
      break;
  }
  await passOn(exchange, incoming, upstream);
}

async function passOn(exchange: Exchange, incoming: IncomingMessage, { url, agent }: Upstream): Promise<void> {
  const { response, fault, method, path } = exchange;
  const outgoing = httpsRequest(new URL(path, url), {
    method,
    agent,
    headers: { ...incoming.headers, host: url.host },
  });
  response.once('close', () => outgoing.destroy());
  const answered = new Promise<IncomingMessage>((resolve, reject) => {
    outgoing.once('response', resolve);
    outgoing.on('error', reject);
  });
  incoming.pipe(outgoing);
  let answer: IncomingMessage;
  try {
    answer = await answered;
  } catch {
    return reset(response);
  }
  if (fault?.type === 'lose-answer') {
    answer.resume();
    return reset(response);
  }
  exchange.status = answer.statusCode ?? 0;
  const headers = { ...answer.headers };
  // An answer that is cut but ends cleanly must not declare its full length.
  if (fault?.type === 'cut' && fault.isClean) delete headers['content-length'];
  response.writeHead(exchange.status, headers);
  // The client must learn at once that its watch is open, as from the server itself.
  response.flushHeaders();
  await copyBody(exchange, answer);
}

async function copyBody(exchange: Exchange, answer: IncomingMessage): Promise<void> {
  const { fault, response } = exchange;
  const limit = fault?.type === 'cut' || fault?.type === 'stall' ? fault.afterBytes : Infinity;
  let left = limit;
  try {
    for await (const chunk of answer as AsyncIterable<Buffer>) {
      // Reads on and discards the bytes, so that the server does not notice.
      if (exchange.isStalled) continue;
      if (chunk.length < left) {
        left -= chunk.length;
        response.write(chunk);
        continue;
      }
      await new Promise((written) => response.write(chunk.subarray(0, left), written));
      if (fault?.type === 'cut') return fault.isClean ? void response.end() : reset(response);
      exchange.isStalled = true;
    }
  } catch {
    return reset(response);
  }
  if (!exchange.isStalled) response.end();
}

function reset(response: ServerResponse): void {
  const { socket } = response;
  // Only the TCP socket below TLS can be reset; destroying the TLS socket closes the connection just as abruptly.
  if (socket) socket.destroy();
  else response.destroy();
}

async function close(server: Server): Promise<void> {
  const closed = new Promise((resolve) => server.close(resolve));
  server.closeAllConnections();
  await closed;
}

function kubeconfigText({ url, cert, token }: { url: string; cert: Buffer; token: string }): string {
  const name = 'faulty';
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': name,
    clusters: [{ name, cluster: { server: url, 'certificate-authority-data': cert.toString('base64') } }],
    users: [{ name, user: { token } }],
    contexts: [{ name, context: { cluster: name, user: name, namespace: 'default' } }],
  });
}
