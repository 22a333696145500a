/**
 * The address of a repository: https, http or ssh, without password, query and fragment. Credentials come from a
 * Secret, so an address may be shown anywhere.
 */
import { sourceError } from '../object/source-error.ts';
import { isSshForm, parseSshAddress, type SshAddress, type SshAddressProblem } from './ssh-address.ts';

export interface RepositoryUrl {
  /** Without a slash at the end. */
  readonly base: string;
  /** For messages. */
  readonly label: string;
  /** undefined: http or https. */
  readonly ssh?: SshAddress;
}

/** Throws StageError InvalidUrl, UnsupportedTransport or CredentialsInUrl. */
export function parseRepositoryUrl(text: string): RepositoryUrl {
  if (isSshForm(text)) return parseSshUrl(text);
  const url = URL.parse(text);
  if (!url) throw sourceError('InvalidUrl', 'The repository address is not a URL. Write it as https://<host>/<path>.');
  if (url.protocol !== 'https:' && url.protocol !== 'http:') throw unsupported(url.protocol.slice(0, -1));
  if (url.username || url.password) {
    throw sourceError(
      'CredentialsInUrl',
      `The address of ${url.host}${url.pathname} holds a user or password. Remove it from the address, and put credentials into a Secret.`,
    );
  }
  if (url.search || url.hash) {
    throw sourceError('InvalidUrl', `The address of ${url.host}${url.pathname} has a query or fragment. Remove it.`);
  }
  const base = `${url.origin}${url.pathname.replace(/\/+$/, '')}`;
  return { base, label: base };
}

const SSH_PROBLEMS: Readonly<Record<Exclude<SshAddressProblem, 'password'>, string>> = {
  form: 'The repository address cannot be read as an address by ssh. Write it as ssh://git@<host>/<path> or git@<host>:<path>.',
  query: 'The repository address by ssh has a query or fragment. Remove it.',
  path: 'The repository address by ssh has no path, or one that git refuses. Write it as ssh://git@<host>/<path> or git@<host>:<path>.',
};

function parseSshUrl(text: string): RepositoryUrl {
  const ssh = parseSshAddress(text);
  if (ssh === 'password') {
    throw sourceError(
      'CredentialsInUrl',
      'The repository address by ssh holds a password. Remove it, and put an SSH key into a Secret.',
    );
  }
  if (typeof ssh === 'string') throw sourceError('InvalidUrl', SSH_PROBLEMS[ssh]);
  const base = text.replace(/\/+$/, '');
  return { base, label: base, ssh };
}

function unsupported(transport: string): Error {
  return sourceError(
    'UnsupportedTransport',
    `Repositories are fetched over https, http or ssh, not over ${JSON.stringify(transport)}. Use the repository's https or ssh address.`,
  );
}
