/**
 * Sends the requests of registry/ on undici: through the same pools, proxies and rules about addresses as requests to
 * Git servers.
 */
import { request, type Dispatcher } from 'undici';
import { sourceError } from '../../object/source-error.ts';
import type { Web, WebAnswer, WebRequest } from '../../registry/web.ts';
import type { Credential } from '../credential.ts';
import { createDispatchers, type Dispatchers, type DispatchersOptions } from './dispatchers.ts';
import { boundedBody, redirectTarget } from './http-answer.ts';
import { networkError } from './http-failure.ts';

export interface WebClient extends Web {
  /** Breaks off the requests under way. */
  close(): Promise<void>;
}

const USER_AGENT = 'tautline';
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

export function createWebClient(options: DispatchersOptions): WebClient {
  const dispatchers = createDispatchers(options);
  return {
    send: (wanted) => sendFollowing(dispatchers, wanted, options.limits.maxRedirects),
    close: () => dispatchers.close(),
  };
}

async function sendFollowing(dispatchers: Dispatchers, wanted: WebRequest, maxRedirects: number): Promise<WebAnswer> {
  const signal = AbortSignal.any([wanted.signal, AbortSignal.timeout(wanted.timeoutMs)]);
  const origin = new URL(wanted.url).origin;
  let url = wanted.url;
  for (let redirects = 0; ; redirects++) {
    const isOrigin = new URL(url).origin === origin;
    const response = await sendOnce(dispatchers, { ...wanted, url, signal }, isOrigin);
    // Without a listener, destroying a body that fails later ends the process.
    response.body.on('error', () => undefined);
    if (!REDIRECTS.has(response.statusCode)) return answerOf(response, wanted);
    response.body.destroy();
    const refused = (what: string): Error => refusedRedirect(wanted, what);
    url = redirectTarget(response, { from: url, method: wanted.method, redirects: wanted.redirects, refused });
    if (redirects >= maxRedirects) throw refused(`redirects more than ${maxRedirects} times`);
  }
}

async function sendOnce(
  dispatchers: Dispatchers,
  wanted: WebRequest,
  isOrigin: boolean,
): Promise<Dispatcher.ResponseData> {
  const { url, label, authorization, credential, headers, originHeaders, method, body, signal } = wanted;
  try {
    return await request(url, {
      dispatcher: dispatchers.dispatcherFor(url, { label, credential: isOrigin ? credential : trustOf(credential) }),
      method,
      headers: {
        'user-agent': USER_AGENT,
        'accept-encoding': 'identity',
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...headers,
        ...(isOrigin && originHeaders),
        ...(isOrigin && authorization !== undefined && { authorization }),
      },
      body: body ?? null,
      signal,
    });
  } catch (error) {
    throw failureOf(error, wanted, false);
  }
}

/** Another host is trusted by the same authorities, and is not shown the client certificate. */
function trustOf(credential: Credential | undefined): Credential | undefined {
  return credential && { ...credential, login: undefined, clientCertificate: undefined };
}

function answerOf(response: Dispatcher.ResponseData, wanted: WebRequest): WebAnswer {
  const { statusCode, headers, body } = response;
  const discard = (): void => void body.destroy();
  const isHead = wanted.method === 'HEAD';
  if (!isHead && statusCode === 200 && Number(headers['content-length'] ?? 0) > wanted.maxBytes) {
    discard();
    throw tooLarge(wanted);
  }
  const bounded = boundedBody(body, {
    maxBytes: wanted.maxBytes,
    tooLarge: () => tooLarge(wanted),
    failureOf: (error) => failureOf(error, wanted, true),
  });
  return { status: statusCode, headers, body: bounded, discard };
}

function failureOf(error: unknown, { label, timeoutMs, signal }: WebRequest, isInBody: boolean): unknown {
  return networkError(error, { repository: { label }, timeoutMs, signal }, isInBody);
}

function refusedRedirect({ label, addressField = 'repoURL' }: WebRequest, what: string): Error {
  return sourceError('RedirectRefused', `${label} ${what}. Put the final address into ${addressField}.`);
}

function tooLarge({ label, maxBytes, maxBytesName }: WebRequest): Error {
  return sourceError(
    'TooLarge',
    `The answer of ${label} exceeds ${maxBytes} bytes (${maxBytesName}). Make it smaller.`,
  );
}
