/** A Job whose creation was interrupted: it neither runs twice nor is lost. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isSending, storedRun } from '../../../../src/application/ended-jobs.ts';
import type { ChangeResult } from '../../../../src/apply/applied.ts';
import type { DesiredObject } from '../../../../src/bind/desired.ts';
import type { LiveEntry } from '../../../../src/cluster/live.ts';
import type { ListAnswer, Selection } from '../../../../src/cluster/ports.ts';
import type { Change } from '../../../../src/diff/changes.ts';
import { idKey, type ObjectId } from '../../../../src/object/identity.ts';
import type { Plan } from '../../../../src/plan/plan.ts';
import { healthOfAbsentJob, noteJob, type JobRecords } from '../../../../src/reconcile/decide/ended-jobs.ts';
import { endSending, noteSending, settleSentJobs } from '../../../../src/reconcile/decide/sent-jobs.ts';
import { kindOf, liveOf, OWNER, refusedWith } from '../../../support/changes.ts';
import { kindsOf } from '../../../support/reading.ts';

const ID: ObjectId = { group: 'batch', kind: 'Job', namespace: 'shop', name: 'migrate' };
const KEY = idKey(ID);
const DIGEST = 'd'.repeat(43);
const SENT_MS = Date.parse('2026-05-01T10:00:00Z');
const MINUTE_MS = 60_000;
const EVENT: ObjectId = { group: '', kind: 'Event', namespace: 'shop', name: '' };

function jobOf({ ttl, digest = DIGEST }: { ttl?: number; digest?: string } = {}): DesiredObject {
  const spec = ttl === undefined ? {} : { ttlSecondsAfterFinished: ttl };
  const body = { apiVersion: 'batch/v1', kind: 'Job', metadata: { name: 'migrate' }, spec };
  return { id: ID, kind: kindOf(ID), body, digest, file: 'job.yaml', line: 1 };
}

function creationOf(desired: DesiredObject): Change {
  return { type: 'create', id: ID, kind: desired.kind, desired, fields: [] };
}

function planOf(...changes: Change[]): Plan {
  const wave = { name: 'jobs', changes: changes.map((change) => ({ change, requires: [] })) };
  return { waves: [wave], releases: [], prunes: [], waitingFor: [] } as unknown as Plan;
}

/** Records in which the creation of the Job was noted at SENT_MS and never answered. */
function interrupted(desired = jobOf({ ttl: 1 })): JobRecords {
  const jobs: JobRecords = { ended: new Map(), started: new Map(), seenRunning: new Map() };
  noteSending({ ...jobs }, planOf(creationOf(desired)), SENT_MS);
  return jobs;
}

function eventAt(time: string): LiveEntry & { state: 'present' } {
  const object = liveOf({ id: { ...EVENT, name: 'migrate.1' } });
  return { state: 'present', object: { ...object, body: { ...object.body, lastTimestamp: time } } };
}

interface Asked {
  readonly entry: LiveEntry | undefined;
  readonly jobs: JobRecords;
  readonly selections: Selection[];
}

interface Question {
  readonly jobs?: JobRecords;
  readonly desired?: DesiredObject;
  readonly entry?: LiveEntry;
  readonly events?: ListAnswer;
  readonly afterMs?: number;
}

async function settle({
  desired = jobOf({ ttl: 1 }),
  jobs = interrupted(desired),
  entry = { state: 'absent' },
  events = { ok: true, objects: [] },
  afterMs = MINUTE_MS,
}: Question): Promise<Asked> {
  const selections: Selection[] = [];
  const settled = await settleSentJobs(new Map([[KEY, entry]]), {
    jobs,
    desired: [desired],
    owner: OWNER,
    kinds: kindsOf(EVENT),
    client: {
      async listBySelector(_kind, selection) {
        selections.push(selection);
        return events;
      },
    },
    concurrency: 1,
    nowMs: SENT_MS + afterMs,
  });
  return { entry: settled.get(KEY), jobs, selections };
}

const reasonOf = (entry: LiveEntry | undefined): string => (entry?.state === 'unknown' ? entry.reason : '');
const oneEvent = (time: string): ListAnswer => ({ ok: true, objects: [eventAt(time).object] });

test('an absent Job with an Event since its creation was sent has run', async () => {
  const { entry, jobs, selections } = await settle({ events: oneEvent('2026-05-01T10:00:03Z') });
  assert.deepEqual(entry, { state: 'absent' });
  assert.equal(healthOfAbsentJob(jobs, jobOf({ ttl: 1 }))?.status, 'Healthy');
  const fieldSelector = 'involvedObject.kind=Job,involvedObject.name=migrate';
  assert.deepEqual(selections, [{ namespace: 'shop', fieldSelector, limit: 500 }]);
});

test('an Event of an earlier Job with the same name proves nothing', async () => {
  const { entry, jobs } = await settle({ events: oneEvent('2026-05-01T09:50:00Z') });
  assert.deepEqual([entry, jobs.started.size], [{ state: 'absent' }, 0]);
});

test('a Job without an Event was never created, so it is created now', async () => {
  const { entry, jobs } = await settle({});
  assert.deepEqual([entry, jobs.started.size], [{ state: 'absent' }, 0]);
  assert.equal(healthOfAbsentJob(jobs, jobOf({ ttl: 1 })), undefined);
});

test('right after the interruption its Events are waited for', async () => {
  const { entry, jobs } = await settle({ afterMs: 2_000 });
  assert.match(reasonOf(entry), /interrupted a moment ago/);
  assert.equal(isSending(jobs.started.get(KEY)), true);
});

test('once Events are no longer kept, a Job with a time to live waits for a person', async () => {
  const { entry } = await settle({ afterMs: 70 * MINUTE_MS });
  assert.match(reasonOf(entry), /no longer kept; to run it, ask for a sync that names it .*--object Job\/migrate/);
});

test('a Job with a time to live waits for a person where its Events may not be read', async () => {
  const { entry } = await settle({ events: refusedWith('Forbidden') });
  assert.match(reasonOf(entry), /cannot be read/);
});

test('a Job without a time to live is created again where nothing shows that it ran', async () => {
  for (const more of [{ events: refusedWith('Forbidden') }, { afterMs: 70 * MINUTE_MS }]) {
    const { entry, jobs } = await settle({ ...more, desired: jobOf() });
    assert.deepEqual([entry, jobs.started.size], [{ state: 'absent' }, 0]);
  }
});

test('a Job that exists is the one that was sent, and needs no request', async () => {
  const { jobs, selections } = await settle({ entry: { state: 'present', object: liveOf({ id: ID }) } });
  assert.deepEqual([jobs.started.get(KEY), selections], [storedRun(DIGEST, { hasFailed: false }), []]);
});

test('a Job of another owner is not taken for the one that was sent', async () => {
  const foreign = liveOf({ id: ID, metadata: { labels: {}, annotations: {} } });
  const { jobs } = await settle({ entry: { state: 'present', object: foreign } });
  assert.equal(isSending(jobs.started.get(KEY)), true);
});

test('a Job that was seen running since then has run', async () => {
  const jobs = interrupted();
  jobs.seenRunning.set(KEY, true);
  const { selections } = await settle({ jobs });
  assert.deepEqual([jobs.started.get(KEY), selections], [storedRun(DIGEST, { hasFailed: false }), []]);
});

test('a Job whose state cannot be read, and one of another manifest, are left as they are', async () => {
  const unread = await settle({ entry: { state: 'unknown', reason: 'down' } });
  assert.equal(reasonOf(unread.entry), 'down');
  const jobs = interrupted();
  const other = await settle({ jobs, desired: jobOf({ digest: 'e'.repeat(43) }) });
  assert.deepEqual([other.selections, isSending(jobs.started.get(KEY))], [[], true]);
});

test('the record of a sent creation outlives the absence of the Job', () => {
  const jobs = interrupted();
  assert.equal(noteJob(jobs, { desired: jobOf({ ttl: 1 }), live: undefined, isAccepted: () => false }), undefined);
  assert.equal(isSending(jobs.started.get(KEY)), true);
});

const answers: Readonly<Record<string, { result?: Partial<ChangeResult>; isKept: boolean }>> = {
  'that was never sent': { isKept: false },
  'that the API server refused': {
    result: { outcome: 'failed', refusal: refusedWith('Forbidden').refusal },
    isKept: false,
  },
  'whose answer was lost': {
    result: { outcome: 'failed', refusal: { ...refusedWith('Unavailable').refusal, status: 0 } },
    isKept: true,
  },
  'whose answer is an error of the server': {
    result: { outcome: 'failed', refusal: { ...refusedWith('Unavailable').refusal, status: 504 } },
    isKept: true,
  },
};

for (const [words, { result, isKept }] of Object.entries(answers)) {
  test(`a creation ${words} ${isKept ? 'stays in doubt' : 'leaves the records as they were'}`, () => {
    const before = storedRun('e'.repeat(43), { hasFailed: false });
    for (const earlier of [undefined, before]) {
      const started = new Map(earlier === undefined ? [] : [[KEY, earlier]]);
      const memory = { ended: new Map<string, string>(), started, seenRunning: new Map<string, boolean>() };
      const change = creationOf(jobOf({ ttl: 1 }));
      const sending = noteSending(memory, planOf(change), SENT_MS);
      endSending(memory, sending, new Map(result ? [[KEY, { change, outcome: 'failed' as const, ...result }]] : []));
      if (isKept) assert.equal(isSending(started.get(KEY)), true);
      else assert.equal(started.get(KEY), earlier);
    }
  });
}

test('only creations of Jobs and bare Pods are noted, and none of a Job that ended with this manifest', () => {
  const run = storedRun(DIGEST, { hasFailed: false });
  const memory = { ended: new Map([[KEY, run]]), started: new Map(), seenRunning: new Map() };
  const update: Change = { ...creationOf(jobOf()), type: 'update', live: liveOf({ id: ID }) };
  const settings = liveOf();
  const map: Change = { ...creationOf(jobOf()), id: settings.id };
  assert.equal(noteSending(memory, planOf(creationOf(jobOf()), map), SENT_MS).size, 0);
  assert.equal(noteSending({ ...memory, ended: new Map() }, planOf(update), SENT_MS).size, 0);
});
