/**
 * The interface through which registry/ sends HTTP requests. The implementation knows the proxy,
 * the certificates, the rules about addresses and the words for hosts that cannot be reached.
 *
 * Invariants of an implementation: the authorization is sent only to the origin of `url`, and a client certificate
 * too. A redirect never leads from https to http, and every address that it leads to is checked. An answer is bounded
 * in bytes and time, and one that ends early fails.
 */
import type { Credential } from '../source/credential.ts';

export interface Web {
  /** Throws StageError, and so does reading the body of the answer. A status is an answer, whatever it is. */
  send(request: WebRequest): Promise<WebAnswer>;
}

export interface WebRequest {
  readonly method: 'GET' | 'HEAD' | 'POST';
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Headers that are sent only to the origin of `url`. */
  readonly originHeaders?: Readonly<Record<string, string>>;
  /** JSON, for a POST alone; such a request follows no redirect. */
  readonly body?: string | undefined;
  /** The value of the header. */
  readonly authorization?: string | undefined;
  /** For its certificates alone. */
  readonly credential: Credential | undefined;
  /** Names the artifact or repository in messages. */
  readonly label: string;
  /** The field that holds the address, for messages. Default: `repoURL`. */
  readonly addressField?: string;
  /** Where a redirect may lead; without the authorization, where it leaves the origin. */
  readonly redirects: 'origin' | 'anywhere';
  /** For the body of the answer. */
  readonly maxBytes: number;
  /** The name of that bound, for the message. */
  readonly maxBytesName: string;
  /** For the whole exchange, the body included. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

export interface WebAnswer {
  readonly status: number;
  /** By name in lower case; of a header that came several times, all values. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: AsyncIterable<Buffer>;
  /** Call it for an answer whose body is not read. */
  discard(): void;
}

/** The first value of a header. */
export function headerOf({ headers }: Pick<WebAnswer, 'headers'>, name: string): string | undefined {
  const value = headers[name];
  return typeof value === 'string' ? value : value?.[0];
}

export async function readAll({ body }: Pick<WebAnswer, 'body'>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks);
}
