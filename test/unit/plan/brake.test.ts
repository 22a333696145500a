import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { brakeMs, defaultBrake, recordHeal, type HealRecord } from '../../../src/plan/brake.ts';

const at = (nowMs: number, manifestDigest = 'a') => ({ manifestDigest, nowMs });

test('the first heal is immediate, further ones wait 2 s, 6 s, 18 s … up to 5 minutes', () => {
  assert.equal(brakeMs(undefined, at(0), defaultBrake), 0);
  let record: HealRecord | undefined;
  const pauses: number[] = [];
  let nowMs = 1000;
  for (let heal = 0; heal < 8; heal++) {
    record = recordHeal(record, at(nowMs), defaultBrake);
    const pauseMs = brakeMs(record, at(nowMs), defaultBrake);
    pauses.push(pauseMs);
    nowMs += pauseMs;
    assert.equal(brakeMs(record, at(nowMs), defaultBrake), 0, 'the next heal may run after the pause');
  }
  assert.deepEqual(pauses, [2000, 6000, 18_000, 54_000, 162_000, 300_000, 300_000, 300_000]);
});

test('ten quiet minutes or another manifest release the brake', () => {
  const record = recordHeal(recordHeal(undefined, at(0), defaultBrake), at(10), defaultBrake);
  assert.equal(brakeMs(record, at(20, 'b'), defaultBrake), 0);
  const later = at(10 + defaultBrake.quietMs);
  assert.equal(brakeMs(record, later, defaultBrake), 0);
  assert.equal(recordHeal(record, later, defaultBrake).heals, 1);
});

test('heals stay rare while another client writes without pause', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 5000 }), { maxLength: 200, size: 'max' }), (gaps) => {
      let record: HealRecord | undefined;
      let nowMs = 0;
      let heals = 0;
      for (const gapMs of gaps) {
        nowMs += gapMs;
        if (brakeMs(record, at(nowMs), defaultBrake) > 0) continue;
        record = recordHeal(record, at(nowMs), defaultBrake);
        heals++;
      }
      // 200 gaps of at most 5 s are at most 1,000 s: 2 + 6 + 18 + 54 + 162 + 300 + 300 s of pauses.
      assert.ok(heals <= 9, `${heals} heals`);
    }),
  );
});
