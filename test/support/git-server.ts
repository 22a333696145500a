/**
 * A real Git server for tests and the demo: Git's own `http-backend` behind Node's HTTP server, on 127.0.0.1, read
 * only.
 *
 * Invariant: a client gets Git's own answer, byte for byte and as it is written, unless the test's hook replaces it.
 * See git-http-backend(1) and RFC 3875 (CGI).
 */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { access, mkdir } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join, resolve as resolvePath } from 'node:path';
import { git, gitEnvironment } from './git-command.ts';

export interface GitRequest {
  readonly method: string;
  /** With the query, for example /shop.git/info/refs?service=git-upload-pack */
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  /** The body. Git does not get it any more, so the hook must answer the request. */
  readonly readBody: () => Promise<Buffer>;
}

/** Replaces or cuts an answer; undefined leaves it as it is. To delay an answer, let the hook take its time. */
export type GitReaction =
  | { readonly status: number; readonly headers?: OutgoingHttpHeaders; readonly body?: string | Uint8Array }
  /** Breaks the connection after so many bytes of the body (0: before any answer); `isClean` ends it as if complete. */
  | { readonly cutAfterBytes: number; readonly isClean?: boolean };

export type GitRequestHook = (
  request: GitRequest,
) => GitReaction | undefined | void | Promise<GitReaction | undefined | void>;

export interface GitRequestRecord {
  readonly method: string;
  readonly path: string;
  /** The Git-Protocol header, for example `version=2`. */
  readonly protocol: string | undefined;
  /** 0 until the answer begins, and still 0 if the connection was cut before that. */
  readonly status: number;
  readonly bytesReceived: number;
  /** Bytes of the body. */
  readonly bytesSent: number;
  readonly ended: boolean;
  /** The standard error of Git. */
  readonly errorOutput: string;
}

export interface GitServer extends AsyncDisposable {
  /** http://127.0.0.1:port, without a slash at the end. */
  readonly url: string;
  /** Directory of the bare repositories. */
  readonly root: string;
  /** Every request up to now, the oldest first. Empty it with `requests.length = 0`. */
  readonly requests: GitRequestRecord[];
  /** May be set and unset at any time; applies to requests that begin afterwards. */
  onRequest: GitRequestHook | undefined;
  stop(): Promise<void>;
}

type OpenRecord = { -readonly [Field in keyof GitRequestRecord]: GitRequestRecord[Field] };

/** Serves every bare repository below `root`. Throws an Error that names the missing part when Git is not complete. */
export async function startGitServer(root: string, onRequest?: GitRequestHook): Promise<GitServer> {
  const backend = await findBackend();
  const absoluteRoot = resolvePath(root);
  await mkdir(absoluteRoot, { recursive: true });
  const children = new Set<ChildProcess>();
  const requests: OpenRecord[] = [];
  const http = createServer((request, response) => {
    const record = openRecord(request, response);
    requests.push(record);
    void answer(request, response, record).catch(() => response.destroy());
  });

  async function answer(request: IncomingMessage, response: ServerResponse, record: OpenRecord): Promise<void> {
    const { method, path } = record;
    const reaction = await server.onRequest?.({
      method,
      path,
      headers: request.headers,
      readBody: () => bodyOf(request),
    });
    if (reaction && 'status' in reaction) {
      const body = Buffer.from(reaction.body ?? '');
      record.status = reaction.status;
      record.bytesSent = body.length;
      request.resume();
      response.writeHead(reaction.status, reaction.headers).end(body);
      return;
    }
    if (reaction?.cutAfterBytes === 0) {
      response.destroy();
      return;
    }
    const child = spawn(backend, { env: cgiEnvironment(absoluteRoot, request), stdio: 'pipe' });
    child.stderr.on('data', (chunk: Buffer) => {
      record.errorOutput += String(chunk);
    });
    children.add(child);
    child.once('close', () => children.delete(child));
    child.once('error', () => response.destroy());
    response.once('close', () => child.kill('SIGKILL'));
    child.stdin.on('error', () => undefined);
    request.pipe(child.stdin);
    await relay(child.stdout, { response, record, ...reaction });
  }

  await new Promise<void>((resolve, reject) => {
    http.once('error', reject);
    http.listen(0, '127.0.0.1', resolve);
  });
  let stopped: Promise<void> | undefined;
  const stop = (): Promise<void> =>
    (stopped ??= new Promise((resolve) => {
      http.close(() => resolve());
      http.closeAllConnections();
      for (const child of children) child.kill('SIGKILL');
    }));
  const server: GitServer = {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    root: absoluteRoot,
    requests,
    onRequest,
    stop,
    [Symbol.asyncDispose]: stop,
  };
  return server;
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

function openRecord(request: IncomingMessage, response: ServerResponse): OpenRecord {
  const protocol = request.headers['git-protocol'];
  const record: OpenRecord = {
    method: request.method ?? '',
    path: request.url ?? '',
    protocol: Array.isArray(protocol) ? protocol.join(':') : protocol,
    status: 0,
    bytesReceived: 0,
    bytesSent: 0,
    ended: false,
    errorOutput: '',
  };
  request.on('data', (chunk: Buffer) => {
    record.bytesReceived += chunk.length;
  });
  request.pause();
  response.once('close', () => {
    record.ended = true;
  });
  return record;
}

interface Relay {
  readonly response: ServerResponse;
  readonly record: OpenRecord;
  readonly cutAfterBytes?: number;
  readonly isClean?: boolean;
}

/** Passes a CGI answer on: first its headers, which include the status, then the body as it is written. */
async function relay(
  output: NodeJS.ReadableStream,
  { response, record, cutAfterBytes, isClean }: Relay,
): Promise<void> {
  let head: Buffer | undefined = Buffer.alloc(0);
  for await (const piece of output) {
    let body = piece as Buffer;
    if (head) {
      head = Buffer.concat([head, body]);
      const end = head.indexOf('\r\n\r\n');
      if (end < 0) continue;
      const { status, headers } = parseCgiHead(head.subarray(0, end).toString('latin1'));
      record.status = status;
      response.writeHead(status, headers);
      body = head.subarray(end + 4);
      head = undefined;
    }
    const left = cutAfterBytes === undefined ? body.length : cutAfterBytes - record.bytesSent;
    const cut = left < body.length;
    if (cut) body = body.subarray(0, left);
    record.bytesSent += body.length;
    if (cut) {
      response.write(body, () => (isClean ? response.end() : response.destroy()));
      return;
    }
    if (body.length > 0 && !response.write(body) && !response.destroyed) {
      await writable(response);
    }
    if (response.destroyed) return;
  }
  if (head) response.destroy();
  else response.end();
}

/** Resolves when the client has taken what was written, or is gone. */
function writable(response: ServerResponse): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  response.once('drain', resolve).once('close', resolve);
  return promise.finally(() => response.off('drain', resolve).off('close', resolve));
}

function parseCgiHead(text: string): { status: number; headers: Record<string, string> } {
  const headers: Record<string, string> = {};
  let status = 200;
  for (const line of text.split('\r\n')) {
    const colon = line.indexOf(':');
    const name = line.slice(0, colon).trim();
    const value = line.slice(colon + 1).trim();
    if (name.toLowerCase() === 'status') status = Number.parseInt(value, 10);
    else headers[name] = value;
  }
  return { status, headers };
}

function cgiEnvironment(root: string, request: IncomingMessage): NodeJS.ProcessEnv {
  const url = new URL(request.url ?? '/', 'http://127.0.0.1');
  const header = (name: string): string | undefined => request.headers[name]?.toString();
  const variables: Record<string, string | undefined> = {
    GIT_PROJECT_ROOT: root,
    GIT_HTTP_EXPORT_ALL: '1',
    GIT_PROTOCOL: header('git-protocol'),
    REQUEST_METHOD: request.method,
    PATH_INFO: decodeURIComponent(url.pathname),
    QUERY_STRING: url.search.slice(1),
    CONTENT_TYPE: header('content-type'),
    // Absent for a chunked body: the backend then reads it to its end.
    CONTENT_LENGTH: header('content-length'),
    HTTP_CONTENT_ENCODING: header('content-encoding'),
    REMOTE_ADDR: '127.0.0.1',
    SERVER_PROTOCOL: 'HTTP/1.1',
    GATEWAY_INTERFACE: 'CGI/1.1',
  };
  return {
    ...gitEnvironment(),
    ...Object.fromEntries(Object.entries(variables).filter(([, value]) => value !== undefined)),
  };
}

async function findBackend(): Promise<string> {
  const backend = join(await git(['--exec-path']), 'git-http-backend');
  try {
    await access(backend);
  } catch {
    throw new Error(`${backend} is missing: install the whole of Git (some systems have it in a package git-daemon).`);
  }
  return backend;
}

/** The value of an Authorization header with user name and password. */
export function basic(username: string, password: string): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}
