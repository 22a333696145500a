/**
 * A newer revision, spec or request wins over the plan under way: while a plan is carried out, the source is polled
 * when a poll is due (a webhook makes it due at once), and the pass is cut short between two objects.
 *
 * Invariant: only the plan under way is given up; applied objects stay, and their results are known.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { commitOfRevision } from '../../application/resolved-revision.ts';
import { wishOf } from '../../application/wish.ts';
import type { Snapshot } from '../../source/snapshot.ts';
import {
  explainAccess,
  readCredential,
  readVerification,
  type CredentialQuestion,
} from '../desired/read-credential.ts';
import { refreshSource, type RefreshContext } from '../desired/refresh-source.ts';
import type { ApplicationRecord, Memory } from '../memory.ts';
import type { Pass } from '../pass.ts';

/** Time between two looks; most plans end before the first. A look sends no request unless a poll is due. */
const CHECK_MS = 250;

/** The part of a pass that a newer revision, spec or request interrupts. `isCutShort` tells whether one came. */
export interface Interruptible extends Pick<Pass, 'application' | 'identity' | 'base' | 'signal' | 'isCutShort'> {
  readonly record: Pick<ApplicationRecord, 'stored' | 'signals'>;
  readonly goal: Pick<Pass['goal'], 'commit' | 'hold'>;
  readonly memory: Pick<Memory, 'desired'>;
  readonly context: Omit<RefreshContext, 'source'> &
    Pick<Pass['context'], 'sourceWhileApplying'> &
    CredentialQuestion['context'];
}

/** Runs `work` with a signal that is aborted as soon as something newer should take over. */
export async function untilNewer<T>(
  pass: Interruptible,
  snapshot: SeenCommit | undefined,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const ended = new AbortController();
  const newer = new AbortController();
  const watching = watch(pass, snapshot, { newer, ended: AbortSignal.any([ended.signal, pass.signal]) });
  // Awaited in `finally`; this only keeps an early rejection from counting as unhandled.
  watching.catch(() => undefined);
  try {
    return await work(newer.signal);
  } finally {
    ended.abort();
    await watching;
    pass.isCutShort = newer.signal.aborted;
  }
}

type SeenCommit = Pick<Snapshot, 'commit'>;

interface Watching {
  readonly newer: AbortController;
  readonly ended: AbortSignal;
}

async function watch(pass: Interruptible, snapshot: SeenCommit | undefined, { newer, ended }: Watching): Promise<void> {
  const begunWith = wishOf(pass.base);
  while (!ended.aborted) {
    const isOver = await sleep(CHECK_MS, false, { signal: ended }).catch(() => true);
    if (isOver) return;
    const isNewer = wishOf(pass.record.stored) !== begunWith || (await hasMoved(pass, snapshot, ended));
    if (isNewer) return newer.abort();
  }
}

/** A commit that a request names is applied to its end, whatever the branch does. A newer commit ends a hold. */
async function hasMoved(pass: Interruptible, snapshot: SeenCommit | undefined, signal: AbortSignal): Promise<boolean> {
  const { application, goal, context, memory, record } = pass;
  const followed = goal.hold ? commitOfRevision(goal.hold.over.revision) : snapshot?.commit;
  if (!snapshot || !memory.desired.source || (goal.commit !== undefined && !goal.hold)) return false;
  try {
    const source = await refreshSource(memory.desired, {
      spec: application.spec.source,
      tenant: application.metadata.namespace,
      credential: () => readCredential(pass),
      verification: () => readVerification(pass),
      explain: (error) => explainAccess(error, pass),
      signals: record.signals,
      isForced: false,
      signal,
      context: { ...context, source: context.sourceWhileApplying },
    });
    return source.snapshot !== undefined && source.snapshot.commit !== followed;
  } catch (error) {
    // The pass has ended meanwhile: the next one polls.
    if (signal.aborted) return false;
    throw error;
  }
}
