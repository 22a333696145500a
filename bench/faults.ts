/**
 * `npm run bench -- faults [--runs N] [--seed N]`: runs the whole agent through commits, specs that are edited
 * together, a lagging Git server, Jobs with a time to live, fights over objects, held prunes and large inventories,
 * with faults of the API server and of Git and with kills. It counts what must not happen. test/fault runs a few of the
 * same trials.
 */
import { startOrdeal } from '../test/fault/ordeal.ts';
import { batchesOf, SITUATIONS, type SituationName, type Trial, type TrialResult } from '../test/fault/trial.ts';
import { listTrials } from '../test/fault/trials.ts';
import { FAULT_POINTS } from '../src/reconcile/context.ts';
import { startWorld } from '../test/support/world.ts';
import type { BenchOptions } from './bench-options.ts';

const DEFAULT_RUNS = 600;
const DEFAULT_SEED = 20_260;

/** Trials that run at the same time. */
const WIDTH = 4;

/** Lists of objects, Jobs and statuses; their lengths are counted. */
const COUNTED = ['unintendedDeletes', 'orphans', 'jobsRunTwice', 'untrueStatus'] as const;

export interface FaultFigures {
  readonly runs: number;
  readonly seed: number;
  readonly runsBySituation: Readonly<Record<SituationName, number>>;
  /** Number of different named points at which an agent was killed. */
  readonly faultPoints: number;
  /** Number of killed agents. In the other runs with a kill, the run ended before the point was reached. */
  readonly kills: number;
  readonly unintendedDeletes: number;
  readonly orphans: number;
  readonly jobsRunTwice: number;
  readonly untrueStatus: number;
  readonly notConverged: number;
  readonly seconds: number;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

export async function run({ say, runs = DEFAULT_RUNS, seed = DEFAULT_SEED }: BenchOptions): Promise<FaultFigures> {
  const startedMs = performance.now();
  await using world = await startWorld();
  await using ordeal = await startOrdeal(world);
  const trials = listTrials(runs, seed).slice(0, runs);
  const points = new Set<string>();
  const bySituation = Object.fromEntries(SITUATIONS.map((name) => [name, 0])) as Record<SituationName, number>;
  const counts: Mutable<Omit<FaultFigures, 'seconds' | 'faultPoints'>> = {
    ...{ runs: 0, seed, runsBySituation: bySituation, kills: 0 },
    ...{ unintendedDeletes: 0, orphans: 0, jobsRunTwice: 0, untrueStatus: 0, notConverged: 0 },
  };
  for (const batch of batchesOf(trials, WIDTH)) {
    const results = await ordeal.run(batch);
    for (const [index, result] of results.entries()) {
      const trial = batch[index] as Trial;
      counts.runs++;
      bySituation[trial.situation]++;
      if (trial.kill && result.wasKilled) points.add(trial.kill.point);
      if (result.wasKilled) counts.kills++;
      for (const name of COUNTED) counts[name] += result[name].length;
      if (!result.isConverged) counts.notConverged++;
      tell(say, { trial, result, batch });
    }
    const isEven = counts.runs % 20 < results.length;
    if (isEven) say(`${counts.runs} of ${trials.length} runs, at ${points.size} of ${FAULT_POINTS.length} points`);
  }
  const seconds = Math.round((performance.now() - startedMs) / 1000);
  return { ...counts, faultPoints: points.size, seconds };
}

interface Told {
  readonly trial: Trial;
  readonly result: TrialResult;
  /** The trials that ran at the same time. */
  readonly batch: readonly Trial[];
}

/** Prints a run that has shown a fault. */
function tell(say: BenchOptions['say'], { trial, result, batch }: Told): void {
  const red = COUNTED.filter((name) => result[name].length > 0);
  if (result.isConverged && red.length === 0) return;
  say(`fault in ${JSON.stringify(trial)}`);
  say(`  beside ${JSON.stringify(batch.filter((other) => other !== trial))}`);
  for (const name of red) say(`  ${name}: ${result[name].slice(0, 5).join('; ')}`);
  if (!result.isConverged) say(`  not converged: ${result.findings.slice(0, 5).join('; ')}`);
}
