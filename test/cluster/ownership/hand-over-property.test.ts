/**
 * The property of hand-over against a real API server, in random rounds of several seeds at the same time: an object
 * that a living Application desires all the time keeps its uid, and an object that none desires is deleted.
 *
 * TAUTLINE_HAND_OVER_SEEDS is the number of seeds, TAUTLINE_HAND_OVER_SEED the first of them, and
 * TAUTLINE_HAND_OVER_LANES how many are played at a time. Each is played for TAUTLINE_HAND_OVER_ROUNDS rounds; without
 * that for TAUTLINE_HAND_OVER_SECONDS.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { useStarted, useWorld } from '../../support/use-world.ts';
import { Game, SharedAgent } from './hand-over-game.ts';

const SECONDS = numberOf('SECONDS', 60);
const ROUNDS = numberOf('ROUNDS', 0);
const FIRST_SEED = numberOf('SEED', 1);
const SEEDS = numberOf('SEEDS', 3);
const LANES = numberOf('LANES', 3);

const { world } = useWorld();
const agent = useStarted('the shared agent', async () => new SharedAgent(world));

test('objects that stay desired live on, and others are deleted, in random rounds', async (t) => {
  const seeds = Array.from({ length: SEEDS }, (_, index) => FIRST_SEED + index).values();
  const failures: string[] = [];
  const playLane = async (): Promise<void> => {
    for (const seed of seeds) await play(seed).then((line) => t.diagnostic(line), noteFailure);
  };
  const noteFailure = (error: unknown): void => {
    failures.push(String(error));
    t.diagnostic(String(error));
  };
  await Promise.all(Array.from({ length: LANES }, playLane));
  assert.deepEqual(failures, []);
});

/** Resolves to a line about the rounds of this seed. */
async function play(seed: number): Promise<string> {
  const game = await Game.start({ world, agent, seed });
  const startedMs = performance.now();
  const seconds = (): number => Math.round((performance.now() - startedMs) / 1_000);
  let round = 0;
  do await game.play(++round);
  while (ROUNDS > 0 ? round < ROUNDS : seconds() < SECONDS);
  return `seed ${seed}: ${round} rounds in ${seconds()} s, ${agent.kills} kills so far`;
}

function numberOf(name: string, ifAbsent: number): number {
  return Number(process.env[`TAUTLINE_HAND_OVER_${name}`] ?? ifAbsent);
}
