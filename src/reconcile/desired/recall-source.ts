/**
 * The source of an Application at its first pass in a process: status names the revision that was followed last and
 * those before it, and the snapshot may still be on disk. So a restart forgets neither the state that is in force while
 * Git is down, nor which commits are older.
 */
import { isArtifactSource, isNamedByRevision, readArtifactRevision } from '../../application/artifact-revision.ts';
import { rangeOfRevision } from '../../application/version-range.ts';
import type { Application, ApplicationSpec } from '../../application/schema.ts';
import type { SourceRevision } from '../../application/status-schema.ts';
import { printable } from '../../object/printable.ts';
import { StageError } from '../../object/stage-error.ts';
import type { Credential } from '../../source/credential.ts';
import { START_PACE } from '../../source/poll-pace.ts';
import type { SourcePort } from '../../source/ports.ts';
import { nameOfRevision, readRevision, resolvedCommit, type ResolvedRevision } from '../../source/revision.ts';
import type { Snapshot } from '../../source/snapshot.ts';
import type { Signals } from '../memory.ts';
import { NOTHING_FOLLOWED, type SourceMemory } from './memory.ts';
import { readPlace, type PlaceReaders } from './source-place.ts';

export interface KnownFromStatus {
  /** The revision that was followed last. */
  readonly resolved: ResolvedRevision;
  /** Commits that were followed before, the oldest first; the last is that of `resolved`. */
  readonly seen: readonly string[];
}

/** undefined: status names no revision, or one that the spec does not name. */
export function knownFromStatus({ spec, status }: Pick<Application, 'spec' | 'status'>): KnownFromStatus | undefined {
  const earlier = (status.history ?? []).map(({ revision }) => revision);
  // Under a hold the compared revision is an earlier one than that which is followed.
  const followed = status.hold?.over.revision ?? status.sync?.revision;
  return knownOf(spec.source, followed === undefined ? [] : [followed], earlier);
}

/** A commit that is held, so that its files are used again from disk after a restart. */
export function knownCommit(commit: string): KnownFromStatus {
  return { resolved: resolvedCommit(commit), seen: [commit] };
}

/** The same for another source, which status names by its name in spec.sources or by its address. */
export function knownOfOther(
  { status }: Pick<Application, 'status'>,
  name: string,
  source: ApplicationSpec['source'],
): KnownFromStatus | undefined {
  const revisionsIn = (sources: readonly SourceRevision[] = []): string[] =>
    sources.flatMap((other) => (other.name === name ? [other.revision] : []));
  const earlier = (status.history ?? []).flatMap(({ sources }) => revisionsIn(sources));
  return knownOf(source, revisionsIn(status.hold?.over.sources ?? status.sync?.sources), earlier);
}

/** `present`: the revisions that status names now; `earlier`: those before, the newest first. */
function knownOf(
  source: ApplicationSpec['source'],
  present: readonly string[],
  earlier: readonly string[],
): KnownFromStatus | undefined {
  const resolved = present
    .map((revision) => readRevision(revision))
    .find((found) => found !== undefined && isNamedBy(source, found));
  if (!resolved) return undefined;
  const revisions = [...earlier.toReversed(), resolved.revision];
  const commits = revisions.flatMap((revision) => readRevision(revision)?.commit ?? []);
  return { resolved, seen: [...new Set(commits.reverse())].reverse() };
}

/** HEAD stands for whichever branch is the default. */
function isNamedBy(source: ApplicationSpec['source'], { revision, commit }: ResolvedRevision): boolean {
  const { revision: wanted, chart } = source;
  const name = nameOfRevision(revision);
  if (isArtifactSource(source)) {
    return isNamedByRevision({ name, digest: `sha256:${commit}` }, readArtifactRevision(wanted, chart !== undefined));
  }
  const range = rangeOfRevision(wanted);
  if (range) return range.matches(name);
  if (name === revision) return wanted.toLowerCase() === commit;
  return wanted === 'HEAD' || name === printable(wanted);
}

export interface RecallOptions {
  readonly spec: PlaceReaders['spec'];
  readonly credential: () => Promise<Credential | undefined>;
  readonly verification: PlaceReaders['verification'];
  readonly context: { readonly source: Pick<SourcePort, 'recall'> };
}

export interface RecallSourceOptions extends RecallOptions {
  /** `SourceMemory.key` of the spec. */
  readonly key: string;
  readonly known?: KnownFromStatus | undefined;
  readonly signals: Readonly<Signals>;
}

/** The memory of an earlier process, as far as it can be recalled. undefined: none of it. */
export async function recallSource(options: RecallSourceOptions): Promise<SourceMemory | undefined> {
  const { key, known, signals } = options;
  if (!known) return undefined;
  return {
    key,
    snapshot: await recallSnapshot(options, known.resolved),
    isOfEarlierSpec: false,
    following: { ...NOTHING_FOLLOWED, seen: known.seen },
    pollsAsked: signals.pollsAsked,
    polledMs: -Infinity,
    answered: undefined,
    nextPollMs: -Infinity,
    pace: { ...START_PACE, heardMs: signals.hookHeardMs },
    told: undefined,
    failures: 0,
    error: undefined,
  };
}

/**
 * Costs no request to Git. A snapshot that was fetched without a credential may be used while the Secret cannot be
 * read: it was open to everyone who reaches the server.
 */
export async function recallSnapshot(
  { context, ...readers }: RecallOptions,
  resolved: ResolvedRevision,
): Promise<Snapshot | undefined> {
  const find = (credential: RecallOptions['credential']) =>
    orNothing(async () => context.source.recall({ ...(await readPlace({ ...readers, credential })), resolved }));
  return (await find(readers.credential)) ?? find(async () => undefined);
}

/** undefined: a StageError, as the poll that follows reports why the Secret or the disk cannot be read. */
export async function orNothing<T>(read: () => Promise<T | undefined>): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof StageError) return undefined;
    throw error;
  }
}
