/**
 * `npm run bench -- faults`: trials of the whole agent by faults of the API server and of Git and by kills, as
 * test/fault runs a few of them: how many came to rest as Git says, and what was deleted that should live.
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
  /** Named points at which an agent was killed in some run. */
  readonly faultPoints: number;
  /** Agents killed at such a point; in the other runs the point was not reached before all was done. */
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
      say(`  deleted: ${result.unintendedDeletes.join(', ')}; ${result.findings.slice(0, 3).join('; ')}`);
    }
    if ((index + 1) % 25 === 0)
      say(`${index + 1} of ${trials.length} runs, at ${points.size} of ${FAULT_POINTS.length} points`);
  }
  return { runs: trials.length, faultPoints: points.size, kills, unintendedDeletes, notConverged };
}
