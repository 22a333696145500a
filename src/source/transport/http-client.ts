/**
 * HTTP requests to Git servers on undici. Whatever a server sends is bounded in bytes and time, only Git's own content
 * types are taken, and a redirect is followed on GET only and only within the origin, so that nothing, and no
 * credential least of all, is ever sent to a host, port or scheme that the Application does not name.
 */
import { request, type Dispatcher } from 'undici';
import type { Credential, Login } from '../credential.ts';
import { createDispatchers, type Dispatchers, type DispatchersOptions } from './dispatchers.ts';
import { truncated } from './ref-answers.ts';
import { cleanText, sourceError, type SourceCode } from '../source-error.ts';

export interface HttpClient {
  send(request: GitRequest): Promise<GitAnswer>;
  close(): Promise<void>;
}

export interface GitRequest {
  readonly method: 'GET' | 'POST';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Buffer;
  /** The one content type that is an answer. */
  readonly contentType: string;
  readonly maxBytes: number;
  /** The name of that bound, for the message. */
  readonly maxBytesName: string;
  /** For the whole request, its body included. */
  readonly timeoutMs: number;
  /** The repository, for messages. */
  readonly label: string;
  readonly credential: Credential | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface GitAnswer {
  /** After redirects. */
  readonly url: string;
  /** Throws StageErrors, as `send` does. */
  readonly body: AsyncIterable<Buffer>;
}

const USER_AGENT = 'git/tautline';

export function createHttpClient(options: DispatchersOptions): HttpClient {
  const dispatchers = createDispatchers(options);
  return {
    send: (wanted) => sendFollowing(dispatchers, wanted, options.limits.maxRedirects),
    close: () => dispatchers.close(),
  };
}

/** The whole body. */
export async function readWhole(answer: GitAnswer): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of answer.body) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function sendFollowing(dispatchers: Dispatchers, wanted: GitRequest, maxRedirects: number): Promise<GitAnswer> {
  const deadline = AbortSignal.timeout(wanted.timeoutMs);
  const signal = wanted.signal ? AbortSignal.any([wanted.signal, deadline]) : deadline;
  let url = wanted.url;
  for (let redirects = 0; ; redirects++) {
    const response = await sendOnce(dispatchers, { ...wanted, url, signal });
    // Without a listener, destroying a body that fails later ends the process.
    response.body.on('error', () => undefined);
    if (response.statusCode < 300 || response.statusCode > 399) {
      checkStatus(response, wanted);
      checkHeaders(response, wanted);
      return { url, body: boundedBody(response.body, wanted) };
    }
    response.body.destroy();
    url = redirectTarget(response, url, wanted);
    if (redirects >= maxRedirects) throw refusedRedirect(wanted, `redirects more than ${maxRedirects} times`);
  }
}

async function sendOnce(dispatchers: Dispatchers, wanted: GitRequest): Promise<Dispatcher.ResponseData> {
  const { url, credential } = wanted;
  const headers = {
    'user-agent': USER_AGENT,
    'accept-encoding': 'identity',
    ...wanted.headers,
    ...(credential?.login && { authorization: authorizationOf(credential.login) }),
  };
  try {
    return await request(url, {
      dispatcher: dispatchers.dispatcherFor(url, credential),
      method: wanted.method,
      headers,
      body: wanted.body ?? null,
      signal: wanted.signal ?? null,
    });
  } catch (error) {
    throw networkError(error, wanted, false);
  }
}

/** The header of RFC 7617 (in UTF-8) or of RFC 6750. */
function authorizationOf(login: Login): string {
  if (login.type === 'bearer') return `Bearer ${login.token}`;
  return `Basic ${Buffer.from(`${login.username}:${login.password}`).toString('base64')}`;
}

async function* boundedBody(body: AsyncIterable<Buffer> & { destroy(): unknown }, wanted: GitRequest) {
  let bytes = 0;
  try {
    for await (const chunk of body) {
      bytes += chunk.length;
      if (bytes > wanted.maxBytes) throw tooLarge(wanted);
      yield chunk;
    }
  } catch (error) {
    throw networkError(error, wanted, true);
  } finally {
    body.destroy();
  }
}

function redirectTarget(response: Dispatcher.ResponseData, from: string, wanted: GitRequest): string {
  if (wanted.method !== 'GET') throw refusedRedirect(wanted, 'redirects a request that holds a body');
  const location = response.headers.location;
  const target = typeof location === 'string' ? URL.parse(location, from) : null;
  if (!target) throw refusedRedirect(wanted, 'redirects without saying where');
  if (target.origin !== new URL(from).origin || target.username || target.password) {
    throw refusedRedirect(wanted, `redirects to another origin (${cleanText(target.origin)})`);
  }
  return target.href;
}

function refusedRedirect(wanted: GitRequest, what: string): Error {
  return sourceError('RedirectRefused', `${wanted.label} ${what}. Put the repository's final address into repoURL.`);
}

interface StatusRow {
  readonly code: SourceCode;
  readonly text: string;
  /** The same where a credential was sent; `$secret` stands for its Secret. */
  readonly withCredential?: { readonly code: SourceCode; readonly text: string };
}

const ASKS: StatusRow = {
  code: 'AuthenticationRequired',
  text: 'asks for credentials. Check the address; for a private repository, name a Secret in spec.source.secretRef',
  withCredential: {
    code: 'CredentialsRefused',
    text: 'did not accept the credentials of the Secret $secret. Put valid ones into it',
  },
};

/** 203 is how one forge answers with its sign-in page. */
const STATUS_ROWS: Readonly<Record<number, StatusRow>> = {
  203: ASKS,
  401: ASKS,
  403: {
    code: 'AccessDenied',
    text: 'denies access. For a private repository, name a Secret in spec.source.secretRef',
    withCredential: {
      code: 'AccessDenied',
      text: 'denies access. Check what the credentials of the Secret $secret may read',
    },
  },
  404: {
    code: 'RepositoryNotFound',
    text: 'was not found. Check the address; for a private repository, name a Secret in spec.source.secretRef',
    withCredential: {
      code: 'RepositoryNotFound',
      text: 'was not found. Check the address, and whether the credentials of the Secret $secret may read it',
    },
  },
  410: { code: 'RepositoryNotFound', text: 'is gone. Check the address' },
  429: { code: 'RateLimited', text: 'limits the rate of requests. Ask less often: raise the interval' },
};

const SERVER_ERROR: StatusRow = { code: 'ServerError', text: 'cannot be served now. It is asked for again' };
const UNEXPECTED: StatusRow = { code: 'UnexpectedStatus', text: 'was not served. Check the address' };

function checkStatus(response: Dispatcher.ResponseData, { label, credential }: GitRequest): void {
  const status = response.statusCode;
  if (status === 200) return;
  // Read no further: what an error page says never reaches a message.
  response.body.destroy();
  const row = STATUS_ROWS[status] ?? (status >= 500 ? SERVER_ERROR : UNEXPECTED);
  const { code, text } = (credential?.login && row.withCredential) || row;
  const afterMs = status === 429 || status === 503 ? retryAfterMs(response.headers['retry-after']) : undefined;
  const said = text.replace('$secret', () => credential?.secret ?? '');
  throw sourceError(code, `${label} ${said} (HTTP status ${status}).`, { afterMs });
}

const MAX_RETRY_AFTER_MS = 3_600_000;

/** Seconds only: a date would need the server's clock to agree with ours. */
function retryAfterMs(header: string | string[] | undefined): number | undefined {
  const seconds = typeof header === 'string' && /^\d+$/.test(header) ? Number(header) : undefined;
  return seconds === undefined ? undefined : Math.min(seconds * 1000, MAX_RETRY_AFTER_MS);
}

function checkHeaders(response: Dispatcher.ResponseData, wanted: GitRequest): void {
  const encoding = response.headers['content-encoding'];
  const type = String(response.headers['content-type'] ?? '').split(';')[0];
  const length = Number(response.headers['content-length'] ?? 0);
  const failure =
    type !== wanted.contentType
      ? sourceError(
          'NotGit',
          `${wanted.label} does not answer as a smart Git server (content type ${cleanText(type ?? '', 60) || 'missing'}). Check the address: it must be the one that git clone takes.`,
        )
      : encoding !== undefined && encoding !== 'identity'
        ? sourceError(
            'EncodedAnswer',
            `${wanted.label} answers with an encoding that was not asked for (${cleanText(String(encoding), 40)}). Look for a proxy that compresses.`,
          )
        : length > wanted.maxBytes
          ? tooLarge(wanted)
          : undefined;
  if (!failure) return;
  response.body.destroy();
  throw failure;
}

function tooLarge(wanted: GitRequest): Error {
  return sourceError(
    'TooLarge',
    `The answer of ${wanted.label} exceeds ${wanted.maxBytes} bytes (${wanted.maxBytesName}). Make the repository smaller, or raise the bound.`,
  );
}

interface NetworkRow {
  readonly code: SourceCode;
  readonly text: string;
}

const TIMEOUT: NetworkRow = { code: 'Timeout', text: 'did not answer in time' };
const NO_HOST: NetworkRow = { code: 'HostNotFound', text: 'could not be asked: its host name does not resolve' };
const REFUSED: NetworkRow = { code: 'Network', text: 'could not be asked: the host refused the connection' };

const NETWORK_ROWS: ReadonlyMap<string, NetworkRow> = new Map([
  ['UND_ERR_CONNECT_TIMEOUT', { code: 'Timeout', text: 'could not be asked: no connection to its host in time' }],
  ['UND_ERR_HEADERS_TIMEOUT', TIMEOUT],
  ['UND_ERR_BODY_TIMEOUT', { code: 'Timeout', text: 'fell silent within an answer' }],
  ['ETIMEDOUT', TIMEOUT],
  ['ENOTFOUND', NO_HOST],
  ['EAI_AGAIN', NO_HOST],
  ['ECONNREFUSED', REFUSED],
]);

/** In undici's words, the only place where it tells. */
const PROXY_REFUSAL = /^Proxy (?:response|Authentication Required) \((\d{3})\)/;

const IS_TLS = /^(CERT_|ERR_TLS|ERR_SSL|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO|EPROTO|HOSTNAME_MISMATCH)/;

function networkError(error: unknown, wanted: GitRequest, isInBody: boolean): unknown {
  if (!(error instanceof Error) || error.name === 'StageError') return error;
  if (error.name === 'TimeoutError') {
    return sourceError('Timeout', `${wanted.label} did not answer completely within ${wanted.timeoutMs} ms.`);
  }
  if (wanted.signal?.aborted) return cancelled(wanted.label);
  const proxyStatus = PROXY_REFUSAL.exec(error.message)?.[1];
  if (proxyStatus !== undefined) {
    return sourceError(
      'Network',
      `${wanted.label} could not be asked: the proxy refused (HTTP status ${proxyStatus}). Check HTTP_PROXY, HTTPS_PROXY and NO_PROXY.`,
    );
  }
  const code = codeOf(error);
  const row = NETWORK_ROWS.get(code);
  if (row) return sourceError(row.code, `${wanted.label} ${row.text} (${code}).`);
  if (IS_TLS.test(code)) {
    return sourceError(
      'TlsFailed',
      `The certificate of ${wanted.label} was not accepted, or it wants one of ours (${code}). Put its authority under ca.crt, a client certificate under tls.crt and tls.key, into the Secret that spec.source.secretRef names.`,
    );
  }
  if (isInBody) return truncated(wanted.label);
  return sourceError('Network', `${wanted.label} could not be asked: the connection failed (${code}).`);
}

function codeOf(error: Error): string {
  const code = (error as { code?: unknown }).code;
  if (typeof code === 'string') return cleanText(code, 60);
  // A connection that was tried on several addresses fails with all their errors.
  if (error instanceof AggregateError && error.errors[0] instanceof Error) return codeOf(error.errors[0]);
  return error.cause instanceof Error ? codeOf(error.cause) : error.name;
}

export function cancelled(label: string): Error {
  return sourceError('Cancelled', `The request for ${label} was cancelled.`);
}
