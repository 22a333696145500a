/**
 * After any sequence of faults the cluster equals Git, and no object was deleted that should have stayed.
 * `npm run bench -- faults` runs hundreds of such trials.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { FAULT_POINTS } from '../../src/reconcile/context.ts';
import { useStarted, useWorld } from '../support/use-world.ts';
import { startOrdeal, type Trial } from './ordeal.ts';
import { listTrials, trialArbitrary } from './trials.ts';
import { configMapPath } from '../support/scene.ts';

/** TAUTLINE_ORDEAL_SEED draws other trials. A failure prints the trial that failed. */
const seed = Number(process.env['TAUTLINE_ORDEAL_SEED'] ?? '7');

const { world } = useWorld();
const ordeal = useStarted('the ordeal', () => startOrdeal(world));

async function expectSurvived(trial: Trial): Promise<void> {
  const result = await ordeal.run(trial);
  const context = `${JSON.stringify(trial)}: ${result.findings.slice(0, 5).join('; ')}`;
  assert.deepEqual(result.unintendedDeletes, [], context);
  assert.ok(result.isConverged, context);
}

test('the cluster equals Git after random sequences of commits, hand edits, faults and kills', async () => {
  const sequences = fc.sample(fc.array(trialArbitrary, { minLength: 3, maxLength: 3 }), { numRuns: 5, seed });
  for (const trial of sequences.flat()) await expectSurvived(trial);
});

test('the cluster equals Git after a kill at each named point', async () => {
  const byPoint = new Map(
    listTrials(1, seed).flatMap((trial) => (trial.kill ? [[trial.kill.point, trial] as const] : [])),
  );
  assert.deepEqual([...byPoint.keys()].sort(), [...FAULT_POINTS].sort());
  for (const trial of byPoint.values()) await expectSurvived(trial);
});

test('a trial reports an object that another client deletes meanwhile', async () => {
  const withoutFaults = {
    subject: 0,
    commit: [{ index: 1, action: 'change' }],
    handEdits: [],
    isPaired: false,
  } as const;
  const running = ordeal.run({ ...withoutFaults, git: { fault: 'slow', fraction: 1, times: 1 } });
  await sleep(500);
  await world.plane.request('DELETE', configMapPath('ordeal-0', 'bystander'));
  assert.deepEqual((await running).unintendedDeletes, ['bystander']);
});
