/**
 * The closed list of error codes, grouped by the part of the program that reports them. A code becomes the reason of a
 * condition if no more general reason fits, and has a row in docs/troubleshooting.md. Mistakes in a repository are
 * problems, with codes of their own in problem.ts; a StageError carries such a code if a stage cannot go on.
 */
import type { ProblemCode } from './problem.ts';

export const ERROR_CODES = {
  /** Requests to a Git server, a registry or a Helm repository, and their answers. */
  source: [
    'InvalidUrl',
    'UnsupportedTransport',
    'CredentialsInUrl',
    'InvalidRevision',
    'UnsupportedServer',
    'UnsupportedObjectFormat',
    'Network',
    'AddressDenied',
    'TlsFailed',
    'SshFailed',
    'HostKeyUnknown',
    'HostKeyChanged',
    'HostKeyRevoked',
    'KnownHostsUnreadable',
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
    'AppNotInstalled',
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
    'ChartNotFound',
    'UnsupportedArtifact',
    'MalformedArchive',
    'DigestMismatch',
    'RealmRefused',
    'NotSigned',
    'SignatureRefused',
    'SignatureAltered',
    'SignatureUnsupported',
    'SignerUnknown',
    'SignerExpired',
    'TagReplayed',
  ],
  /** Bringing what a render asks for. */
  render: [
    'DataForbidden', // a ConfigMap or Secret of spec.render
    'DataUnreadable',
  ],
  /** Reading a file of a snapshot. */
  snapshot: ['FileNotFound', 'FileTooLarge'],
  /** A job of the sandbox. */
  sandbox: ['Killed', 'Failed', 'Cancelled', 'SandboxBusy', 'SandboxClosed'],
  /** A run of helm. */
  helm: ['HelmMissing', 'HelmVersionUnsupported', 'HelmBusy', 'HelmTimeout', 'HelmMemory', 'HelmOutputTooLarge'],
  /** A run of sops. */
  sops: [
    'SopsMissing',
    'SopsVersionUnsupported',
    'SopsBusy',
    'SopsTimeout',
    'SopsMemory',
    'SopsOutputTooLarge',
    'KeyFolderUnusable', // the folder through which sops gets its keys is not in memory
  ],
  /** Checks of health that people have written. */
  health: ['HealthCheckInvalid'],
  /** Answers of the API server to a request about an object. */
  answer: [
    'InvalidManifest', // unknown field, wrong type, duplicate list key, invalid value: retried for custom kinds only
    'VersionGone', // managedFields name a version of a custom resource that is served no more
    'Immutable', // only the update is forbidden: deleting and creating the object would succeed
    'FieldConflict', // another manager owns a field that we send without force
    'Modified', // uid or resourceVersion precondition failed
    'NamespaceMissing',
    'NamespaceTerminating',
    'Taken', // another object holds what only one may have: a port, an address, a host, a place as default
    'QuotaExceeded',
    'Forbidden', // RBAC, PodSecurity, admission policy
    'Unauthorized',
    'KindNotServed', // 404 without a Status of the object's kind
    'NotFound', // 404 of the object itself
    'TooLarge',
    'Throttled', // 429
    'Unavailable', // network, 5xx, timeouts: backoff
  ],
  /** The cluster as a whole. */
  cluster: ['ClusterConfigInvalid', 'ClusterUnauthorized', 'ClusterUnreachable', 'DiscoveryFailed', 'CrdMissing'],
  /** The agent itself. `Internal` is a defect of Tautline; the log has the details. */
  agent: ['DataDirUnusable', 'AddressUnavailable', 'SessionKeyUnusable', 'InventoryUnreadable', 'Internal'],
} as const satisfies Record<string, readonly string[]>;

type ErrorGroup = keyof typeof ERROR_CODES;

export type CodeOf<G extends ErrorGroup> = (typeof ERROR_CODES)[G][number];

export type ErrorCode = CodeOf<ErrorGroup> | ProblemCode;
