/**
 * The other repositories of a render: those of spec.sources, and those that the render itself asks for (remote bases).
 * They are polled as `spec.source` is, and keep their last snapshot while they do not answer.
 */
import { commitOfRevision } from '../../application/resolved-revision.ts';
import type { ApplicationSpec } from '../../application/schema.ts';
import type { NamedSource } from '../../application/source-schema.ts';
import type { Hold, SourceRevision } from '../../application/status-schema.ts';
import { sourcePath } from '../../application/parse.ts';
import type { ChartNeed, LfsNeed, RepositoryNeed, SubmoduleNeed, TreeOrigin } from '../../render/needs.ts';
import type { FetchRequest } from '../../source/ports.ts';
import type { RenderedTree } from '../context.ts';
import type { Reading } from '../pass.ts';
import { followedKeyOf, isOnlyFollowed, type SourceMemory } from './memory.ts';
import { explainAccess, readCredential, readVerification, type OtherRepository } from './read-credential.ts';
import { knownCommit, knownOfOther, type KnownFromStatus } from './recall-source.ts';
import { refreshSource, type SourceSpec } from './refresh-source.ts';
import { serverOf } from './url-of.ts';

/** The key of a source of spec.sources in `DesiredMemory.others`, and the name of its tree in a render. */
export function treeNameOf({ name }: Pick<NamedSource, 'name'>): string {
  return `$${name}`;
}

/**
 * Refreshes the sources of spec.sources, and forgets those that the spec names no more. Under a hold they are read at
 * the revisions of the hold. The errors of failed polls are returned; their sources keep the last snapshot.
 */
export async function refreshOthers(reading: Reading, isForced: boolean, hold?: Hold): Promise<unknown[]> {
  const { spec } = reading.application;
  const { others } = reading.memory.desired;
  const names = new Set(spec.sources?.map(treeNameOf));
  for (const name of others.keys()) if (name.startsWith('$') && !names.has(name)) others.delete(name);
  if (!hold) for (const name of others.keys()) if (isOnlyFollowed(name)) others.delete(name);
  const held = new Map(hold?.sources?.map(({ name, revision }) => [name, commitOfRevision(revision)]));
  const refreshed = await Promise.all(
    (spec.sources ?? []).map((source) => refreshNamed(reading, source, { isForced, held: held.get(source.name) })),
  );
  return refreshed.flatMap(({ error }) => (error === undefined ? [] : [error]));
}

/** Polls the sources of spec.sources beside those that a hold keeps in force, and returns what is followed. */
export async function refreshFollowed(reading: Reading, isForced: boolean): Promise<SourceRevision[]> {
  const found: SourceRevision[] = [];
  for (const source of reading.application.spec.sources ?? []) {
    const other = followedKeyOf(source.name);
    const { snapshot, isOfEarlierSpec } = await refreshNamed(reading, source, { isForced, other });
    if (snapshot && !isOfEarlierSpec) found.push({ name: source.name, revision: snapshot.revision });
  }
  return found;
}

/** The trees of spec.sources by `$name`. Throws the error of a source that has never been read. */
export async function treesOfOthers(reading: Reading): Promise<Map<string, RenderedTree>> {
  const trees = new Map<string, RenderedTree>();
  for (const source of reading.application.spec.sources ?? []) {
    const name = treeNameOf(source);
    const memory =
      reading.memory.desired.others.get(name) ?? (await refreshNamed(reading, source, { isForced: false }));
    if (!memory.snapshot) throw memory.error;
    trees.set(name, { tree: memory.snapshot.tree, path: sourcePath(source.path), origin: originOf(source) });
  }
  return trees;
}

interface NamedRefresh {
  readonly isForced: boolean;
  /** The commit that a hold keeps in force. undefined: the revision of the source is followed. */
  readonly held?: string | undefined;
  /** The key in `DesiredMemory.others`. Default: that of the tree. */
  readonly other?: string;
}

function refreshNamed(
  reading: Reading,
  source: NamedSource,
  { isForced, held, other = treeNameOf(source) }: NamedRefresh,
): Promise<SourceMemory> {
  const { spec } = reading.application;
  const { repoURL, chart, secretRef, verify } = source;
  const revision = held ?? source.revision;
  const field = `spec.sources[${source.name}].secretRef`;
  const repository = { repoURL, chart, secretName: secretRef?.name, field };
  const verification = () => readVerification(reading, source);
  const own = { ...spec.source, repoURL, chart, revision, verify };
  const known = held === undefined ? knownOfOther(reading.application, source.name, own) : knownCommit(held);
  return refresh(reading, { spec: own, repository, verification, isForced, known, other });
}

/**
 * The tree of a repository or chart that the render asked for. It is read with the Secret that `spec.source` names for
 * the same host, or else as a repository without one. Throws StageError if it cannot be read and was never read before.
 */
export async function treeOfNeed(reading: Reading, need: RepositoryNeed | ChartNeed): Promise<RenderedTree> {
  const { source } = reading.application.spec;
  const { repoURL } = need;
  const named =
    need.type === 'chart'
      ? { chart: need.name, revision: need.version || 'HEAD' }
      : { chart: undefined, revision: need.revision };
  // The verify of spec.source is about that source alone.
  const spec = { ...source, ...named, repoURL, secretRef: undefined, verify: undefined };
  const verification = async () => undefined;
  const isSameHost = serverOf(repoURL) === serverOf(source.repoURL);
  const secretName = isSameHost ? source.secretRef?.name : undefined;
  const repository = { repoURL, chart: named.chart, secretName, field: 'spec.source.secretRef' };
  const known = knownOfOther(reading.application, repoURL, spec);
  const memory = await refresh(reading, { spec, repository, verification, isForced: false, known, other: need.key });
  if (!memory.snapshot) throw memory.error;
  const origin = need.type === 'repository' ? { ...originOf(source), repoURL } : undefined;
  return { tree: memory.snapshot.tree, path: '', origin };
}

/** A commit never changes, so it is looked for again only so that it stays on disk. */
const FIXED_INTERVAL = '1h';

/**
 * The tree of a submodule, or of a file in Git LFS. It is read with the Secret of its source if it is on the same
 * server. Throws StageError if it cannot be read.
 */
export async function treeOfPart(reading: Reading, need: SubmoduleNeed | LfsNeed): Promise<RenderedTree> {
  const { application, context, memory } = reading;
  const { others } = memory.desired;
  const { repoURL, key, owner } = need;
  const { resolved, lfsObject } = partOf(need);
  const { source, field } = ownerOf(application.spec, owner);
  const spec = {
    ...{ ...application.spec.source, repoURL, chart: undefined, lfsObject, interval: FIXED_INTERVAL },
    ...{ revision: resolved.commit, schedule: undefined, secretRef: undefined, verify: undefined },
  };
  const secretName = serverOf(repoURL) === serverOf(source.repoURL) ? source.secretRef?.name : undefined;
  const repository = { repoURL, chart: undefined, secretName, field };
  const known = { resolved, seen: [] };
  const before = others.get(key)?.snapshot;
  // A snapshot that has left the disk is fetched again.
  if (before && !(await context.source.find(before))) others.delete(key);
  const verification = async () => undefined;
  const refreshed = await refresh(reading, { spec, repository, verification, isForced: false, known, other: key });
  if (!refreshed.snapshot) throw refreshed.error;
  return { tree: refreshed.snapshot.tree, path: '' };
}

/** The revision of a part, which never changes, and its place beside the repository. */
export function partOf(need: SubmoduleNeed | LfsNeed): Pick<FetchRequest, 'resolved' | 'lfsObject'> {
  if (need.type === 'lfs') {
    const { oid, sizeBytes } = need;
    return { resolved: { commit: oid, revision: `sha256:${oid}` }, lfsObject: { sizeBytes } };
  }
  return { resolved: { commit: need.commit, revision: need.commit } };
}

interface Owner {
  readonly source: Pick<NamedSource, 'repoURL' | 'secretRef'>;
  /** For messages. */
  readonly field: string;
}

/** The source that the submodules of a tree belong to; those of a remote base belong to spec.source. */
export function ownerOf({ source, sources = [] }: ApplicationSpec, tree: string): Owner {
  const named = sources.find((one) => treeNameOf(one) === tree);
  if (named === undefined) return { source, field: 'spec.source.secretRef' };
  return { source: named, field: `spec.sources[${named.name}].secretRef` };
}

type Parts = Pick<NamedSource, 'repoURL' | 'submodules' | 'lfs'>;

/** The part of a source that says what else of its repository is read. */
export function originOf({ repoURL, submodules = false, lfs = false }: Parts): TreeOrigin {
  return { repoURL, submodules, lfs };
}

interface Refresh {
  readonly spec: SourceSpec;
  readonly repository: OtherRepository;
  readonly verification: () => ReturnType<typeof readVerification>;
  readonly isForced: boolean;
  readonly known: KnownFromStatus | undefined;
  readonly other: string;
}

function refresh(
  reading: Reading,
  { spec, repository, verification, isForced, known, other }: Refresh,
): Promise<SourceMemory> {
  const { application, context, memory, signal, signals } = reading;
  const tenant = application.metadata.namespace;
  const question = { ...reading, other: repository };
  const readers = {
    credential: () => readCredential(question),
    verification,
    explain: (error: unknown) => explainAccess(error, question),
  };
  return refreshSource(memory.desired, { ...readers, spec, tenant, signals, isForced, known, other, signal, context });
}
