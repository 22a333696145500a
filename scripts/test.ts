/**
 * `npm test`: runs `npm run check`, then all other tests, with real Git and a real control plane. The last line counts
 * all tests: `N passed, N failed`. The line before it names files that needed a second run, if there are any. The first
 * run on a machine builds the control plane with Go, which takes minutes.
 */
import { spawnSync } from 'node:child_process';
import { runCheck } from './check.ts';
import { addCounts, formatResult, listTests, runTests, runTestsTwice, UNIT_TESTS } from './run-tests.ts';

/** Programs that the tests start, each with its purpose. */
const NEEDED: Readonly<Record<string, string>> = {
  git: 'makes and serves the repositories of the tests',
  go: 'builds the control plane and kustomize once, unless KUBEBUILDER_ASSETS or the cache has them',
};

for (const [program, job] of Object.entries(NEEDED)) {
  const { error } = spawnSync(program, ['version'], { stdio: 'ignore' });
  if (error) console.log(`missing: ${program} (${job})`);
}

const check = await runCheck();
// The tests of the control plane run first and alone, since they may build programs that the others use. The others run
// four at a time, since they spend most of their time waiting.
const first = await runTests(listTests('test/control-plane/**/*.test.ts'), 1);
const rest = await runTestsTwice(listTests('test/**/*.test.ts', `{${UNIT_TESTS},test/control-plane/**/*.test.ts}`), 4);
const counts = [first, rest.counts].reduce(addCounts, check.counts);
if (check.failedSteps.length > 0) console.log(`\nfailed: ${check.failedSteps.join(', ')}`);
console.log(`\n${formatResult({ counts, secondRuns: rest.secondRuns })}`);
process.exitCode = check.failedSteps.length > 0 || counts.failed > 0 ? 1 : 0;
