/**
 * The codes of errors: a closed list, by who says them. A code becomes the reason of a condition where no wider one
 * fits, and has its row in docs/troubleshooting.md. What a repository is to blame for is a problem, and has its codes
 * in problem.ts; they are thrown as well, where nothing can go on without.
 */
import type { ProblemCode } from './problem.ts';

export const ERROR_CODES = {
  /** What was asked of a repository, and how it answered. */
  source: [
    'InvalidUrl',
    'UnsupportedTransport',
    'CredentialsInUrl',
    'InvalidRevision',
    'UnsupportedRevision',
    'UnsupportedServer',
    'UnsupportedObjectFormat',
    'Network',
    'HostNotFound',
    'TlsFailed',
    'Timeout',
    'Cancelled',
    'RedirectRefused',
    'InvalidProxy',
    'SecretNotFound',
    'SecretForbidden',
    'SecretUnreadable',
    'InvalidSecret',
    'AuthenticationRequired',
    'CredentialsRefused',
    'AccessDenied',
    'RepositoryNotFound',
    'RateLimited',
    'ServerError',
    'UnexpectedStatus',
    'NotGit',
    'EncodedAnswer',
    'TruncatedAnswer',
    'MalformedAnswer',
    'RemoteError',
    'EmptyRepository',
    'RevisionNotFound',
    'NotACommit',
    'TooLarge',
    'CorruptPack',
    'IncompletePack',
    'MalformedTree',
    'StorageFailed',
    'SnapshotGone',
  ],
  /** A file of a snapshot. */
  snapshot: ['FileNotFound', 'FileTooLarge'],
  /** A job of the sandbox. */
  sandbox: ['Killed', 'Failed', 'Cancelled', 'SandboxBusy', 'SandboxClosed'],
  /** An answer of the API server to a request about an object. */
  answer: [
    'InvalidManifest', // unknown field, wrong type, duplicate list key, invalid value: never retried
    'Immutable', // the update is what is forbidden: recreating would help
    'FieldConflict', // another manager owns a field we send (only without force)
    'Modified', // uid or resourceVersion precondition failed
    'NamespaceMissing',
    'NamespaceTerminating',
    'Forbidden', // RBAC, quota, PodSecurity, admission policy
    'Unauthorized',
    'KindNotServed', // 404 without a Status of the object's kind
    'NotFound', // 404 of the object itself
    'TooLarge',
    'Throttled', // 429
    'Unavailable', // network, 5xx, timeouts: backoff
  ],
  /** The cluster as a whole. */
  cluster: ['ClusterConfigInvalid', 'ClusterUnauthorized', 'ClusterUnreachable', 'DiscoveryFailed', 'CrdMissing'],
  /** The agent itself. `Internal` is a defect of ours: the log has more. */
  agent: ['DataDirUnusable', 'AddressUnavailable', 'InventoryUnreadable', 'Internal'],
} as const satisfies Record<string, readonly string[]>;

export type Speaker = keyof typeof ERROR_CODES;

export type CodeOf<S extends Speaker> = (typeof ERROR_CODES)[S][number];

export type ErrorCode = CodeOf<Speaker> | ProblemCode;
