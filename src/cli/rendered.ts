/**
 * Renders the manifests of an Application on a person's machine, from its current commit or from a local folder.
 *
 * Invariant: files of a repository are read in the sandbox, as in the agent. A credential is sent only to the host of
 * its repository. Nothing stays on the disk.
 */
import { sourcePath } from '../application/parse.ts';
import type { Application } from '../application/schema.ts';
import type { NamedSource } from '../application/source-schema.ts';
import { StageError } from '../object/stage-error.ts';
import { agentIdentity } from '../cluster/identity.ts';
import type { UserCluster } from '../cluster/user-cluster.ts';
import { problemOfPart } from '../reconcile/desired/bring-part.ts';
import { originOf, ownerOf, partOf, treeNameOf } from '../reconcile/desired/other-sources.ts';
import {
  readCredential,
  readVerification,
  type CredentialQuestion,
  verifyFieldOf,
} from '../reconcile/desired/read-credential.ts';
import { readData } from '../reconcile/desired/read-data.ts';
import { readPlace } from '../reconcile/desired/source-place.ts';
import { serverOf } from '../reconcile/desired/url-of.ts';
import type { Manifests } from '../render/manifests.ts';
import type { Answer, DataNeed, LfsNeed, Need, SubmoduleNeed } from '../render/needs.ts';
import { renderPath } from '../render/render.ts';
import { renderWithAnswers } from '../render/rounds.ts';
import { collectInSandbox } from '../sandbox/chart-files-job.ts';
import { renderInSandbox, type NamedTree } from '../sandbox/render-job.ts';
import { defaultSourceLimits } from '../source/limits.ts';
import type { SourcePlace } from '../source/ports.ts';
import { readRevision, type ResolvedRevision } from '../source/revision.ts';
import type { Snapshot } from '../source/snapshot.ts';
import type { Source } from '../source/source.ts';
import { releaseOf } from '../reconcile/desired/release.ts';
import { withLocalEdges, type LocalPrograms } from './local-edges.ts';
import { LOCAL_LIMITS } from './local-limits.ts';
import { pathFromHere, withPathsFromHere } from './local-tree.ts';
import { renderHere } from './render-here.ts';

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
  readonly programs: LocalPrograms;
}

/** Renders a local folder with spec.render of the Application; data is read with the person's own rights. */
export async function renderLocal(
  cluster: UserCluster,
  application: Application,
  { dir, sources, programs }: LocalSource,
): Promise<Rendered> {
  const rendered = await renderHere({
    dir,
    sources,
    options: application.spec.render,
    release: releaseOf(application),
    programs,
    capabilities: () => cluster.capabilities(),
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

/** The data of a ConfigMap or Secret in the namespace of the Application. Throws StageError if it cannot be read. */
async function bringData(
  { client }: UserCluster,
  { metadata: { namespace } }: Application,
  { kind, name }: DataNeed,
): Promise<Answer> {
  const read = await readData(client, namespace, { kind, name });
  if (read.ok) return read.answer;
  const { code, message, retry } = read.refusal;
  const text = `the ${kind} ${namespace}/${name} of spec.render cannot be read: ${message}`;
  throw new StageError({ stage: 'render', code, retry, message: text });
}

export interface CommitSource {
  /** A resolved revision. undefined: the one in the status, else the newest one. */
  readonly wanted: string | undefined;
  readonly programs: LocalPrograms;
}

/** Throws StageError. */
export function renderCommit(
  cluster: UserCluster,
  application: Application,
  { wanted, programs }: CommitSource,
): Promise<Rendered> {
  return withLocalEdges(programs, async (edges) => {
    const { source, sandbox, config } = await edges.git();
    const snapshot = await fetchRevision(source, { cluster, application, wanted });
    const trees = await fetchOthers(source, cluster, application);
    const { signal } = new AbortController();
    const { maxObjectBytes, maxDeltaDepth, cacheBytes } = defaultSourceLimits;
    const { maxFiles, maxFileBytes } = LOCAL_LIMITS;
    const treeLimits = { maxObjectBytes, maxDeltaDepth, cacheBytes };
    const shared = { treeLimits, deadlineMs: config.renderTimeoutMs };
    const settings = {
      ...shared,
      limits: LOCAL_LIMITS,
      sizeLimits: { maxRenderedObjectBytes: Infinity, maxRenderedBytes: Infinity },
      parsedCacheBytes: config.renderCacheMib * MIB,
    };
    const path = sourcePath(application.spec.source.path);
    const origin = originOf(application.spec.source);
    const fixed = { snapshot, path, origin, options: application.spec.render, release: releaseOf(application) };
    const chartSettings = { ...shared, limits: { maxFiles, maxFileBytes, maxChartBytes: config.maxChartMib * MIB } };
    const bring = async (need: Need): Promise<Answer> => {
      if (need.type === 'data') return bringData(cluster, application, need);
      if (need.type === 'sealed') return edges.open(need);
      if (need.type === 'submodule' || need.type === 'lfs') {
        const brought = await partTree(source, { cluster, application, need });
        if ('problem' in brought) return { type: 'refused', problem: brought.problem };
        trees.set(need.key, brought);
        return { type: 'tree' };
      }
      if (need.type !== 'helm') {
        const { tree } = await edges.snapshotOf(need);
        trees.set(need.key, { tree, path: '', origin: { ...origin, repoURL: need.repoURL } });
        return { type: 'tree' };
      }
      const { run } = need;
      const chart = { tree: snapshot.tree, origin, trees, run, tenant: '', signal };
      const collected = await collectInSandbox(sandbox, chart, chartSettings);
      if (!collected.ok) return { type: 'refused', problem: collected.problem };
      const program = await edges.helm();
      const capabilities = await cluster.capabilities();
      return program.template({ run, files: collected.files, capabilities, tenant: '', signal });
    };
    const { manifests } = await renderWithAnswers<Answer>({
      known: new Map(),
      render: (answers) =>
        renderInSandbox(sandbox, { ...fixed, trees, answers, previous: undefined, tenant: '', signal }, settings),
      bring,
    });
    return { origin: snapshot.revision, manifests };
  });
}

const MIB = 1024 * 1024;

/** The commit that a branch or tag of the Application's repository stands for now. Throws StageError. */
export function pollRevision(
  cluster: UserCluster,
  application: Application,
  revision: string,
): Promise<ResolvedRevision> {
  return withLocalEdges({ helm: '', sops: undefined }, async (edges) => {
    const { source } = await edges.git();
    return source.poll({ ...(await placeOf(cluster, application)), revision });
  });
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
    trees.set(treeNameOf(other), { tree: snapshot.tree, path: sourcePath(other.path), origin: originOf(other) });
  }
  return trees;
}

interface WantedPart extends Pick<Wanted, 'cluster' | 'application'> {
  readonly need: SubmoduleNeed | LfsNeed;
}

/** The tree of a submodule or of a file in Git LFS, read with the Secret of its source if it is on the same server. */
async function partTree(
  source: Source,
  { cluster, application, need }: WantedPart,
): Promise<NamedTree | { readonly problem: ReturnType<typeof problemOfPart> }> {
  const { repoURL } = need;
  const owner = ownerOf(application.spec, need.owner);
  const isSameServer = serverOf(repoURL) === serverOf(owner.source.repoURL);
  const { secretRef } = isSameServer ? owner.source : {};
  try {
    const repository = { repoURL, secretName: secretRef?.name, field: owner.field };
    const question = { ...questionOf(cluster, application), other: repository };
    const credential = await asPerson(owner.field, () => readCredential(question));
    const { tree } = await source.fetch({ repoUrl: repoURL, credential, ...partOf(need) });
    return { tree, path: '' };
  } catch (error) {
    return { problem: problemOfPart(error, need) };
  }
}

/** The place of spec.source, or of an entry of spec.sources. Secrets are read with the person's own rights. */
async function placeOf(cluster: UserCluster, application: Application, other?: NamedSource): Promise<SourcePlace> {
  const source = other === undefined ? 'spec.source' : `spec.sources[${other.name}]`;
  const field = `${source}.secretRef`;
  const { repoURL, chart, secretRef } = other ?? application.spec.source;
  const question = questionOf(cluster, application);
  const repository = { repoURL, chart, secretName: secretRef?.name, field };
  return readPlace({
    spec: other ?? application.spec.source,
    credential: () => asPerson(field, () => readCredential({ ...question, other: repository })),
    verification: () => asPerson(verifyFieldOf(other), () => readVerification(question, other)),
  });
}

function questionOf({ client, credentialSecrets }: UserCluster, application: Application): CredentialQuestion {
  return { application, identity: agentIdentity, context: { hub: { as: () => client, credentialSecrets } } };
}

/** Reads the Secret of a field, and names the ways that remain to a person who may not read it. */
async function asPerson<T>(field: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof StageError) || error.code !== 'SecretForbidden') throw error;
    const message =
      `you may not read the Secret of ${field}; name a commit by its 40 digits, or use --local to compare with ` +
      'a folder';
    throw new StageError({ stage: 'source', code: error.code, retry: 'never', message });
  }
}
