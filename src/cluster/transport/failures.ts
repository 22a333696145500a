/**
 * Errors of requests that got no answer: their kind by error code, and a message for people.
 *
 * Invariant: no message holds the text of a foreign error, which may quote a credential; only a StageError is quoted.
 */

const TIMEOUT_CODES: ReadonlySet<string> = new Set([
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
  'ETIMEDOUT',
]);
const BOUND_CODES: ReadonlySet<string> = new Set(['UND_ERR_RES_EXCEEDED_MAX_SIZE', 'ERR_BUFFER_TOO_LARGE']);
/** The agent itself has ended the connections. */
const CLOSED_CODES: ReadonlySet<string> = new Set(['UND_ERR_DESTROYED', 'UND_ERR_CLOSED']);
const RESET_CODES: ReadonlySet<string> = new Set(['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE']);

export function isTimeout(error: unknown): boolean {
  return TIMEOUT_CODES.has(errorCode(error));
}

/** Whether the server closed the socket, as it may close an idle one while a request is on its way. */
export function isReset(error: unknown): boolean {
  return RESET_CODES.has(errorCode(error));
}

/** Whether the answer, or the text that it unpacks to, is larger than the bound on responses. */
export function isBeyondBound(error: unknown): boolean {
  return BOUND_CODES.has(errorCode(error));
}

/** Advice by error code; the first match wins. */
const ADVICE: readonly (readonly [RegExp, string])[] = [
  [/ENOTFOUND|EAI_AGAIN/, 'its name does not resolve; check the server address and DNS'],
  [/ECONNREFUSED/, 'nothing listens there; check the address and whether the API server runs'],
  [/EHOSTUNREACH|ENETUNREACH/, 'there is no route to it; check the network and network policies'],
  [/CONNECT_TIMEOUT|ETIMEDOUT/, 'it does not accept connections; check the address and network policies'],
  [/HEADERS_TIMEOUT|BODY_TIMEOUT/, 'it accepted the request and did not answer in time; it may be overloaded'],
  [/ERR_TLS_CERT_ALTNAME_INVALID/, 'its certificate is for another name; check the server address or tls-server-name'],
  [/CERT|SELF_SIGNED|UNABLE_TO_VERIFY|ISSUER/, 'its certificate is not signed by the authority given; check the CA'],
  [/EPROTO|WRONG_VERSION_NUMBER|ERR_SSL/, 'TLS failed; check http or https, and the client certificate'],
  [/RES_EXCEEDED|ERR_BUFFER_TOO_LARGE/, 'its answer is larger than the bound on responses'],
  [/UND_ERR_SOCKET|ECONNRESET|EPIPE/, 'it closed the connection before it answered'],
];

/** One sentence with the server's address, the cause, advice and the error code. */
export function describeFailure(error: unknown, server: string): string {
  if (error instanceof Error && error.name === 'StageError') return error.message;
  const code = errorCode(error);
  const isCancelled = (error instanceof Error && error.name === 'AbortError') || CLOSED_CODES.has(code);
  if (isCancelled) return `the request to ${server} was cancelled`;
  const advice = ADVICE.find(([pattern]) => pattern.test(code))?.[1] ?? 'it cannot be reached';
  return `no answer from the API server at ${server}: ${advice}${code && ` (${code})`}`;
}

/** The code of an error or of its cause; empty if neither has one. */
function errorCode(error: unknown): string {
  const coded = error instanceof Error && 'code' in error ? error : error instanceof Error ? error.cause : undefined;
  return coded instanceof Error && 'code' in coded ? String(coded.code) : '';
}
