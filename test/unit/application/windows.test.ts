/** Sync windows over both changes of clocks, compared with a computation that asks Intl for every minute. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseApplication } from '../../../src/application/parse.ts';
import type { SyncWindow } from '../../../src/application/sync-schema.ts';
import { startTimes } from '../../../src/application/window-times.ts';
import { describeWindow, windowsAt } from '../../../src/application/windows.ts';
import { storedOf } from '../../support/applications.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

const window = (more: Partial<SyncWindow> = {}): SyncWindow => ({
  kind: 'allow',
  schedule: '0 22 * * *',
  duration: '2h',
  manual: false,
  ...more,
});

/** The starts within a time, as UTC texts without seconds. */
function startsOf(schedule: string, timeZone: string, [from, until]: readonly [string, string]): string[] {
  const { firstAfter } = startTimes(schedule, timeZone);
  const found: string[] = [];
  for (let ms = firstAfter(Date.parse(from)); ms <= Date.parse(until); ms = firstAfter(ms)) {
    found.push(new Date(ms).toISOString().slice(0, 16));
  }
  return found;
}

test('a start that clocks skip counts at the change, and one that they repeat counts twice', () => {
  const spring = ['2026-03-28T00:00Z', '2026-03-30T12:00Z'] as const;
  assert.deepEqual(startsOf('30 2 * * *', 'Europe/Berlin', spring), [
    '2026-03-28T01:30',
    '2026-03-29T01:00',
    '2026-03-30T00:30',
  ]);
  const autumn = ['2026-10-25T00:00Z', '2026-10-25T12:00Z'] as const;
  assert.deepEqual(startsOf('30 2 * * *', 'Europe/Berlin', autumn), ['2026-10-25T00:30', '2026-10-25T01:30']);
  // Samoa left out 30 December 2011, and Lord Howe changes by half an hour.
  const samoa = ['2011-12-29T12:00Z', '2011-12-31T00:00Z'] as const;
  assert.deepEqual(startsOf('0 9 30 12 *', 'Pacific/Apia', samoa), ['2011-12-30T10:00']);
  const lordHowe = ['2026-10-03T12:00Z', '2026-10-03T20:00Z'] as const;
  assert.deepEqual(startsOf('10 2 * * *', 'Australia/Lord_Howe', lordHowe), ['2026-10-03T15:30']);
});

/** By zone: an hour of UTC near which clocks change. */
const CHANGES: readonly (readonly [zone: string, nearMs: number])[] = [
  ['Europe/Berlin', Date.parse('2026-03-29T01:00Z')],
  ['Europe/Berlin', Date.parse('2026-10-25T01:00Z')],
  ['America/New_York', Date.parse('2026-03-08T07:00Z')],
  ['America/New_York', Date.parse('2026-11-01T06:00Z')],
  ['Australia/Lord_Howe', Date.parse('2026-10-03T15:30Z')],
  ['Australia/Lord_Howe', Date.parse('2026-04-04T15:00Z')],
  ['Africa/Cairo', Date.parse('2026-04-23T22:00Z')],
  ['America/Havana', Date.parse('2026-11-01T05:00Z')],
  ['Pacific/Apia', Date.parse('2011-12-30T10:00Z')],
  ['Asia/Kathmandu', Date.parse('2026-06-01T00:00Z')],
];

interface Case {
  readonly zone: string;
  readonly atMs: number;
  readonly hour: number;
  readonly minute: number;
  readonly durationMinutes: number;
}

const anyCase: fc.Arbitrary<Case> = fc
  .record({
    place: fc.constantFrom(...CHANGES),
    minutesOff: fc.integer({ min: -600, max: 900 }),
    hour: fc.integer({ min: 0, max: 23 }),
    minute: fc.constantFrom(0, 10, 30, 59),
    durationMinutes: fc.integer({ min: 1, max: 300 }),
  })
  .map(({ place: [zone, nearMs], minutesOff, ...rest }) => ({ zone, atMs: nearMs + minutesOff * MINUTE_MS, ...rest }));

/** Minutes of local time since 1970, as Intl tells them. */
function localMinutes(format: Intl.DateTimeFormat, atMs: number): number {
  const parts = new Map(format.formatToParts(atMs).map(({ type, value }) => [type, Number(value)]));
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0] = (
    ['year', 'month', 'day', 'hour', 'minute'] as const
  ).map((type) => parts.get(type) ?? 0);
  return Date.UTC(year, month - 1, day, hour, minute) / MINUTE_MS;
}

/** Whether a minute that has passed since the duration began shows the time of day, or is skipped with it. */
function isActiveByIntl({ zone, atMs, hour, minute, durationMinutes }: Case): boolean {
  const two = '2-digit' as const;
  const format = new Intl.DateTimeFormat('en-US', {
    ...{ timeZone: zone, hourCycle: 'h23', year: 'numeric', month: two, day: two, hour: two, minute: two },
  });
  let before = localMinutes(format, atMs - durationMinutes * MINUTE_MS);
  for (let ago = durationMinutes - 1; ago >= 0; ago--) {
    const local = localMinutes(format, atMs - ago * MINUTE_MS);
    for (let shown = Math.min(before + 1, local); shown <= local; shown++) {
      if (shown % 1440 === hour * 60 + minute) return true;
    }
    before = local;
  }
  return false;
}

test('a window is active exactly if Intl shows a start of it, or skips one, within its duration', () => {
  fc.assert(
    fc.property(anyCase, (one) => {
      const { zone, atMs, hour, minute, durationMinutes } = one;
      const schedule = `${minute} ${hour} * * *`;
      const open = windowsAt([window({ schedule, duration: `${durationMinutes}m`, timeZone: zone })], atMs);
      assert.equal(open?.isOpen, isActiveByIntl(one));
    }),
    { numRuns: 300 },
  );
});

test('windows stay as they are until the time that they name, and change then', () => {
  fc.assert(
    fc.property(anyCase, anyCase, fc.constantFrom('allow', 'deny'), (one, other, kind) => {
      const windows = [one, other].map(({ zone, hour, minute, durationMinutes }, at) =>
        window({
          kind: at === 0 ? 'allow' : kind,
          schedule: `${minute} ${hour} * * *`,
          duration: `${durationMinutes}m`,
          timeZone: zone,
        }),
      );
      const now = windowsAt(windows, one.atMs);
      assert.ok(now);
      const untilMs = now.changesAtMs ?? one.atMs + 48 * HOUR_MS;
      for (let part = 1; part < 20; part++) {
        const ms = one.atMs + Math.floor(((untilMs - one.atMs) * part) / 20);
        assert.equal(windowsAt(windows, ms)?.isOpen, now.isOpen);
      }
      if (now.changesAtMs !== undefined) assert.notEqual(windowsAt(windows, now.changesAtMs)?.isOpen, now.isOpen);
    }),
    { numRuns: 100 },
  );
});

const at = (time: string) => Date.parse(`2026-06-01T${time}Z`);

const RULES: readonly [name: string, windows: readonly SyncWindow[], time: string, auto: boolean, asked: boolean][] = [
  ['an allow window that is active', [window()], '22:30', true, true],
  ['an allow window that is over', [window()], '00:00', false, false],
  ['an allow window that is not active, with manual', [window({ manual: true })], '12:00', false, true],
  ['one of two allow windows', [window(), window({ schedule: '0 12 * * *' })], '12:30', true, true],
  ['two allow windows of which one lacks manual', [window(), window({ manual: true })], '12:00', false, false],
  ['a deny window that is active', [window({ kind: 'deny' })], '22:30', false, false],
  ['a deny window that is active, with manual', [window({ kind: 'deny', manual: true })], '22:30', false, true],
  ['a deny window that is not active', [window({ kind: 'deny' })], '12:00', true, true],
  ['a deny window within an allow window', [window(), window({ kind: 'deny' })], '22:30', false, false],
  [
    'an inactive deny window beside an inactive allow window',
    [window(), window({ kind: 'deny' })],
    '12:00',
    false,
    false,
  ],
];

for (const [name, windows, time, isOpen, mayRequest] of RULES) {
  test(`${name} ${isOpen ? 'syncs by itself' : mayRequest ? 'syncs on request only' : 'does not sync'}`, () => {
    const state = windowsAt(windows, at(time));
    assert.deepEqual([state?.isOpen, state?.mayRequest], [isOpen, mayRequest]);
  });
}

test('a closed window tells its name and the next opening', () => {
  const closed = windowsAt([window({ timeZone: 'Europe/Berlin' })], at('12:00'));
  assert.ok(closed);
  assert.equal(
    describeWindow(closed),
    'closed by allow 0 22 * * * for 2h (Europe/Berlin); it opens at 2026-06-01T20:00:00Z',
  );
  assert.equal(windowsAt([window({ schedule: '* * * * *', duration: '1h' })], at('12:00'))?.changesAtMs, undefined);
  assert.equal(windowsAt([], 0), undefined);
});

test('a window with a schedule or a zone that cannot be read is a problem of the spec', () => {
  const windows = [
    { kind: 'allow', schedule: '0 25 * * *', duration: '1h' },
    { kind: 'deny', schedule: '0 1 * * *', duration: '1h', timeZone: 'Europe/Atlantis' },
  ];
  const parsed = parseApplication(storedOf({ spec: { sync: { windows } } }));
  assert.ok(!parsed.ok);
  assert.match(parsed.problems.join('\n'), /windows\[0\]\.schedule has a value[\s\S]*windows\[1\]\.timeZone must be/);
});
