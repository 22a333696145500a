/** The errors of a registry or Helm repository that does not answer a request with 200, each with a code and advice. */
import type { CodeOf } from '../object/error-code.ts';
import { sourceError } from '../object/source-error.ts';
import { headerOf, readAll, type WebAnswer } from './web.ts';

interface StatusRow {
  readonly code: CodeOf<'source'>;
  readonly text: string;
  /** Counts instead if a login was sent; `$secret` stands for its Secret. */
  readonly withLogin?: { readonly code: CodeOf<'source'>; readonly text: string };
}

const ROWS: Readonly<Record<number, StatusRow>> = {
  401: {
    code: 'AuthenticationRequired',
    text: 'asks for credentials, or does not exist. Check the address; if it is private, name a Secret in spec.source.secretRef',
    withLogin: {
      code: 'CredentialsRefused',
      text: 'did not accept the credentials of the Secret $secret, or does not exist. Check the address and the Secret',
    },
  },
  403: {
    code: 'AccessDenied',
    text: 'denies access. If it is private, name a Secret in spec.source.secretRef',
    withLogin: {
      code: 'AccessDenied',
      text: 'denies access. Check what the credentials of the Secret $secret may read',
    },
  },
  404: {
    code: 'RepositoryNotFound',
    text: 'was not found. Check the address; if it is private, name a Secret in spec.source.secretRef',
    withLogin: {
      code: 'RepositoryNotFound',
      text: 'was not found. Check the address, and whether the credentials of the Secret $secret may read it',
    },
  },
  410: { code: 'RepositoryNotFound', text: 'is gone. Check the address' },
  429: { code: 'RateLimited', text: 'limits the rate of requests. Raise spec.source.interval, or use credentials' },
};

const SERVER_ERROR: StatusRow = { code: 'ServerError', text: 'cannot be served at the moment. Tautline asks again' };
const UNEXPECTED: StatusRow = { code: 'UnexpectedStatus', text: 'was not served. Check the address' };

export interface Asked {
  /** Names what was asked for. */
  readonly label: string;
  /** The Secret whose login was sent, `namespace/name`. undefined: none was sent. */
  readonly secret: string | undefined;
}

/**
 * The error of an answer with a status other than 200. Reads its body, if it is short, for the code of the registry.
 */
export async function statusError(answer: WebAnswer, { label, secret }: Asked): Promise<Error> {
  const { status } = answer;
  const row = ROWS[status] ?? (status >= 500 ? SERVER_ERROR : UNEXPECTED);
  const { code, text } = (secret !== undefined && row.withLogin) || row;
  const afterMs = status === 429 || status === 503 ? retryAfterMs(headerOf(answer, 'retry-after')) : undefined;
  const advice = text.replace('$secret', () => secret ?? '');
  const reason = await reasonOf(answer);
  return sourceError(code, `${label} ${advice} (HTTP status ${status}${reason}).`, { afterMs });
}

const MAX_REASON_BYTES = 16_384;

/** `, MANIFEST_UNKNOWN`: no other text of an error page reaches a message. */
async function reasonOf(answer: WebAnswer): Promise<string> {
  const isShort = Number(headerOf(answer, 'content-length') ?? Infinity) <= MAX_REASON_BYTES;
  if (!isShort || !headerOf(answer, 'content-type')?.includes('json')) {
    answer.discard();
    return '';
  }
  try {
    const { errors } = JSON.parse((await readAll(answer)).toString('utf8')) as { errors?: { code?: unknown }[] };
    const code = errors?.[0]?.code;
    return typeof code === 'string' && /^[A-Z_]{1,40}$/.test(code) ? `, ${code}` : '';
  } catch {
    return '';
  }
}

const MAX_RETRY_AFTER_MS = 3_600_000;

/** Seconds only: for a date, the server's clock would have to agree with ours. */
function retryAfterMs(header: string | undefined): number | undefined {
  return header !== undefined && /^\d+$/.test(header) ? Math.min(Number(header) * 1000, MAX_RETRY_AFTER_MS) : undefined;
}
