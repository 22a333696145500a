/**
 * Stands before the Git server and can answer in its place, with whatever bytes, as slowly and for as long as an attack
 * wants. On 127.0.0.1.
 */
import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { encodeLine, FLUSH } from '../../src/source/transport/pkt-line.ts';

/** What is asked for: GET info/refs, ls-refs of protocol 2, or a fetch. */
export type Question = 'advertisement' | 'refs' | 'pack';

/** Answers, in its own time. */
export type Reply = (response: ServerResponse) => void;

/** Questions that are not named are Git's to answer. */
export type Replies = Partial<Readonly<Record<Question, Reply>>>;

export interface Front extends AsyncDisposable {
  /** http://127.0.0.1:port */
  readonly url: string;
  replies: Replies;
  /** How often each question was answered in Git's place. */
  readonly struck: Record<Question, number>;
}

export async function startFront(target: string): Promise<Front> {
  const server = createServer((request, response) => {
    response.on('error', () => undefined);
    const question = questionOf(request);
    const reply = front.replies[question];
    if (!reply) {
      passOn(target, request, response);
      return;
    }
    front.struck[question] += 1;
    request.resume();
    reply(response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const front: Front = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    replies: {},
    struck: { advertisement: 0, refs: 0, pack: 0 },
    async [Symbol.asyncDispose]() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
  };
  return front;
}

function questionOf({ method, headers }: IncomingMessage): Question {
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

const TYPES: Readonly<Record<Question, string>> = {
  advertisement: 'application/x-git-upload-pack-advertisement',
  refs: 'application/x-git-upload-pack-result',
  pack: 'application/x-git-upload-pack-result',
};

export interface BodyOptions {
  readonly headers?: Readonly<Record<string, string>>;
}

/** A whole body, as Git would send it. */
export function body(question: Question, bytes: string | Uint8Array, { headers }: BodyOptions = {}): Reply {
  return (response) => void response.writeHead(200, { 'content-type': TYPES[question], ...headers }).end(bytes);
}

/** The same chunk again and again, each after a pause, until the other side hangs up. */
export function endless(question: Question, chunk: string | Uint8Array, pauseMs: number): Reply {
  return (response) => {
    response.writeHead(200, { 'content-type': TYPES[question] });
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

/** References as protocol 2 lists them. */
export function refsBody(oid: string, names: readonly string[] = ['HEAD symref-target:refs/heads/main']): string {
  return names.map((name) => encodeLine(`${oid} ${name}\n`)).join('') + FLUSH;
}

/** An advertisement of protocol 0, with these names and capabilities. */
export function advertisementBody(oid: string, names: readonly string[], capabilities = 'shallow side-band-64k') {
  const lines = names.map((name, index) => encodeLine(`${oid} ${name}${index === 0 ? `\0${capabilities}` : ''}\n`));
  return encodeLine('# service=git-upload-pack\n') + FLUSH + lines.join('') + FLUSH;
}

const BAND_BYTES = 65_515;

/** A pack as a fetch of depth 1 gets it. */
export function packBody(commit: string, pack: Uint8Array): Buffer {
  const parts: Uint8Array[] = [Buffer.from(encodeLine(`shallow ${commit}\n`) + FLUSH + encodeLine('NAK\n'))];
  for (let at = 0; at < pack.length; at += BAND_BYTES) {
    const piece = pack.subarray(at, at + BAND_BYTES);
    parts.push(Buffer.from(`${(piece.length + 5).toString(16).padStart(4, '0')}\x01`, 'latin1'), piece);
  }
  return Buffer.concat([...parts, Buffer.from(FLUSH)]);
}

/** Shows a commit and sends this pack for it. */
export function serves(commit: string, pack: Uint8Array): Replies {
  return { refs: body('refs', refsBody(commit)), pack: body('pack', packBody(commit, pack)) };
}
