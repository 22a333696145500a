/** The last lines of `npm test`, by which people and tools read its result. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatResult, formatSlowest } from '../../../scripts/run-tests.ts';

const counts = { passed: 12, failed: 0, skipped: 0 };

test('the last line counts passed and failed tests, and skipped ones if there are any', () => {
  assert.equal(formatResult({ counts, secondRuns: [] }), '12 passed, 0 failed');
  assert.equal(
    formatResult({ counts: { ...counts, failed: 1, skipped: 2 }, secondRuns: [] }),
    '12 passed, 1 failed, 2 skipped',
  );
});

test('the last line but one names every file that needed a second run', () => {
  assert.equal(
    formatResult({ counts, secondRuns: ['test/a.test.ts', 'test/b/c.test.ts'] }),
    '2 files needed a second run: test/a.test.ts, test/b/c.test.ts\n12 passed, 0 failed',
  );
});

test('a single file that needed a second run is called a file, not files', () => {
  assert.equal(
    formatResult({ counts, secondRuns: ['test/a.test.ts'] }),
    '1 file needed a second run: test/a.test.ts\n12 passed, 0 failed',
  );
});

test('the slowest files are named with their seconds, the slowest first', () => {
  const durations = Array.from({ length: 20 }, (_, index) => [`test/${index}.test.ts`, index * 1000] as const);
  assert.match(
    formatSlowest(durations),
    /^test\/19\.test\.ts 19 s, test\/18\.test\.ts 18 s, (?:\S+ \d+ s, ){5}\S+ 12 s$/,
  );
});
