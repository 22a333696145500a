/**
 * The hold of a pass, as a pure function: what status shows, the request, and what is followed now decide together.
 *
 * Invariant: a commit is followed again as soon as a poll has brought another one than that which the hold is over; a
 * refused request leaves the hold as it was.
 */
import { howToRelease, isSameSet, revisionsAt } from '../application/hold.ts';
import { commitOfRevision, shortRevision } from '../application/resolved-revision.ts';
import type { Application } from '../application/schema.ts';
import type { Hold, RevisionSet } from '../application/status-schema.ts';
import { readGoal, refuse, type HoldRequest, type PassGoal } from './requests.ts';

export interface HoldQuestion {
  readonly goal: PassGoal;
  readonly application: Application;
  /** The revisions that are followed now. undefined: the source of this spec was not read yet. */
  readonly followed: RevisionSet | undefined;
  /** RFC 3339. */
  readonly now: string;
}

/** The goal with the hold of this pass; `commit` is that of the hold. */
export function goalUnderHold(question: HoldQuestion): PassGoal {
  const { goal, application, followed } = question;
  const { status } = application;
  const { request, isUnderWay } = goal.holdRequest ?? {};
  if (request?.action === 'release') {
    if (status.hold || isUnderWay) return withoutHold(question);
    return withHold(refuse(goal, application.spec, REFUSALS.nothingHeld), undefined);
  }
  const isEnded = status.hold !== undefined && followed !== undefined && !isSameSet(followed, status.hold.over);
  if (request?.action !== 'rollback') return isEnded ? withoutHold(question) : withHold(goal, status.hold);
  if (isUnderWay && status.hold?.requestId === request.id && !isEnded) return withHold(goal, status.hold);
  if (isUnderWay) return refuse(withoutHold(question), application.spec, REFUSALS.superseded);
  const hold = holdOf(question, request);
  if (typeof hold !== 'string') return withHold(goal, hold);
  return refuse(isEnded ? withoutHold(question) : withHold(goal, status.hold), application.spec, hold);
}

/** The hold that was asked for cannot begin: the goal is that of the spec, under the hold of before. */
export function withoutNewHold(question: HoldQuestion, why: string): PassGoal {
  const { application, goal } = question;
  const before = goalUnderHold({ ...question, goal: { ...goal, holdRequest: undefined } });
  return refuse(before, application.spec, REFUSALS.unreadable(why));
}

type Rollback = Extract<HoldRequest['request'], { action: 'rollback' }>;

/** A new hold, or the reason to refuse it. */
function holdOf({ application, followed, now }: HoldQuestion, request: Rollback): Hold | string {
  const { metadata, spec, status } = application;
  const names = new Set(spec.sources?.map(({ name }) => name));
  const shown = status.hold?.over ?? (status.sync?.revision === undefined ? undefined : status.sync);
  const over =
    followed ?? (shown && { revision: shown.revision ?? '', ...(shown.sources && { sources: shown.sources }) });
  if (!over) return REFUSALS.unread;
  const { revision, prune, reason, by } = request;
  const wanted = revisionsAt(revision, status.history ?? [], names);
  if (commitOfRevision(over.revision) === revision && isSameSet(over, wanted)) {
    return REFUSALS.followed(shortRevision(over.revision), status.hold && howToRelease(metadata));
  }
  return {
    ...wanted,
    over,
    reason: 'Requested',
    ...(reason === undefined ? {} : { message: reason }),
    ...(by === undefined ? {} : { by }),
    requestId: request.id,
    since: now,
    ...(prune === undefined ? {} : { prune }),
  };
}

function withHold(goal: PassGoal, hold: Hold | undefined): PassGoal {
  return { ...goal, hold, commit: hold && commitOfRevision(hold.revision) };
}

/** The goal as it would be if status showed no hold. */
function withoutHold({ goal, application }: HoldQuestion): PassGoal {
  const { hold: _ended, ...status } = application.status;
  const { holdRequest } = goal;
  return { ...readGoal({ ...application, status }, goal.window), holdRequest, hold: undefined, commit: undefined };
}

const REFUSALS = {
  nothingHeld: 'not released: no revision is held, the followed one is in force already',
  superseded: 'the rollback has ended before it was complete: a newer commit is followed, or it was released',
  unread: 'not rolled back: the source has not been read yet, so there is no followed revision to hold back',
  followed: (revision: string, release: string | undefined) =>
    `not rolled back: ${revision} is the followed revision; ` +
    (release === undefined ? 'sync it, or name an earlier commit' : `to apply it again: ${release}`),
  unreadable: (why: string) => `not rolled back: the commit cannot be read: ${why}`,
} as const;
