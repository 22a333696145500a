/**
 * A newer revision, spec or request wins over what is under way: while a plan is carried out, the source goes on being
 * polled when that is due (a webhook makes it so at once), and the pass is cut short between two objects.
 *
 * Invariant: nothing but the plan under way is given up; what was applied stays and is known.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { wishOf } from '../../application/wish.ts';
import type { Snapshot } from '../../source/snapshot.ts';
import type { Pass } from '../pass.ts';
import { readCredential } from '../desired/read-credential.ts';
import { refreshSource } from '../desired/refresh-source.ts';

/** Looked at so often; most plans are done before the first time. No request is made unless a poll is due. */
const CHECK_MS = 250;

/** Runs `work` with a signal that is aborted as soon as something newer should take over. */
export async function untilNewer<T>(
  pass: Pass,
  snapshot: Snapshot | undefined,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const ended = new AbortController();
  const newer = new AbortController();
  const watching = watch(pass, snapshot, { newer, ended: AbortSignal.any([ended.signal, pass.signal]) });
  // Heard below: until then it is nobody's.
  watching.catch(() => undefined);
  try {
    return await work(newer.signal);
  } finally {
    ended.abort();
    await watching;
    pass.isCutShort = newer.signal.aborted;
  }
}

interface Watching {
  readonly newer: AbortController;
  readonly ended: AbortSignal;
}

async function watch(pass: Pass, snapshot: Snapshot | undefined, { newer, ended }: Watching): Promise<void> {
  const begunWith = wishOf(pass.base);
  while (!ended.aborted) {
    const isOver = await sleep(CHECK_MS, false, { signal: ended }).catch(() => true);
    if (isOver) return;
    const isNewer = wishOf(pass.state.stored) !== begunWith || (await hasMoved(pass, snapshot, ended));
    if (isNewer) return newer.abort();
  }
}

/** A commit that a request names is applied to its end, whatever the branch does. */
async function hasMoved(pass: Pass, snapshot: Snapshot | undefined, signal: AbortSignal): Promise<boolean> {
  const { application, asked, context, state } = pass;
  const { memory } = state;
  const { source: before } = memory;
  if (!snapshot || !before || asked.commit !== undefined) return false;
  try {
    const source = await refreshSource(
      {
        spec: application.spec.source,
        credential: () => readCredential(pass),
        before,
        heardMs: () => memory.heardMs,
        isForced: false,
        signal,
      },
      context,
    );
    memory.source = source;
    return source.snapshot !== undefined && source.snapshot.commit !== snapshot.commit;
  } catch (error) {
    // The pass has ended meanwhile: the next one polls.
    if (signal.aborted) return false;
    throw error;
  }
}
