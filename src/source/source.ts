/**
 * Sources as snapshots: Git repositories, charts and OCI artifacts. The kind of an address decides which origin
 * answers; everything here is the same for all of them.
 *
 * Invariant: a snapshot that is handed out has been verified completely, whatever the server sent. `fetch` brings
 * exactly the commit or digest that was asked for, or fails.
 */
import { resolve } from 'node:path';
import { isArtifactSource } from '../application/artifact-revision.ts';
import { cancelled } from '../object/source-error.ts';
import type { RegistryLimits } from '../registry/limits.ts';
import type { Clock, Log } from '../telemetry/ports.ts';
import { createArtifactOrigin, type RegistrySettings } from './artifact-origin.ts';
import { createAppTokens, type AppTokens } from './app-tokens.ts';
import { withAppTokens } from './app-transport.ts';
import { toStageError } from './fetch-commit.ts';
import type { Credential } from './credential.ts';
import { createGitOrigin } from './git-origin.ts';
import { createLfsOrigin } from './lfs-origin.ts';
import { gitHubRepositoryOf } from './github-app.ts';
import type { SourceLimits } from './limits.ts';
import { redactError } from './mask.ts';
import type { Origin, SourceAt, VerifyRequest } from './origin.ts';
import type { JobRunner } from './packs/index-job.ts';
import type { StoredSnapshot } from './packs/snapshot-folder.ts';
import { createSnapshotStore } from './packs/snapshot-store.ts';
import type { SourcePort } from './ports.ts';
import { createKeyNaming, type Repository } from './repository.ts';
import { nameOfRevision, type ResolvedRevision } from './revision.ts';
import { createFlights } from './single-flight.ts';
import { parseSnapshotId, snapshotId, type Snapshot } from './snapshot.ts';
import type { Transport } from './transport/transport.ts';
import type { WebClient } from './transport/web-client.ts';

export interface Source extends SourcePort {
  /** Aborts the requests under way. */
  close(): Promise<void>;
}

export interface SourceOptions {
  /** Belongs to this process alone. Its content may be deleted at any time while no process uses it. */
  readonly dataDir: string;
  readonly limits: SourceLimits;
  readonly registry: RegistrySettings & { readonly limits: RegistryLimits };
  readonly sandbox: JobRunner;
  /** To Git servers. Closed with the source. */
  readonly transport: Transport;
  /** To registries and Helm repositories. Closed with the source. */
  readonly web: WebClient;
  readonly log: Log;
  readonly clock: Clock;
}

export function createSource(options: SourceOptions): Source {
  const { limits, clock, log } = options;
  const dataDir = resolve(options.dataDir);
  const store = createSnapshotStore({ dataDir, limits, clock, log });
  const tokens = createAppTokens({ web: options.web, limits: options.registry.limits, clock });
  const transport = withAppTokens(options.transport, tokens);
  const shared = { ...options, transport, dataDir, store, nameKey: createKeyNaming() };
  const git = createGitOrigin(shared);
  const artifacts = createArtifactOrigin(shared);
  const lfs = createLfsOrigin({ ...shared, show: (repository, signal) => showLogin(tokens, repository, signal) });
  const polls = createFlights<ResolvedRevision>(clock);
  const fetches = createFlights<StoredSnapshot>(clock);

  const at = chooseOrigin({ git, artifacts, lfs });
  const redacted = createRedaction(tokens);

  async function verify(source: SourceAt, stored: StoredSnapshot, request: VerifyRequest): Promise<StoredSnapshot> {
    const { verify: check } = source;
    return check ? redacted(source, () => check(stored, request)) : stored;
  }

  return {
    async poll({ revision, notBeforeMs, tenant = '', signal, ...place }) {
      const source = at(place);
      const lookup = source.lookup(revision);
      const resolved = await polls.join({
        key: `${source.key}\n${lookup.key}`,
        signal,
        notBeforeMs,
        work: (joined) => redacted(source, () => lookup.run({ tenant, notBeforeMs, signal: joined })),
        onAbort: () => cancelled(source.label),
      });
      // So that it stays on disk until the fetch that follows.
      store.touch(source.key, resolved.commit);
      store.follow(source.key, nameOfRevision(resolved.revision), resolved.commit);
      return { ...resolved, id: idOf(source, resolved.commit) };
    },
    async fetch({ resolved, tenant = '', signal, ...place }) {
      const source = at(place);
      const id = idOf(source, resolved.commit);
      const stored = await fetches.join({
        key: id,
        signal,
        work: (joined) => redacted(source, () => source.fetch({ resolved, tenant, signal: joined })),
        onAbort: () => cancelled(source.label),
      });
      const verified = await verify(source, stored, { resolved, tenant, signal, mayAsk: true });
      return snapshotOf(verified, { id, repoUrl: place.repoUrl, revision: resolved.revision });
    },
    async recall({ resolved, tenant = '', signal, ...place }) {
      const source = at(place);
      const { commit, revision } = resolved;
      const stored = await onDisk(source, () => store.find(source.key, commit));
      if (!stored) return undefined;
      const verified = await verify(source, stored, { resolved, tenant, signal, mayAsk: false });
      return snapshotOf(verified, { id: idOf(source, commit), repoUrl: place.repoUrl, revision });
    },
    async find(snapshot) {
      const { repositoryKey, commit } = parseSnapshotId(snapshot.id);
      return (await onDisk({ label: snapshot.repoUrl }, () => store.find(repositoryKey, commit))) && snapshot;
    },
    async discard(snapshot) {
      const { repositoryKey, commit } = parseSnapshotId(snapshot.id);
      await onDisk({ label: snapshot.repoUrl }, () => store.remove(repositoryKey, commit));
    },
    async close() {
      polls.close();
      fetches.close();
      await Promise.all([git.close(), artifacts.close()]);
    },
  };
}

/** Requests of Git ask for tokens by themselves; see `withAppTokens`. */
async function showLogin(
  tokens: Pick<AppTokens, 'show'>,
  { credential, base, key }: Repository,
  signal: AbortSignal,
): Promise<Credential | undefined> {
  const app = credential?.app;
  if (!app) return credential;
  const repository = gitHubRepositoryOf({ app, secret: credential.secret, repoUrl: base, isArtifact: false });
  return (await tokens.show({ credential: { ...credential, app }, repository, key, signal })).credential;
}

type Origins = Readonly<Record<'git' | 'artifacts' | 'lfs', Origin>>;

function chooseOrigin({ git, artifacts, lfs }: Origins): Origin['at'] {
  return (place) => {
    if (place.lfsObject) return lfs.at(place);
    const { repoUrl, chart, credential } = place;
    const isArtifact = isArtifactSource({ repoURL: repoUrl, chart });
    if (isArtifact && credential?.app) {
      gitHubRepositoryOf({ app: credential.app, secret: credential.secret, repoUrl, isArtifact });
    }
    return (isArtifact ? artifacts : git).at(place);
  };
}

const COMMIT = /^[0-9a-f]{40}$/;

function snapshotOf(
  { commit, lineage, gitDir, treeOid, about }: StoredSnapshot,
  named: Pick<Snapshot, 'id' | 'repoUrl' | 'revision'>,
): Snapshot {
  // The digest of an artifact stands where that of a commit stands; it names no object of the pack.
  const tree = { gitDir, treeOid, ...(COMMIT.test(commit) ? { commit } : {}) };
  return { ...named, commit, lineage, tree, ...(about === undefined ? {} : { about }) };
}

type Redacted = <T>(source: SourceAt, work: () => Promise<T>) => Promise<T>;

/** No error shows a credential that was sent, or a token. */
function createRedaction(tokens: Pick<AppTokens, 'maskedTexts'>): Redacted {
  return async (source, work) => {
    try {
      return await work();
    } catch (error) {
      const { credential, key } = source;
      const masked = credential && { maskedTexts: [...tokens.maskedTexts(key), ...credential.maskedTexts] };
      throw redactError(toStageError(error, source), masked);
    }
  };
}

async function onDisk<T>(source: Pick<SourceAt, 'label'>, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw toStageError(error, source);
  }
}

function idOf({ key }: Pick<SourceAt, 'key'>, commit: string): string {
  return snapshotId({ repositoryKey: key, commit });
}
