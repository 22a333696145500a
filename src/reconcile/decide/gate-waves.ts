/**
 * The gate between the waves of a pass: later waves wait for the health of earlier ones, as far as watches tell it.
 * Where all objects are in one wave nothing is looked at; no request is sent in any case.
 */
import { hasRunFailed, isRunOf } from '../../application/ended-jobs.ts';
import type { Application } from '../../application/schema.ts';
import { isSettledHealth } from '../../application/status-schema.ts';
import type { Change } from '../../diff/changes.ts';
import { REASONS } from '../../diff/diff.ts';
import { assessHealth, isFinished, type HealthContext } from '../../health/health.ts';
import type { Owner } from '../../object/applyset.ts';
import { idKey } from '../../object/identity.ts';
import { mayDelete } from '../../object/may-delete.ts';
import { visitSteps, type Steps } from '../../object/steps.ts';
import type { ObjectPolicy } from '../../object/policy.ts';
import { hasOrder } from '../../plan/explicit-order.ts';
import { hasSyncWaves, type Gate } from '../../plan/sync-waves.ts';
import type { IsAccepted } from '../accepted.ts';

export interface GateOptions extends Pick<HealthContext, 'checked'> {
  /** The Application itself: its own health is not waited for. */
  readonly self: Application['metadata'];
  readonly isAccepted: IsAccepted;
}

/** undefined: there is one wave, no object has an order of its own, and nothing is waited for. */
export function* gateOf(changes: readonly Change[], { isAccepted, ...context }: GateOptions): Steps<Gate | undefined> {
  if (!hasSyncWaves(changes) && !hasOrder(changes)) return undefined;
  const unwell = new Map<string, string>();
  yield* visitSteps(changes, (change) => {
    const why = whyUnwell(change, context);
    if (why !== undefined) unwell.set(idKey(change.id), why);
  });
  return {
    unwell,
    isAccepted: ({ id, desired }) => desired !== undefined && isAccepted(id, desired.digest),
  };
}

/** undefined: the object is well, or nothing waits for it. */
function whyUnwell({ desired, live, reason }: Change, context: HealthContext): string | undefined {
  // Disabled objects are not applied, and ended Jobs are done.
  if (!desired || reason === REASONS.disabled || reason === REASONS.finished) return undefined;
  if (reason === REASONS.failed) return reason;
  const { status, message } = assessHealth(live, context);
  if (status === 'Unknown' || isSettledHealth(status)) return undefined;
  return message ? `it is ${status} (${message})` : `it is ${status}`;
}

/** By `idKey`, as status stores it: the digest of the manifest of each Job that ran to its end. */
type StoredEndedJobs = Readonly<Record<string, string>>;

/**
 * Hooks that are to be deleted once they have succeeded or failed become prunes. The stored status tells already that
 * they have run: a kill between the deletion and the next pass does not run them twice.
 */
export function retireHooks(changes: readonly Change[], stored: StoredEndedJobs, owner: Owner): readonly Change[] {
  return changes.map((change) => {
    const { desired, live, type, id } = change;
    if (!desired || !live || type !== 'none' || live.deletionTimestamp || !isFinished(live)) return change;
    const reason = reasonToRetire(desired.policy, assessHealth(live).status === 'Healthy');
    if (reason === undefined || !isRunOf(stored[idKey(id)], desired.digest)) return change;
    if (mayDelete({ live, owner, occasion: 'hook' }).type !== 'delete') return change;
    return { ...change, type: 'prune', reason };
  });
}

/** undefined: the hook stays. */
function reasonToRetire(policy: Partial<ObjectPolicy> | undefined, hasSucceeded: boolean): string | undefined {
  if (hasSucceeded && policy?.isDeletedOnSuccess) return 'it has run, and its hook-delete-policy is HookSucceeded';
  return !hasSucceeded && policy?.isDeletedOnFailure
    ? 'it failed, and its hook-delete-policy is HookFailed'
    : undefined;
}

/** Whether this pass has stored for the first time that such a hook has run, so that the next one deletes it. */
export function isRetirementDue(
  changes: readonly Change[],
  stored: StoredEndedJobs,
  endedJobs: ReadonlyMap<string, string> | undefined,
): boolean {
  return changes.some(({ desired, id, live, type }) => {
    if (!desired || !live || type !== 'none') return false;
    const run = endedJobs?.get(idKey(id));
    if (reasonToRetire(desired.policy, !hasRunFailed(run)) === undefined) return false;
    return isRunOf(run, desired.digest) && !isRunOf(stored[idKey(id)], desired.digest);
  });
}
