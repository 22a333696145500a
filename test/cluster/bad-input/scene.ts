/**
 * Shared by the tests of bad input: one world, one agent that retries quickly, and a good Application, the bystander,
 * beside every bad one.
 *
 * Invariant: a test shows a fault, and that nothing else suffers from it: the bystander's next commit is applied.
 */
import assert from 'node:assert/strict';
import type { RunningAgent } from '../../support/agent.ts';
import { useStarted } from '../../support/use-world.ts';
import { startWorld, type World } from '../../support/world.ts';
import { configMap, text } from '../../support/objects.ts';
import { at, declareSubject, QUICK_FLAGS } from '../../support/scene.ts';

export interface Scene extends AsyncDisposable {
  readonly world: World;
  readonly agent: RunningAgent;
  /** Commits to the bystander and waits until the commit is applied. */
  expectBystanderGoesOn(): Promise<void>;
}

/** A scene for all tests of a file; `flags` are further flags of the agent. */
export function useScene(flags: readonly string[] = []): Scene {
  return useStarted('the scene', () => startScene(flags));
}

async function startScene(flags: readonly string[]): Promise<Scene> {
  const world = await startWorld();
  try {
    const agent = await world.agent({ flags: [...QUICK_FLAGS, ...flags] });
    const bystander = await declareSubject(world, 'bystander', {
      files: { 'good.yaml': text(configMap('good', { round: '0' })) },
    });
    await bystander.application.untilReady();
    let round = 0;
    return {
      world,
      agent,
      async expectBystanderGoesOn() {
        const value = String(++round);
        const commit = await bystander.repository.commit({ 'good.yaml': text(configMap('good', { round: value })) });
        await bystander.application.refresh();
        await bystander.application.untilReady(commit);
        assert.equal(at(await bystander.configMap('good'), 'data', 'round'), value);
      },
      [Symbol.asyncDispose]: () => world[Symbol.asyncDispose](),
    };
  } catch (error) {
    await world[Symbol.asyncDispose]();
    throw error;
  }
}
