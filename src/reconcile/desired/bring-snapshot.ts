/**
 * The snapshot that a pass is about: that of the followed revision, of the commit that a request names, or of a hold.
 *
 * Invariant: under a hold the followed revision is polled as always, since a newer commit ends the hold; a hold begins
 * only once its commit has been read.
 */
import { formatTime } from '../../application/conditions.ts';
import { revisionSetOf } from '../../application/hold.ts';
import { commitOfRevision } from '../../application/resolved-revision.ts';
import type { Hold, RevisionSet } from '../../application/status-schema.ts';
import type { Snapshot } from '../../source/snapshot.ts';
import { goalUnderHold, withoutNewHold, type HoldQuestion } from '../hold-goal.ts';
import { timed, toFailure, type Pass } from '../pass.ts';
import { goalAtRevision } from '../requests.ts';
import type { SourceMemory } from './memory.ts';
import { refreshFollowed, refreshOthers } from './other-sources.ts';
import { explainAccess, readCredential, readVerification } from './read-credential.ts';
import { knownCommit, knownFromStatus } from './recall-source.ts';
import { refreshSource } from './refresh-source.ts';

/** Sets the goal of the pass. A request that does not fit its revision is refused from here on. */
export async function bringSnapshot(pass: Pass, isForced: boolean): Promise<Snapshot | undefined> {
  const { source, errors } = isAboutNamedCommit(pass)
    ? { source: await refresh(pass, { isForced, commit: pass.goal.commit }), errors: [] }
    : await bringFollowedOrHeld(pass, isForced);
  const { hold } = pass.goal;
  const otherErrors = await timed(pass, 'source', () => refreshOthers(pass, isForced, hold));
  const all = [...errors, ...(source.error === undefined ? [] : [source.error]), ...otherErrors];
  for (const error of all) pass.failures.push(toFailure('source', error));
  const { snapshot } = source;
  if (!snapshot) return undefined;
  const named = hold ? { ...snapshot, revision: hold.revision } : snapshot;
  if (!source.isOfEarlierSpec) pass.goal = goalAtRevision(pass.goal, pass.application, named);
  return named;
}

/** A request names a commit, which is not the one that is held: it is applied, and in mode manual it ends the hold. */
function isAboutNamedCommit(pass: Pass): boolean {
  const { commit, hold, isDryRun } = pass.goal;
  if (commit === undefined || (hold && commitOfRevision(hold.revision) === commit)) return false;
  if (!isDryRun) pass.goal = { ...pass.goal, hold: undefined };
  return true;
}

interface Brought {
  readonly source: SourceMemory;
  /** The error of the followed source, while another one is in force. */
  readonly errors: readonly unknown[];
}

async function bringFollowedOrHeld(pass: Pass, isForced: boolean): Promise<Brought> {
  const { application, context, goal } = pass;
  const source = await refresh(pass, { isForced, commit: undefined });
  const question = { goal, application, now: formatTime(context.clock.now()) };
  const followed = await followedSet(pass, source, isForced);
  pass.goal = goalUnderHold({ ...question, followed });
  const held = await bringHeld(pass, { ...question, followed }, isForced);
  return held ? { source: held, errors: source.error === undefined ? [] : [source.error] } : { source, errors: [] };
}

/** The revisions that are followed now, of all sources. undefined: the source of this spec was not read yet. */
async function followedSet(pass: Pass, source: SourceMemory, isForced: boolean): Promise<RevisionSet | undefined> {
  const { application, goal } = pass;
  const { snapshot, isOfEarlierSpec } = source;
  const isNeeded = goal.hold !== undefined || goal.holdRequest?.request.action === 'rollback';
  if (!isNeeded || !snapshot || isOfEarlierSpec) return undefined;
  const others = await timed(pass, 'source', () => refreshFollowed(pass, isForced));
  return revisionSetOf(snapshot.revision, others, new Set(application.spec.sources?.map(({ name }) => name)));
}

/** The source at the commit of the hold. undefined: nothing is held. */
async function bringHeld(pass: Pass, question: HoldQuestion, isForced: boolean): Promise<SourceMemory | undefined> {
  const { commit, hold } = pass.goal;
  if (!hold || commit === undefined) return undefined;
  const source = await refresh(pass, { isForced, commit });
  const isNew = hold.since !== question.application.status.hold?.since;
  if (!isNew || (source.snapshot && !source.isOfEarlierSpec)) return source;
  pass.goal = withoutNewHold(question, toFailure('source', source.error).message);
  return pass.goal.commit === undefined ? undefined : refresh(pass, { isForced, commit: pass.goal.commit });
}

/**
 * The snapshot of revisions that were followed before, as under a hold, and the other sources beside it. Throws
 * StageError if one of them can neither be read from disk nor be fetched.
 */
export async function bringRevisions(pass: Pass, revisions: RevisionSet): Promise<Snapshot> {
  const commit = commitOfRevision(revisions.revision);
  const hold: Hold = {
    ...revisions,
    over: revisions,
    reason: 'Requested',
    since: formatTime(pass.context.clock.now()),
  };
  pass.goal = { ...pass.goal, hold, commit };
  const { snapshot, isOfEarlierSpec, error } = await refresh(pass, { isForced: false, commit });
  const [otherError] = await timed(pass, 'source', () => refreshOthers(pass, false, hold));
  if (snapshot && !isOfEarlierSpec) return { ...snapshot, revision: revisions.revision };
  throw error ?? otherError;
}

interface Refreshed {
  readonly isForced: boolean;
  /** undefined: the revision of the spec. */
  readonly commit: string | undefined;
}

function refresh(pass: Pass, { isForced, commit }: Refreshed): Promise<SourceMemory> {
  const { application, context, goal, memory, record, signal } = pass;
  const { source: spec } = application.spec;
  const isHeld = commit !== undefined && goal.hold !== undefined && commitOfRevision(goal.hold.revision) === commit;
  return timed(pass, 'source', () =>
    refreshSource(memory.desired, {
      spec: commit === undefined ? spec : { ...spec, revision: commit },
      tenant: application.metadata.namespace,
      credential: () => readCredential(pass),
      verification: () => readVerification(pass),
      explain: (error) => explainAccess(error, pass),
      signals: record.signals,
      isForced,
      isPinned: commit !== undefined,
      known: commit === undefined ? knownFromStatus(application) : isHeld ? knownCommit(commit) : undefined,
      signal,
      context,
    }),
  );
}
