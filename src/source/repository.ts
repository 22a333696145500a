/**
 * A repository as one credential sees it. Polls, fetches and snapshots are shared only between Applications that show
 * the same credential, so the id of a commit alone opens nothing.
 *
 * Invariant: the key of a repository with a credential cannot be computed outside this process and tells nothing about
 * the credential. The next process cannot use it.
 */
import { createHash, createHmac, randomBytes } from 'node:crypto';
import type { Credential } from './credential.ts';
import { parseRepositoryUrl, type RepositoryUrl } from './repository-url.ts';

export interface Repository extends RepositoryUrl {
  /** Name of the folder of its snapshots, and the key under which everything is shared. */
  readonly key: string;
  readonly credential: Credential | undefined;
}

export type NameRepository = (repoUrl: string, credential: Credential | undefined) => Repository;

const PRIVATE = 'private-';

export function isPrivate(repositoryKey: string): boolean {
  return repositoryKey.startsWith(PRIVATE);
}

/** The returned function throws the StageErrors of `parseRepositoryUrl`. */
export function createRepositoryNaming(): NameRepository {
  const digestKey = randomBytes(32);
  return (repoUrl, credential) => {
    const url = parseRepositoryUrl(repoUrl);
    if (!credential) return { ...url, credential, key: shorten(createHash('sha256').update(url.base)) };
    // All of it but the Secret's name, so that a field that is added later counts as well.
    const { secret: _name, maskedTexts: _derived, ...access } = credential;
    const content = JSON.stringify([url.base, access]);
    return { ...url, credential, key: PRIVATE + shorten(createHmac('sha256', digestKey).update(content)) };
  };
}

function shorten(digest: { digest(encoding: 'hex'): string }): string {
  return digest.digest('hex').slice(0, 32);
}
