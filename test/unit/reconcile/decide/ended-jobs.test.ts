/** A Job runs once for a manifest, whatever removes it and whenever. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DesiredObject } from '../../../../src/bind/desired.ts';
import type { LiveObject } from '../../../../src/cluster/live.ts';
import { DEFAULT_POLICY } from '../../../../src/object/policy.ts';
import type { ValueMap } from '../../../../src/object/value.ts';
import {
  dropUndesiredJobs,
  healthOfAbsentJob,
  isJobOfManifest,
  noteJob,
  noteStartedJob,
  readJobRecords,
  type JobRecords,
} from '../../../../src/reconcile/decide/ended-jobs.ts';
import { emptyEndedJobsMemory } from '../../../../src/reconcile/decide/memory.ts';
import { kindOf, liveOf } from '../../../support/changes.ts';

const ID = { group: 'batch', kind: 'Job', namespace: 'shop', name: 'migrate' };
const KEY = 'batch/Job/shop/migrate';
const FIRST = 'a'.repeat(43);
const SECOND = 'b'.repeat(43);

function jobOf(
  digest: string,
  more: { isHook?: boolean; isDeletedOnFailure?: boolean; ttl?: number } = {},
): DesiredObject {
  const spec: ValueMap = more.ttl === undefined ? {} : { ttlSecondsAfterFinished: more.ttl };
  const body = { apiVersion: 'batch/v1', kind: 'Job', metadata: { name: 'migrate' }, spec };
  const { isHook = false, isDeletedOnFailure = false } = more;
  const policy = { ...DEFAULT_POLICY, isHook, isDeletedOnFailure };
  return { id: ID, kind: kindOf(ID), body, digest, file: 'job.yaml', line: 1, policy };
}

function liveJob(condition?: 'Complete' | 'Failed', more: { ttl?: number; isTerminating?: boolean } = {}): LiveObject {
  const status: ValueMap = condition ? { conditions: [{ type: condition, status: 'True' }] } : {};
  const live = liveOf({ id: ID, status, isTerminating: more.isTerminating ?? false });
  const spec: ValueMap = more.ttl === undefined ? {} : { ttlSecondsAfterFinished: more.ttl };
  return { ...live, body: { ...live.body, spec } };
}

/** The records of an agent that has just started, out of a status. */
function start(status: { finished?: Record<string, string>; started?: Record<string, string> } = {}): JobRecords {
  return readJobRecords(emptyEndedJobsMemory(), { status });
}

/** The status that an agent with these records writes. */
function statusOf({ ended, started }: JobRecords) {
  return { finished: Object.fromEntries(ended), started: Object.fromEntries(started) };
}

const see = (records: JobRecords, desired: DesiredObject, live: LiveObject | undefined) =>
  noteJob(records, { desired, live, isAccepted: () => true });

function startJob(records: JobRecords, desired: DesiredObject): void {
  noteStartedJob({ ended: records.ended, started: records.started, seenRunning: records.seenRunning }, desired);
}

test('a completed Job is done once it is removed, and a changed manifest runs again', () => {
  const records = start();
  see(records, jobOf(FIRST), liveJob('Complete'));
  assert.equal(see(records, jobOf(FIRST), undefined)?.status, 'Healthy');
  assert.equal(healthOfAbsentJob(records, jobOf(SECOND)), undefined);
});

test('a hook that its hook-delete-policy removes once it has failed does not run again, and stays Degraded', () => {
  const records = start();
  const hook = jobOf(FIRST, { isHook: true, isDeletedOnFailure: true });
  see(records, hook, liveJob('Failed'));
  assert.equal(see(records, hook, undefined)?.status, 'Degraded');
  const restarted = start(statusOf(records));
  assert.equal(healthOfAbsentJob(restarted, hook)?.status, 'Degraded');
  assert.equal(healthOfAbsentJob(restarted, { ...hook, digest: SECOND }), undefined);
});

for (const isHook of [true, false]) {
  test(`a completed ${isHook ? 'hook' : 'Job'} that is being removed in the foreground stays done`, () => {
    const records = start();
    see(records, jobOf(FIRST, { isHook }), liveJob('Complete'));
    see(records, jobOf(FIRST, { isHook }), liveJob('Complete', { isTerminating: true }));
    assert.equal(see(records, jobOf(FIRST, { isHook }), undefined)?.status, 'Healthy');
  });
}

test('a Job that ended and was removed while the agent was away is done', () => {
  const before = start();
  startJob(before, jobOf(FIRST));
  const after = start(statusOf(before));
  assert.equal(see(after, jobOf(FIRST), undefined)?.status, 'Healthy');
});

test('a Job with a time to live that was only seen running is done once it is gone', () => {
  for (const [desired, live] of [
    [jobOf(FIRST, { ttl: 0 }), liveJob(undefined, { ttl: 0 })],
    [jobOf(FIRST), liveJob(undefined, { ttl: 5 })],
  ] as const) {
    const records = start();
    startJob(records, desired);
    see(records, desired, live);
    assert.equal(see(records, desired, undefined)?.status, 'Healthy');
  }
});

test('a running Job without a time to live that another client deletes is created again', () => {
  const records = start();
  startJob(records, jobOf(FIRST));
  see(records, jobOf(FIRST), liveJob());
  assert.equal(see(records, jobOf(FIRST), undefined), undefined);
  assert.equal(healthOfAbsentJob(records, jobOf(FIRST)), undefined);
});

test('a failed hook with a time to live stays failed and does not run again, also after a restart', () => {
  const desired = jobOf(FIRST, { isHook: true, ttl: 2 });
  const records = start();
  startJob(records, desired);
  see(records, desired, liveJob('Failed', { ttl: 2 }));
  assert.equal(see(records, desired, undefined)?.status, 'Degraded');
  assert.equal(see(start(statusOf(records)), desired, undefined)?.status, 'Degraded');
});

test('a failed hook without a time to live runs again once it is deleted', () => {
  const desired = jobOf(FIRST, { isHook: true });
  const records = start();
  startJob(records, desired);
  see(records, desired, liveJob());
  see(records, desired, liveJob('Failed'));
  assert.equal(see(records, desired, undefined), undefined);
});

test('a running Job is known to be of its manifest after a restart', () => {
  const before = start();
  startJob(before, jobOf(FIRST));
  const after = start(statusOf(before));
  assert.equal(isJobOfManifest(after, jobOf(FIRST)), true);
  assert.equal(isJobOfManifest(after, jobOf(SECOND)), false);
});

test('digests in full, as earlier versions stored them, still count', () => {
  assert.equal(healthOfAbsentJob(start({ finished: { [KEY]: FIRST } }), jobOf(FIRST))?.status, 'Healthy');
});

test('two thousand Jobs are remembered', () => {
  const records = start();
  const many = Array.from({ length: 2_000 }, (_, n) => ({ ...jobOf(FIRST), id: { ...ID, name: `job-${n}` } }));
  for (const job of many)
    noteJob(records, { desired: job, live: { ...liveJob('Complete'), id: job.id }, isAccepted: () => true });
  assert.equal(records.ended.size, 2_000);
});

test('Jobs that are no longer desired are forgotten', () => {
  const records = start();
  see(records, jobOf(FIRST), liveJob('Complete'));
  dropUndesiredJobs(records, []);
  assert.equal(records.ended.size, 0);
});
