/**
 * Whether two addresses name the same repository.
 *
 * Invariant: in doubt the answer is yes. A needless poll costs one small request, a missed one makes a commit late.
 */

/** What a forge says of a push. */
export interface RepositoryPush {
  /** Addresses of the one repository, in any form, as the forge gives them. */
  readonly addresses: readonly string[];
  /** Full names of the references that moved; empty: not known. */
  readonly refs: readonly string[];
  /** `main`; undefined: not known. */
  readonly defaultBranch: string | undefined;
}

const MAX_ADDRESS_CHARS = 2048;

/**
 * One text for all addresses of a repository: `host/path`, or `host:port/path` for a port of http that is not its
 * default. undefined for what is no address. Scheme, user, `.git`, slashes at the end and the port of ssh make no
 * difference, nor does case: the forges take paths in any, and where one does not, the cost is a poll.
 */
export function canonicalRepository(address: string): string | undefined {
  if (address.length > MAX_ADDRESS_CHARS) return undefined;
  const text = address.trim();
  const scheme = /^(?:git\+)?(https?|ssh|git):\/\//i.exec(text);
  const rest = scheme ? text.slice(scheme[0].length) : fromScpForm(text);
  if (rest === undefined) return undefined;
  const isHttp = scheme?.[1]?.toLowerCase().startsWith('http') === true;
  // Only for the schemes of the web does URL normalise the host; the default port of the other one goes by hand.
  const url = URL.parse(`https://${rest}`);
  if (!url?.hostname) return undefined;
  const port = isHttp && url.port !== '' && url.port !== '80' ? `:${url.port}` : '';
  const path = decoded(url.pathname)
    .toLowerCase()
    .replace(/\/{2,}/g, '/');
  const repository = path
    .replace(/^\//, '')
    .replace(/\/$/, '')
    .replace(/\.git$/, '');
  return repository === '' ? undefined : `${url.hostname.toLowerCase()}${port}/${repository}`;
}

export function isSameRepository(a: string, b: string): boolean {
  const canonical = canonicalRepository(a);
  return canonical !== undefined && canonical === canonicalRepository(b);
}

/** `git@host:path` and `host:path` as gitprotocol(5) has them: a colon before the first slash. */
function fromScpForm(text: string): string | undefined {
  const match = /^(?:[^@/:\s]+@)?(\[[0-9a-f:.]+\]|[^@/:\s]+):(?!\/\/)([^\s]+)$/i.exec(text);
  return match ? `${match[1]}/${match[2]?.replace(/^\/+/, '')}` : undefined;
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
