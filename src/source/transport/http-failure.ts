/** The errors of a Git server that does not answer a request over HTTP with 200, each with a code and advice. */
import { cleanText } from '../../object/printable.ts';
import { cancelled, sourceError, type SourceCode } from '../../object/source-error.ts';
import { COMMON_ROWS, errorOfStatus, type StatusRow, type StatusRows } from '../../registry/http-status.ts';
import type { Repository } from '../repository.ts';
import { addressDenied, DENIED } from './address-rules.ts';
import { truncated } from './answer-error.ts';
import type { TransportRequest } from './transport.ts';

const LOGIN_NEEDED: StatusRow = {
  code: 'AuthenticationRequired',
  text: 'asks for credentials. Check the address; if it is private, name a Secret in spec.source.secretRef',
  withLogin: {
    code: 'CredentialsRefused',
    text: 'did not accept the credentials of the Secret $secret. Put valid ones into it',
  },
};

const STATUS_ROWS: StatusRows = {
  ...COMMON_ROWS,
  // One forge sends its sign-in page with this status.
  203: LOGIN_NEEDED,
  401: LOGIN_NEEDED,
  429: { code: 'RateLimited', text: 'limits the rate of requests. Raise spec.source.interval' },
};

/** The error of a status other than 200; `retryAfter` is the header of that name. */
export function statusError(
  { label, credential }: Pick<Repository, 'label' | 'credential'>,
  status: number,
  retryAfter: string | string[] | undefined,
): Error {
  const secret = credential?.login && credential.secret;
  const seconds = typeof retryAfter === 'string' ? retryAfter : undefined;
  return errorOfStatus({ label, secret }, { rows: STATUS_ROWS, status, retryAfter: seconds });
}

interface NetworkRow {
  readonly code: SourceCode;
  readonly text: string;
}

const TIMEOUT: NetworkRow = { code: 'Timeout', text: 'did not answer in time' };

const NETWORK_ROWS: ReadonlyMap<string, NetworkRow> = new Map([
  ['UND_ERR_HEADERS_TIMEOUT', TIMEOUT],
  ['UND_ERR_BODY_TIMEOUT', { code: 'Timeout', text: 'stopped sending in the middle of an answer' }],
]);

/** undici reports a refusal of the proxy only by this text. */
const PROXY_REFUSAL = /^Proxy (?:response|Authentication Required) \((\d{3})\)/;

const IS_TLS = /^(CERT_|ERR_TLS|ERR_SSL|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO|EPROTO|HOSTNAME_MISMATCH)/;

/** The part of a request that its failures are told by. */
export interface FailedRequest extends Pick<TransportRequest, 'timeoutMs' | 'signal'> {
  readonly repository: Pick<Repository, 'label'>;
}

/** The StageError of a failed exchange; `isInBody`: it failed after the answer had begun. */
export function networkError(error: unknown, request: FailedRequest, isInBody: boolean): unknown {
  if (!(error instanceof Error) || error.name === 'StageError') return error;
  const { label } = request.repository;
  if (error.name === 'TimeoutError') {
    return sourceError('Timeout', `${label} did not answer completely within ${request.timeoutMs} ms.`);
  }
  if (request.signal?.aborted) return cancelled(label);
  const proxyStatus = PROXY_REFUSAL.exec(error.message)?.[1];
  if (proxyStatus !== undefined) {
    return sourceError(
      'Network',
      `${label} could not be reached: the proxy refused (HTTP status ${proxyStatus}). Check HTTP_PROXY, HTTPS_PROXY and NO_PROXY.`,
    );
  }
  const code = codeOf(error);
  if (code === DENIED) return addressDenied(label);
  const row = NETWORK_ROWS.get(code);
  if (row) return sourceError(row.code, `${label} ${row.text} (${code}).`);
  if (IS_TLS.test(code)) {
    return sourceError(
      'TlsFailed',
      `${label} could not be reached by TLS: its certificate is not trusted, or it asks for a client certificate (${code}). Put its authority under ca.crt, or a client certificate under tls.crt and tls.key, into the Secret that spec.source.secretRef names.`,
    );
  }
  if (isInBody) return truncated(label);
  // The same words for every name and port: a tenant must not learn by them which hosts and ports exist in the network.
  return sourceError(
    'Network',
    `${label} could not be reached. Check the address, and whether the agent may connect to its host.`,
  );
}

function codeOf(error: Error): string {
  const code = (error as { code?: unknown }).code;
  if (typeof code === 'string') return cleanText(code, 60);
  // A connection that was tried on several addresses fails with all their errors.
  if (error instanceof AggregateError && error.errors[0] instanceof Error) return codeOf(error.errors[0]);
  return error.cause instanceof Error ? codeOf(error.cause) : error.name;
}
