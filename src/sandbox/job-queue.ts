/**
 * The jobs that wait for a child process, by tenant. The tenant that used the least processor time lately comes first,
 * and within a tenant the oldest job. A tenant whose child is running already may go on for a short burst, because
 * another tenant needs a new process.
 */

import { createUsedTime } from '../object/fair-share.ts';

/** The lanes of the sandbox: jobs that are known to take long share one, and any other job may use both. */
export type Lane = 'long' | 'short';

export interface QueuedWork {
  /** The namespace for which the job runs. */
  readonly tenant: string;
  /** Jobs of equal affinity may share a child. */
  readonly affinity: string;
  /** Such a job is not given to the short lane. */
  readonly isLong: boolean;
}

/** The affinity that the child of a lane serves, and since when (monotonic). */
export interface Burst {
  readonly affinity: string;
  readonly sinceMs: number;
}

export interface JobQueue<Work extends QueuedWork> {
  readonly size: number;
  push(work: Work): void;
  /** Removes the job that the lane runs next; undefined if none may run there. */
  take(lane: Lane, burst: Burst | undefined): Work | undefined;
  /** Answers false if the job does not wait. */
  remove(work: Work): boolean;
  removeAll(): Work[];
  /** Adds to the time that a tenant has used. */
  charge(tenant: string, usedMs: number): void;
}

/** Longest time for which a running child serves one affinity while others wait, in milliseconds. */
const BURST_MS = 300;

/** The waiting jobs of one tenant, oldest first. */
interface TenantJobs<Work> {
  readonly long: Work[];
  readonly other: Work[];
}

export function createJobQueue<Work extends QueuedWork>(nowMs: () => number): JobQueue<Work> {
  const waiting = new Map<string, TenantJobs<Work>>();
  const used = createUsedTime(nowMs);
  let size = 0;

  /** The scan is linear in the waiting tenants: nanoseconds for each, beside a job of milliseconds. */
  function find(lane: Lane, burst: Burst | undefined): Work | undefined {
    let best: { readonly work: Work; readonly usedMs: number } | undefined;
    const isBursting = burst !== undefined && nowMs() - burst.sinceMs < BURST_MS;
    for (const [tenant, { long, other }] of waiting) {
      const work = lane === 'long' ? (long[0] ?? other[0]) : other[0];
      if (!work) continue;
      if (isBursting && work.affinity === burst.affinity) return work;
      const usedMs = used.of(tenant);
      if (!best || usedMs < best.usedMs) best = { work, usedMs };
    }
    return best?.work;
  }

  function remove(work: Work): boolean {
    const jobs = waiting.get(work.tenant);
    const list = work.isLong ? jobs?.long : jobs?.other;
    const at = list?.indexOf(work) ?? -1;
    if (!jobs || !list || at < 0) return false;
    list.splice(at, 1);
    size -= 1;
    if (jobs.long.length + jobs.other.length === 0) waiting.delete(work.tenant);
    return true;
  }

  return {
    get size() {
      return size;
    },
    push(work) {
      const jobs = waiting.get(work.tenant) ?? { long: [], other: [] };
      waiting.set(work.tenant, jobs);
      (work.isLong ? jobs.long : jobs.other).push(work);
      size += 1;
    },
    take(lane, burst) {
      const work = find(lane, burst);
      if (work) remove(work);
      return work;
    },
    remove,
    removeAll() {
      const all = [...waiting.values()].flatMap(({ long, other }) => [...long, ...other]);
      waiting.clear();
      size = 0;
      return all;
    },
    charge: (tenant, usedMs) => used.add(tenant, usedMs),
  };
}
