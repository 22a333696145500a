/**
 * Recognises requests that a page of another site sends through the browser of a caller. Programs send none of these
 * headers; browsers send at least one of them with every request that may change something.
 */
import type { IncomingHttpHeaders } from 'node:http';

/** `hosts`: further names of the API, in lower case, as behind a proxy that sends another header Host. */
export function isOfThisSite({ host, origin, ...headers }: IncomingHttpHeaders, hosts: readonly string[]): boolean {
  const site = headers['sec-fetch-site'];
  if (site !== undefined && site !== 'same-origin' && site !== 'none') return false;
  if (origin === undefined) return true;
  const named = URL.canParse(origin) ? new URL(origin) : undefined;
  if (!named || named.host === '') return false;
  return named.host === (host ?? '').toLowerCase() || hosts.includes(named.hostname);
}

/** Whether the headers tell the site at all. */
export function saysItsSite({ origin, ...headers }: IncomingHttpHeaders): boolean {
  return origin !== undefined || headers['sec-fetch-site'] !== undefined;
}
