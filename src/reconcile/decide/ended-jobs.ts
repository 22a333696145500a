/**
 * Jobs and bare Pods that ran to their end: once their time to live has removed them, they are done and not missing.
 * What is remembered is in status, so that a restart does not run a migration twice.
 */
import { STATUS_LIMITS } from '../../application/status-schema.ts';
import type { DesiredObject } from '../../bind/desired.ts';
import type { LiveObject } from '../../cluster/live.ts';
import { assessHealth, isFinished, type Health } from '../../health/health.ts';
import { idKey } from '../../object/identity.ts';
import type { IsAccepted } from '../accepted.ts';
import type { Pass } from '../pass.ts';

/** By `idKey`: the digest of the manifest that was seen finished. */
export function readFinished({ application, state }: Pass): Map<string, string> {
  state.memory.finished ??= new Map(Object.entries(application.status.finished ?? {}));
  return state.memory.finished;
}

/** Takes in what is seen of a desired object, and says how it does if it is gone because it was done. */
export function noteFinished(
  pass: Pass,
  { id, digest, policy }: DesiredObject,
  { live, isAccepted }: { readonly live: LiveObject | undefined; readonly isAccepted: IsAccepted },
): Health | undefined {
  const finished = readFinished(pass);
  const key = idKey(id);
  if (!live) {
    const isDone = finished.get(key) === digest;
    return isDone ? { status: 'Healthy', message: 'It ran to its end and was removed after that.' } : undefined;
  }
  // A hook that failed is not done: whoever deletes it has it run again.
  const isDone = isFinished(live) && (!policy?.isHook || assessHealth(live).status === 'Healthy');
  if (!isDone) finished.delete(key);
  // What ran is of an earlier manifest, which is still to be replaced.
  else if (!isAccepted(id, digest)) return undefined;
  else if (finished.has(key) || finished.size < STATUS_LIMITS.maxFinished) finished.set(key, digest);
  return undefined;
}

/** Forgets what is desired no more. */
export function keepFinished(pass: Pass, desired: readonly DesiredObject[]): void {
  const finished = readFinished(pass);
  if (finished.size === 0) return;
  const keys = new Set(desired.map(({ id }) => idKey(id)));
  for (const key of finished.keys()) if (!keys.has(key)) finished.delete(key);
}
