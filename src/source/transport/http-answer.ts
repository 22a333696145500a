/**
 * The parts of an exchange over HTTP that are the same for Git servers and for registries: bodies within a bound, and
 * the places that a redirect may lead to.
 */
import type { Dispatcher } from 'undici';
import { cleanText } from '../../object/printable.ts';

export interface BodyBound {
  readonly maxBytes: number;
  readonly tooLarge: () => Error;
  /** The error of a body that breaks off. */
  readonly failureOf: (error: unknown) => unknown;
}

/** Reads the body up to its bound, and destroys it at the end. */
export async function* boundedBody(
  body: AsyncIterable<Buffer> & { destroy(): unknown },
  { maxBytes, tooLarge, failureOf }: BodyBound,
): AsyncGenerator<Buffer> {
  let bytes = 0;
  try {
    for await (const chunk of body) {
      bytes += chunk.length;
      if (bytes > maxBytes) throw tooLarge();
      yield chunk;
    }
  } catch (error) {
    throw failureOf(error);
  } finally {
    body.destroy();
  }
}

export interface Redirected {
  /** The address that redirects. */
  readonly from: string;
  readonly method: 'GET' | 'HEAD' | 'POST';
  readonly redirects: 'origin' | 'anywhere';
  /** The error for a redirect that is not followed; `what` is a verb with its object. */
  readonly refused: (what: string) => Error;
}

/** The address that a redirect leads to: never with user info, never from https to http, and never for a body. */
export function redirectTarget(
  { headers: { location } }: Pick<Dispatcher.ResponseData, 'headers'>,
  { from, method, redirects, refused }: Redirected,
): string {
  if (method === 'POST') throw refused('redirects a request that holds a body');
  const target = typeof location === 'string' ? URL.parse(location, from) : null;
  if (!target) throw refused('redirects without saying where');
  const [before, { origin, protocol, username, password }] = [new URL(from), target];
  const isElsewhere = origin !== before.origin;
  if (username || password || (isElsewhere && redirects === 'origin')) {
    throw refused(`redirects to another origin (${cleanText(origin)})`);
  }
  if (protocol !== 'https:' && protocol !== before.protocol) {
    throw refused(`redirects from ${before.protocol}// to ${cleanText(protocol, 20)}//`);
  }
  return target.href;
}
