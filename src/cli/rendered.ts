/**
 * Renders the manifests of an Application on a person's machine, from its current commit or from a local folder.
 *
 * Invariant: files of a repository are read in the sandbox, as in the agent. A credential is sent only to the host of
 * its repository. Nothing stays on the disk.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { sourcePath } from '../application/parse.ts';
import type { Application, NamedSource } from '../application/schema.ts';
import { proxySettings, readConfig, type Config } from '../config.ts';
import { StageError } from '../object/stage-error.ts';
import { agentIdentity } from '../cluster/identity.ts';
import type { UserCluster } from '../cluster/user-cluster.ts';
import { readCredential, readVerification } from '../reconcile/desired/read-credential.ts';
import { readPlace } from '../reconcile/desired/source-place.ts';
import { defaultRegistryLimits } from '../registry/limits.ts';
import type { Manifests } from '../render/manifests.ts';
import type { Answer, DataNeed, Release } from '../render/needs.ts';
import { renderPath } from '../render/render.ts';
import { renderWithAnswers } from '../render/rounds.ts';
import { openSandbox } from '../sandbox/open-sandbox.ts';
import type { Sandbox } from '../sandbox/sandbox.ts';
import { renderInSandbox, type NamedTree } from '../sandbox/render-job.ts';
import { defaultSourceLimits } from '../source/limits.ts';
import type { SourcePlace } from '../source/ports.ts';
import { readRevision, type ResolvedRevision } from '../source/revision.ts';
import type { Snapshot } from '../source/snapshot.ts';
import { createSource, type Source } from '../source/source.ts';
import { openTransport } from '../source/transport/open-transport.ts';
import { createWebClient } from '../source/transport/web-client.ts';
import type { Log } from '../telemetry/ports.ts';
import { LOCAL_LIMITS } from './local-limits.ts';
import { pathFromHere, withPathsFromHere } from './local-tree.ts';
import { cannotBring, renderHere } from './render-here.ts';

/** A command runs two jobs: it checks the fetched pack and renders the snapshot. */
const MAX_QUEUED_JOBS = 16;

export interface Rendered {
  /** The rendered revision or folder, for people. */
  readonly origin: string;
  readonly manifests: Manifests;
}

export interface LocalSource {
  /** The folder that replaces spec.source.path. */
  readonly dir: string;
  /** Folders that replace entries of spec.sources, by `$name`. */
  readonly sources: ReadonlyMap<string, string>;
}

/** Renders a local folder with spec.render of the Application; data is read with the person's own rights. */
export async function renderLocal(
  cluster: UserCluster,
  application: Application,
  { dir, sources }: LocalSource,
): Promise<Rendered> {
  const rendered = await renderHere({
    dir,
    sources,
    options: application.spec.render,
    release: releaseOf(application),
    bringData: (need) => bringData(cluster, application, need),
    render: renderPath,
  });
  const manifests = rendered.manifests.map((manifest) => ({ ...manifest, file: pathFromHere(manifest.file) }));
  const here = (text: string): string => withPathsFromHere(text, dir);
  const problems = rendered.problems.map((problem) => ({
    ...problem,
    message: here(problem.message),
    ...(problem.file === undefined ? {} : { file: pathFromHere(problem.file) }),
  }));
  const why = rendered.whyEmpty === undefined ? {} : { whyEmpty: here(rendered.whyEmpty) };
  return { origin: dir, manifests: { ...rendered, manifests, problems, ...why } };
}

function releaseOf({ metadata, spec }: Application): Release {
  return { name: metadata.name, namespace: spec.destination.namespace ?? metadata.namespace };
}

/** The data of a ConfigMap or Secret in the namespace of the Application. Throws StageError if it cannot be read. */
async function bringData(
  { client }: UserCluster,
  { metadata: { namespace } }: Application,
  { kind, name }: DataNeed,
): Promise<Answer> {
  const read = await (kind === 'Secret' ? client.readSecret(namespace, name) : client.readConfigMap(namespace, name));
  if (!read.ok) {
    const { code, message, retry } = read.refusal;
    const text = `the ${kind} ${namespace}/${name} of spec.render cannot be read: ${message}`;
    throw new StageError({ stage: 'render', code, retry, message: text });
  }
  if (!read.data) return { type: 'noData' };
  return { type: 'data', data: Object.fromEntries(Array.from(read.data, ([key, value]) => [key, value.toString()])) };
}

/** Renders a resolved revision, else the one in the status, else the newest one. Throws StageError. */
export function renderCommit(cluster: UserCluster, application: Application, wanted?: string): Promise<Rendered> {
  return withGit(async ({ source, sandbox, config }) => {
    const snapshot = await fetchRevision(source, { cluster, application, wanted });
    const { maxObjectBytes, maxDeltaDepth, cacheBytes } = defaultSourceLimits;
    const request = {
      snapshot,
      path: sourcePath(application.spec.source.path),
      options: application.spec.render,
      release: releaseOf(application),
      trees: await fetchOthers(source, cluster, application),
      previous: undefined,
      tenant: '',
      signal: new AbortController().signal,
    };
    const settings = {
      limits: LOCAL_LIMITS,
      sizeLimits: { maxRenderedObjectBytes: Infinity, maxRenderedBytes: Infinity },
      treeLimits: { maxObjectBytes, maxDeltaDepth, cacheBytes },
      parsedCacheBytes: config.renderCacheMib * 1024 * 1024,
      deadlineMs: config.renderTimeoutMs,
    };
    const { manifests } = await renderWithAnswers<Answer>({
      known: new Map(),
      render: (answers) => renderInSandbox(sandbox, { ...request, answers }, settings),
      bring: async (need) => (need.type === 'data' ? bringData(cluster, application, need) : cannotBring(need)),
    });
    return { origin: snapshot.revision, manifests };
  });
}

/** The commit that a branch or tag of the Application's repository stands for now. Throws StageError. */
export function pollRevision(
  cluster: UserCluster,
  application: Application,
  revision: string,
): Promise<ResolvedRevision> {
  return withGit(async ({ source }) => {
    return source.poll({ ...(await placeOf(cluster, application)), revision });
  });
}

interface Git {
  readonly source: Source;
  readonly sandbox: Sandbox;
  readonly config: Config;
}

/** The command line acts for the person who calls it, with that person's access to the network. */
const ALL_ADDRESSES = { allow: [], deny: [] };

async function withGit<T>(run: (git: Git) => Promise<T>): Promise<T> {
  const dataDir = await mkdtemp(join(tmpdir(), 'tautline-diff-'));
  const read = readConfig({ dataDir }, {});
  if (!read.ok) throw new RangeError(read.problem);
  const { config } = read;
  const limits = defaultSourceLimits;
  const clock = { now: () => Date.now(), monotonicMs: () => performance.now() };
  const sandbox = openSandbox(config, { maxQueuedJobs: MAX_QUEUED_JOBS, log: SILENT, clock });
  const network = { limits, proxy: proxySettings(), addresses: ALL_ADDRESSES, clock };
  const registry = { limits: defaultRegistryLimits, tokenHosts: [], plainHttpHosts: [] };
  const transport = openTransport({ ...network, knownHostsFile: join(homedir(), '.ssh', 'known_hosts') });
  const web = createWebClient(network);
  const source = createSource({ dataDir, limits, registry, sandbox, transport, web, log: SILENT, clock });
  try {
    return await run({ source, sandbox, config });
  } finally {
    await source.close();
    sandbox.close();
    await rm(dataDir, { recursive: true, force: true });
  }
}

interface Wanted {
  readonly cluster: UserCluster;
  readonly application: Application;
  /** A resolved revision. undefined: the one in the status, else the newest one. */
  readonly wanted: string | undefined;
}

async function fetchRevision(source: Source, { cluster, application, wanted }: Wanted): Promise<Snapshot> {
  const { revision } = application.spec.source;
  const repository = await placeOf(cluster, application);
  const known = wanted ?? application.status.sync?.revision;
  const resolved =
    (known === undefined ? undefined : readRevision(known)) ?? (await source.poll({ ...repository, revision }));
  return source.fetch({ ...repository, resolved });
}

/** The newest snapshots of spec.sources, by `$name`. */
async function fetchOthers(
  source: Source,
  cluster: UserCluster,
  application: Application,
): Promise<Map<string, NamedTree>> {
  const trees = new Map<string, NamedTree>();
  for (const other of application.spec.sources ?? []) {
    const repository = await placeOf(cluster, application, other);
    const resolved = await source.poll({ ...repository, revision: other.revision });
    const snapshot = await source.fetch({ ...repository, resolved });
    trees.set(`$${other.name}`, { tree: snapshot.tree, path: sourcePath(other.path) });
  }
  return trees;
}

/** The place of spec.source, or of an entry of spec.sources. Secrets are read with the person's own rights. */
async function placeOf(cluster: UserCluster, application: Application, other?: NamedSource): Promise<SourcePlace> {
  const question = { application, identity: agentIdentity, context: { hub: { as: () => cluster.client } } };
  const field = other === undefined ? 'spec.source' : `spec.sources[${other.name}]`;
  const { secretRef } = other ?? application.spec.source;
  const readers = {
    spec: other ?? application.spec.source,
    credential: () =>
      readCredential({ ...question, secretRef: { name: secretRef?.name, field: `${field}.secretRef` } }),
    verification: () => (other === undefined ? readVerification(question) : Promise.resolve(undefined)),
  };
  return readPlace(readers).catch((error: unknown) => {
    if (!(error instanceof StageError) || error.code !== 'SecretForbidden') throw error;
    const message =
      `you may not read a Secret that ${field} names; name a commit by its 40 digits, or use --local to compare with ` +
      'a folder';
    throw new StageError({ stage: 'source', code: error.code, retry: 'never', message });
  });
}

const SILENT: Log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
