/**
 * A repository as one credential sees it: what is asked, fetched and kept is shared by those who show the same one, and
 * by nobody else, so that a commit's id alone opens nothing.
 *
 * Invariant: the place of what was fetched with a credential cannot be computed outside this process, and tells nothing
 * of the credential; those places are worthless to the next process.
 */
import { createHash, createHmac, randomBytes } from 'node:crypto';
import type { Credential } from './credential.ts';
import { parseRepositoryUrl, type RepositoryUrl } from './repository-url.ts';

export interface Repository extends RepositoryUrl {
  /** Name of the folder of its snapshots, and key of all that is shared. */
  readonly key: string;
  readonly credential: Credential | undefined;
}

export type NameRepository = (repoUrl: string, credential: Credential | undefined) => Repository;

const PRIVATE = 'private-';

export function isPrivate(repositoryKey: string): boolean {
  return repositoryKey.startsWith(PRIVATE);
}

/** The function throws StageError, as `parseRepositoryUrl` does. */
export function createRepositoryNaming(): NameRepository {
  const digestKey = randomBytes(32);
  return (repoUrl, credential) => {
    const url = parseRepositoryUrl(repoUrl);
    if (!credential) return { ...url, credential, key: shorten(createHash('sha256').update(url.base)) };
    // All but the Secret's name and what follows from the rest: a part that a credential gains later is in the digest.
    const { secret: _name, maskedTexts: _derived, ...access } = credential;
    const content = JSON.stringify([url.base, access]);
    return { ...url, credential, key: PRIVATE + shorten(createHmac('sha256', digestKey).update(content)) };
  };
}

function shorten(digest: { digest(encoding: 'hex'): string }): string {
  return digest.digest('hex').slice(0, 32);
}
