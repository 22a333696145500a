/**
 * What the waves of a pass wait for, as far as the cluster tells: the health of what is desired, looked at before the
 * plan is made. Where all is in one wave nothing is looked at; no request is sent in any case.
 */
import type { Desired } from '../../bind/desired.ts';
import type { Change } from '../../diff/changes.ts';
import { assessHealth, isFinished } from '../../health/health.ts';
import { isSettledHealth } from '../../application/status-schema.ts';
import { readOwnership } from '../../object/applyset.ts';
import { idKey } from '../../object/identity.ts';
import { syncWavesOf, type Gate } from '../../plan/sync-waves.ts';
import { REASONS } from '../../diff/diff.ts';
import { acceptanceOf } from '../accepted.ts';
import type { Pass } from '../pass.ts';

/** undefined: there is one wave, and nothing to wait for. */
export function gateOf(pass: Pass, changes: readonly Change[], desired: Pick<Desired, 'digest'>): Gate | undefined {
  if (!syncWavesOf(changes)) return undefined;
  const isKnown = acceptanceOf(pass, desired);
  const self = pass.application.metadata;
  const unwell = new Map<string, string>();
  for (const { id, desired: object, live, reason } of changes) {
    // Nobody applies what is left alone, and what has run is done.
    if (!object || reason === REASONS.disabled || reason === REASONS.finished) continue;
    const { status, message } = assessHealth(live, { self });
    if (status === 'Unknown' || isSettledHealth(status)) continue;
    unwell.set(idKey(id), message ? `it is ${status} (${message})` : `it is ${status}`);
  }
  return {
    unwell,
    isAccepted: ({ id, desired: object }) => object !== undefined && isKnown(id, object.digest),
  };
}

/**
 * Hooks that are to be deleted once they have run well become prunes. That they have run is in the stored status
 * already: a kill between the deletion and the next pass does not run them twice.
 */
export function retireHooks({ application, asked, owner }: Pass, changes: readonly Change[]): readonly Change[] {
  // Nobody deletes it now, so it has not left; the next sync takes it with it.
  if (asked.intent.mode !== 'auto') return changes;
  const stored = application.status.finished ?? {};
  return changes.map((change) => {
    const { desired, live, type, id } = change;
    if (!desired?.policy?.isDeletedOnSuccess || !live || type !== 'none' || live.deletionTimestamp) return change;
    const hasRun = isFinished(live) && assessHealth(live).status === 'Healthy';
    if (!hasRun || stored[idKey(id)] !== desired.digest || !isOurs(live.body, owner)) return change;
    return { ...change, type: 'prune', reason: 'it has run, and its hook-delete-policy is HookSucceeded' };
  });
}

/** Whether this pass has stored that such a hook has run, so that the next one deletes it. */
export function isRetirementDue({ application, state }: Pass, changes: readonly Change[] = []): boolean {
  const stored = application.status.finished ?? {};
  return changes.some(({ desired, id, live, type }) => {
    if (!desired?.policy?.isDeletedOnSuccess || !live || type !== 'none') return false;
    const digest = state.memory.finished?.get(idKey(id));
    return digest === desired.digest && stored[idKey(id)] !== digest;
  });
}

function isOurs(...[body, owner]: Parameters<typeof readOwnership>): boolean {
  return readOwnership(body, owner).type === 'ours';
}
