/**
 * The seam between Git's protocol and the way in which its messages travel. The callers speak packet lines and know
 * three operations; a transport brings them to the server and its answer back, within bounds.
 *
 * Invariants: a transport shows the credential only to the host of the repository's address; an answer that ends early
 * fails, it is never a shorter answer.
 */
import type { Repository } from '../repository.ts';

export interface Transport {
  /** Throws StageError; so does reading the answer's body. */
  send(request: TransportRequest): Promise<TransportAnswer>;
  /** Breaks off what is under way. */
  close(): Promise<void>;
}

export interface TransportRequest {
  readonly operation: TransportOperation;
  readonly repository: Repository;
  /** The `base` of an earlier answer; absent: the address of the repository. */
  readonly base?: string;
  /** Packet lines; absent for an advertisement. */
  readonly body?: Buffer;
  /** Of the answer's body. */
  readonly maxBytes: number;
  /** The name of that bound, for the message. */
  readonly maxBytesName: string;
  /** For the whole exchange, the answer's body included. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The messages are those of gitprotocol-http, whatever carries them:
 * - `advertise`: the server's capabilities in protocol 2; from an older server its references, after the line
 *   `# service=git-upload-pack` and a flush.
 * - `list-refs`: the command ls-refs of protocol 2.
 * - `fetch`: a pack, negotiated as in protocol 0.
 */
export type TransportOperation = 'advertise' | 'list-refs' | 'fetch';

export interface TransportAnswer {
  /** Where the repository is, if the server redirected the request: for later requests. */
  readonly base: string;
  readonly body: AsyncIterable<Buffer>;
}

export async function readWhole({ body }: TransportAnswer): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks);
}
