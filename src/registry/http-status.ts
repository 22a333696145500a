/** The meaning of HTTP statuses other than 200 of registries and of Git servers: a code and advice for each. */
import { sourceError, type SourceCode } from '../object/source-error.ts';

export interface StatusRow {
  readonly code: SourceCode;
  readonly text: string;
  /** Counts instead if a login was sent; `$secret` stands for its Secret. */
  readonly withLogin?: { readonly code: SourceCode; readonly text: string };
}

export type StatusRows = Readonly<Record<number, StatusRow>>;

/** The rows that are the same for every server. */
export const COMMON_ROWS: StatusRows = {
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
};

const SERVER_ERROR: StatusRow = { code: 'ServerError', text: 'cannot be served at the moment. Tautline asks again' };
const UNEXPECTED: StatusRow = { code: 'UnexpectedStatus', text: 'was not served. Check the address' };

export interface Asked {
  /** Names what was asked for. */
  readonly label: string;
  /** The Secret whose login was sent, `namespace/name`. undefined: none was sent. */
  readonly secret: string | undefined;
}

export interface RefusedStatus {
  readonly rows: StatusRows;
  readonly status: number;
  /** The header of that name. */
  readonly retryAfter: string | undefined;
  /** Follows the status in the message. */
  readonly reason?: string;
}

/** The error of a status other than 200. */
export function errorOfStatus(
  { label, secret }: Asked,
  { rows, status, retryAfter, reason = '' }: RefusedStatus,
): Error {
  const row = rows[status] ?? (status >= 500 ? SERVER_ERROR : UNEXPECTED);
  const { code, text } = (secret !== undefined && row.withLogin) || row;
  const afterMs = status === 429 || status === 503 ? retryAfterMs(retryAfter) : undefined;
  const advice = text.replace('$secret', () => secret ?? '');
  return sourceError(code, `${label} ${advice} (HTTP status ${status}${reason}).`, { afterMs });
}

/** No server makes Tautline wait for longer. */
export const MAX_RETRY_AFTER_MS = 3_600_000;

/** Seconds only: for a date, the server's clock would have to agree with ours. undefined: it asks for no time. */
export function retryAfterMs(header: string | undefined): number | undefined {
  return header !== undefined && /^\d+$/.test(header) ? Math.min(Number(header) * 1000, MAX_RETRY_AFTER_MS) : undefined;
}
