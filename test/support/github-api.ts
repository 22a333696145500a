/**
 * The part of GitHub's API that gives tokens to apps, for tests. It checks each signed request as GitHub does, and has
 * switches for what goes wrong. It listens on 127.0.0.1.
 */
import { createPublicKey, generateKeyPairSync, verify } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export const APP_ID = '4711';
export const INSTALLATION_ID = '815';

/** Made once for each test file: a key of 2,048 bits takes a while. */
export function makeAppKey(): { readonly privateKey: string; readonly publicKey: string } {
  return generateKeyPairSync('rsa', {
    modulusLength: 2048,
    privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
}

export interface GitHubApi {
  /** `http://127.0.0.1:port/api/v3`. */
  readonly url: string;
  /** `POST /app/installations/815/access_tokens` and so on, the oldest first. */
  readonly requests: string[];
  /** The bodies of the requests for tokens. */
  readonly wanted: unknown[];
  /** Every signed request that was seen. */
  readonly signed: string[];
  /** Tokens that count, the oldest first. Remove one to revoke it. */
  readonly tokens: string[];
  /** Organisations and users that have installed the app. */
  owners: { readonly orgs: readonly string[]; readonly users: readonly string[] };
  /** How long a token counts. */
  lifeMs: number;
  /** The clock of the server minus that of this machine. */
  skewMs: number;
  /** Answers requests before the API does; true: it has answered. */
  intercept: ((request: IncomingMessage, response: ServerResponse) => boolean) | undefined;
  /** Whether a request to the Git server shows a token that counts. */
  accepts(authorization: string | undefined): boolean;
  stop(): Promise<void>;
}

export async function startGitHubApi(publicKey: string): Promise<GitHubApi> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => answer(request, response, Buffer.concat(chunks).toString('utf8')));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  let made = 0;

  function answer(request: IncomingMessage, response: ServerResponse, body: string): void {
    const path = (request.url ?? '').replace(/^\/api\/v3/, '');
    api.requests.push(`${request.method} ${path}`);
    const jwt = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1] ?? '';
    if (jwt !== '') api.signed.push(jwt);
    if (api.intercept?.(request, response)) return;
    const nowMs = Date.now() + api.skewMs;
    const send = (status: number, value: unknown): void => {
      const headers = { 'content-type': 'application/json', date: new Date(nowMs).toUTCString() };
      response.writeHead(status, headers).end(JSON.stringify(value));
    };
    // GitHub repeats parts of the request in its messages; so does this server.
    const refusal = problemOf(jwt, { publicKey, nowMs });
    if (refusal) return send(401, { message: `${refusal} ${jwt}` });
    const [, kind, owner, repository] = /^\/(orgs|users|repos)\/([^/]+)(?:\/([^/]+))?\/installation$/.exec(path) ?? [];
    if (owner !== undefined) {
      const { orgs, users } = api.owners;
      const known = kind === 'orgs' ? orgs : kind === 'users' ? users : [...orgs, ...users];
      const isKnown = known.includes(owner) && (kind === 'repos') === (repository !== undefined);
      return isKnown ? send(200, { id: Number(INSTALLATION_ID) }) : send(404, { message: 'Not Found' });
    }
    if (path !== `/app/installations/${INSTALLATION_ID}/access_tokens`) return send(404, { message: 'Not Found' });
    api.wanted.push(JSON.parse(body));
    const token = `ghs_token${++made}_of_the_test_api`;
    api.tokens.push(token);
    send(201, { token, expires_at: new Date(nowMs + api.lifeMs).toISOString(), permissions: { contents: 'read' } });
  }

  const api: GitHubApi = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/v3`,
    requests: [],
    wanted: [],
    signed: [],
    tokens: [],
    owners: { orgs: ['acme'], users: [] },
    lifeMs: 3_600_000,
    skewMs: 0,
    intercept: undefined,
    accepts: (authorization) =>
      api.tokens.some((token) => authorization === `Basic ${btoa(`x-access-token:${token}`)}`),
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return api;
}

/** undefined: the request is signed by the app, and counts now. */
function problemOf(jwt: string, { publicKey, nowMs }: { publicKey: string; nowMs: number }): string | undefined {
  const [header = '', payload = '', signature = '', ...rest] = jwt.split('.');
  if (signature === '' || rest.length > 0) return 'A JSON web token could not be decoded';
  const parse = (part: string): Record<string, unknown> =>
    JSON.parse(Buffer.from(part, 'base64url').toString('utf8')) as Record<string, unknown>;
  const { alg, typ } = parse(header);
  const { iat, exp, iss } = parse(payload);
  if (alg !== 'RS256' || typ !== 'JWT' || iss !== APP_ID) return 'Integration not found';
  const text = Buffer.from(`${header}.${payload}`);
  const isSigned = verify('sha256', text, createPublicKey(publicKey), Buffer.from(signature, 'base64url'));
  if (!isSigned) return 'A JSON web token could not be decoded';
  const [from, to] = [Number(iat) * 1000, Number(exp) * 1000];
  if (from > nowMs) return "'Issued at' claim ('iat') must be in the past";
  if (to < nowMs) return "'Expiration time' claim ('exp') must be in the future";
  if (to > nowMs + 600_000) return "'Expiration time' claim ('exp') is too far in the future";
  return undefined;
}
