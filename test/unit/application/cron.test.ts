/** The next time of a schedule, in time zones and around clock changes; and texts that are not a schedule. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isReadableSchedule, isTimeZone, nextScheduledMs, SCHEDULE_PATTERN } from '../../../src/application/cron.ts';
import { parseApplication } from '../../../src/application/parse.ts';

const DAY_MS = 86_400_000;

function timesOf(schedule: string, timeZone: string, { from, until }: { from: string; until: string }): string[] {
  const times: string[] = [];
  const endMs = Date.parse(until);
  for (let afterMs = Date.parse(from); ;) {
    const next = nextScheduledMs({ schedule, timeZone, afterMs, withinMs: endMs - afterMs });
    if (next === undefined) return times;
    times.push(new Date(next).toISOString().replace(':00.000Z', 'Z'));
    afterMs = next;
  }
}

const WEEK = { from: '2026-11-16T00:00:00Z', until: '2026-11-23T00:00:00Z' };

test('a schedule for weekdays occurs five times a week', () => {
  const expected = ['16', '17', '18', '19', '20'].map((day) => `2026-11-${day}T06:00Z`);
  assert.deepEqual(timesOf('0 6 * * 1-5', 'UTC', WEEK), expected);
  assert.deepEqual(timesOf('0 6 * * mon-fri', 'UTC', WEEK), expected);
});

test('a schedule is read in its time zone, also with offsets of half an hour', () => {
  assert.deepEqual(timesOf('0 6 * * 3', 'Europe/Berlin', WEEK), ['2026-11-18T05:00Z']);
  assert.deepEqual(timesOf('0 6 * * 3', 'Asia/Kolkata', WEEK), ['2026-11-18T00:30Z']);
  assert.deepEqual(timesOf('0 6 * * 3', 'Asia/Kathmandu', WEEK), ['2026-11-18T00:15Z']);
  assert.deepEqual(timesOf('0 6 * * 3', 'Australia/Lord_Howe', WEEK), ['2026-11-17T19:00Z']);
});

test('if day of month and day of week are restricted, one match is enough, as in a CronJob', () => {
  assert.deepEqual(timesOf('0 0 18 * 5', 'UTC', WEEK), ['2026-11-18T00:00Z', '2026-11-20T00:00Z']);
  assert.deepEqual(timesOf('0 0 18 11 *', 'UTC', WEEK), ['2026-11-18T00:00Z']);
  assert.deepEqual(timesOf('0 0 * 11 7', 'UTC', WEEK), ['2026-11-22T00:00Z']);
  assert.deepEqual(timesOf('0 0 18 12 5', 'UTC', WEEK), []);
});

test('steps and lists are supported', () => {
  const day = { from: '2026-11-16T00:00:00Z', until: '2026-11-16T12:00:00Z' };
  assert.deepEqual(timesOf('*/20 8-10/2 * * *', 'UTC', day), [
    '2026-11-16T08:00Z',
    '2026-11-16T08:20Z',
    '2026-11-16T08:40Z',
    '2026-11-16T10:00Z',
    '2026-11-16T10:20Z',
    '2026-11-16T10:40Z',
  ]);
  assert.deepEqual(timesOf('5,50 1,3 * * *', 'UTC', day).length, 4);
});

test('a local time that a clock change skips does not occur on that day', () => {
  const spring = { from: '2026-03-28T00:00:00Z', until: '2026-03-31T00:00:00Z' };
  assert.deepEqual(timesOf('30 2 * * *', 'Europe/Berlin', spring), ['2026-03-28T01:30Z', '2026-03-30T00:30Z']);
  assert.deepEqual(timesOf('0 3 * * *', 'Europe/Berlin', spring), [
    '2026-03-28T02:00Z',
    '2026-03-29T01:00Z',
    '2026-03-30T01:00Z',
  ]);
});

test('a local time that a clock change repeats occurs twice, and no hour is skipped', () => {
  const autumn = { from: '2026-10-24T12:00:00Z', until: '2026-10-25T12:00:00Z' };
  assert.deepEqual(timesOf('30 2 * * *', 'Europe/Berlin', autumn), ['2026-10-25T00:30Z', '2026-10-25T01:30Z']);
  assert.equal(timesOf('0 * * * *', 'Europe/Berlin', autumn).length, 24);
  assert.equal(
    timesOf('15 * * * *', 'America/New_York', { from: '2026-11-01T00:00:00Z', until: '2026-11-02T00:00:00Z' }).length,
    24,
  );
});

test('midnight occurs every day, except where a clock change skips it', () => {
  const days = { from: '2026-04-20T12:00:00Z', until: '2026-04-27T12:00:00Z' };
  assert.equal(timesOf('0 0 * * *', 'UTC', days).length, 7);
  // In Cairo clocks go forward at midnight of Friday, 24 April: that day has no 00:00.
  assert.equal(timesOf('0 0 * * *', 'Africa/Cairo', days).length, 6);
});

test('a time beyond withinMs is not returned', () => {
  const afterMs = Date.parse('2026-11-16T00:00:00Z');
  const schedule = '0 0 29 2 *';
  assert.equal(nextScheduledMs({ schedule, timeZone: 'UTC', afterMs, withinMs: 2 * DAY_MS }), undefined);
});

test('the next time is the first matching minute after afterMs and within withinMs', () => {
  const moment = fc.integer({ min: Date.UTC(2026, 0, 1), max: Date.UTC(2028, 0, 1) });
  const zone = fc.constantFrom('UTC', 'Europe/Berlin', 'America/St_Johns', 'Australia/Lord_Howe', 'Africa/Cairo');
  const minute = fc.integer({ min: 0, max: 59 });
  const hour = fc.integer({ min: 0, max: 23 });
  fc.assert(
    fc.property(moment, zone, minute, hour, (afterMs, timeZone, m, h) => {
      const next = nextScheduledMs({ schedule: `${m} ${h} * * *`, timeZone, afterMs, withinMs: 2 * DAY_MS });
      assert.ok(next !== undefined && next > afterMs && next <= afterMs + 2 * DAY_MS);
      const local = new Intl.DateTimeFormat('en-GB', { timeZone, hour: '2-digit', minute: '2-digit' });
      const wanted = `${String(h).padStart(2, '0')}:${String(m).padStart(2, '0')}`;
      assert.equal(local.format(next), wanted);
      for (let at = Math.ceil((afterMs + 1) / 60_000) * 60_000; at < next; at += 60_000) {
        assert.notEqual(local.format(at), wanted);
      }
    }),
    { numRuns: 20 },
  );
});

const UNREADABLE = [
  ['four fields', '0 6 * *'],
  ['six fields', '0 0 6 * * *'],
  ['two blanks', '0  6 * * *'],
  ['a nickname', '@daily @daily'],
  ['an hour out of range', '0 24 * * *'],
  ['a minute out of range', '60 6 * * *'],
  ['a day that no month has', '0 0 30 2 *'],
  ['an unknown month', '0 0 1 xyz *'],
  ['a step of zero', '*/0 6 * * *'],
  ['words', 'every day at six'],
  ['other characters', '0 6 * * 1;2'],
  ['a step from one value', '5/10 6 * * *'],
  ['the last day', '0 6 L * *'],
] as const;

function problemsOf(source: Record<string, string>): string[] {
  const parsed = parseApplication({
    apiVersion: 'tautline.dev/v1alpha1',
    kind: 'Application',
    metadata: { namespace: 'apps', name: 'shop' },
    spec: { source: { repoURL: 'https://git.example.com/shop.git', ...source } },
  });
  return parsed.ok ? [] : parsed.problems;
}

for (const [title, schedule] of UNREADABLE) {
  test(`a schedule with ${title} is refused, and the problem names the field`, () => {
    assert.equal(SCHEDULE_PATTERN.test(schedule) && isReadableSchedule(schedule), false);
    assert.match(problemsOf({ schedule }).join(), /^spec\.source\.schedule /);
  });
}

test('a time zone must be an IANA name and needs a schedule', () => {
  for (const name of ['UTC', 'Europe/Berlin', 'America/Argentina/Buenos_Aires', 'Etc/GMT+3'])
    assert.ok(isTimeZone(name));
  const schedule = '0 6 * * *';
  assert.deepEqual(problemsOf({ schedule, timeZone: 'Europe/Berlin' }), []);
  assert.match(
    problemsOf({ schedule, timeZone: 'Europe/Atlantis' }).join(),
    /^spec\.source\.timeZone must be the IANA/,
  );
  assert.match(problemsOf({ schedule, timeZone: '+01:00' }).join(), /^spec\.source\.timeZone must be an IANA/);
  assert.match(problemsOf({ timeZone: 'UTC' }).join(), /^spec\.source\.timeZone needs spec\.source\.schedule/);
});
