/**
 * `npm run check`: format, lint, types, dead code, generated files, and then the unit tests with the import law and the
 * house style. Prints one line for each step, and fails if any step fails.
 */
import { pathToFileURL } from 'node:url';
import { formatCounts, listTests, runTests, UNIT_TESTS, type TestCounts } from './run-tests.ts';
import { printLine, runSteps, type Step } from './steps.ts';

const STEPS: readonly Step[] = [
  { name: 'types', args: ['node_modules/typescript/bin/tsc', '-p', '.'] },
  { name: 'types of the page', args: ['node_modules/typescript/bin/tsc', '-p', 'src/ui'] },
  { name: 'format', args: ['node_modules/prettier/bin/prettier.cjs', '--check', '--log-level=warn', '.'] },
  { name: 'lint', args: ['node_modules/oxlint/bin/oxlint', '--type-aware', '--deny-warnings'] },
  { name: 'dead code', args: ['node_modules/knip/bin/knip.js', '--no-progress'] },
  { name: 'generated files', args: ['scripts/generate.ts', '--check'] },
];

export interface CheckResult {
  readonly failedSteps: readonly string[];
  readonly counts: TestCounts;
}

/** Runs two steps or test files at a time, since small machines have two cores. */
export async function runCheck(): Promise<CheckResult> {
  const failedSteps = await runSteps(STEPS, 2);
  const startMs = performance.now();
  const counts = await runTests(listTests(UNIT_TESTS), 2, true);
  printLine('unit tests', counts.failed === 0, startMs);
  return { failedSteps, counts };
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const { failedSteps, counts } = await runCheck();
  if (failedSteps.length > 0) console.log(`failed: ${failedSteps.join(', ')}`);
  console.log(formatCounts(counts));
  process.exitCode = failedSteps.length > 0 || counts.failed > 0 ? 1 : 0;
}
