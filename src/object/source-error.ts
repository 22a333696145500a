/**
 * The errors of the stage `source`, which source/ and registry/ report: every code with its rule for trying again.
 * Messages name the repository without user info and query; a text that a server sent is cleaned and cut (`cleanText`)
 * before it is part of one.
 */
import type { CodeOf } from './error-code.ts';
import { StageError, type Retry } from './stage-error.ts';

export type SourceCode = CodeOf<'source'>;

/** `never`: only a change of the spec or of the commit can help. */
const RETRY_OF: Readonly<Record<SourceCode, Retry>> = {
  InvalidUrl: 'never',
  UnsupportedTransport: 'never',
  CredentialsInUrl: 'never',
  InvalidRevision: 'never',
  UnsupportedServer: 'never',
  UnsupportedObjectFormat: 'never',
  Network: 'backoff',
  AddressDenied: 'backoff',
  TlsFailed: 'backoff',
  SshFailed: 'backoff',
  HostKeyUnknown: 'backoff',
  HostKeyChanged: 'backoff',
  HostKeyRevoked: 'backoff',
  KnownHostsUnreadable: 'backoff',
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
  AppNotInstalled: 'backoff',
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
  ChartNotFound: 'backoff',
  UnsupportedArtifact: 'backoff',
  MalformedArchive: 'never',
  DigestMismatch: 'backoff',
  RealmRefused: 'backoff',
  NotSigned: 'backoff',
  SignatureRefused: 'backoff',
  SignatureAltered: 'backoff',
  SignatureUnsupported: 'backoff',
  SignerUnknown: 'backoff',
  SignerExpired: 'backoff',
  TagReplayed: 'backoff',
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
