/**
 * Runs test files with the test runner of Node and counts every test. Invariant: a file that crashes, or in which a
 * hook fails, counts as a failure.
 */
import { globSync } from 'node:fs';
import { relative } from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { ROOT } from './steps.ts';

export interface TestCounts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** The test files of `npm run check`. */
export const UNIT_TESTS = 'test/unit/**/*.test.ts';

export function listTests(pattern: string, except?: string): string[] {
  const skipped = new Set(except === undefined ? [] : globSync(except, { cwd: ROOT }));
  return globSync(pattern, { cwd: ROOT })
    .filter((path) => !skipped.has(path))
    .sort();
}

/** A test file that hangs fails after this time, so that a run ends even on the slowest machine. */
const MAX_FILE_MS = 15 * 60_000;

/** Each file runs in a process of its own. With `isQuiet` only failures are printed. */
export async function runTests(files: readonly string[], concurrency: number, isQuiet = false): Promise<TestCounts> {
  return (await runFiles(files, concurrency, isQuiet)).counts;
}

export interface TestsRunTwice {
  readonly counts: TestCounts;
  /** Paths below the root of the repository, whether or not they passed the second time. */
  readonly secondRuns: readonly string[];
}

/**
 * Runs several files at a time. A file that fails is run once more, alone, and only the second run counts. Tests that
 * wait for a cluster share the machine with other tests; the second run separates the effects of load from defects.
 */
export async function runTestsTwice(files: readonly string[], concurrency: number): Promise<TestsRunTwice> {
  const { counts, failedFiles } = await runFiles(files, concurrency, false);
  let { passed, failed, skipped } = counts;
  const secondRuns: string[] = [];
  for (const [file, first] of failedFiles) {
    const path = relative(ROOT, file);
    secondRuns.push(path);
    console.log(`\nsecond run, alone: ${path}`);
    const second = await runTests([file], 1);
    passed += second.passed - first.passed;
    failed += second.failed - first.failed;
    skipped += second.skipped - first.skipped;
  }
  return { counts: { passed, failed, skipped }, secondRuns };
}

interface Run {
  readonly counts: TestCounts;
  /** The counts of each file with a failure, by absolute path. A file that crashed counts as one failure. */
  readonly failedFiles: ReadonlyMap<string, TestCounts>;
}

async function runFiles(files: readonly string[], concurrency: number, isQuiet: boolean): Promise<Run> {
  const counts = { passed: 0, failed: 0, skipped: 0 };
  const failedFiles = new Map<string, TestCounts>();
  if (files.length === 0) return { counts, failedFiles };
  const stream = run({ files: [...files], cwd: ROOT, concurrency, timeout: MAX_FILE_MS });
  const durations: (readonly [file: string, ms: number])[] = [];
  stream.on('test:summary', ({ file, duration_ms: durationMs, counts: { tests, passed, skipped, todo } }) => {
    const failed = tests - passed - skipped - todo;
    // The summary of the whole run has no file.
    if (file !== undefined) {
      durations.push([relative(ROOT, file), durationMs]);
      if (failed > 0) failedFiles.set(file, { passed, failed, skipped: skipped + todo });
      return;
    }
    counts.passed = passed;
    counts.failed = failed;
    counts.skipped = skipped + todo;
  });
  if (isQuiet)
    stream.on('test:fail', ({ name, file, details }) => {
      if (details.type !== 'suite')
        process.stdout.write(`✖ ${name}\n  ${file ?? ''}\n  ${describeError(details.error)}\n`);
    });
  const report = isQuiet ? stream : stream.compose(spec);
  for await (const chunk of report) if (!isQuiet) process.stdout.write(chunk as string);
  if (durations.length > SLOWEST) console.log(`the slowest files: ${formatSlowest(durations)}`);
  return { counts, failedFiles };
}

/** Files that are named after a run of more files than these. */
const SLOWEST = 8;

/** `test/a.test.ts 12 s, …`, the slowest first. Durations are in milliseconds. */
export function formatSlowest(durations: readonly (readonly [file: string, ms: number])[]): string {
  const slowest = durations.toSorted(([, one], [, other]) => other - one).slice(0, SLOWEST);
  return slowest.map(([file, ms]) => `${file} ${Math.round(ms / 1000)} s`).join(', ');
}

export function addCounts(a: TestCounts, b: TestCounts): TestCounts {
  return { passed: a.passed + b.passed, failed: a.failed + b.failed, skipped: a.skipped + b.skipped };
}

/** The end of the output: the files that needed a second run, if any did, then the line of counts. */
export function formatResult({ counts, secondRuns }: TestsRunTwice): string {
  if (secondRuns.length === 0) return formatCounts(counts);
  const files = secondRuns.length === 1 ? '1 file' : `${secondRuns.length} files`;
  return `${files} needed a second run: ${secondRuns.join(', ')}\n${formatCounts(counts)}`;
}

/** The last line of a run, in a form that tools can read. */
export function formatCounts({ passed, failed, skipped }: TestCounts): string {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
}

function describeError(error: Error): string {
  const cause = error.cause instanceof Error ? error.cause : error;
  return (cause.stack ?? cause.message).split('\n').slice(0, 30).join('\n  ');
}
