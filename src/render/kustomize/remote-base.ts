/**
 * Addresses of remote bases and components, in the forms that kustomize reads: `https://host/org/repo//path?ref=v1`,
 * `ssh://…`, `git@host:org/repo.git//path`, `github.com/org/repo/path`, with `git::` before them or not. The repository
 * ends at `//`, at `.git`, behind `_git/NAME`, or else after two segments.
 */
import type { RepositoryNeed } from '../needs.ts';

export interface RemoteBase {
  readonly repoURL: string;
  /** Branch, tag or commit; '' if the address names none. */
  readonly revision: string;
  /** Folder within the repository; '' is its root. */
  readonly path: string;
}

const SCHEME = /^(https?|ssh|git|file):\/\//i;
const SCP = /^[\w.-]+@[\w.-]+:/;
const GITHUB = /^(?:github\.com|www\.github\.com)[/:]/i;

/** undefined: the text is no address of a repository. */
export function parseRemoteBase(text: string): RemoteBase | undefined {
  const [address, query = ''] = splitOnce(text.replace(/^git::/, ''), '?');
  const parameters = new URLSearchParams(query);
  const revision = parameters.get('ref') || parameters.get('version') || '';
  const host = hostOf(address);
  if (host === undefined) return undefined;
  const rest = address.slice(host.written.length).replace(/^\/+/, '');
  const split = splitRepository(rest);
  if (split === undefined) return undefined;
  return { repoURL: `${host.url}${split.repository}`, revision, path: split.path };
}

/** The beginning of the address as it is written, and as a URL to which the path of the repository is added. */
function hostOf(address: string): { readonly written: string; readonly url: string } | undefined {
  const scheme = SCHEME.exec(address)?.[0];
  if (scheme !== undefined) {
    const end = address.indexOf('/', scheme.length);
    if (end < 0) return undefined;
    const written = address.slice(0, end + 1);
    return { written, url: written };
  }
  const scp = SCP.exec(address)?.[0];
  if (scp !== undefined) return { written: scp, url: scp };
  const github = GITHUB.exec(address)?.[0];
  return github === undefined ? undefined : { written: github, url: 'https://github.com/' };
}

function splitRepository(rest: string): { readonly repository: string; readonly path: string } | undefined {
  const [before, behind] = splitOnce(rest, '//');
  if (behind !== undefined) return before === '' ? undefined : { repository: before, path: clean(behind) };
  const azure = /^(.*?_git\/[^/]+)(?:\/(.*))?$/.exec(rest);
  if (azure?.[1] !== undefined) return { repository: azure[1], path: clean(azure[2] ?? '') };
  const git = /^(.*?\.git)(?:\/(.*))?$/.exec(rest);
  if (git?.[1] !== undefined) return { repository: git[1], path: clean(git[2] ?? '') };
  const [organisation = '', repository = '', ...path] = rest.split('/');
  if (organisation === '' || repository === '') return undefined;
  return { repository: `${organisation}/${repository}`, path: clean(path.join('/')) };
}

function splitOnce(text: string, separator: string): [string, string | undefined] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + separator.length)];
}

function clean(path: string): string {
  return path.replace(/\/+$/, '');
}

/** The question for its tree. The key is one segment of a path, since the tree is mounted under it. */
export function needOf({ repoURL, revision }: RemoteBase): RepositoryNeed {
  const key = `${encodeURIComponent(repoURL)}@${encodeURIComponent(revision === '' ? 'HEAD' : revision)}`;
  return { type: 'repository', key, repoURL, revision: revision === '' ? 'HEAD' : revision, isPinned: revision !== '' };
}
