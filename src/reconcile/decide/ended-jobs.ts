/**
 * Jobs and bare Pods run once for each manifest: one that has ended, or was started and then removed by its time to
 * live, is done and not missing. The records are in status, so that neither a restart nor a broken commit runs a
 * migration twice.
 */
import { hasRunFailed, isRunOf, isRunToCompletion, isSending, storedRun } from '../../application/ended-jobs.ts';
import type { Application } from '../../application/schema.ts';
import { STATUS_LIMITS } from '../../application/status-schema.ts';
import type { DesiredObject } from '../../bind/desired.ts';
import type { LiveObject } from '../../cluster/live.ts';
import { assessHealth, isFinished, type Health } from '../../health/health.ts';
import { idKey, type ObjectId } from '../../object/identity.ts';
import { numberAt } from '../../object/value.ts';
import type { IsAccepted } from '../accepted.ts';
import type { EndedJobsMemory } from './memory.ts';

export interface JobRecords {
  /** By `idKey`: the stored digest of the manifest with which a Job ended. */
  readonly ended: Map<string, string>;
  /**
   * By `idKey`: the stored digest of the manifest with which a Job was started, until it has ended, or with which its
   * creation was about to be sent; see sent-jobs.ts.
   */
  readonly started: Map<string, string>;
  /** By `idKey`: Jobs that this process has seen unfinished, and whether they have a time to live. */
  readonly seenRunning: Map<string, boolean>;
}

export function readJobRecords(memory: EndedJobsMemory, { status }: Pick<Application, 'status'>): JobRecords {
  memory.ended ??= new Map(Object.entries(status.finished ?? {}));
  memory.started ??= new Map(Object.entries(status.started ?? {}));
  return { ended: memory.ended, started: memory.started, seenRunning: memory.seenRunning };
}

/** Takes in that the server has accepted the manifest of a Job. */
export function noteStartedJob(memory: EndedJobsMemory, { id, digest }: Pick<DesiredObject, 'id' | 'digest'>): void {
  const { started } = memory;
  const key = idKey(id);
  if (!isRunToCompletion(id) || !started || isRunOf(memory.ended?.get(key), digest)) return;
  if (started.has(key) || started.size < STATUS_LIMITS.maxFinished)
    started.set(key, storedRun(digest, { hasFailed: false }));
}

type Job = Pick<DesiredObject, 'id' | 'digest' | 'body'>;

/** Whether a live Job is known to be of this manifest, so that a difference in its immutable spec is not drift. */
export function isJobOfManifest({ ended, started }: JobRecords, { id, digest }: Pick<Job, 'id' | 'digest'>): boolean {
  const key = idKey(id);
  return isRunOf(ended.get(key), digest) || isRunOf(started.get(key), digest);
}

/**
 * The health of an absent Job that has run with this manifest; undefined: it has not, or must run again. A Job that was
 * started counts as done if its time to live may have removed it, or if it went while no agent was watching. One that
 * was seen running and has no time to live was deleted by another client, and is created again.
 */
export function healthOfAbsentJob(
  { ended, started, seenRunning }: JobRecords,
  { id, digest, body }: Job,
): Health | undefined {
  const key = idKey(id);
  const stored = ended.get(key);
  if (isRunOf(stored, digest)) return hasRunFailed(stored) ? FAILED : ENDED;
  if (!isRunOf(started.get(key), digest)) return undefined;
  const mayHaveExpired = seenRunning.get(key) === true || hasTimeToLive(body);
  return mayHaveExpired || !seenRunning.has(key) ? GONE : undefined;
}

const ENDED: Health = { status: 'Healthy', message: 'It ran to its end and was removed after that.' };
const FAILED: Health = {
  status: 'Degraded',
  message: 'It failed and was removed after that. It runs again when its manifest changes, or when a sync names it.',
};
const GONE: Health = {
  status: 'Healthy',
  message:
    'It was started with this manifest and is gone. It runs again when its manifest changes, or when a sync names it.',
};

function hasTimeToLive(body: DesiredObject['body']): boolean {
  return numberAt(body, 'spec', 'ttlSecondsAfterFinished') !== undefined;
}

export interface SeenObject {
  readonly desired: Pick<DesiredObject, 'id' | 'digest' | 'policy' | 'body'>;
  readonly live: LiveObject | undefined;
  readonly isAccepted: IsAccepted;
}

/** Takes in a desired object as it is seen, and returns its health if it is absent because it is done. */
export function noteJob(records: JobRecords, { desired, live, isAccepted }: SeenObject): Health | undefined {
  const { ended, started, seenRunning } = records;
  const { id, digest, policy } = desired;
  const key = idKey(id);
  if (!live) {
    const health = healthOfAbsentJob(records, desired);
    if (health) return health;
    // The answer to the creation may have been lost: only sent-jobs.ts ends that doubt.
    if (!isSending(started.get(key))) started.delete(key);
    seenRunning.delete(key);
    return undefined;
  }
  const hasFailed = assessHealth(live).status !== 'Healthy';
  // A hook that failed is not done: it runs again once a person deletes it, but not once its time to live or its
  // hook-delete-policy does.
  const isRemovedByItself = policy?.isDeletedOnFailure === true || hasTimeToLive(live.body);
  const isDone = isFinished(live) && (!policy?.isHook || !hasFailed || isRemovedByItself);
  if (!isDone) {
    ended.delete(key);
    if (isRunToCompletion(id)) seenRunning.set(key, hasTimeToLive(live.body));
    return undefined;
  }
  // The live Job may be of an earlier manifest, which is still to be replaced.
  if (!isAccepted(id, digest) && !isJobOfManifest(records, desired)) return undefined;
  seenRunning.delete(key);
  started.delete(key);
  if (ended.has(key) || ended.size < STATUS_LIMITS.maxFinished) ended.set(key, storedRun(digest, { hasFailed }));
  return undefined;
}

/** Forgets every run of a Job, so that its absence means that it is to be created. */
export function forgetJob({ ended, started, seenRunning }: EndedJobsMemory, id: ObjectId): void {
  for (const map of [ended, started, seenRunning]) map?.delete(idKey(id));
}

/** Forgets Jobs that are no longer desired. To be called with a complete set only. */
export function dropUndesiredJobs(records: JobRecords, desired: readonly Pick<DesiredObject, 'id'>[]): void {
  const keys = new Set(desired.map(({ id }) => idKey(id)));
  for (const map of [records.ended, records.started, records.seenRunning]) {
    for (const key of map.keys()) if (!keys.has(key)) map.delete(key);
  }
}
