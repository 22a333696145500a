/**
 * The errors of source/: every code with its rule for trying again. Messages name the repository
 * without user info and query, and what a server says reaches them only cleaned and cut.
 */
import type { CodeOf } from '../object/error-code.ts';
import { StageError, type Retry } from '../object/stage-error.ts';

export type SourceCode = CodeOf<'source'>;

/** What only a change of the spec can mend is never tried again; what the other side can mend is. */
const RETRY_OF: Readonly<Record<SourceCode, Retry>> = {
  InvalidUrl: 'never',
  UnsupportedTransport: 'never',
  CredentialsInUrl: 'never',
  InvalidRevision: 'never',
  UnsupportedRevision: 'never',
  UnsupportedServer: 'never',
  UnsupportedObjectFormat: 'never',
  Network: 'backoff',
  HostNotFound: 'backoff',
  TlsFailed: 'backoff',
  Timeout: 'backoff',
  Cancelled: 'backoff',
  RedirectRefused: 'backoff',
  InvalidProxy: 'backoff',
  SecretNotFound: 'backoff',
  SecretForbidden: 'backoff',
  SecretUnreadable: 'backoff',
  InvalidSecret: 'backoff',
  AuthenticationRequired: 'backoff',
  CredentialsRefused: 'backoff',
  AccessDenied: 'backoff',
  RepositoryNotFound: 'backoff',
  RateLimited: 'backoff',
  ServerError: 'backoff',
  UnexpectedStatus: 'backoff',
  NotGit: 'backoff',
  EncodedAnswer: 'backoff',
  TruncatedAnswer: 'backoff',
  MalformedAnswer: 'backoff',
  RemoteError: 'backoff',
  EmptyRepository: 'backoff',
  RevisionNotFound: 'backoff',
  NotACommit: 'never',
  TooLarge: 'never',
  CorruptPack: 'backoff',
  IncompletePack: 'backoff',
  MalformedTree: 'never',
  StorageFailed: 'backoff',
  SnapshotGone: 'backoff',
};

export interface SourceErrorOptions {
  readonly cause?: unknown;
  /** From the server's Retry-After. */
  readonly afterMs?: number | undefined;
}

export function sourceError(code: SourceCode, message: string, options: SourceErrorOptions = {}): StageError {
  const retry: Retry = options.afterMs === undefined ? RETRY_OF[code] : { afterMs: options.afterMs };
  return new StageError({ stage: 'source', code, retry, message, cause: options.cause });
}

export function cancelled(label: string): Error {
  return sourceError('Cancelled', `The request for ${label} was cancelled.`);
}

/** Foreign text for a message: one line, printable, at most `maxChars` characters, links without user info. */
export function cleanText(text: string, maxChars = 200): string {
  const line = text
    .replace(/[\p{Cc}\p{Cf}\u2028\u2029]+/gu, ' ')
    .replace(/:\/\/[^\s/@]*@/g, '://')
    .trim();
  return line.length <= maxChars ? line : `${line.slice(0, maxChars - 1)}…`;
}
