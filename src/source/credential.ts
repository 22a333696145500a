/**
 * What a Secret says about access to a repository, under the keys of Flux's and of Argo CD's Secrets.
 *
 * Invariant: a credential is whole and usable as it stands, or there is none; a problem names the Secret and the key,
 * never a value. What may not appear anywhere is collected here, in every form in which a server might repeat it.
 */
import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto';
import { StageError } from '../object/stage-error.ts';
import { MASK } from '../object/redact.ts';
import { cleanText, sourceError } from './source-error.ts';

export interface Credential {
  /** `namespace/name` of the Secret, for messages. */
  readonly secret: string;
  /** Value of the header, only ever sent to the origin of the repository's address. */
  readonly authorization: string | undefined;
  /** PEM; trusted beside the roots of the system. */
  readonly ca: string | undefined;
  /** PEM, the chain included. */
  readonly clientCertificate: { readonly certificate: string; readonly key: string } | undefined;
  /** Longest first; see `redact`. */
  readonly unspeakable: readonly string[];
}

export interface SecretContent {
  /** `namespace/name`. */
  readonly secret: string;
  /** The decoded values. */
  readonly data: ReadonlyMap<string, Buffer>;
}

/** The names of each part, first come first served: Flux's, its former ones, Argo CD's. */
const KEYS = {
  username: ['username'],
  password: ['password'],
  bearerToken: ['bearerToken'],
  ca: ['ca.crt', 'caFile'],
  certificate: ['tls.crt', 'certFile', 'tlsClientCertData'],
  key: ['tls.key', 'keyFile', 'tlsClientCertKey'],
} as const;

type Part = keyof typeof KEYS;

interface Value {
  /** The key under which it was found, or the first one to look for. */
  readonly name: string;
  /** Empty where the Secret has none: an empty value counts as none. */
  readonly text: string;
}

/** Throws StageError InvalidSecret. Keys that are not about access (`url`, `type`, `project`…) are not read. */
export function parseCredential({ secret, data }: SecretContent): Credential {
  const refuse = (problem: string): never => {
    throw sourceError('InvalidSecret', `The Secret ${secret} ${problem}.`);
  };
  const read = (part: Part): Value => {
    const name = KEYS[part].find((candidate) => data.get(candidate)?.length) ?? KEYS[part][0];
    return { name, text: decode(data.get(name) ?? Buffer.alloc(0)) ?? refuse(`holds no UTF-8 text under ${name}`) };
  };
  const authorization = readAuthorization(read, refuse);
  const { ca, clientCertificate } = readCertificates(read, refuse);
  if (authorization.header === undefined && ca === undefined && clientCertificate === undefined) {
    refuse(
      'holds no credentials that Tautline knows. Give it username and password, or bearerToken; ca.crt; tls.crt and tls.key',
    );
  }
  const { header, secrets } = authorization;
  return { secret, authorization: header, ca, clientCertificate, unspeakable: formsOf(secrets) };
}

type Read = (part: Part) => Value;
type Refuse = (problem: string) => never;

function readAuthorization(read: Read, refuse: Refuse): { header: string | undefined; secrets: string[] } {
  const [username, password, token] = [read('username'), read('password'), read('bearerToken')].map(
    ({ name, text }) => ({ name, text: text.replace(/\r?\n$/, '') }),
  ) as [Value, Value, Value];
  for (const { name, text } of [username, password, token]) {
    if (/\p{Cc}/u.test(text)) refuse(`holds a line break or another control character under ${name}`);
  }
  checkPair(username, password, refuse);
  if (username.text !== '' && token.text !== '') {
    refuse('holds both username and bearerToken. Keep the one that the server wants');
  }
  if (token.text !== '') {
    if (!/^[\x21-\x7e]+$/.test(token.text)) refuse(`holds characters under ${token.name} that no header may hold`);
    return { header: `Bearer ${token.text}`, secrets: [token.text] };
  }
  if (username.text === '') return { header: undefined, secrets: [] };
  if (username.text.includes(':')) refuse(`holds a colon under ${username.name}, which no user name may hold`);
  const encoded = Buffer.from(`${username.text}:${password.text}`).toString('base64');
  // Some servers take the token as the user name.
  const isNameSecret = username.text.length >= MIN_SECRET_NAME_CHARS;
  return {
    header: `Basic ${encoded}`,
    secrets: [encoded, password.text, ...(isNameSecret ? [username.text] : [])],
  };
}

const MIN_SECRET_NAME_CHARS = 16;

function readCertificates(read: Read, refuse: Refuse): Pick<Credential, 'ca' | 'clientCertificate'> {
  const [ca, certificate, key] = [read('ca'), read('certificate'), read('key')];
  if (ca.text !== '' && !areCertificates(ca.text)) refuse(`holds no certificates in PEM under ${ca.name}`);
  checkPair(certificate, key, refuse);
  if (certificate.text !== '') checkKeyPair(certificate, key, refuse);
  return {
    ca: ca.text || undefined,
    clientCertificate: certificate.text === '' ? undefined : { certificate: certificate.text, key: key.text },
  };
}

function checkPair(one: Value, other: Value, refuse: Refuse): void {
  const [present, absent] = one.text === '' ? [other, one] : [one, other];
  if (present.text !== '' && absent.text === '') refuse(`holds ${present.name} without ${absent.name}`);
}

function checkKeyPair(certificate: Value, key: Value, refuse: Refuse): void {
  if (!areCertificates(certificate.text)) refuse(`holds no certificate in PEM under ${certificate.name}`);
  if (key.text.includes('ENCRYPTED')) {
    refuse(`holds an encrypted key under ${key.name}. Store it without a passphrase`);
  }
  const parsed = parseKey(key.text) ?? refuse(`holds no private key in PEM under ${key.name}`);
  if (!new X509Certificate(certificate.text).checkPrivateKey(parsed)) {
    refuse(`holds a key under ${key.name} that does not belong to the certificate under ${certificate.name}`);
  }
}

const PEM_CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

function areCertificates(pem: string): boolean {
  try {
    const blocks = pem.match(PEM_CERTIFICATE) ?? [];
    return blocks.map((block) => new X509Certificate(block)).length > 0;
  } catch {
    return false;
  }
}

function parseKey(pem: string): KeyObject | undefined {
  try {
    return createPrivateKey(pem);
  } catch {
    return undefined;
  }
}

function decode(value: Buffer): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(value);
  } catch {
    return undefined;
  }
}

/** Shorter texts are in any message by chance, and to mask them would tell them. */
const MIN_UNSPEAKABLE_CHARS = 4;

function formsOf(secrets: readonly string[]): string[] {
  const forms = secrets.flatMap((value) => {
    const url = encodeURIComponent(value);
    const bytes = Buffer.from(value);
    return [
      ...[value, cleanText(value, Infinity), JSON.stringify(value).slice(1, -1)],
      ...[url, url.replaceAll('%20', '+'), url.replace(/%../g, (code) => code.toLowerCase())],
      ...[bytes.toString('base64').replace(/=+$/, ''), bytes.toString('base64url'), value.replace(/=+$/, '')],
    ];
  });
  const long = [...new Set(forms)].filter((form) => form.length >= MIN_UNSPEAKABLE_CHARS);
  return long.sort((a, b) => b.length - a.length);
}

/** The text without a form of the credential, whole or cut off before an ellipsis. */
export function redact(text: string, { unspeakable }: Pick<Credential, 'unspeakable'>): string {
  let clean = text;
  for (const form of unspeakable) clean = clean.replaceAll(form, MASK);
  for (let at = clean.indexOf('…'); at >= 0; at = clean.indexOf('…', at + 1)) {
    const cutChars = longestCut(clean.slice(0, at), unspeakable);
    if (cutChars === 0) continue;
    clean = clean.slice(0, at - cutChars) + MASK + clean.slice(at);
    at += MASK.length - cutChars;
  }
  return clean;
}

/** How many characters at the end of the text are the beginning of a form. */
function longestCut(text: string, forms: readonly string[]): number {
  let longest = 0;
  for (const form of forms) {
    for (let chars = Math.min(form.length - 1, text.length); chars > longest; chars--) {
      if (chars >= MIN_UNSPEAKABLE_CHARS && text.endsWith(form.slice(0, chars))) longest = chars;
    }
  }
  return longest;
}

/** The same error, fit to be shown: a server may repeat what it was sent. Causes are left behind. */
export function redactError(error: unknown, credential: Credential | undefined): unknown {
  if (!credential || !(error instanceof Error)) return error;
  const message = redact(error.message, credential);
  if (error instanceof StageError) {
    const { stage, code, retry } = error;
    return new StageError({ stage, code, retry, message });
  }
  const clean = new Error(message);
  clean.stack = redact(error.stack ?? message, credential);
  return clean;
}
