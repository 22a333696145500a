/**
 * Which Applications of a source may have a say over the objects that left another one. Nothing waits for the others,
 * and their folders are not rendered: an Application that may write none of the objects delays no prune of them.
 *
 * Invariants: Applications of one namespace are of one tenant and are not reviewed. Applications that read a commit by
 * themselves get time to do so before their rights are reviewed, so that a push to a repository of many Applications
 * costs no reviews.
 */
import { namespaceOf } from '../../application/keys.ts';
import type { ObjectId } from '../../object/identity.ts';
import type { Neighbour } from '../neighbours/neighbours.ts';
import { mayPass, type StandingPair } from './standing.ts';

/** After this time without an announcement the rights of an Application are reviewed. */
export const REVIEW_AFTER_MS = 5_000;

/** Whether Applications may write any object of the kind and namespace of these pairs. */
export type ReviewSay = (pairs: readonly StandingPair[]) => Promise<(key: string, id: ObjectId) => boolean>;

/** Applications that were not reviewed may have a say. */
export interface Say {
  over(key: string, id: ObjectId): boolean;
  overAny(key: string): boolean;
}

export interface SayQuestion {
  /** `namespace/name` of the Application that the objects left. */
  readonly key: string;
  readonly left: readonly ObjectId[];
  /** Keys of the Applications that have not announced what they desire. */
  readonly silent: readonly string[];
  readonly reviewSay: ReviewSay;
}

/** Throws StageError where a review has no answer. Without Applications of other namespaces nothing is asked. */
export async function sayOver({ key, left, silent, reviewSay }: SayQuestion): Promise<Say> {
  const reviewed = new Set(silent.filter((other) => namespaceOf(other) !== namespaceOf(key)));
  const examples = [...new Map(left.map((id) => [placeOf(id), id])).values()];
  const pairs = Array.from(reviewed, (other) => examples.map((id) => ({ key: other, id }))).flat();
  const passing = pairs.filter((pair) => mayPass(pair, key));
  const mayWrite = passing.length > 0 ? await reviewSay(passing) : () => false;
  const over = (other: string, id: ObjectId): boolean =>
    !reviewed.has(other) || (mayPass({ key: other, id }, key) && mayWrite(other, id));
  return { over, overAny: (other) => examples.some((id) => over(other, id)) };
}

interface SilentOptions {
  /** `namespace/name` of the Application that the objects left. */
  readonly key: string;
  readonly silent: readonly Neighbour[];
  readonly say: Say;
  /** Whether an Application could have read the commit. */
  readonly canRead: (other: Neighbour) => boolean;
}

export interface SilentNeighbours {
  readonly silent: readonly Neighbour[];
  /** Some could have read the commit. */
  readonly isUnread: boolean;
}

/** The silent Applications that the prune of an object waits for, which are the same for a kind and namespace. */
export function silentByPlace({ key, silent, say, canRead }: SilentOptions): (id: ObjectId) => SilentNeighbours {
  const known = new Map<string, SilentNeighbours>();
  return (id) => {
    const place = placeOf(id);
    const before = known.get(place);
    if (before) return before;
    const heard = silent.filter((other) => mayPass({ key: other.key, id }, key) && say.over(other.key, id));
    const found = { silent: heard, isUnread: heard.some(canRead) };
    known.set(place, found);
    return found;
  };
}

export function silenceText([first, ...more]: readonly Neighbour[]): string {
  const others = more.length > 0 ? ` and ${more.length} more` : '';
  return `it is pruned once Application ${first?.key}${others} of the same source has read the revision`;
}

/** One text for all objects that one review is about. */
function placeOf({ group, kind, namespace }: ObjectId): string {
  return `${group}/${kind}/${namespace}`;
}
