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

/** `identity` names what is fetched; equal texts mean the same. */
export type NameKey = (identity: string, credential: Credential | undefined) => string;

const PRIVATE = 'private-';

export function isPrivate(repositoryKey: string): boolean {
  return repositoryKey.startsWith(PRIVATE);
}

export function createKeyNaming(): NameKey {
  const digestKey = randomBytes(32);
  return (identity, credential) => {
    if (!credential) return shorten(createHash('sha256').update(identity));
    // All of it but the Secret's name, so that a field that is added later counts as well. The token of an app changes.
    const { secret: _name, maskedTexts: _derived, login, ...rest } = credential;
    const access = rest.app ? rest : { ...rest, login };
    const content = JSON.stringify([identity, access], (_key, value: unknown) =>
      value instanceof Map ? [...(value as Map<unknown, unknown>)] : value,
    );
    return PRIVATE + shorten(createHmac('sha256', digestKey).update(content));
  };
}

/** The returned function throws the StageErrors of `parseRepositoryUrl`. */
export function createRepositoryNaming(nameKey: NameKey = createKeyNaming()): NameRepository {
  return (repoUrl, credential) => {
    const url = parseRepositoryUrl(repoUrl);
    return { ...url, credential, key: nameKey(url.base, credential) };
  };
}

function shorten(digest: { digest(encoding: 'hex'): string }): string {
  return digest.digest('hex').slice(0, 32);
}
