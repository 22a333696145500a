/**
 * Splits commits and tags, as git stores them, into the signed bytes and the signature.
 *
 * Invariant: the signed bytes are cut out of the object and never composed again, so a signature is about exactly the
 * object that its id names.
 */
import { SignatureRefusal, unsupported } from './refusal.ts';

export interface SignedObject {
  /** The bytes that were signed. */
  readonly payload: Buffer;
  /** Armored, without a line end behind it. */
  readonly signature: string;
  /** The time that the committer or tagger wrote, in seconds since 1970. undefined: it cannot be read. */
  readonly writtenS: number | undefined;
}

const LINE_END = 0x0a;
const BLANK = 0x20;

/** Throws SignatureRefusal NotSigned, SignatureUnsupported. */
export function splitCommit(data: Buffer): SignedObject {
  const kept: Buffer[] = [];
  const signature: string[] = [];
  let isInSignature = false;
  let at = 0;
  while (at < data.length && data[at] !== LINE_END) {
    const found = data.indexOf(LINE_END, at);
    const end = found < 0 ? data.length : found + 1;
    const line = data.subarray(at, end);
    at = end;
    if (isInSignature && line[0] === BLANK) {
      signature.push(line.toString('latin1', 1));
      continue;
    }
    isInSignature = startsWith(line, 'gpgsig ');
    if (isInSignature && signature.length > 0) throw unsupported('stands beside another one');
    if (isInSignature) signature.push(line.toString('latin1', 'gpgsig '.length));
    else if (startsWith(line, 'gpgsig'))
      throw unsupported('is for another format of objects (a header that begins with gpgsig)');
    else kept.push(line);
  }
  if (signature.length === 0) throw notSigned('git commit -S');
  kept.push(data.subarray(at));
  const payload = Buffer.concat(kept);
  return { payload, signature: withoutEnd(signature.join('')), writtenS: timeOf(payload, 'committer ') };
}

const ARMOR_BEGINS = [
  '-----BEGIN SSH SIGNATURE-----',
  '-----BEGIN PGP SIGNATURE-----',
  '-----BEGIN PGP MESSAGE-----',
  '-----BEGIN SIGNED MESSAGE-----',
] as const;

/** The last line that begins a signature counts, as for git. Throws SignatureRefusal NotSigned. */
export function splitTag(data: Buffer): SignedObject {
  const at = Math.max(...ARMOR_BEGINS.map((begin) => lastLineThatBegins(data, begin)));
  if (at < 0) throw notSigned('git tag -s');
  const payload = data.subarray(0, at);
  return { payload, signature: withoutEnd(data.toString('latin1', at)), writtenS: timeOf(payload, 'tagger ') };
}

export interface TagTarget {
  /** 40 hex digits. */
  readonly object: string;
  readonly type: string;
  readonly name: string;
}

/** The target and the name that a tag holds. undefined: it is none that git writes. */
export function readTagTarget(data: Buffer): TagTarget | undefined {
  const header = data.toString('utf8', 0, Math.min(data.length, MAX_TAG_HEADER_BYTES));
  const [, object, type, name] = /^object ([0-9a-f]{40})\ntype ([a-z]+)\ntag ([^\n]+)\n/.exec(header) ?? [];
  // A byte that is no UTF-8 could make two names equal.
  if (object === undefined || type === undefined || name === undefined || name.includes('\ufffd')) return undefined;
  return { object, type, name };
}

const MAX_TAG_HEADER_BYTES = 8192;

function lastLineThatBegins(data: Buffer, text: string): number {
  for (let at = data.lastIndexOf(text); at >= 0; at = at === 0 ? -1 : data.lastIndexOf(text, at - 1)) {
    if (at === 0 || data[at - 1] === LINE_END) return at;
  }
  return -1;
}

function startsWith(line: Buffer, text: string): boolean {
  return line.toString('latin1', 0, text.length) === text;
}

function withoutEnd(text: string): string {
  return text.endsWith('\n') ? text.slice(0, -1) : text;
}

/** Only the header is read: a message may repeat the line. */
function timeOf(payload: Buffer, begin: 'committer ' | 'tagger '): number | undefined {
  const end = payload.indexOf('\n\n');
  const header = payload.toString('latin1', 0, Math.min(end < 0 ? payload.length : end, MAX_HEADER_BYTES));
  const line = header.split('\n').find((text) => text.startsWith(begin));
  const seconds = line === undefined ? undefined : /> (\d{1,12}) [-+]\d{4}$/.exec(line)?.[1];
  return seconds === undefined ? undefined : Number(seconds);
}

const MAX_HEADER_BYTES = 64 * 1024;

function notSigned(command: string): SignatureRefusal {
  return new SignatureRefusal('NotSigned', `has no signature. Sign it with ${command}, with a key of the Secret.`);
}
