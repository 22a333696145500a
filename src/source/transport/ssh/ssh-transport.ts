/**
 * Git over SSH: one run of git-upload-pack for each request, on a connection that is kept.
 *
 * Invariants: the callers see the messages of gitprotocol-http, whichever protocol the server speaks. An answer is
 * bounded in bytes and time, and every wait ends by its deadline. Nothing is sent to a server whose key is not known.
 */
import { sourceError } from '../../../object/source-error.ts';
import type { SourceLimits } from '../../limits.ts';
import { malformed, truncated } from '../answer-error.ts';
import { encodeLine, FLUSH, packetLength } from '../pkt-line.ts';
import type { LfsAccessRequest, Transport, TransportAnswer, TransportRequest } from '../transport.ts';
import { createConnections, type Connections, type ConnectionsOptions, type SshRepository } from './connections.ts';
import { createAnswerTranslator, toProtocol2 } from './fetch-wire.ts';
import { createPatience, type Patience } from './patience.ts';
import type { Session } from './session.ts';
import { COMMAND_NOT_FOUND, ConnectionEnded, programError } from './ssh-failure.ts';

export type SshTransportOptions = ConnectionsOptions;

interface SshRequest extends TransportRequest {
  readonly repository: SshRepository;
}

/** One exchange under way. */
interface Exchange {
  readonly request: SshRequest;
  readonly session: Session;
  readonly patience: Patience;
  readonly limits: SourceLimits;
}

export type SshTransport = Transport & Required<Pick<Transport, 'authenticateLfs'>>;

/** Its requests must be for repositories with an address by ssh. */
export function createSshTransport(options: SshTransportOptions): SshTransport {
  const { limits } = options;
  const connections = createConnections(options);
  return {
    async send(request) {
      const wanted = toSshRequest(request);
      const { repository, timeoutMs, signal } = wanted;
      const patience = createPatience({ label: repository.label, timeoutMs, signal });
      let session: Session | undefined;
      try {
        session = await startProgram(connections, patience, { repository, program: 'git-upload-pack' });
        // Also for a body that is never read.
        patience.signal.addEventListener('abort', session.close, { once: true });
        const exchange = { request: wanted, session, patience, limits };
        const body = wanted.operation === 'fetch' ? await beginFetch(exchange) : await answerWhole(exchange);
        return Buffer.isBuffer(body) ? whole(repository.base, body, exchange) : { base: repository.base, body };
      } catch (error) {
        session?.close();
        patience.end();
        throw toStageError(error, repository);
      }
    },
    authenticateLfs: (request) => runAuthenticate(connections, limits, request),
    close: () => connections.close(),
  };
}

const LFS_BOUNDS = { operation: 'advertise', maxBytes: 65_536, maxBytesName: 'maxBytes' } as const;

async function runAuthenticate(
  connections: Connections,
  limits: SourceLimits,
  wanted: LfsAccessRequest,
): Promise<Buffer> {
  const request = toSshRequest({ ...LFS_BOUNDS, ...wanted });
  const { repository, timeoutMs, signal } = request;
  const patience = createPatience({ label: repository.label, timeoutMs, signal });
  let session: Session | undefined;
  try {
    const program = 'git-lfs-authenticate';
    session = await startProgram(connections, patience, { repository, program, more: ' download' });
    session.end();
    const chunks: Buffer[] = [];
    const exchange = { request, session, patience, limits };
    for await (const chunk of received(exchange, Buffer.alloc(0))) chunks.push(chunk);
    const end = await patience.race(session.ended(), limits.idleTimeoutMs);
    if (end.code === COMMAND_NOT_FOUND) throw noLfs(repository.label);
    if (end.code !== 0) throw programError(repository, end);
    return Buffer.concat(chunks);
  } catch (error) {
    throw toStageError(error, repository);
  } finally {
    session?.close();
    patience.end();
  }
}

function noLfs(label: string): Error {
  return sourceError(
    'UnsupportedServer',
    `The server of ${label} has no program git-lfs-authenticate, so it gives out no files of Git LFS over ssh. Use an address by https.`,
  );
}

function toSshRequest(request: TransportRequest): SshRequest {
  const { ssh } = request.repository;
  if (!ssh) throw new TypeError('the repository has no address by ssh');
  return { ...request, repository: { ...request.repository, ssh } };
}

interface Program {
  readonly repository: SshRepository;
  readonly program: 'git-upload-pack' | 'git-lfs-authenticate';
  /** Arguments behind the path. */
  readonly more?: string;
}

/** A connection that was kept may have ended without a word; then one more is opened. */
async function startProgram(
  connections: Connections,
  patience: Patience,
  { repository, program, more = '' }: Program,
): Promise<Session> {
  const command = `${program} '${repository.ssh.path.replaceAll("'", "'\\''")}'${more}`;
  for (;;) {
    const { connection, isKept } = await patience.race(connections.connect(repository));
    try {
      return await connection.run(command, patience.signal);
    } catch (error) {
      if (!(error instanceof ConnectionEnded) || !isKept) throw error;
    }
  }
}

function whole(base: string, body: Buffer, { session, patience }: Exchange): TransportAnswer {
  session.close();
  patience.end();
  return {
    base,
    body: (async function* () {
      yield body;
    })(),
  };
}

const SERVICE_LINE = Buffer.from(`${encodeLine('# service=git-upload-pack\n')}${FLUSH}`);

async function answerWhole(exchange: Exchange): Promise<Buffer> {
  const { request, session } = exchange;
  const greeting = await readToFlush(exchange, Buffer.alloc(0));
  const isProtocol2 = isVersion2(greeting.message);
  if (isErrorPacket(greeting.message)) return greeting.message;
  if (request.operation === 'advertise') {
    session.end(FLUSH);
    return isProtocol2 ? greeting.message : Buffer.concat([SERVICE_LINE, greeting.message]);
  }
  if (!isProtocol2) throw malformed(request.repository.label);
  session.write(request.body ?? FLUSH);
  const answer = await readToFlush(exchange, greeting.rest);
  session.end(FLUSH);
  return answer.message;
}

/** The pack in the words of protocol 0. */
async function beginFetch(exchange: Exchange): Promise<AsyncIterable<Buffer>> {
  const { request, session } = exchange;
  const { message, rest } = await readToFlush(exchange, Buffer.alloc(0));
  const body = request.body ?? Buffer.alloc(0);
  if (isVersion2(message)) {
    session.write(toProtocol2(body, { mustNameFormat: message.includes('object-format=') }));
    session.end(FLUSH);
    return closing(exchange, translated(exchange, rest));
  }
  session.end(body);
  return closing(exchange, untranslated(exchange, isErrorPacket(message) ? message : rest));
}

async function* translated(exchange: Exchange, rest: Buffer): AsyncGenerator<Buffer> {
  const translator = createAnswerTranslator(exchange.request.repository.label);
  for await (const chunk of received(exchange, rest)) {
    yield* translator.push(chunk);
    // A server that does not close the channel has answered all the same.
    if (translator.isComplete()) return;
  }
  throw await endError(exchange);
}

async function* untranslated(exchange: Exchange, rest: Buffer): AsyncGenerator<Buffer> {
  yield* received(exchange, rest);
  const { session, patience, limits, request } = exchange;
  const end = await patience.race(session.ended(), limits.idleTimeoutMs);
  if (end.code !== 0) throw programError(request.repository, end);
}

/** Pieces of the answer, within the bounds on bytes and on silence. */
async function* received({ request, session, patience, limits }: Exchange, rest: Buffer): AsyncGenerator<Buffer> {
  let bytes = rest.length;
  if (rest.length > 0) yield rest;
  for (;;) {
    const silenceMs = bytes === 0 ? limits.headersTimeoutMs : limits.idleTimeoutMs;
    const chunk = await patience.race(session.read(), silenceMs);
    if (!chunk) return;
    bytes += chunk.length;
    if (bytes > request.maxBytes) throw tooLarge(request);
    yield chunk;
  }
}

async function* closing(exchange: Exchange, body: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const { session, patience, request } = exchange;
  try {
    yield* body;
  } catch (error) {
    throw toStageError(error, request.repository);
  } finally {
    session.close();
    patience.end();
  }
}

interface Message {
  /** Packets, the flush at their end included. */
  readonly message: Buffer;
  /** Bytes that have come behind it. */
  readonly rest: Buffer;
}

/** Rejects with the error of the program if the answer ends before a flush. */
async function readToFlush(exchange: Exchange, rest: Buffer): Promise<Message> {
  const { request } = exchange;
  const finder = createFlushFinder();
  const chunks: Buffer[] = [];
  for await (const chunk of received(exchange, rest)) {
    const end = finder.push(chunk);
    if (end === 'malformed') throw notGit(request);
    if (end === undefined) {
      chunks.push(chunk);
      continue;
    }
    chunks.push(chunk.subarray(0, end));
    return { message: Buffer.concat(chunks), rest: chunk.subarray(end) };
  }
  // An error packet may stand in the place of the answer.
  const message = Buffer.concat(chunks);
  if (isErrorPacket(message)) return { message, rest: Buffer.alloc(0) };
  throw await endError(exchange);
}

/** Walks the packets as they come; `push` answers where the message ends within the chunk. */
function createFlushFinder(): { push(chunk: Buffer): number | 'malformed' | undefined } {
  /** Bytes of the present packet that are still to come. */
  let remaining = 0;
  let header: Buffer = Buffer.alloc(0);
  return {
    push(chunk) {
      let at = 0;
      while (at < chunk.length) {
        if (remaining > 0) {
          const step = Math.min(remaining, chunk.length - at);
          remaining -= step;
          at += step;
          continue;
        }
        const taken = chunk.subarray(at, at + 4 - header.length);
        header = Buffer.concat([header, taken]);
        at += taken.length;
        if (header.length < 4) return undefined;
        const length = packetLength(header, 0);
        header = Buffer.alloc(0);
        if (length === undefined) return 'malformed';
        if (length === 0) return at;
        remaining = Math.max(0, length - 4);
      }
      return undefined;
    },
  };
}

function isErrorPacket(message: Buffer): boolean {
  return message.toString('latin1', 4, 8) === 'ERR ';
}

function isVersion2(greeting: Buffer): boolean {
  return /^version 2\n?$/.test(greeting.toString('latin1', 4, Math.max(4, packetLength(greeting, 0) ?? 0)));
}

/** The answer has ended early: the program says why. */
async function endError({ session, patience, limits, request }: Exchange): Promise<Error> {
  const end = await patience.race(session.ended(), limits.idleTimeoutMs);
  return programError(request.repository, end);
}

function notGit({ repository }: SshRequest): Error {
  return sourceError(
    'NotGit',
    `${repository.label} does not answer as a Git server. Check the address, and that the login of the user ${repository.ssh.user} prints nothing.`,
  );
}

function tooLarge({ repository, maxBytes, maxBytesName }: SshRequest): Error {
  return sourceError(
    'TooLarge',
    `The answer of ${repository.label} exceeds ${maxBytes} bytes (${maxBytesName}). Make the repository smaller, or raise the bound.`,
  );
}

function toStageError(error: unknown, { label }: SshRepository): unknown {
  if (!(error instanceof Error) || error.name === 'StageError') return error;
  if (error instanceof ConnectionEnded) return truncated(label);
  if (error instanceof TypeError || error instanceof RangeError) return error;
  return sourceError(
    'ServerError',
    `The SSH server of ${label} refused to run git-upload-pack. It may allow too few sessions on one connection (MaxSessions); Tautline asks again.`,
  );
}
