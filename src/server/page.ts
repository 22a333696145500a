/**
 * Serves the page in the browser, which scripts/build.ts puts beside the program. The page holds nothing of the
 * cluster: it reads the status API with the rights of the person.
 *
 * Invariants: the page may load only its own script and style sheet, and no page of another site may frame it. All
 * files are in memory, so a path of a request never names a file.
 */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import type { Express, Request, Response } from 'express';

export interface Page {
  /** By name, such as `app-4F2K.js`; `index.html` is the page itself. */
  readonly files: ReadonlyMap<string, PageFile>;
}

interface PageFile {
  readonly type: string;
  /** The forms of the content by content encoding; `identity` is always there. */
  readonly forms: Readonly<Partial<Record<Encoding, Buffer>>> & { readonly identity: Buffer };
  readonly tag: string;
}

type Encoding = 'br' | 'gzip' | 'identity';

const INDEX = 'index.html';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain; charset=utf-8',
};

const SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self' data:",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** The folder of the page beside the running program. */
const BESIDE = join(import.meta.dirname, 'page');

/** undefined: there is no built page in the folder, as where the agent runs from its sources. */
export function readPage(folder = BESIDE): Page | undefined {
  if (!existsSync(join(folder, INDEX))) return undefined;
  const files = new Map<string, PageFile>();
  for (const name of readdirSync(folder)) {
    const type = TYPES[extname(name)];
    if (type !== undefined) files.set(name, readForms(folder, name, type));
  }
  return { files };
}

function readForms(folder: string, name: string, type: string): PageFile {
  const identity = readFileSync(join(folder, name));
  const read = (end: string): Buffer | undefined => {
    const path = join(folder, `${name}${end}`);
    return existsSync(path) ? readFileSync(path) : undefined;
  };
  const [br, gzip] = [read('.br'), read('.gz')];
  const tag = `"${createHash('sha256').update(identity).digest('base64url').slice(0, 22)}"`;
  return { type, tag, forms: { identity, ...(br ? { br } : {}), ...(gzip ? { gzip } : {}) } };
}

/** Adds the routes of the page. Paths below /api are left to the API. */
export function addPage(routes: Express, { files }: Page): void {
  routes.get('/page/:name', (request, response, next) => {
    const file = files.get(request.params['name']);
    if (!file) return next();
    // The name holds a digest of the content.
    sendFile(request, response.set('Cache-Control', 'public, max-age=31536000, immutable'), file);
  });
  const index = files.get(INDEX);
  if (!index) return;
  routes.get(['/', '/sign-in', '/applications/:namespace/:name'], (request, response) => {
    sendFile(request, response.set('Cache-Control', 'no-cache'), index);
  });
}

function sendFile(request: Request, response: Response, { type, forms, tag }: PageFile): void {
  response.set({ 'Content-Security-Policy': SECURITY_POLICY, Vary: 'Accept-Encoding', ETag: tag });
  if (request.headers['if-none-match'] === tag) return void response.status(304).end();
  const encoding = acceptedEncoding(request.headers['accept-encoding'] ?? '');
  const body = forms[encoding];
  if (body && encoding !== 'identity') response.set('Content-Encoding', encoding);
  response
    .status(200)
    .type(type)
    .send(body ?? forms.identity);
}

/** The smallest form that the header `Accept-Encoding` names. */
function acceptedEncoding(header: string): Encoding {
  const names = new Set(
    header
      .split(',')
      .filter((part) => !/;\s*q=0(\.0*)?\s*$/.test(part))
      .map((part) => part.split(';', 1)[0]?.trim().toLowerCase()),
  );
  if (names.has('br')) return 'br';
  return names.has('gzip') ? 'gzip' : 'identity';
}
