/**
 * Decides whether two addresses name the same repository.
 *
 * Invariant: in doubt the answer is yes. A needless poll costs one small request; a missed one delays a commit.
 */

/** A push as a forge reports it. */
export interface RepositoryPush {
  /** All addresses of the repository, in any form. */
  readonly addresses: readonly string[];
  /** Full names of the references that moved; empty if unknown. */
  readonly refs: readonly string[];
  /** Short name, such as `main`; undefined if unknown. */
  readonly defaultBranch: string | undefined;
}

const MAX_ADDRESS_CHARS = 2048;

/**
 * Returns the same text for all addresses of a repository: `host/path`, or `host:port/path` for an http or https port
 * other than the default; `oci://host/path` for an artifact of a registry. undefined if the text is not an address.
 * Scheme, user, `.git`, trailing slashes and the port of ssh are ignored. So is case: most forges ignore it too, and
 * for the others the cost is a needless poll.
 */
export function canonicalRepository(address: string): string | undefined {
  if (address.length > MAX_ADDRESS_CHARS) return undefined;
  const text = address.trim();
  const scheme = /^(?:git\+)?(https?|ssh|git|oci):\/\//i.exec(text);
  const rest = scheme ? text.slice(scheme[0].length) : fromScpForm(text);
  if (rest === undefined) return undefined;
  const name = scheme?.[1]?.toLowerCase() ?? '';
  const isOci = name === 'oci';
  const isHttp = isOci || name.startsWith('http');
  // URL normalises hosts only for http and https. It drops port 443 itself; port 80 is dropped below.
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
  if (repository === '') return undefined;
  const place = `${url.hostname.toLowerCase()}${port}/${repository}`;
  return isOci ? `oci://${place}` : withoutForgeForms(place);
}

/** Forges with several addresses for one repository that differ in more than the form. Each one is applied in turn. */
const FORGE_FORMS: readonly (readonly [pattern: RegExp, https: string])[] = [
  [/^ssh\.github\.com\//, 'github.com/'],
  [/^altssh\.(gitlab\.com|bitbucket\.org)\//, '$1/'],
  [/^ssh\.(dev\.azure\.com)\/v3\/([^/]+)\/([^/]+)\/([^/]+)$/, '$1/$2/$3/_git/$4'],
  [/^vs-ssh\.visualstudio\.com\/v3\/([^/]+)\/([^/]+)\/([^/]+)$/, 'dev.azure.com/$1/$2/_git/$3'],
  [/^([^/.]+)\.visualstudio\.com\/(?:defaultcollection\/)?/, 'dev.azure.com/$1/'],
  // A repository with the name of its project may be named without the project.
  [/^(dev\.azure\.com\/[^/]+)\/_git\/([^/]+)$/, '$1/$2/_git/$2'],
  // Bitbucket Server has this folder in addresses by https alone.
  [/^([^/]+)\/scm\/([^/]+\/[^/]+)$/, '$1/$2'],
];

function withoutForgeForms(address: string): string {
  return FORGE_FORMS.reduce((text, [pattern, https]) => text.replace(pattern, https), address);
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
