/** The law by which webhooks lengthen the time between polls. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { hearHook, paceAfterPoll, pacedIntervalMs, START_PACE, type PollPace } from '../../../src/source/poll-pace.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

interface Step {
  /** When the newest hook came; absent: no hook came since the poll before. */
  readonly heardMs?: number;
  readonly hasMoved: boolean;
  readonly nowMs: number;
}

function poll(before: PollPace, { heardMs = before.heardMs, hasMoved, nowMs }: Step): PollPace {
  return paceAfterPoll(hearHook(before, heardMs), { before, hasMoved, nowMs });
}

function announced(count: number): PollPace {
  let pace = START_PACE;
  for (let n = 1; n <= count; n++) pace = poll(pace, { heardMs: n, hasMoved: true, nowMs: n });
  return pace;
}

test('without a webhook the interval is that of the spec', () => {
  let pace = START_PACE;
  for (const hasMoved of [false, true, false]) {
    pace = poll(pace, { hasMoved, nowMs: 1 });
    assert.equal(pacedIntervalMs(pace, MINUTE_MS), MINUTE_MS);
  }
});

test('each announced commit doubles the interval, up to tenfold and to ten minutes', () => {
  const minutes = [0, 1, 2, 3, 4, 5, 9].map((count) => pacedIntervalMs(announced(count), MINUTE_MS) / MINUTE_MS);
  assert.deepEqual(minutes, [1, 2, 4, 8, 10, 10, 10]);
  assert.equal(pacedIntervalMs(announced(9), 10_000), 100_000);
  assert.equal(pacedIntervalMs(announced(9), 3 * MINUTE_MS), 10 * MINUTE_MS);
});

test('an interval beyond ten minutes stays as it is', () => {
  assert.equal(pacedIntervalMs(announced(9), 24 * HOUR_MS), 24 * HOUR_MS);
});

test('a poll that finds nothing leaves the lengthened interval as it is', () => {
  const pace = poll(announced(3), { hasMoved: false, nowMs: HOUR_MS });
  assert.equal(pacedIntervalMs(pace, MINUTE_MS), 8 * MINUTE_MS);
});

test('after one commit that no hook announced the interval is that of the spec again', () => {
  const pace = poll(announced(3), { hasMoved: true, nowMs: HOUR_MS });
  assert.equal(pacedIntervalMs(pace, MINUTE_MS), MINUTE_MS);
});

test('after a day without a hook the interval is that of the spec again', () => {
  const before = announced(3);
  assert.equal(pacedIntervalMs(poll(before, { hasMoved: false, nowMs: 24 * HOUR_MS }), MINUTE_MS), 8 * MINUTE_MS);
  assert.equal(pacedIntervalMs(poll(before, { hasMoved: false, nowMs: 24 * HOUR_MS + 4 }), MINUTE_MS), MINUTE_MS);
});

test('if a poll does not find the commit of a hook, one interval of the spec follows', () => {
  const early = poll(announced(3), { heardMs: 9, hasMoved: false, nowMs: 9 });
  assert.equal(pacedIntervalMs(early, MINUTE_MS), MINUTE_MS);
  const found = poll(early, { hasMoved: true, nowMs: MINUTE_MS });
  assert.equal(pacedIntervalMs(found, MINUTE_MS), 10 * MINUTE_MS);
  const never = poll(early, { hasMoved: false, nowMs: MINUTE_MS });
  assert.equal(pacedIntervalMs(never, MINUTE_MS), 8 * MINUTE_MS);
});

test('the lengthened interval is never shorter than that of the spec and never beyond the bounds', () => {
  const step = fc.record({ gapMs: fc.nat(30 * HOUR_MS), isHeard: fc.boolean(), hasMoved: fc.boolean() });
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 50, size: 'max' }),
      fc.integer({ min: 10_000, max: 24 * HOUR_MS }),
      (steps, intervalMs) => {
        let pace = START_PACE;
        let nowMs = 0;
        for (const { gapMs, isHeard, hasMoved } of steps) {
          nowMs += gapMs;
          pace = poll(pace, { ...(isHeard ? { heardMs: nowMs } : {}), hasMoved, nowMs });
          const paced = pacedIntervalMs(pace, intervalMs);
          assert.ok(paced >= intervalMs && paced <= Math.max(intervalMs, 10 * MINUTE_MS) && paced <= 10 * intervalMs);
        }
      },
    ),
  );
});
