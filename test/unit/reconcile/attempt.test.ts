/** The deadlines of a sync and of health, with times that the test sets. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HealthStatus } from '../../../src/health/health.ts';
import {
  emptyClocksMemory,
  endAttempt,
  isAttemptOverdue,
  isHealthOverdue,
  noteHealth,
  remainingMs,
  startAttempt,
} from '../../../src/reconcile/attempt.ts';
import { applicationOf } from '../../support/applications.ts';

const WALL_MS = Date.parse('2026-03-01T10:00:00.500Z');
const clockAt = (monotonicMs: number) => ({ now: () => WALL_MS + monotonicMs, monotonicMs: () => monotonicMs });
const specWith = (sync: string, health?: string) =>
  applicationOf({ spec: { sync: { timeout: sync }, ...(health && { health: { timeout: health } }) } }).spec;
const healthIn = (status: HealthStatus) => ({ status, message: '' });

test('an attempt begins with the first pass that sees a revision, and lasts until another one comes', () => {
  const clocks = emptyClocksMemory();
  const first = startAttempt(clocks, 'one', clockAt(0));
  assert.deepEqual(first, { revision: 'one', startedAt: '2026-03-01T10:00:00Z', startedMs: 0 });
  assert.equal(startAttempt(clocks, 'one', clockAt(60_000)), first);
  const second = startAttempt(clocks, 'two', clockAt(60_000));
  assert.deepEqual(second, { revision: 'two', startedAt: '2026-03-01T10:01:00Z', startedMs: 60_000 });
});

test('after an attempt has ended the same revision has the whole timeout again', () => {
  const clocks = emptyClocksMemory();
  startAttempt(clocks, 'one', clockAt(0));
  endAttempt(clocks);
  assert.equal(startAttempt(clocks, 'one', clockAt(5_000)).startedMs, 5_000);
});

test('an attempt is overdue once it has taken longer than spec.sync.timeout', () => {
  const attempt = startAttempt(emptyClocksMemory(), 'one', clockAt(1_000));
  assert.equal(isAttemptOverdue(attempt, specWith('10s'), 11_000), false);
  assert.equal(isAttemptOverdue(attempt, specWith('10s'), 11_001), true);
});

const REMAINING: readonly (readonly [number, number])[] = [
  [1_000, 10_000],
  [4_000.5, 7_000],
  [10_000, 2_000],
  [99_000, 2_000],
];
for (const [nowMs, expected] of REMAINING) {
  test(`at ${nowMs} ms ${expected} ms are left of ten seconds that began at one second`, () => {
    const attempt = startAttempt(emptyClocksMemory(), 'one', clockAt(1_000));
    assert.equal(remainingMs({ attempt, spec: specWith('10s'), nowMs, leastMs: 2_000 }), expected);
  });
}

/** Whether health is overdue at a time, after it was noted at earlier ones. */
function overdueAfter(
  noted: readonly (readonly [revision: string, status: HealthStatus | undefined, nowMs: number])[],
  at: { readonly status?: HealthStatus | undefined; readonly nowMs: number; readonly health?: string },
): boolean {
  const clocks = emptyClocksMemory();
  for (const [revision, status, nowMs] of noted) {
    noteHealth(clocks, { revision, worst: status && healthIn(status), nowMs });
  }
  const { status = 'Progressing', nowMs, health } = at;
  const worst = 'status' in at && at.status === undefined ? undefined : healthIn(status);
  return isHealthOverdue(clocks, { spec: specWith('10s', health), worst, nowMs });
}

test('health is overdue once objects have been unwell for longer than the timeout', () => {
  assert.equal(overdueAfter([['one', 'Progressing', 0]], { nowMs: 10_000 }), false);
  assert.equal(overdueAfter([['one', 'Progressing', 0]], { nowMs: 10_001 }), true);
  assert.equal(overdueAfter([['one', 'Progressing', 0]], { nowMs: 10_001, health: '1m' }), false);
  assert.equal(overdueAfter([['one', 'Progressing', 0]], { nowMs: 60_001, health: '1m' }), true);
});

test('the clock of health begins with the first pass that finds a revision unwell', () => {
  const later = [['one', 'Degraded', 5_000]] as const;
  assert.equal(overdueAfter([['one', 'Progressing', 0], ...later], { nowMs: 10_001 }), true);
  assert.equal(overdueAfter([['zero', 'Progressing', 0], ...later], { nowMs: 10_001 }), false);
  assert.equal(overdueAfter([['zero', 'Progressing', 0], ...later], { nowMs: 15_001 }), true);
});

for (const status of ['Healthy', 'Suspended'] as const) {
  test(`objects that are ${status} stop the clock of health`, () => {
    const noted = [
      ['one', 'Progressing', 0],
      ['one', status, 5_000],
    ] as const;
    assert.equal(overdueAfter(noted, { nowMs: 99_000 }), false);
    assert.equal(overdueAfter([...noted, ['one', 'Missing', 90_000]], { nowMs: 99_000 }), false);
    assert.equal(overdueAfter(noted.slice(0, 1), { nowMs: 99_000, status }), false);
  });
}

test('a pass that assessed no object leaves the clock of health as it is', () => {
  const noted = [
    ['one', 'Progressing', 0],
    ['one', undefined, 5_000],
  ] as const;
  assert.equal(overdueAfter(noted, { nowMs: 10_001 }), true);
  assert.equal(overdueAfter(noted, { nowMs: 10_001, status: undefined }), false);
});

test('a timeout that cannot be read never ends', () => {
  const { sync, ...rest } = specWith('10s');
  const spec = { ...rest, sync: { ...sync, timeout: 'soon' } };
  const clocks = emptyClocksMemory();
  const attempt = startAttempt(clocks, 'one', clockAt(0));
  noteHealth(clocks, { revision: 'one', worst: healthIn('Degraded'), nowMs: 0 });
  assert.equal(isAttemptOverdue(attempt, spec, 1e9), false);
  assert.equal(isHealthOverdue(clocks, { spec, worst: healthIn('Degraded'), nowMs: 1e9 }), false);
  assert.equal(remainingMs({ attempt, spec, nowMs: 1e9, leastMs: 0 }), Infinity);
});
