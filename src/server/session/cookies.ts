/**
 * Reads and writes the cookies of the agent. A value that is longer than browsers accept is split over several cookies.
 *
 * Invariants: every cookie is httpOnly, belongs to the exact host (no Domain) and to all its paths. On a site that is
 * reached by https it is Secure and has the prefix `__Host-`, so that no other site can set it.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';

export interface Cookie {
  /** Without prefix. */
  readonly name: string;
  /** Strict: no request that another site causes carries it. Lax: a navigation by GET does. */
  readonly sameSite: 'Strict' | 'Lax';
  readonly isSecure: boolean;
}

/** Browsers accept 4,096 bytes for name, value and attributes together. */
const MAX_PART_CHARS = 3_800;
/** Node accepts 16 KiB for all headers of a request. */
const MAX_PARTS = 3;

/** `value`: characters of base64url; what is longer than all parts together is cut off. */
export function setCookie(
  request: IncomingMessage,
  response: ServerResponse,
  { value, maxAgeS, ...cookie }: Cookie & { readonly value: string; readonly maxAgeS: number },
): void {
  const present = readCookies(request.headers.cookie);
  for (let part = 0; part < MAX_PARTS; part++) {
    const text = value.slice(part * MAX_PART_CHARS, (part + 1) * MAX_PART_CHARS);
    const name = partName(fullName(request, cookie), part);
    if (text !== '') append(response, { ...cookie, name, value: text, maxAgeS });
    // A part of an earlier value would be joined to this one.
    else if (present.has(name)) append(response, { ...cookie, name, value: '', maxAgeS: 0 });
  }
}

/** Removes the cookie in both forms from the browser, as far as the request carries it. */
export function removeCookie(
  request: IncomingMessage,
  response: ServerResponse,
  cookie: Omit<Cookie, 'isSecure'>,
): void {
  const present = readCookies(request.headers.cookie);
  for (const isSecure of [true, false]) {
    const named = { ...cookie, isSecure };
    for (let part = 0; part < MAX_PARTS; part++) {
      const name = partName(fullName(request, named), part);
      if (present.has(name)) append(response, { ...named, name, value: '', maxAgeS: 0 });
    }
  }
}

/** The value, undefined if the request carries none. A Secure cookie goes before one that is not. */
export function cookieOf(request: IncomingMessage, name: string): string | undefined {
  const present = readCookies(request.headers.cookie);
  for (const isSecure of [true, false]) {
    const full = fullName(request, { name, isSecure });
    const parts = Array.from({ length: MAX_PARTS }, (_, part) => present.get(partName(full, part)) ?? '');
    const value = parts.join('');
    if (value !== '') return value;
  }
  return undefined;
}

/** Cookies do not tell ports apart: two agents that are forwarded to 127.0.0.1 would sign each other out. */
function fullName({ headers: { host = '' } }: IncomingMessage, { name, isSecure }: Pick<Cookie, 'name' | 'isSecure'>) {
  return isSecure ? `__Host-${name}` : `${name}-${/:(\d{1,5})$/.exec(host)?.[1] ?? '80'}`;
}

function partName(name: string, part: number): string {
  return part === 0 ? name : `${name}.${part}`;
}

function readCookies(header = ''): ReadonlyMap<string, string> {
  const cookies = new Map<string, string>();
  for (const pair of header.split(';')) {
    const at = pair.indexOf('=');
    const name = pair.slice(0, Math.max(0, at)).trim();
    const value = pair.slice(at + 1).trim();
    // Browsers send the cookie with the longest path first.
    if (name !== '' && /^[\w-]*$/.test(value) && !cookies.has(name)) cookies.set(name, value);
  }
  return cookies;
}

interface Written extends Cookie {
  readonly value: string;
  readonly maxAgeS: number;
}

/** `name`: with prefix and number. */
function append(response: ServerResponse, { name, value, maxAgeS, sameSite, isSecure }: Written): void {
  const attributes = [`Max-Age=${maxAgeS}`, 'Path=/', 'HttpOnly', `SameSite=${sameSite}`];
  if (isSecure) attributes.push('Secure');
  response.appendHeader('Set-Cookie', [`${name}=${value}`, ...attributes].join('; '));
}
