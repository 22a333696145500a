/** The errors of a Git server that does not answer a request over SSH, each with a code and advice. */
import { cleanText } from '../../../object/printable.ts';
import { sourceError, type SourceCode } from '../../../object/source-error.ts';
import type { Repository } from '../../repository.ts';
import { addressDenied, DENIED } from '../address-rules.ts';
import { truncated } from '../answer-error.ts';
import type { HostVerdict } from '../../known-hosts.ts';

type Named = Pick<Repository, 'label' | 'credential'>;

/** The proxy did not open a connection. */
export class ProxyRefusal extends Error {
  readonly status: number;
  constructor(status: number) {
    super(`the proxy refused (HTTP status ${status})`);
    this.name = 'ProxyRefusal';
    this.status = status;
  }
}

/** A connection ended that was open, with everything that was under way on it. */
export class ConnectionEnded extends Error {
  constructor() {
    super('the connection ended');
    this.name = 'ConnectionEnded';
  }
}

const SECRET_FIELD = 'spec.source.secretRef';

export function keyMissing({ label, credential }: Named): Error {
  if (!credential) {
    return sourceError(
      'AuthenticationRequired',
      `${label} needs an SSH key. Name a Secret with identity and known_hosts in ${SECRET_FIELD}.`,
    );
  }
  return sourceError(
    'InvalidSecret',
    `The Secret ${credential.secret} holds no SSH key, which ${label} needs. Give it identity and known_hosts, or use the repository's https address.`,
  );
}

/** The server shows no key that is trusted, or none is known before it is asked. */
export function hostKeyError(
  { label, credential }: Named,
  verdict: Exclude<HostVerdict, 'trusted'> | 'unknown',
  { name, isByAuthority = false }: { readonly name: string; readonly isByAuthority?: boolean },
): Error {
  const place =
    credential?.ssh?.knownHosts === undefined
      ? "the agent's --ssh-known-hosts, or give the Secret its own lines under known_hosts"
      : `known_hosts of the Secret ${credential.secret}`;
  if (verdict === 'unknown') {
    const authority = isByAuthority ? ' Lines with @cert-authority do not count.' : '';
    return sourceError(
      'HostKeyUnknown',
      `${label} was not contacted: no key of ${name} is known. Add the line of ssh-keyscan, after you have compared it with what the owner of the server publishes, to ${place}.${authority}`,
    );
  }
  if (verdict === 'revoked') {
    return sourceError(
      'HostKeyRevoked',
      `${label} was not read: ${name} shows a key that is marked as revoked. Do not use this server until its owner has explained it.`,
    );
  }
  return sourceError(
    'HostKeyChanged',
    `${label} was not read: ${name} shows another key than the known one. If its owner has announced a new key, replace the line in ${place}; otherwise somebody may be in between.`,
  );
}

/** The StageError of a connection that could not be opened. */
export function connectError(error: unknown, repository: Named): unknown {
  if (!(error instanceof Error) || error.name === 'StageError') return error;
  const { label, credential } = repository;
  if (error instanceof ProxyRefusal) {
    return sourceError(
      'Network',
      `${label} could not be reached: ${error.message}. Check --ssh-proxy and NO_PROXY of the agent.`,
    );
  }
  if ((error as { code?: unknown }).code === DENIED || isDenied(error)) return addressDenied(label);
  const level = (error as { level?: unknown }).level;
  if (level === 'client-authentication') {
    return sourceError(
      'CredentialsRefused',
      `${label} did not accept the SSH key of the Secret ${credential?.secret ?? ''}. Add its public key to the repository as a deploy key, or put another one into the Secret.`,
    );
  }
  if (level === 'client-timeout') return sourceError('Timeout', `${label} did not answer in time.`);
  const isOtherProtocol = /identification string/.test(error.message);
  if (isOtherProtocol || level === 'handshake' || (level === 'protocol' && !/before handshake/.test(error.message))) {
    return sourceError(
      'SshFailed',
      `${label} could not be reached by ssh: ${cleanText(error.message, 120)}. Check that the host and port are those of an SSH server, and update a server that is too old.`,
    );
  }
  // The same words for every name and port: a tenant must not learn by them which hosts and ports exist in the network.
  return sourceError(
    'Network',
    `${label} could not be reached. Check the address, and whether the agent may connect to its host.`,
  );
}

/** A connection that was tried on several addresses fails with all their errors. */
function isDenied(error: Error): boolean {
  return error instanceof AggregateError && error.errors.some((one) => (one as { code?: unknown }).code === DENIED);
}

/** How the server's program ended before its answer was complete. */
export interface ProgramEnd {
  /** undefined: the server did not say. */
  readonly code: number | null | undefined;
  /** Foreign text, bounded. */
  readonly stderr: string;
}

interface Row {
  readonly pattern: RegExp;
  readonly code: SourceCode;
  readonly advice: string;
}

/** The texts of git, Gitea, GitHub, GitLab, Bitbucket and Azure DevOps. */
const ROWS: readonly Row[] = [
  {
    pattern:
      /does not appear to be a git repo|not found|cannot find|could not be found|does not exist|no such|invalid repository/i,
    code: 'RepositoryNotFound',
    advice: 'was not found. Check the path, and whether the SSH key of the Secret $secret may read it',
  },
  {
    pattern: /denied|not allowed|not authori[sz]ed|unauthori[sz]ed|permission|forbidden|access rights/i,
    code: 'AccessDenied',
    advice: 'denies access. Check what the SSH key of the Secret $secret may read',
  },
  {
    pattern: /rate limit|too many|try again later/i,
    code: 'RateLimited',
    advice: 'limits the rate of requests. Raise spec.source.interval',
  },
];

/** The exit code of a shell that finds no such program. */
export const COMMAND_NOT_FOUND = 127;

/** The error of a program that ended without a complete answer. */
export function programError({ label, credential }: Named, { code, stderr }: ProgramEnd): Error {
  if (code === COMMAND_NOT_FOUND) {
    return sourceError(
      'NotGit',
      `The server of ${label} has no git-upload-pack. Check the address, and install Git there.`,
    );
  }
  if (code === 0 || code === undefined) {
    if (stderr.trim() === '') return truncated(label);
  }
  const said = cleanText(stderr, 160);
  const row = ROWS.find(({ pattern }) => pattern.test(stderr));
  const reason = said === '' ? '' : ` The server says: ${said}`;
  if (!row) {
    return sourceError(
      'RemoteError',
      `The Git server refused the request for ${label} (exit code ${String(code ?? 'none')}).${reason}`,
    );
  }
  return sourceError(row.code, `${label} ${row.advice.replace('$secret', () => credential?.secret ?? '')}.${reason}`);
}
