/**
 * Objects of Git LFS as an origin of snapshots: each is a tree with one file, and its SHA-256 stands where the id of a
 * commit stands. So an object is stored, shared and removed as every other snapshot is.
 */
import { sourceError } from '../object/source-error.ts';
import type { RegistryLimits } from '../registry/limits.ts';
import { authorizationOf } from './transport/authorization.ts';
import type { Credential } from './credential.ts';
import { fetchArtifact, type ArtifactFetcherOptions, type OpenArtifact } from './fetch-artifact.ts';
import { readAccess } from './lfs/lfs-answers.ts';
import { downloadObject, type LfsServer } from './lfs/lfs-batch.ts';
import type { Origin, SourceAt } from './origin.ts';
import type { SourcePlace } from './ports.ts';
import { createRepositoryNaming, type NameKey, type Repository } from './repository.ts';
import { resolvedDigest } from './revision.ts';
import type { LfsAccessRequest } from './transport/transport.ts';
import type { WebClient } from './transport/web-client.ts';

/** The file of a snapshot that holds the object. */
const FILE = 'object';

export interface LfsOriginOptions extends Omit<ArtifactFetcherOptions, 'registryLimits'> {
  readonly nameKey: NameKey;
  readonly registry: { readonly limits: RegistryLimits };
  readonly web: WebClient;
  readonly transport: { authenticateLfs?(request: LfsAccessRequest): Promise<Buffer> };
  /** The credential that is shown: for a GitHub App, one with a token. */
  readonly show: (repository: Repository, signal: AbortSignal) => Promise<Credential | undefined>;
}

/** Closes nothing: its ways to servers belong to the other origins. */
export function createLfsOrigin({ nameKey, ...options }: LfsOriginOptions): Origin {
  const { web, registry, limits } = options;
  const fetching: ArtifactFetcherOptions = { ...options, registryLimits: registry.limits };
  const nameRepository = createRepositoryNaming((base, credential) =>
    nameKey(JSON.stringify(['lfs', base]), credential),
  );

  async function open(repository: Repository, object: { oid: string; sizeBytes: number }, signal: AbortSignal) {
    const { label } = repository;
    const credential = await options.show(repository, signal);
    const server = await serverOf(options, { ...repository, credential }, signal);
    const client = { web, limits: registry.limits };
    const body = await downloadObject(client, { server, ...object, label, credential, signal });
    return { body, stripsFolder: false, fileName: FILE, about: {} } satisfies OpenArtifact;
  }

  return {
    at({ repoUrl, credential, lfsObject }: SourcePlace): SourceAt {
      const repository = nameRepository(repoUrl, credential);
      const { key, label } = repository;
      const sizeBytes = lfsObject?.sizeBytes ?? 0;
      return {
        key,
        label,
        credential,
        lookup: (revision) => ({
          key: `lfs ${revision ?? ''}`,
          run: () => Promise.resolve(resolvedDigest(`sha256:${oidOf(revision)}`)),
        }),
        fetch({ resolved: { commit }, tenant, signal }) {
          if (sizeBytes > Math.min(limits.maxObjectBytes, registry.limits.maxArchiveBytes))
            throw tooLarge(label, sizeBytes);
          const object = { oid: oidOf(commit), sizeBytes };
          return fetchArtifact(fetching, {
            key,
            label,
            commit,
            tenant,
            signal,
            open: () => open(repository, object, signal),
          });
        },
      };
    },
    close: () => Promise.resolve(),
  };
}

function oidOf(revision: string | undefined): string {
  if (revision !== undefined && /^[0-9a-f]{64}$/.test(revision)) return revision;
  throw sourceError('InvalidRevision', 'An object of Git LFS is named by 64 hex digits.');
}

function tooLarge(label: string, sizeBytes: number): Error {
  return sourceError('TooLarge', `A file in Git LFS of ${label} has ${sizeBytes} bytes, more than are read.`);
}

/** Where the batch API is: below the address of the repository, or where the server by ssh says. */
async function serverOf(
  { transport, registry }: Pick<LfsOriginOptions, 'transport' | 'registry'>,
  repository: Repository,
  signal: AbortSignal,
): Promise<LfsServer> {
  const { base, ssh, label, credential } = repository;
  if (!ssh) {
    const url = `${base.endsWith('.git') ? base : `${base}.git`}/info/lfs`;
    return { url, headers: {}, authorization: credential?.login && authorizationOf(credential.login) };
  }
  const request = { repository, timeoutMs: registry.limits.requestTimeoutMs, signal };
  const answer = await transport.authenticateLfs?.(request);
  if (!answer) throw new TypeError('the transport asks no server by ssh');
  const { href, headers } = readAccess(answer, label);
  return { url: href, headers, authorization: undefined };
}
