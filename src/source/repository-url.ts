/**
 * The address of a repository: http or https, without user info, query and fragment. Credentials come from a Secret, so
 * an address may be shown anywhere.
 */
import { sourceError } from './source-error.ts';

export interface RepositoryUrl {
  /** Without a slash at the end. */
  readonly base: string;
  /** For messages. */
  readonly label: string;
}

/** Throws StageError InvalidUrl, UnsupportedTransport or CredentialsInUrl. */
export function parseRepositoryUrl(text: string): RepositoryUrl {
  if (/^[^/@:\s]+@[^/@:\s]+:/.test(text)) throw unsupported('ssh');
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

function unsupported(transport: string): Error {
  return sourceError(
    'UnsupportedTransport',
    `Repositories are fetched over https or http, not over ${JSON.stringify(transport)}. Use the repository's https address.`,
  );
}
