/**
 * What the tests of bad input share: one world, one agent that tries again quickly, and a good Application beside every
 * bad one.
 *
 * Invariant: a test shows its fault and that nothing else suffers from it: the bystander's next commit arrives.
 */
import assert from 'node:assert/strict';
import type { RunningAgent } from '../../support/agent.ts';
import { useStarted } from '../../support/use-world.ts';
import { startWorld, type Json, type World } from '../../support/world.ts';
import { at, configMap, declareSubject, text, type Subject } from '../agent/scene.ts';

/** So that what heals by itself does so while somebody watches. */
export const QUICK_FLAGS: readonly string[] = [
  ['--min-backoff', '100ms'],
  ['--max-backoff', '1s'],
  ['--min-poll-backoff', '200ms'],
  ['--max-poll-backoff', '1s'],
  ['--discovery-retry', '200ms'],
  ['--progress-check', '500ms'],
].flat();

export interface Scene extends AsyncDisposable {
  readonly world: World;
  readonly agent: RunningAgent;
  /** Commits to the good Application and waits until the cluster has it: the fault of another has not stopped it. */
  expectBystanderGoesOn(): Promise<void>;
}

/** One for all tests of a file; `flags` are further ones of the agent. */
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

export interface Verdict {
  readonly reason: string;
  readonly message: string;
  readonly isStalled: boolean;
}

/** Waits until the Application is not ready for this reason, and answers what it says. */
export async function untilFailed(subject: Pick<Subject, 'application'>, reason: string): Promise<Verdict> {
  const application = await subject.application.until(`Ready=False for ${reason}`, (candidate) => {
    const ready = condition(candidate, 'Ready');
    return at(ready, 'status') === 'False' && at(ready, 'reason') === reason;
  });
  const message = String(at(condition(application, 'Ready'), 'message'));
  assert.doesNotMatch(message, /\n\s+at |node:internal|\/src\//, 'a message holds no stack');
  return { reason, message, isStalled: at(condition(application, 'Stalled'), 'status') === 'True' };
}

export function condition(application: Json | undefined, type: string): unknown {
  const conditions = at(application, 'status', 'conditions');
  return Array.isArray(conditions) ? conditions.find((candidate) => at(candidate, 'type') === type) : undefined;
}

/** uid and resourceVersion: whoever holds both equal has seen no write and no replacement. */
export function fingerprint(object: unknown): string {
  return `${String(at(object, 'metadata', 'uid'))} ${String(at(object, 'metadata', 'resourceVersion'))}`;
}

const CRD = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/applications.tautline.dev';

/** Runs with a definition as an older version of Tautline might have installed it: without rules for the spec. */
export async function withoutRules(world: World, run: () => Promise<void>): Promise<void> {
  const loose = (schema: unknown): void => {
    const spec = at(schema, 'properties', 'spec') as Record<string, unknown>;
    for (const key of Object.keys(spec)) delete spec[key];
    Object.assign(spec, { type: 'object', 'x-kubernetes-preserve-unknown-fields': true });
  };
  const strict = await world.read(CRD);
  const changed = structuredClone(strict);
  for (const version of at(changed, 'spec', 'versions') as unknown[]) loose(at(version, 'schema', 'openAPIV3Schema'));
  await world.send('PUT', CRD, changed);
  try {
    await untilAllowed(run);
  } finally {
    const now = await world.read(CRD);
    await world.send('PUT', CRD, { ...now, spec: strict?.['spec'] });
  }
}

/** The API server takes a moment to use a changed definition. */
async function untilAllowed(run: () => Promise<void>): Promise<void> {
  for (let triesLeft = 200; ; triesLeft--) {
    try {
      await run();
      return;
    } catch (error) {
      if (triesLeft === 0) throw error;
    }
  }
}
