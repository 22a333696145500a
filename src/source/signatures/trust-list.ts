/**
 * Reads the keys that people trust: lines of OpenSSH's allowed signers (ssh-keygen(1), ALLOWED SIGNERS), bare public
 * keys of SSH, and armored public keys of OpenPGP.
 *
 * Invariant: a text counts as a whole or not at all. A line that cannot be read could be the one that bounds a key.
 */
import { readSshKey } from './ssh-key.ts';

export interface TrustedSshKey {
  /** The principals of the line, or the comment of a bare key, which may be empty; for people. */
  readonly name: string;
  /** As SSH writes it. */
  readonly blob: Buffer;
  /** Seconds since 1970. undefined: since ever. */
  readonly validAfterS: number | undefined;
  /** Seconds since 1970. undefined: for ever. */
  readonly validBeforeS: number | undefined;
}

export interface TrustList {
  readonly ssh: readonly TrustedSshKey[];
  /** Armored blocks. They are read only when a signature of OpenPGP is to be verified. */
  readonly openPgp: readonly string[];
}

export type ReadTrust =
  | { readonly ok: true; readonly list: TrustList }
  /** `problem` goes on after the name of the text, and repeats no part of it. */
  | { readonly ok: false; readonly problem: string };

const PGP_BEGIN = '-----BEGIN PGP PUBLIC KEY BLOCK-----';
const PGP_END = '-----END PGP PUBLIC KEY BLOCK-----';
const MAX_LINES = 2000;

export function readTrust(text: string): ReadTrust {
  if (/PRIVATE KEY( BLOCK)?-----/.test(text))
    return refuse('holds a private key. Store the public one, and replace this key: it is known now');
  return text.includes('-----BEGIN ') ? readBlocks(text) : readLines(text);
}

/** A text that cannot be read was refused when the Secret was read. */
export function joinTrust(texts: readonly string[]): TrustList {
  const lists = texts.map((text) => readTrust(text)).flatMap((read) => (read.ok ? [read.list] : []));
  return { ssh: lists.flatMap(({ ssh }) => ssh), openPgp: lists.flatMap(({ openPgp }) => openPgp) };
}

function refuse(problem: string): { readonly ok: false; readonly problem: string } {
  return { ok: false, problem };
}

function readBlocks(text: string): ReadTrust {
  const openPgp: string[] = [];
  let rest = text.replaceAll('\r\n', '\n').trim();
  while (rest !== '') {
    const end = rest.indexOf(PGP_END);
    if (!rest.startsWith(PGP_BEGIN) || end < 0) {
      return refuse('holds something else than armored public keys of OpenPGP (gpg --export --armor)');
    }
    openPgp.push(`${rest.slice(0, end + PGP_END.length)}\n`);
    rest = rest.slice(end + PGP_END.length).trim();
  }
  return { ok: true, list: { ssh: [], openPgp } };
}

function readLines(text: string): ReadTrust {
  const lines = text.split(/\r?\n/);
  if (lines.length > MAX_LINES) return refuse(`holds more than ${MAX_LINES} lines`);
  const ssh: TrustedSshKey[] = [];
  for (const [index, whole] of lines.entries()) {
    const line = whole.trim();
    if (line === '' || line.startsWith('#')) continue;
    const read = readLine(line);
    if (typeof read === 'string') return refuse(`has a mistake in line ${index + 1}: ${read}`);
    ssh.push(...read);
  }
  if (ssh.length === 0) return refuse('holds no public key of OpenPGP, and none of SSH for the namespace git');
  return { ok: true, list: { ssh, openPgp: [] } };
}

const KEY_TYPE = /^(sk-)?(ssh|ecdsa)-[a-z0-9@.-]+$/;

/** A text says what is wrong. No key: that of the line is not for Git. */
function readLine(line: string): readonly TrustedSshKey[] | string {
  const words = splitWords(line);
  if (!words) return 'a quote is not closed';
  if (KEY_TYPE.test(words[0] ?? '')) return keyOf(words, undefined, {});
  const [principals = '', second = ''] = words;
  if (KEY_TYPE.test(second)) return keyOf(words.slice(1), principals, {});
  const options = readOptions(second);
  if (typeof options === 'string') return options;
  return options.isForGit ? keyOf(words.slice(2), principals, options) : [];
}

interface Options {
  readonly isForGit: boolean;
  readonly validAfterS?: number;
  readonly validBeforeS?: number;
}

function keyOf(
  [type = '', encoded = '', ...comment]: readonly string[],
  principals: string | undefined,
  { validAfterS, validBeforeS }: Partial<Options>,
): readonly TrustedSshKey[] | string {
  if (!KEY_TYPE.test(type)) return 'it has no type of a key, such as ssh-ed25519';
  const blob = Buffer.from(encoded, 'base64');
  const key = readSshKey(blob);
  if (!key || key.type !== type || blob.toString('base64') !== encoded) {
    return 'its key is not Ed25519, ECDSA or RSA with 2048 bits and more; certificates are not supported';
  }
  const name = principals?.replaceAll('"', '') ?? comment.join(' ');
  return [{ name, blob, validAfterS, validBeforeS }];
}

/** Words with their quotes; blanks within quotes separate nothing. undefined: a quote is not closed. */
function splitWords(line: string): readonly string[] | undefined {
  const hasOpenQuote = line.split('"').length % 2 === 0;
  return hasOpenQuote ? undefined : (line.match(/(?:"[^"]*"|[^\s"])+/g) ?? []);
}

function readOptions(text: string): Options | string {
  let options: Options = { isForGit: true };
  const seen = new Set<string>();
  for (const part of text.match(/(?:"[^"]*"|[^,"])+/g) ?? []) {
    const [, name = '', value] = /^([A-Za-z-]+)(?:="([^"]*)")?$/.exec(part) ?? [];
    const lower = name.toLowerCase();
    if (seen.has(lower)) return `its option ${lower} stands there twice`;
    seen.add(lower);
    const read = Object.hasOwn(OPTIONS, lower) ? OPTIONS[lower]?.(value) : undefined;
    if (lower === 'cert-authority') return 'certificates (cert-authority) are not supported; name the keys themselves';
    if (!read) return 'it has an option that is not namespaces, valid-after or valid-before with a value in quotes';
    options = { ...options, ...read };
  }
  return seen.size > 0 ? options : 'it has no type of a key, such as ssh-ed25519';
}

/** undefined: the value cannot be read. */
const OPTIONS: Readonly<Record<string, (value: string | undefined) => Partial<Options> | undefined>> = {
  namespaces: (value) => (value === undefined ? undefined : { isForGit: matchesGit(value) }),
  'valid-after': (value) => timed(value, (validAfterS) => ({ validAfterS })),
  'valid-before': (value) => timed(value, (validBeforeS) => ({ validBeforeS })),
};

function timed(value: string | undefined, make: (seconds: number) => Partial<Options>): Partial<Options> | undefined {
  const seconds = value === undefined ? undefined : readTime(value);
  return seconds === undefined ? undefined : make(seconds);
}

const NAMESPACE = 'git';

/** A list of patterns with `*`, `?` and `!`, as of ssh_config(5): a pattern with ! that matches refuses. */
function matchesGit(patterns: string): boolean {
  const all = patterns.split(',').map((text) => text.trim());
  const matches = (pattern: string): boolean => isMatch(pattern, NAMESPACE);
  if (all.some((text) => text.startsWith('!') && matches(text.slice(1)))) return false;
  return all.some((text) => !text.startsWith('!') && matches(text));
}

function isMatch(pattern: string, text: string): boolean {
  if (pattern === '') return text === '';
  if (pattern[0] === '*') {
    const rest = pattern.replace(/^\*+/, '');
    return [...Array(text.length + 1).keys()].some((from) => isMatch(rest, text.slice(from)));
  }
  if (text === '' || (pattern[0] !== '?' && pattern[0] !== text[0])) return false;
  return isMatch(pattern.slice(1), text.slice(1));
}

/** YYYYMMDD or YYYYMMDDHHMM[SS], with or without Z: always UTC. Seconds since 1970. */
function readTime(text: string): number | undefined {
  const digits = /^(\d{4})(\d{2})(\d{2})(?:(\d{2})(\d{2})(\d{2})?)?Z?$/.exec(text);
  if (!digits) return undefined;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = digits
    .slice(1)
    .map((part: string | undefined) => Number(part ?? 0));
  const ms = Date.UTC(year, month - 1, day, hour, minute, second);
  const date = new Date(ms);
  const isReal = date.getUTCMonth() === month - 1 && date.getUTCDate() === day && hour < 24 && minute < 60;
  return isReal && second < 60 ? ms / 1000 : undefined;
}
