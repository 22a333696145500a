/**
 * The smart HTTP transport (gitprotocol-http) on undici.
 *
 * Invariants: an answer is bounded in bytes and time and has Git's own content type; a redirect is followed for GET
 * only, and only within the origin. So nothing, least of all a credential, is sent to a host, port or scheme that the
 * Application does not name.
 */
import { request, type Dispatcher } from 'undici';
import { cleanText } from '../../object/printable.ts';
import { sourceError } from '../../object/source-error.ts';
import { authorizationOf } from './authorization.ts';
import { createDispatchers, type Dispatchers, type DispatchersOptions } from './dispatchers.ts';
import { boundedBody, redirectTarget } from './http-answer.ts';
import { networkError, statusError } from './http-failure.ts';
import type { Transport, TransportAnswer, TransportOperation, TransportRequest } from './transport.ts';

const UPLOAD_PACK = 'git-upload-pack';
export const ADVERTISEMENT_TYPE = `application/x-${UPLOAD_PACK}-advertisement`;
export const RESULT_TYPE = `application/x-${UPLOAD_PACK}-result`;
const REQUEST_TYPE = `application/x-${UPLOAD_PACK}-request`;

interface HttpForm {
  readonly method: 'GET' | 'POST';
  /** After the base. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** The only content type that is an answer. */
  readonly answerType: string;
}

const ADVERTISEMENT_PATH = `/info/refs?service=${UPLOAD_PACK}`;
const PROTOCOL_2 = { 'git-protocol': 'version=2' };
const POST = { method: 'POST', path: `/${UPLOAD_PACK}`, answerType: RESULT_TYPE } as const;
const POST_HEADERS = { 'content-type': REQUEST_TYPE, accept: RESULT_TYPE };

const FORMS: Readonly<Record<TransportOperation, HttpForm>> = {
  advertise: {
    method: 'GET',
    path: ADVERTISEMENT_PATH,
    headers: { ...PROTOCOL_2, accept: ADVERTISEMENT_TYPE },
    answerType: ADVERTISEMENT_TYPE,
  },
  'list-refs': { ...POST, headers: { ...PROTOCOL_2, ...POST_HEADERS } },
  fetch: { ...POST, headers: POST_HEADERS },
};

const USER_AGENT = 'git/tautline';

export function createHttpTransport(options: DispatchersOptions): Transport {
  const dispatchers = createDispatchers(options);
  return {
    send: (wanted) => sendFollowing(dispatchers, wanted, options.limits.maxRedirects),
    close: () => dispatchers.close(),
  };
}

async function sendFollowing(
  dispatchers: Dispatchers,
  wanted: TransportRequest,
  maxRedirects: number,
): Promise<TransportAnswer> {
  const form = FORMS[wanted.operation];
  const deadline = AbortSignal.timeout(wanted.timeoutMs);
  const signal = wanted.signal ? AbortSignal.any([wanted.signal, deadline]) : deadline;
  const bounded = { ...wanted, signal };
  let url = (wanted.base ?? wanted.repository.base) + form.path;
  for (let redirects = 0; ; redirects++) {
    const response = await sendOnce(dispatchers, url, bounded);
    // Without a listener, destroying a body that fails later ends the process.
    response.body.on('error', () => undefined);
    if (response.statusCode < 300 || response.statusCode > 399) {
      checkAnswer(response, url, wanted);
      const body = boundedBody(response.body, {
        maxBytes: wanted.maxBytes,
        tooLarge: () => tooLarge(wanted),
        failureOf: (error) => networkError(error, wanted, true),
      });
      return { base: url.slice(0, -form.path.length), body };
    }
    response.body.destroy();
    const refused = (what: string): Error => refusedRedirect(wanted, what);
    url = redirectTarget(response, { from: url, method: form.method, redirects: 'origin', refused });
    if (redirects >= maxRedirects) throw refused(`redirects more than ${maxRedirects} times`);
  }
}

async function sendOnce(
  dispatchers: Dispatchers,
  url: string,
  wanted: TransportRequest,
): Promise<Dispatcher.ResponseData> {
  const { credential } = wanted.repository;
  const { method, headers } = FORMS[wanted.operation];
  try {
    return await request(url, {
      dispatcher: dispatchers.dispatcherFor(url, wanted.repository),
      method,
      headers: {
        'user-agent': USER_AGENT,
        'accept-encoding': 'identity',
        ...headers,
        ...(credential?.login && { authorization: authorizationOf(credential.login) }),
      },
      body: wanted.body ?? null,
      signal: wanted.signal ?? null,
    });
  } catch (error) {
    throw networkError(error, wanted, false);
  }
}

function refusedRedirect({ repository }: TransportRequest, what: string): Error {
  return sourceError(
    'RedirectRefused',
    `${repository.label} ${what}. Put the repository's final address into repoURL.`,
  );
}

/** The body of an answer that is refused is not read: no text of an error page reaches a message. */
function checkAnswer(response: Dispatcher.ResponseData, url: string, wanted: TransportRequest): void {
  const { statusCode, headers, body } = response;
  const failure =
    statusCode === 200
      ? (headersError(headers, wanted) ?? addressError(url, wanted))
      : statusError(wanted.repository, statusCode, headers['retry-after']);
  if (!failure) return;
  body.destroy();
  throw failure;
}

/** Later requests go to the same base, so a redirect must end at the same path below it. */
function addressError(url: string, { operation, repository }: TransportRequest): Error | undefined {
  if (url.endsWith(FORMS[operation].path)) return undefined;
  return sourceError(
    'RedirectRefused',
    `${repository.label} redirects to an address that is not a repository's. Put the final address into repoURL.`,
  );
}

function headersError(headers: Dispatcher.ResponseData['headers'], wanted: TransportRequest): Error | undefined {
  const { label } = wanted.repository;
  const type = String(headers['content-type'] ?? '').split(';')[0] ?? '';
  if (type !== FORMS[wanted.operation].answerType) {
    return sourceError(
      'NotGit',
      `${label} does not answer as a smart Git server (content type ${cleanText(type, 60) || 'missing'}). Check the address: it must be the one that git clone takes.`,
    );
  }
  const encoding = headers['content-encoding'];
  if (encoding !== undefined && encoding !== 'identity') {
    return sourceError(
      'EncodedAnswer',
      `${label} answers with an encoding that was not asked for (${cleanText(String(encoding), 40)}). Look for a proxy that compresses.`,
    );
  }
  return Number(headers['content-length'] ?? 0) > wanted.maxBytes ? tooLarge(wanted) : undefined;
}

function tooLarge({ repository, maxBytes, maxBytesName }: TransportRequest): Error {
  return sourceError(
    'TooLarge',
    `The answer of ${repository.label} exceeds ${maxBytes} bytes (${maxBytesName}). Make the repository smaller, or raise the bound.`,
  );
}
