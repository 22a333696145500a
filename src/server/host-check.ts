/**
 * The names by which a listener may be called. A page in a browser can make its own name resolve to an address of the
 * agent, and would then read the answers as its own.
 */
import { isIP } from 'node:net';
import type { RequestHandler } from 'express';
import { refuse } from './refuse.ts';

/** Names that no page of the internet can have, beside those with only one label. */
const LOCAL = /(^|\.)localhost$|\.svc$|\.svc\.cluster\.local$/;

/** `host`: the header, with or without a port. `names`: further names, in lower case. */
export function isOwnName(host: string | undefined, names: readonly string[]): boolean {
  const found = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9._-]+))(?::\d{1,5})?$/i.exec(host ?? '');
  const name = (found?.[1] ?? found?.[2] ?? '').toLowerCase().replace(/\.$/, '');
  if (name === '') return false;
  return isIP(name) !== 0 || !name.includes('.') || LOCAL.test(name) || names.includes(name);
}

/** Answers 421 to a request for another name. */
export function checkHost(names: readonly string[]): RequestHandler {
  return (request, response, next) => {
    if (isOwnName(request.headers.host, names)) return next();
    refuse(response, 421, 'this name is not among those of --api-hosts');
  };
}
