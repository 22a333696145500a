/** Git repositories as an origin of snapshots, over whatever transport is handed in. */
import { sourceError } from '../object/source-error.ts';
import { createCommitFetcher, type CommitFetcherOptions } from './fetch-commit.ts';
import type { Origin } from './origin.ts';
import { createRepositoryNaming, type NameKey } from './repository.ts';
import { parseRevision } from './revision.ts';
import { createRemote } from './transport/remote.ts';
import { createRevisionVerifier } from './verify-revision.ts';

export interface GitOriginOptions extends Omit<CommitFetcherOptions, 'remote'> {
  readonly nameKey: NameKey;
}

/** `options.transport` is closed with it. */
export function createGitOrigin({ nameKey, ...options }: GitOriginOptions): Origin {
  const { transport, limits } = options;
  const nameRepository = createRepositoryNaming(nameKey);
  const remote = createRemote(transport, limits);
  const fetcher = createCommitFetcher({ ...options, remote });
  const verifier = createRevisionVerifier({ ...options, remote });
  return {
    at({ repoUrl, credential, verification }) {
      const repository = nameRepository(repoUrl, credential);
      const { key, label } = repository;
      if (verification && verification.provider !== 'git') {
        throw sourceError(
          'SignatureUnsupported',
          `${label} is a Git repository, and signatures of ${verification.provider} are of artifacts. Use verify.mode in place of verify.provider.`,
        );
      }
      return {
        key,
        label,
        credential,
        lookup(revision) {
          const wanted = parseRevision(revision);
          return {
            key:
              wanted.type === 'refs' ? wanted.names.join('\n') : wanted.type === 'range' ? wanted.text : wanted.commit,
            run: ({ signal }) => remote.resolve(repository, wanted, signal),
          };
        },
        fetch: ({ resolved: { commit }, tenant, signal }) => fetcher.fetch({ repository, commit, tenant, signal }),
        ...(verification && {
          verify: (stored, request) => verifier.verify({ repository, stored, verification, ...request }),
        }),
      };
    },
    async close() {
      await fetcher.settled();
      await transport.close();
    },
  };
}
