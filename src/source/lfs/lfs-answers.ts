/** Reads the answers of servers of Git LFS. They are foreign, so every part of them is checked. */
import { cleanText } from '../../object/printable.ts';
import { sourceError } from '../../object/source-error.ts';

export interface LfsAction {
  /** http or https. */
  readonly href: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** Whether the server says that no login is needed. */
  readonly isAuthenticated: boolean;
}

interface Wanted {
  readonly oid: string;
  readonly label: string;
}

type Fields = Readonly<Record<string, unknown>>;

function fieldsOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {};
}

function parse(bytes: Buffer, label: string): Fields {
  try {
    return fieldsOf(JSON.parse(bytes.toString('utf8')));
  } catch {
    throw malformed(label);
  }
}

function malformed(label: string): Error {
  return sourceError('MalformedAnswer', `The Git LFS server of ${label} sends an answer that cannot be read.`);
}

/** The entry of one object in an answer of the batch API. Throws StageError. */
export function readObject(bytes: Buffer, { oid, label }: Wanted): Fields {
  const answer = parse(bytes, label);
  const { objects, transfer } = answer;
  if (transfer !== undefined && transfer !== 'basic') {
    throw sourceError(
      'UnsupportedServer',
      `The Git LFS server of ${label} offers another transfer than basic, which Tautline needs.`,
    );
  }
  const all = Array.isArray(objects) ? (objects as readonly unknown[]) : [];
  const found = all
    .slice(0, 10)
    .map(fieldsOf)
    .find((one) => one['oid'] === oid);
  if (found === undefined) throw malformed(label);
  return found;
}

/** Where an object is downloaded from. Throws StageError. */
export function readAction(object: Fields, { oid, label }: Wanted): LfsAction {
  if (object['error'] !== undefined) {
    const { code, message } = fieldsOf(object['error']);
    const said = typeof message === 'string' ? ` The server says: ${cleanText(message, 160)}` : '';
    throw sourceError(
      'RevisionNotFound',
      `${label} has no object ${oid} in Git LFS (${cleanText(String(code), 10)}). Push it with git lfs push --all.${said}`,
    );
  }
  const download = fieldsOf(fieldsOf(object['actions'])['download']);
  return { ...readLink(download, label), isAuthenticated: object['authenticated'] === true };
}

/** The answer of `git-lfs-authenticate`. Throws StageError. */
export function readAccess(bytes: Buffer, label: string): Omit<LfsAction, 'isAuthenticated'> {
  return readLink(parse(bytes, label), label);
}

const MAX_HREF_CHARS = 16_384;

function readLink({ href, header }: Fields, label: string): Omit<LfsAction, 'isAuthenticated'> {
  const url = typeof href === 'string' && href.length <= MAX_HREF_CHARS ? URL.parse(href) : null;
  if (!url || !/^https?:$/.test(url.protocol) || url.username !== '' || url.password !== '') throw malformed(label);
  return { href: url.href.replace(/\/+$/, ''), headers: readHeaders(fieldsOf(header), label) };
}

const MAX_HEADERS = 20;
const MAX_HEADER_CHARS = 8_192;

/** They belong to one connection or body, and undici sets them by itself. */
const NOT_SENT: ReadonlySet<string> = new Set([
  ...['connection', 'keep-alive', 'proxy-authorization', 'proxy-connection', 'te', 'trailer', 'transfer-encoding'],
  ...['upgrade', 'host', 'content-length', 'content-type', 'expect', 'accept-encoding', 'cookie', 'user-agent'],
]);

function readHeaders(header: Fields, label: string): Readonly<Record<string, string>> {
  const entries = Object.entries(header);
  if (entries.length > MAX_HEADERS) throw malformed(label);
  const headers: Record<string, string> = {};
  for (const [name, value] of entries) {
    const isValue = typeof value === 'string' && value.length <= MAX_HEADER_CHARS && /^[\x20-\x7e]*$/.test(value);
    if (!isValue || !/^[A-Za-z0-9-]{1,64}$/.test(name)) throw malformed(label);
    if (!NOT_SENT.has(name.toLowerCase())) headers[name.toLowerCase()] = value;
  }
  return headers;
}
