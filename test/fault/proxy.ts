/**
 * An API server's bad days, at will: a proxy between client and server that ends TLS itself, hands requests on, and
 * does to those that its rules name what networks, load balancers and overloaded servers do.
 *
 * Invariant: what no rule names passes unchanged, streams included; every request is recorded. Listens on 127.0.0.1
 * only, and nothing of it outlives `stop`.
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { request as httpsRequest, createServer, Agent, type Server } from 'node:https';
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export type Fault =
  /** The connection is reset; the server never hears of the request. */
  | { readonly type: 'reset' }
  /** The server does what was asked for; the connection is reset in place of its answer. */
  | { readonly type: 'lose-answer' }
  /** Answered here; the server never hears of the request. A body that is no string is sent as JSON. */
  | {
      readonly type: 'answer';
      readonly status: number;
      readonly headers?: OutgoingHttpHeaders;
      readonly body?: unknown;
    }
  /** Handed on later. */
  | { readonly type: 'delay'; readonly delayMs: number }
  /** Never answered, the connection stays open; the server never hears of the request. */
  | { readonly type: 'silence' }
  /** The answer's first bytes arrive, then the connection is reset; `isClean`: then it ends as if it were whole. */
  | { readonly type: 'cut'; readonly afterBytes: number; readonly isClean?: boolean }
  /** The answer's first bytes arrive, then no more; the connection stays open. */
  | { readonly type: 'stall'; readonly afterBytes: number };

export interface FaultRule {
  /** Any by default. */
  readonly method?: string;
  /** Tested on path and query. */
  readonly path: RegExp;
  /** Only the n-th request that fits since the rule was added, counted from 1; every one by default. */
  readonly nth?: number;
  /** Only so many of the requests that fit, from the first. */
  readonly times?: number;
  readonly fault: Fault;
}

export interface ProxiedRequest {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly atMs: number;
  readonly headers: IncomingMessage['headers'];
  /** What was done to it; undefined: it passed. */
  readonly fault: Fault | undefined;
  /** What the client was told; undefined: nothing yet. */
  readonly status: number | undefined;
}

export interface FaultProxyOptions {
  /** Base URL of the API server. */
  readonly target: string;
  /** Its certificate, with its private key beside it under the same name and `.key`: the proxy serves with both. */
  readonly caFile: string;
  /** Goes into the kubeconfig. */
  readonly token: string;
}

export interface FaultProxy extends AsyncDisposable {
  readonly url: string;
  /** File by which a client reaches the server through the proxy. */
  readonly kubeconfig: string;
  /**
   * Add and remove at will; of several that fit a request the first counts. Every rule that is passed over counts too.
   */
  readonly rules: FaultRule[];
  /** Of every request so far, in order. */
  readonly requests: readonly ProxiedRequest[];
  /** Resets the connections of requests under way whose path fits: cuts watches. Returns how many. */
  cutOpen(path: RegExp): number;
  /** From now on nothing more of the answers under way whose path fits arrives. Returns how many. */
  stallOpen(path: RegExp): number;
  stop(): Promise<void>;
}

export async function startFaultProxy({ target, caFile, token }: FaultProxyOptions): Promise<FaultProxy> {
  const [cert, key] = await Promise.all([readFile(caFile), readFile(caFile.replace(/\.crt$/, '.key'))]);
  const upstream: Upstream = { url: new URL(target), agent: new Agent({ ca: cert, keepAlive: false }) };
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
    const isMeant = (rule.nth === undefined || rule.nth === count) && count <= (rule.times ?? Infinity);
    if (isMeant) chosen ??= rule.fault;
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
  // An answer that is cut and yet looks whole must not name its true length.
  if (fault?.type === 'cut' && fault.isClean) delete headers['content-length'];
  response.writeHead(exchange.status, headers);
  // Of a watch the client is to hear at once that it is open, as from the server itself.
  response.flushHeaders();
  await copyBody(exchange, answer);
}

async function copyBody(exchange: Exchange, answer: IncomingMessage): Promise<void> {
  const { fault, response } = exchange;
  const limit = fault?.type === 'cut' || fault?.type === 'stall' ? fault.afterBytes : Infinity;
  let left = limit;
  try {
    for await (const chunk of answer as AsyncIterable<Buffer>) {
      // Read on and thrown away: the server must not notice.
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
  // Of TLS over TCP only the lower socket can be reset; destroying the upper one closes it just as abruptly.
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
