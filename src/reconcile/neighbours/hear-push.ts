/**
 * What a webhook does: it brings forward the polls of the Applications whose source was pushed to.
 *
 * Invariant: a hook leads to a poll and to nothing else, so what it claims need not be true. However many come, an
 * Application polls once a second at most (see refresh-source.ts), and is not woken again while a poll is coming.
 */
import { canonicalRepository, type RepositoryPush } from '../../application/repository.ts';
import { stringAt, valueAt } from '../../object/value.ts';
import { mayHaveMoved } from '../../source/revision.ts';
import type { ReconcileContext } from '../context.ts';
import { isHookAwaited } from '../desired/refresh-source.ts';
import type { ApplicationState } from '../memory.ts';

/** Answers how many Applications will be polled; those that are suspended or deleted are not. */
export function bringForward(
  push: RepositoryPush,
  context: Pick<ReconcileContext, 'clock' | 'peers' | 'wake'>,
): number {
  const pushed = new Set(push.addresses.map(canonicalRepository));
  let count = 0;
  for (const state of context.peers()) {
    if (!isConcerned(state, push, pushed)) continue;
    count++;
    const isComing = isHookAwaited(state.memory);
    state.memory.heardMs = context.clock.monotonicMs();
    if (!isComing) context.wake(state.key);
  }
  return count;
}

/** Read from what is stored, unparsed: a hook must stay cheap for thousands of Applications. */
function isConcerned(
  { stored }: ApplicationState,
  push: RepositoryPush,
  pushed: ReadonlySet<string | undefined>,
): boolean {
  const address = stringAt(stored, 'spec', 'source', 'repoURL');
  if (address === undefined || stored.metadata['deletionTimestamp'] !== undefined) return false;
  if (valueAt(stored, 'spec', 'suspend') === true) return false;
  const canonical = canonicalRepository(address);
  if (canonical === undefined || !pushed.has(canonical)) return false;
  return mayHaveMoved(stringAt(stored, 'spec', 'source', 'revision') ?? 'HEAD', push);
}
