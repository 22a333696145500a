/**
 * An HTTP server in front of the Git server. It can answer in the Git server's place, with any bytes, at any speed and
 * without end. It listens on 127.0.0.1.
 */
import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { encodeLine, FLUSH } from '../../src/source/transport/pkt-line.ts';

/** The kind of a request: GET info/refs, ls-refs of protocol 2, or a fetch. */
export type RequestKind = 'advertisement' | 'refs' | 'pack';

/** Writes an answer, at its own speed. */
export type Reply = (response: ServerResponse) => void;

/** Answers by kind of request. The Git server answers the kinds that are absent. */
export type Replies = Partial<Readonly<Record<RequestKind, Reply>>>;

export interface Front extends AsyncDisposable {
  /** http://127.0.0.1:port */
  readonly url: string;
  replies: Replies;
  /** Number of answers in the Git server's place, by kind of request. */
  readonly answerCounts: Record<RequestKind, number>;
}

export async function startFront(target: string): Promise<Front> {
  const server = createServer((request, response) => {
    response.on('error', () => undefined);
    const kind = kindOf(request);
    const reply = front.replies[kind];
    if (!reply) {
      passOn(target, request, response);
      return;
    }
    front.answerCounts[kind] += 1;
    request.resume();
    reply(response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const front: Front = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    replies: {},
    answerCounts: { advertisement: 0, refs: 0, pack: 0 },
    async [Symbol.asyncDispose]() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
  };
  return front;
}

function kindOf({ method, headers }: IncomingMessage): RequestKind {
  if (method === 'GET') return 'advertisement';
  return headers['git-protocol'] === 'version=2' ? 'refs' : 'pack';
}

function passOn(target: string, request: IncomingMessage, response: ServerResponse): void {
  const { method, headers, url = '' } = request;
  const onward = httpRequest(target + url, { method, headers }, (answer) => {
    answer.pipe(response.writeHead(answer.statusCode ?? 502, answer.headers));
  });
  onward.on('error', () => response.destroy());
  request.pipe(onward);
}

const CONTENT_TYPES: Readonly<Record<RequestKind, string>> = {
  advertisement: 'application/x-git-upload-pack-advertisement',
  refs: 'application/x-git-upload-pack-result',
  pack: 'application/x-git-upload-pack-result',
};

export interface BodyOptions {
  readonly headers?: Readonly<Record<string, string>>;
}

/** A complete answer with the content type that Git sends. */
export function body(kind: RequestKind, bytes: string | Uint8Array, { headers }: BodyOptions = {}): Reply {
  return (response) => void response.writeHead(200, { 'content-type': CONTENT_TYPES[kind], ...headers }).end(bytes);
}

/** Sends the same chunk repeatedly, with a pause in between, until the client closes the connection. */
export function endless(kind: RequestKind, chunk: string | Uint8Array, pauseMs: number): Reply {
  return (response) => {
    response.writeHead(200, { 'content-type': CONTENT_TYPES[kind] });
    const write = (): void => {
      if (response.destroyed) return;
      if (response.write(chunk)) setTimeout(write, pauseMs);
      else response.once('drain', write);
    };
    write();
  };
}

export const status =
  (code: number, headers: Readonly<Record<string, string>> = {}): Reply =>
  (response) =>
    void response.writeHead(code, headers).end();

/** A listing of references in protocol 2, all with the same id. */
export function refsBody(oid: string, names: readonly string[] = ['HEAD symref-target:refs/heads/main']): string {
  return names.map((name) => encodeLine(`${oid} ${name}\n`)).join('') + FLUSH;
}

/** An advertisement of protocol 0 with these names and capabilities, all with the same id. */
export function advertisementBody(oid: string, names: readonly string[], capabilities = 'shallow side-band-64k') {
  const lines = names.map((name, index) => encodeLine(`${oid} ${name}${index === 0 ? `\0${capabilities}` : ''}\n`));
  return encodeLine('# service=git-upload-pack\n') + FLUSH + lines.join('') + FLUSH;
}

const BAND_BYTES = 65_515;

/** The answer to a fetch of depth 1: the pack on band 1. */
export function packBody(commit: string, pack: Uint8Array): Buffer {
  const parts: Uint8Array[] = [Buffer.from(encodeLine(`shallow ${commit}\n`) + FLUSH + encodeLine('NAK\n'))];
  for (let at = 0; at < pack.length; at += BAND_BYTES) {
    const piece = pack.subarray(at, at + BAND_BYTES);
    parts.push(Buffer.from(`${(piece.length + 5).toString(16).padStart(4, '0')}\x01`, 'latin1'), piece);
  }
  return Buffer.concat([...parts, Buffer.from(FLUSH)]);
}

/** Lists a commit as HEAD and sends this pack for it. */
export function serves(commit: string, pack: Uint8Array): Replies {
  return { refs: body('refs', refsBody(commit)), pack: body('pack', packBody(commit, pack)) };
}
