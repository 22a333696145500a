/**
 * `npm run bench -- faults`: runs the whole agent through faults of the API server and of Git and through kills. It
 * counts the runs after which the cluster did not equal Git, and the deletions that should not have happened.
 * test/fault runs a few of the same trials.
 */
import { startOrdeal } from '../test/fault/ordeal.ts';
import { listTrials } from '../test/fault/trials.ts';
import { FAULT_POINTS } from '../src/reconcile/context.ts';
import { startWorld } from '../test/support/world.ts';
import type { BenchOptions } from './bench-options.ts';

const LEAST_RUNS = 300;
const SEED = 20_260;

export interface FaultFigures {
  readonly runs: number;
  /** Number of different named points at which an agent was killed. */
  readonly faultPoints: number;
  /** Number of killed agents. In the other runs with a kill, the run ended before the point was reached. */
  readonly kills: number;
  readonly unintendedDeletes: number;
  readonly notConverged: number;
}

export async function run({ say }: BenchOptions): Promise<FaultFigures> {
  await using world = await startWorld();
  await using ordeal = await startOrdeal(world);
  const trials = listTrials(LEAST_RUNS, SEED);
  const points = new Set<string>();
  let [kills, unintendedDeletes, notConverged] = [0, 0, 0];
  for (const [index, trial] of trials.entries()) {
    const result = await ordeal.run(trial);
    if (trial.kill && result.wasKilled) {
      points.add(trial.kill.point);
      kills++;
    }
    unintendedDeletes += result.unintendedDeletes.length;
    if (!result.isConverged) notConverged++;
    if (!result.isConverged || result.unintendedDeletes.length > 0) {
      say(`run ${index + 1}: ${JSON.stringify(trial)}`);
      say(`  unintended deletions: ${result.unintendedDeletes.join(', ')}; ${result.findings.slice(0, 3).join('; ')}`);
    }
    if ((index + 1) % 25 === 0)
      say(`${index + 1} of ${trials.length} runs, at ${points.size} of ${FAULT_POINTS.length} points`);
  }
  return { runs: trials.length, faultPoints: points.size, kills, unintendedDeletes, notConverged };
}
