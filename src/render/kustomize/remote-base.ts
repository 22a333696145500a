/**
 * Addresses of remote bases and components, as kustomize reads them: `https://host/org/repo//path?ref=v1`, `ssh://…`,
 * `git@host:org/repo.git//path`, `github.com/org/repo/path`, with `git::` before them or not. The repository ends
 * behind `_git/NAME`, at `//`, behind `.git`, or else after two segments.
 */
import { posix } from 'node:path';
import type { RepositoryNeed } from '../needs.ts';

export interface RemoteBase {
  /** As kustomize passes it to git. */
  readonly repoURL: string;
  /** Branch, tag or commit; '' if the address names none. */
  readonly revision: string;
  /** Folder within the repository; '' is its root. */
  readonly path: string;
}

/** undefined: the text is no address of a repository. */
export function parseRemoteBase(text: string): RemoteBase | undefined {
  if (text.startsWith('/')) return undefined;
  const [address, query = ''] = splitOnce(text, '?');
  const server = serverOf(address.replace(/^git::/i, ''));
  if (server === undefined) return undefined;
  const [repository, path] = server.url.startsWith('file://') ? splitAtMark(server.rest) : splitRepository(server.rest);
  const folder = posix.normalize(path.replace(/^\/+/, '')).replace(/\/$/, '');
  if (repository === '' || folder === '..' || folder.startsWith('../')) return undefined;
  return { repoURL: `${server.url}${repository}`, revision: revisionOf(query), path: folder === '.' ? '' : folder };
}

interface Server {
  /** The beginning of the address, as a URL to which the path of the repository is added. */
  readonly url: string;
  readonly rest: string;
}

function serverOf(address: string): Server | undefined {
  const scheme = /^(?:ssh|https?|file):\/\//i.exec(address)?.[0] ?? '';
  const user = /^[a-zA-Z][a-zA-Z0-9-]*@/.exec(address.slice(scheme.length))?.[0] ?? '';
  const named = address.slice(scheme.length + user.length);
  const isGithub = /^github\.com[/:]/i.test(named);
  const isScp = scheme === '' && (user !== '' || isGithub);
  if (scheme === '' && !isScp) return undefined;
  if (/^file/i.test(scheme)) return { url: 'file://', rest: `${user}${named}` };
  const at = named.search(isScp && !named.startsWith(':') ? /[/:]/ : /\//);
  const rest = at < 0 ? '' : named.slice(at + 1);
  if (isGithub) {
    const isSsh = /^ssh/i.test(scheme) || user !== '';
    return { url: isSsh ? `${user}github.com:` : 'https://github.com/', rest };
  }
  const host = at < 0 ? named : named.slice(0, at + 1);
  return host === '' ? undefined : { url: `${scheme.toLowerCase()}${user}${host}`, rest };
}

/** The repository, and the path within it. The repository is empty if the address names none. */
function splitRepository(rest: string): readonly [string, string] {
  const [repository, path] = splitAtMark(rest);
  if (repository !== rest || hasMark(rest)) return [repository, path];
  const segments = rest.split('/');
  return segments.length < 2 ? ['', ''] : [segments.slice(0, 2).join('/'), segments.slice(2).join('/')];
}

const MARK = /_git\/|\/\/|\.git/;

function hasMark(rest: string): boolean {
  return MARK.test(rest);
}

/** Splits at the first mark of the first kind that occurs. kustomize finds `.git` within a name, too. */
function splitAtMark(rest: string): readonly [string, string] {
  const azure = /^.*?_git\/[^/]*/s.exec(rest)?.[0];
  if (azure !== undefined) return [azure, rest.slice(azure.length)];
  const [before, behind] = splitOnce(rest, '//');
  if (behind !== undefined) return [before, behind];
  const git = /^.*?\.git/s.exec(rest)?.[0] ?? rest;
  return [git, rest.slice(git.length)];
}

/** The parameters `ref` and `version`; '' if a parameter is malformed. */
function revisionOf(query: string): string {
  if (query.includes(';') || /%(?![0-9a-fA-F]{2})/.test(query)) return '';
  const parameters = new URLSearchParams(query);
  return parameters.get('ref') || parameters.get('version') || '';
}

function splitOnce(text: string, separator: string): [string, string | undefined] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + separator.length)];
}

/** The question for its tree. The key is one segment of a path, since the tree is mounted under it. */
export function needOf({ repoURL, revision }: RemoteBase): RepositoryNeed {
  const key = `${encodeURIComponent(repoURL)}@${encodeURIComponent(revision === '' ? 'HEAD' : revision)}`;
  return { type: 'repository', key, repoURL, revision: revision === '' ? 'HEAD' : revision, isPinned: revision !== '' };
}
