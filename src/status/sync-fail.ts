/**
 * Whether the sync of a set of desired objects has failed, so that its SyncFail hooks run. Status keeps it: they run
 * once for the set, and a restart of the agent changes nothing.
 */
import { isRunToCompletion } from '../application/ended-jobs.ts';
import type { StoredStatus } from '../application/schema.ts';
import type { SyncStatus } from '../application/status-schema.ts';
import { idKey } from '../object/identity.ts';
import type { PassReport } from './report.ts';
import { hasFailed } from './rollback.ts';
import type { PassVerdict } from './verdict.ts';

/** The set that has failed, as status stores it. undefined: none has, or it has no hooks for that. */
export function nextFailed(
  previous: StoredStatus,
  report: PassReport,
  { verdict, sync }: { readonly verdict: PassVerdict; readonly sync: Pick<SyncStatus, 'lastAttemptedRevision'> },
): string | undefined {
  const { syncFail } = report;
  const known = previous.sync?.failed;
  // Not all objects could be read: the set is the one of before.
  if (!syncFail) return known;
  if (syncFail.hooks === 0) return undefined;
  if (known === syncFail.set) return known;
  const { intent } = report;
  const isOver = report.phase === 'ended' && intent.mode === 'auto' && !intent.objects && !report.isInDoubt;
  if (!isOver || sync.lastAttemptedRevision !== report.revision) return undefined;
  return hasFailed(report, verdict) || hasFailedHook(report) ? syncFail.set : undefined;
}

/** A hook that failed stops the sync: nothing after it is applied before it has run again. */
function hasFailedHook({ changes, health }: PassReport): boolean {
  return changes.some(({ desired, id }) => {
    const isHook = desired?.policy?.isHook === true && !desired.policy.isSyncFail;
    return isHook && isRunToCompletion(id) && health.get(idKey(id))?.status === 'Degraded';
  });
}
