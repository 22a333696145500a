/**
 * Decides whether the answer of a poll is followed, as a pure function. A mirror or a replica that lags behind answers
 * with a commit that was followed before. To apply it would undo what the newer commit has brought, and prune it.
 * For a chart or an OCI artifact a digest stands for a commit. A tag that moves back to an older artifact is a change
 * like any other, so only digests that were followed before are doubted.
 *
 * Invariants: a commit that is newer than the followed one is followed at once. An older one, as after a forced push,
 * is followed once polls in a row agree on it: two at first, and more at a server whose answers have alternated before.
 */
import type { Lineage } from '../../source/snapshot.ts';
import type { Following } from './memory.ts';

/** A commit, with its place among others as far as it is known. */
export interface PlacedCommit {
  /** As `Snapshot.commit`. */
  readonly commit: string;
  readonly lineage?: Lineage | undefined;
}

const MAX_SEEN = 100;
const LEAST_AGREEING_POLLS = 2;
const MAX_REFUTED = 3;

/** The time until the poll that confirms or refutes a doubt: longer after each doubt that was refuted. */
export function doubtWaitMs({ refuted }: Following): number {
  return CONFIRM_MS * (1 + refuted);
}

/** Long enough for another replica to answer. */
const CONFIRM_MS = 2_000;

export interface PollAnswer {
  readonly following: Following;
  /** undefined: nothing is followed yet. */
  readonly followed: PlacedCommit | undefined;
  readonly polled: PlacedCommit;
}

/** `following` after the poll, and whether its answer is followed from now on. */
export function followPoll({ following, followed, polled }: PollAnswer): {
  readonly following: Following;
  readonly isFollowed: boolean;
} {
  const { doubt, refuted } = following;
  if (!followed || followed.commit === polled.commit) {
    const seen = withCommit(following.seen, polled.commit);
    const times = doubt ? Math.min(MAX_REFUTED, refuted + 1) : refuted;
    return { following: { seen, doubt: undefined, refuted: times }, isFollowed: true };
  }
  if (!isOlder(polled, followed, following)) {
    const seen = withCommit(withCommit(following.seen, followed.commit), polled.commit);
    return { following: { seen, doubt: undefined, refuted: 0 }, isFollowed: true };
  }
  const polls = doubt?.commit === polled.commit ? doubt.polls + 1 : 1;
  if (polls < LEAST_AGREEING_POLLS + refuted) {
    return { following: { ...following, doubt: { commit: polled.commit, polls } }, isFollowed: false };
  }
  const seen = withCommit(withCommit(following.seen, followed.commit), polled.commit);
  return { following: { seen, doubt: undefined, refuted }, isFollowed: true };
}

/** Whether a commit was followed before, so that it is older without a look at its lineage. */
export function isKnownOlder(polled: string, { following, followed }: Omit<PollAnswer, 'polled'>): boolean {
  return followed !== undefined && followed.commit !== polled && following.seen.includes(polled);
}

/**
 * The order in which commits were seen counts first, then that of parents, then the times that the committers wrote.
 * The clock of the agent plays no part.
 */
function isOlder(polled: PlacedCommit, followed: PlacedCommit, following: Following): boolean {
  if (isKnownOlder(polled.commit, { following, followed })) return true;
  if (followed.lineage?.parents.includes(polled.commit)) return true;
  if (polled.lineage?.parents.includes(followed.commit)) return false;
  return (polled.lineage?.committedS ?? Infinity) < (followed.lineage?.committedS ?? -Infinity);
}

function withCommit(seen: readonly string[], commit: string): readonly string[] {
  if (seen.at(-1) === commit) return seen;
  return [...seen.filter((one) => one !== commit), commit].slice(-MAX_SEEN);
}
