/**
 * The keys of SSH servers, as OpenSSH's file known_hosts has them (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT).
 *
 * Invariants: only a key that stands there for the very host and port is trusted; a key that is marked as revoked is
 * never trusted. A line that cannot be read fails the whole text, so that a damaged one is noticed.
 */
import { createHmac } from 'node:crypto';
import { DEFAULT_SSH_PORT } from './ssh-address.ts';

export interface KnownHost {
  readonly marker: '' | 'revoked' | 'cert-authority';
  /** Patterns with `*`, `?` and `!`; or one hashed name. */
  readonly names: readonly string[];
  readonly type: string;
  /** The key as the server sends it. */
  readonly key: Buffer;
}

/** The known keys of one server. */
export interface HostKeys {
  readonly trusted: readonly KnownHost[];
  readonly revoked: readonly Buffer[];
  /** Only a certificate authority is named for the server, and certificates are not supported. */
  readonly isByAuthority: boolean;
}

export type ParsedKnownHosts =
  { readonly ok: true; readonly hosts: readonly KnownHost[] } | { readonly ok: false; readonly lineNumber: number };

export const MAX_KNOWN_HOSTS_BYTES = 512 * 1024;

export function parseKnownHosts(text: string): ParsedKnownHosts {
  const hosts: KnownHost[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    const trimmed = line.trim();
    if (trimmed === '' || trimmed.startsWith('#')) continue;
    const host = parseLine(trimmed);
    if (!host) return { ok: false, lineNumber: index + 1 };
    hosts.push(host);
  }
  return { ok: true, hosts };
}

function parseLine(line: string): KnownHost | undefined {
  const words = line.split(/[ \t]+/);
  const mark = words[0]?.startsWith('@') ? words.shift()?.slice(1) : '';
  if (mark !== '' && mark !== 'revoked' && mark !== 'cert-authority') return undefined;
  const [names, type, base64] = words;
  if (names === undefined || type === undefined || base64 === undefined) return undefined;
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(base64)) return undefined;
  const key = Buffer.from(base64, 'base64');
  // A key begins with its type.
  const length = key.length >= 4 ? key.readUInt32BE(0) : 0;
  if (key.toString('latin1', 4, 4 + length) !== type) return undefined;
  const isHashed = names.startsWith('|');
  if (isHashed && !HASHED.test(names)) return undefined;
  return { marker: mark, names: isHashed ? [names] : names.split(','), type, key };
}

const HASHED = /^\|1\|([A-Za-z0-9+/]+=*)\|([A-Za-z0-9+/]+=*)$/;

/** `host` without brackets. */
export function keysOfHost(hosts: readonly KnownHost[], { host, port }: { host: string; port: number }): HostKeys {
  const name = port === DEFAULT_SSH_PORT ? host : `[${host}]:${port}`;
  const lines = hosts.filter(({ names }) => matchesNames(names, name));
  const trusted = lines.filter(({ marker, type }) => marker === '' && Object.hasOwn(ALGORITHMS, type));
  return {
    trusted,
    revoked: lines.filter(({ marker }) => marker === 'revoked').map(({ key }) => key),
    isByAuthority: trusted.length === 0 && lines.some(({ marker }) => marker === 'cert-authority'),
  };
}

/** Signature algorithms by type of key, the preferred one first. SHA-1 is not among them. */
const ALGORITHMS: Readonly<Record<string, readonly string[]>> = {
  'ssh-ed25519': ['ssh-ed25519'],
  'ecdsa-sha2-nistp256': ['ecdsa-sha2-nistp256'],
  'ecdsa-sha2-nistp384': ['ecdsa-sha2-nistp384'],
  'ecdsa-sha2-nistp521': ['ecdsa-sha2-nistp521'],
  'ssh-rsa': ['rsa-sha2-512', 'rsa-sha2-256'],
};

/** The algorithms to ask the server for: it must show a key of a type that is known. */
export function hostKeyAlgorithms({ trusted }: HostKeys): string[] {
  const types = new Set(trusted.map(({ type }) => type));
  return Object.entries(ALGORITHMS).flatMap(([type, algorithms]) => (types.has(type) ? algorithms : []));
}

export type HostVerdict = 'trusted' | 'changed' | 'revoked';

export function judgeHostKey({ trusted, revoked }: HostKeys, shown: Buffer): HostVerdict {
  if (revoked.some((key) => key.equals(shown))) return 'revoked';
  return trusted.some(({ key }) => key.equals(shown)) ? 'trusted' : 'changed';
}

function matchesNames(names: readonly string[], name: string): boolean {
  const [, salt, hash] = HASHED.exec(names[0] ?? '') ?? [];
  if (salt !== undefined && hash !== undefined) {
    const digest = createHmac('sha1', Buffer.from(salt, 'base64')).update(name).digest();
    return digest.equals(Buffer.from(hash, 'base64'));
  }
  let isMatched = false;
  for (const pattern of names) {
    const isNegated = pattern.startsWith('!');
    if (!matchesPattern((isNegated ? pattern.slice(1) : pattern).toLowerCase(), name)) continue;
    if (isNegated) return false;
    isMatched = true;
  }
  return isMatched;
}

/** `*` stands for any text, `?` for one character. The cost is bounded by the short name, whatever the pattern. */
function matchesPattern(pattern: string, text: string): boolean {
  let [at, star, mark] = [0, -1, 0];
  let index = 0;
  while (index < text.length) {
    if (at < pattern.length && pattern[at] === '*') {
      star = at++;
      mark = index;
    } else if (at < pattern.length && (pattern[at] === '?' || pattern[at] === text[index])) {
      at++;
      index++;
    } else if (star >= 0) {
      at = star + 1;
      index = ++mark;
    } else return false;
  }
  while (pattern[at] === '*') at++;
  return at === pattern.length;
}
