/**
 * Jobs and bare Pods that ran to their end: once their time to live has removed them, they are done and not missing.
 * Their digests are in status, so that a restart does not run a migration twice.
 */
import type { Application } from '../../application/schema.ts';
import { STATUS_LIMITS } from '../../application/status-schema.ts';
import type { DesiredObject } from '../../bind/desired.ts';
import type { LiveObject } from '../../cluster/live.ts';
import { assessHealth, isFinished, type Health } from '../../health/health.ts';
import { idKey } from '../../object/identity.ts';
import type { IsAccepted } from '../accepted.ts';
import type { EndedJobsMemory } from './memory.ts';

/** By `idKey`: the digest of the manifest that was seen to have ended. */
export function readEndedJobs(memory: EndedJobsMemory, { status }: Application): Map<string, string> {
  memory.digests ??= new Map(Object.entries(status.finished ?? {}));
  return memory.digests;
}

export interface SeenObject {
  readonly desired: Pick<DesiredObject, 'id' | 'digest' | 'policy'>;
  readonly live: LiveObject | undefined;
  readonly isAccepted: IsAccepted;
}

/** Takes in a desired object as it is seen, and returns its health if it is gone because it had ended. */
export function noteEndedJob(
  endedJobs: Map<string, string>,
  { desired: { id, digest, policy }, live, isAccepted }: SeenObject,
): Health | undefined {
  const key = idKey(id);
  if (!live) {
    const isDone = endedJobs.get(key) === digest;
    return isDone ? { status: 'Healthy', message: 'It ran to its end and was removed after that.' } : undefined;
  }
  // A hook that failed is not done: it runs again once it is deleted.
  const isDone = isFinished(live) && (!policy?.isHook || assessHealth(live).status === 'Healthy');
  if (!isDone) endedJobs.delete(key);
  // The live Job is of an earlier manifest, which is still to be replaced.
  else if (!isAccepted(id, digest)) return undefined;
  else if (endedJobs.has(key) || endedJobs.size < STATUS_LIMITS.maxFinished) endedJobs.set(key, digest);
  return undefined;
}

/** Forgets Jobs that are no longer desired. */
export function dropUndesiredJobs(endedJobs: Map<string, string>, desired: readonly Pick<DesiredObject, 'id'>[]): void {
  if (endedJobs.size === 0) return;
  const keys = new Set(desired.map(({ id }) => idKey(id)));
  for (const key of endedJobs.keys()) if (!keys.has(key)) endedJobs.delete(key);
}
