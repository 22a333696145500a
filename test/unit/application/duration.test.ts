/** Durations such as 1h30m. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseDuration } from '../../../src/application/duration.ts';

test('a duration is parsed to milliseconds', () => {
  const wanted = {
    '10s': 10_000,
    '1m': 60_000,
    '1h30m': 5_400_000,
    '1.5m': 90_000,
    '250ms': 250,
    '0s': 0,
    '1m500ms': 60_500,
  };
  for (const [text, ms] of Object.entries(wanted)) assert.equal(parseDuration(text), ms, text);
});

test('a text that Go or the CRD refuses is not a duration', () => {
  for (const text of ['', '10', 's', '-1s', '+1s', '1 s', '1d', '1us', '.5s', '1.s', '1s ', '1s\n', '1e3s']) {
    assert.equal(parseDuration(text), undefined, JSON.stringify(text));
  }
});
