/**
 * `npm run bench -- tenants`: how long a push of one tenant takes until it is live, alone and beside each attacker of a
 * set. The attackers are other namespaces of the same agent, or anonymous clients of its listeners.
 */
import assert from 'node:assert/strict';
import { mkdtempDisposable, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RunningAgent } from '../test/support/agent.ts';
import type { TestRepository } from '../test/support/git-repository.ts';
import { startWorld, type ApplicationHandle, type World } from '../test/support/world.ts';
import type { BenchOptions } from './bench-options.ts';
import { pssMiB } from './process-figures.ts';
import { ATTACKERS, type AttackerName } from './tenant-attackers.ts';
import { configMap } from './tenant-scene.ts';

const PUSHES = 5;
/** Time for an attack to reach its full strength. */
const ATTACK_MS = 3_000;
const PATIENCE_MS = 300_000;

export interface TenantsFigures {
  /** Median of five pushes, in milliseconds from the commit until the object in the cluster has its value. */
  readonly victimPushToLiveMs: Readonly<Record<'alone' | AttackerName, number>>;
  /** The longest time for which the agent's one thread was held during the attacks. */
  readonly eventLoopMaxMs: number;
  /** The largest memory of the agent and its children, measured after each attack. */
  readonly agentPssMiB: number;
}

interface Victim {
  readonly repository: TestRepository;
  readonly application: ApplicationHandle;
  pushes: number;
}

export async function run({ say }: BenchOptions): Promise<TenantsFigures> {
  await using secrets = await mkdtempDisposable(join(tmpdir(), 'tautline-bench-'));
  await writeFile(join(secrets.path, 'github'), 'a secret of the webhooks of the bench');
  await using world = await startWorld();
  const agent = await world.agent({ flags: ['--webhook-secrets-dir', secrets.path] });
  const victim = await declareVictim(world);
  for (let warmUp = 0; warmUp < 2; warmUp++) await pushToLiveMs(world, victim);
  const victimPushToLiveMs: Record<string, number> = { alone: await median(world, victim) };
  say(`alone: ${victimPushToLiveMs['alone']} ms`);
  let [eventLoopMaxMs, agentPssMiB] = [0, 0];
  await heldMs(agent);
  for (const [name, attack] of Object.entries(ATTACKERS)) {
    const stop = await attack({ world, agent, sharedRepository: victim.repository });
    await sleep(ATTACK_MS);
    victimPushToLiveMs[name] = await median(world, victim);
    const thisHeldMs = await heldMs(agent);
    eventLoopMaxMs = Math.max(eventLoopMaxMs, thisHeldMs);
    agentPssMiB = Math.max(agentPssMiB, pssMiB(agent.process.pid ?? 0));
    say(`beside ${name}: ${victimPushToLiveMs[name]} ms; the thread was held for ${Math.round(thisHeldMs)} ms`);
    await stop();
  }
  return { victimPushToLiveMs, eventLoopMaxMs: Math.round(eventLoopMaxMs), agentPssMiB } as TenantsFigures;
}

async function declareVictim(world: World): Promise<Victim> {
  const repository = await world.repository('victim');
  await repository.commit({ 'victim/a.yaml': configMap('a', { push: '0' }) });
  const source = { repoURL: repository.url, path: 'victim', interval: '10s' };
  const application = await world.declare('victim', { source }, 'victim');
  await application.untilReady();
  return { repository, application, pushes: 0 };
}

async function median(world: World, victim: Victim): Promise<number> {
  const all: number[] = [];
  for (let push = 0; push < PUSHES; push++) all.push(await pushToLiveMs(world, victim));
  return Math.round(all.sort((one, other) => one - other)[Math.floor(PUSHES / 2)] ?? NaN);
}

async function pushToLiveMs(world: World, victim: Victim): Promise<number> {
  const push = String(++victim.pushes);
  const startedMs = performance.now();
  await victim.repository.commit({ 'victim/a.yaml': configMap('a', { push }) });
  await victim.application.request({ action: 'refresh' });
  while (performance.now() - startedMs < PATIENCE_MS) {
    const live = await world.read('/api/v1/namespaces/victim/configmaps/a');
    if ((live?.['data']?.['push'] as unknown) === push) return performance.now() - startedMs;
    await sleep(25);
  }
  return assert.fail(`push ${push} is not live after ${PATIENCE_MS} ms`);
}

/** The longest time for which the thread was held since the last call. */
async function heldMs({ metricsUrl }: RunningAgent): Promise<number> {
  // A rendering of the metrics is shared for a second.
  await sleep(1_100);
  const text = await (await fetch(`${metricsUrl}/metrics`)).text();
  return Number(/^nodejs_eventloop_lag_max_seconds (\S+)$/m.exec(text)?.[1] ?? NaN) * 1000;
}
