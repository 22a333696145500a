/**
 * The seam between Git's protocol and the way in which its messages travel. The callers write and read packet
 * lines; a transport carries them to the server and its answer back, within bounds.
 *
 * Invariants: a transport shows the credential only to the host of the repository's address. An answer that ends early
 * fails; it is never a shorter answer.
 */
import type { Repository } from '../repository.ts';

export interface Transport {
  /** Throws StageError, and so does reading the body of the answer. */
  send(request: TransportRequest): Promise<TransportAnswer>;
  /**
   * Asks a server by ssh where the objects of Git LFS are (`git-lfs-authenticate`); the answer is JSON, bounded and not
   * checked. Absent: the transport is for http. Throws StageError.
   */
  authenticateLfs?(request: LfsAccessRequest): Promise<Buffer>;
  /** Breaks off the requests under way. */
  close(): Promise<void>;
}

export type LfsAccessRequest = Pick<TransportRequest, 'repository' | 'timeoutMs' | 'signal'>;

export interface TransportRequest {
  readonly operation: TransportOperation;
  readonly repository: Repository;
  /** The `base` of an earlier answer; absent: the address of the repository. */
  readonly base?: string;
  /** Packet lines; absent for an advertisement. */
  readonly body?: Buffer;
  /** For the body of the answer. */
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
  /** The address of the repository after redirects, for later requests. */
  readonly base: string;
  readonly body: AsyncIterable<Buffer>;
}

export async function readWhole({ body }: TransportAnswer): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks);
}
