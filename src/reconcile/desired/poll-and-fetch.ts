/**
 * One look at the source: a poll, the decision whether its answer is followed, and the fetch of a commit that is.
 */
import type { ApplicationSpec } from '../../application/schema.ts';
import type { Credential } from '../../source/credential.ts';
import type { SourcePlace, SourcePort } from '../../source/ports.ts';
import type { Snapshot } from '../../source/snapshot.ts';
import type { ReconcileContext } from '../context.ts';
import type { Signals } from '../memory.ts';
import { followPoll, isKnownOlder } from './follow-poll.ts';
import { NOTHING_FOLLOWED, type Following, type SourceMemory } from './memory.ts';
import { readPlace, type PlaceReaders } from './source-place.ts';

export interface PollOptions {
  readonly spec: PlaceReaders['spec'] & Pick<ApplicationSpec['source'], 'revision'>;
  /** The namespace of the Application. */
  readonly tenant: string;
  readonly credential: () => Promise<Credential | undefined>;
  readonly verification: PlaceReaders['verification'];
  readonly signals: Pick<Signals, 'askedMs'>;
  readonly signal: AbortSignal;
  readonly context: Pick<ReconcileContext, 'clock'> & {
    readonly source: Pick<SourcePort, 'poll' | 'fetch'>;
    readonly metrics: Pick<ReconcileContext['metrics'], 'onGitRequest'>;
  };
}

export interface Polled {
  /** The newest snapshot that is followed. */
  readonly snapshot: Snapshot;
  readonly following: Following;
}

/** Throws StageError. `before`: what is remembered of the same repository and revision. */
export async function pollAndFetch(options: PollOptions, before: SourceMemory | undefined): Promise<Polled> {
  const place = await readPlace(options);
  const inForce = before && !before.isOfEarlierSpec ? before.snapshot : undefined;
  const state = { inForce, following: before?.following ?? NOTHING_FOLLOWED };
  const polled = await pollOnce({ ...options, place }, state);
  if (polled.snapshot) return { snapshot: polled.snapshot, following: polled.following };
  if (inForce) return { snapshot: inForce, following: polled.following };
  // Nothing is in force that a wait would keep.
  return pollUntilFollowed({ ...options, place }, polled.following);
}

const MAX_POLLS_IN_A_ROW = 5;

async function pollUntilFollowed(options: Options, first: Following): Promise<Polled> {
  let following = first;
  for (let polls = 2; ; polls++) {
    const isLast = polls >= MAX_POLLS_IN_A_ROW;
    const polled = await pollOnce(options, { inForce: undefined, following: isLast ? NOTHING_FOLLOWED : following });
    if (polled.snapshot) return { snapshot: polled.snapshot, following: polled.following };
    following = polled.following;
  }
}

interface Options extends Omit<PollOptions, 'credential' | 'verification'> {
  readonly place: SourcePlace;
}

interface Before {
  readonly inForce: Snapshot | undefined;
  readonly following: Following;
}

/** `snapshot` is undefined where the answer is not followed. */
async function pollOnce(
  { spec, tenant, place, signals, signal, context }: Options,
  { inForce, following }: Before,
): Promise<{ readonly snapshot: Snapshot | undefined; readonly following: Following }> {
  const { source } = context;
  const repository = { ...place, tenant, signal };
  const resolved = await counted(context, 'poll', () =>
    source.poll({ ...repository, revision: spec.revision, notBeforeMs: signals.askedMs }),
  );
  const newest = following.seen.at(-1);
  const followed = inForce ?? (newest === undefined ? undefined : { commit: newest });
  const fetch = () => counted(context, 'fetch', () => source.fetch({ ...repository, resolved }));
  const known = inForce?.id === resolved.id ? inForce : undefined;
  // A signed tag may have moved on the same commit. Its files are on disk, so this brings the tag at most.
  const again = async (snapshot: Snapshot): Promise<Snapshot> =>
    place.verification ? source.fetch({ ...repository, resolved }) : { ...snapshot, revision: resolved.revision };
  const isOlder = isKnownOlder(resolved.commit, { following, followed });
  // The lineage of a commit that was followed before is not needed to see that it is older.
  const fetched = known ? await again(known) : isOlder ? undefined : await fetch();
  const judged = followPoll({ following, followed, polled: fetched ?? resolved });
  if (!judged.isFollowed) return { snapshot: undefined, following: judged.following };
  return { snapshot: fetched ?? (await fetch()), following: judged.following };
}

async function counted<T>(
  context: PollOptions['context'],
  operation: 'poll' | 'fetch',
  run: () => Promise<T>,
): Promise<T> {
  const startedMs = context.clock.monotonicMs();
  let result: 'success' | 'failure' = 'failure';
  try {
    const answer = await run();
    result = 'success';
    return answer;
  } finally {
    context.metrics.onGitRequest({ operation, result, durationMs: context.clock.monotonicMs() - startedMs });
  }
}
