/**
 * Runs test files with Node's own runner and counts every test. Invariant: a file that crashes, or in which a hook
 * fails, counts as a failure, never as nothing.
 */
import { globSync } from 'node:fs';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { ROOT } from './steps.ts';

export interface TestCounts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** Files whose tests are run by `npm run check`. */
export const UNIT_TESTS = 'test/unit/**/*.test.ts';

export function listTests(pattern: string, except?: string): string[] {
  const skipped = new Set(except === undefined ? [] : globSync(except, { cwd: ROOT }));
  return globSync(pattern, { cwd: ROOT })
    .filter((path) => !skipped.has(path))
    .sort();
}

/** A file that hangs fails after this, so that a run ends; no machine is that slow. */
const MAX_FILE_MS = 15 * 60_000;

/** Each file is a process of its own. With `isQuiet` only what fails is printed. */
export async function runTests(files: readonly string[], concurrency: number, isQuiet = false): Promise<TestCounts> {
  if (files.length === 0) return { passed: 0, failed: 0, skipped: 0 };
  const counts = { passed: 0, failed: 0, skipped: 0 };
  const stream = run({ files: [...files], cwd: ROOT, concurrency, timeout: MAX_FILE_MS });
  stream.on('test:summary', ({ file, counts: { tests, passed, skipped, todo } }) => {
    // The summary without a file is that of the whole run.
    if (file !== undefined) return;
    counts.passed = passed;
    counts.failed = tests - passed - skipped - todo;
    counts.skipped = skipped + todo;
  });
  if (isQuiet)
    stream.on('test:fail', ({ name, file, details }) => {
      if (details.type !== 'suite')
        process.stdout.write(`✖ ${name}\n  ${file ?? ''}\n  ${describeError(details.error)}\n`);
    });
  const report = isQuiet ? stream : stream.compose(spec);
  for await (const chunk of report) if (!isQuiet) process.stdout.write(chunk as string);
  return counts;
}

export function addCounts(a: TestCounts, b: TestCounts): TestCounts {
  return { passed: a.passed + b.passed, failed: a.failed + b.failed, skipped: a.skipped + b.skipped };
}

/** The line by which any tool reads a result. */
export function formatCounts({ passed, failed, skipped }: TestCounts): string {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
}

function describeError(error: Error): string {
  const cause = error.cause instanceof Error ? error.cause : error;
  return (cause.stack ?? cause.message).split('\n').slice(0, 30).join('\n  ');
}
