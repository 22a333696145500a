/**
 * Tells whether a browser reaches the API by https, which the agent itself cannot see: it speaks plain HTTP, and a
 * proxy may end TLS in front of it.
 */
import type { IncomingHttpHeaders } from 'node:http';

/** `refused`: a cookie would cross a network as plain text. */
export type Reached = 'secure' | 'plain' | 'refused';

/** `publicUrl`: the origin by which people reach the API, if it is set. */
export function reachedBy({ host = '', origin }: IncomingHttpHeaders, publicUrl: string | undefined): Reached {
  const site = origin ?? (isLoopback(host) ? `http://${host}` : `https://${host}`);
  if (!URL.canParse(site)) return 'refused';
  const { protocol, host: name, origin: named } = new URL(site);
  if (protocol === 'https:') return 'secure';
  return isLoopback(name) || named === publicUrl ? 'plain' : 'refused';
}

/** `host`: with or without a port. */
export function isLoopback(host: string): boolean {
  return /^(127(\.\d{1,3}){3}|\[::1\]|(.+\.)?localhost)(:\d{1,5})?$/i.test(host);
}
