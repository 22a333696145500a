/**
 * `npm run bench -- sync`: measures one Application of 1,000 ConfigMaps on a real API server. The built agent, a bare
 * loop of the same PATCH requests and kubectl are measured in one run, so that the ratios can be compared between
 * machines.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { mkdtemp, mkdtempDisposable, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';
import { Agent, request } from 'undici';
import { startWorld, type ApplicationHandle, type World } from '../test/support/world.ts';
import type { RunningAgent } from '../test/support/agent.ts';
import type { TestRepository } from '../test/support/git-repository.ts';
import { cpuMs, pssMiB } from './process-figures.ts';
import type { BenchOptions } from './bench-options.ts';
import { watchObject } from './watch-object.ts';

const OBJECTS = 1000;
/** Equal to the agent's default of --apply-concurrency. */
const CONCURRENCY = 16;
const IDLE_PASSES = 10;
const ROUNDS = 20;
/** After this time the timers of the start have fired and the idle child for untrusted input has ended. */
const REST_MS = 35_000;

export interface SyncFigures {
  readonly objects: number;
  /** From the declaration of the Application to Ready, including fetch, render, apply and status. */
  readonly firstSyncMs: number;
  /** All requests to the API server in that time, including watches, status and Events. */
  readonly firstSyncRequests: number;
  /** The same 1,000 objects, applied by a bare loop of server-side apply PATCHes with the same concurrency. */
  readonly barePatchMs: number;
  readonly kubectlApplyMs: number;
  /** Requests for the Application's objects in 10 forced passes over an unchanged commit. */
  readonly idleRequests: number;
  /** CPU time of the agent and its children for all of these 10 passes. */
  readonly idleCpuMs: number;
  /** Median of 20: from the push of a one-line change, with a request to refresh, until the change is live. */
  readonly pushToLiveMs: number;
  /** Median of 20: from the webhook of such a push until the change is live. */
  readonly hookToLiveMs: number;
  /** Median of 20: from the moment when a manual edit is live until it is undone. */
  readonly healMs: number;
  /** Memory of the agent and its children at rest. */
  readonly pssMiB: number;
}

export async function run({ say }: BenchOptions): Promise<SyncFigures> {
  say('building');
  execFileSync(process.execPath, [fileURLToPath(new URL('../scripts/build.ts', import.meta.url))]);
  await using world = await startWorld();
  const repository = await world.repository('bench');
  await repository.commit(Object.fromEntries(names().map((name) => [`app/${name}.yaml`, manifestText(name, '0')])));
  for (const namespace of ['bare', 'kubectl', 'live']) await createNamespace(world, namespace);
  say('bare PATCHes');
  const barePatchMs = await measure(() => patchBare(world));
  say('kubectl apply --server-side');
  const kubectlApplyMs = await applyByKubectl(world);
  say('first sync by the agent');
  await using secrets = await mkdtempDisposable(join(tmpdir(), 'tautline-bench-'));
  await writeFile(join(secrets.path, 'generic'), HOOK_SECRET);
  const entry = fileURLToPath(new URL('../dist/cli.js', import.meta.url));
  await using agent = await world.agent({ entry, flags: ['--webhook-secrets-dir', secrets.path] });
  // The start of the agent is not measured: the first watch of a CRD that was just created waits for a second.
  await untilListening(agent);
  const before = await countRequests(agent);
  const startedMs = performance.now();
  const application = await world.declare('bench', {
    source: { repoURL: repository.url, path: 'app', interval: '1h' },
    destination: { namespace: 'live' },
  });
  await application.untilReady();
  const firstSyncMs = performance.now() - startedMs;
  const firstSyncRequests = (await countRequests(agent)).all - before.all;
  const idle = await measureIdle(agent, application, say);
  say('push to live, 20 times');
  const pushToLiveMs = await medianOf(ROUNDS, (round) =>
    measurePush({ world, repository, value: `push ${round}`, notify: () => application.refresh() }),
  );
  say('webhook to live, 20 times');
  const hookToLiveMs = await medianOf(ROUNDS, async (round) => {
    await sleep(HOOK_PAUSE_MS);
    return measurePush({ world, repository, value: `hook ${round}`, notify: () => sendHook(agent, repository) });
  });
  say('heal, 20 times');
  const healMs = await medianOf(ROUNDS, (round) => measureHeal(world, round));
  say('at rest');
  await sleep(REST_MS);
  return {
    objects: OBJECTS,
    firstSyncMs: Math.round(firstSyncMs),
    firstSyncRequests,
    barePatchMs: Math.round(barePatchMs),
    kubectlApplyMs: Math.round(kubectlApplyMs),
    ...idle,
    pushToLiveMs: Math.round(pushToLiveMs),
    hookToLiveMs: Math.round(hookToLiveMs),
    healMs: Math.round(healMs),
    pssMiB: pssMiB(agent.process.pid ?? 0),
  };
}

async function untilListening({ probesUrl }: RunningAgent): Promise<void> {
  while ((await fetch(`${probesUrl}/readyz`)).status !== 200) await sleep(50);
}

function names(): string[] {
  return Array.from({ length: OBJECTS }, (_item, index) => `settings-${String(index).padStart(4, '0')}`);
}

function manifestText(name: string, value: string): string {
  const data = Array.from({ length: 5 }, (_item, index) => `  key-${index}: value ${index} of ${name}\n`).join('');
  return `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\ndata:\n  value: "${value}"\n${data}`;
}

async function createNamespace(world: World, name: string): Promise<void> {
  await world.send('POST', '/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
}

async function measure(work: () => Promise<void>): Promise<number> {
  const startedMs = performance.now();
  await work();
  return performance.now() - startedMs;
}

/** Sends the YAML unchanged, so that the time of the loop is that of the server and of one round trip per object. */
async function patchBare({ plane }: World): Promise<void> {
  const { readFile } = await import('node:fs/promises');
  const dispatcher = new Agent({
    connections: CONCURRENCY,
    allowH2: false,
    connect: { ca: await readFile(plane.caFile, 'utf8') },
  });
  const queue = names();
  const lane = async (): Promise<void> => {
    for (let name = queue.pop(); name !== undefined; name = queue.pop()) {
      const path = `/api/v1/namespaces/bare/configmaps/${name}?fieldManager=bare&force=false`;
      const { statusCode, body } = await request(plane.url + path, {
        dispatcher,
        method: 'PATCH',
        headers: { authorization: `Bearer ${plane.adminToken}`, 'content-type': 'application/apply-patch+yaml' },
        body: manifestText(name, '0'),
      });
      await body.dump();
      assert.equal(statusCode, 201);
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, lane));
  await dispatcher.close();
}

async function applyByKubectl(world: World): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'tautline-bench-'));
  try {
    await Promise.all(names().map((name) => writeFile(join(folder, `${name}.yaml`), manifestText(name, '0'))));
    return await measure(async () => {
      const { code, stderr } = await world.plane.kubectl(['apply', '--server-side', '-n', 'kubectl', '-f', folder]);
      assert.equal(code, 0, stderr);
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function measureIdle(
  agent: RunningAgent,
  application: ApplicationHandle,
  say: BenchOptions['say'],
): Promise<Pick<SyncFigures, 'idleRequests' | 'idleCpuMs'>> {
  say(`${IDLE_PASSES} forced passes with nothing changed`);
  const pid = agent.process.pid ?? 0;
  await sleep(1000);
  const before = await countRequests(agent);
  const cpuBeforeMs = cpuMs(pid);
  for (let pass = 0; pass < IDLE_PASSES; pass++) await application.refresh();
  const idleCpuMs = Math.round(cpuMs(pid) - cpuBeforeMs);
  return { idleRequests: (await countRequests(agent)).objects - before.objects, idleCpuMs };
}

/** Status is written by `update` and Events by `create`. All other requests except watches are for objects. */
const NOT_FOR_OBJECTS = new Set(['update', 'create', 'watch']);

async function countRequests(agent: RunningAgent): Promise<{ all: number; objects: number }> {
  const text = await (await fetch(`${agent.metricsUrl}/metrics`)).text();
  const counts = { all: 0, objects: 0 };
  for (const [, verb = '', count] of text.matchAll(/^tautline_kubernetes_requests_total\{verb="(\w+)",.*\} (\d+)$/gm)) {
    counts.all += Number(count);
    if (!NOT_FOR_OBJECTS.has(verb)) counts.objects += Number(count);
  }
  return counts;
}

async function medianOf(rounds: number, work: (round: number) => Promise<number>): Promise<number> {
  const figures: number[] = [];
  for (let round = 1; round <= rounds; round++) figures.push(await work(round));
  return figures.sort((a, b) => a - b)[Math.floor(figures.length / 2)] ?? NaN;
}

interface Push {
  readonly world: World;
  readonly repository: TestRepository;
  readonly value: string;
  /** Notifies the agent of the push. */
  readonly notify: () => Promise<unknown>;
}

const SUBJECT = '/api/v1/namespaces/live/configmaps/settings-0500';

async function measurePush({ world, repository, value, notify }: Push): Promise<number> {
  const name = 'settings-0500';
  await using watch = await watchObject(world.plane, SUBJECT);
  await repository.commit({ [`app/${name}.yaml`]: manifestText(name, value) });
  const startedMs = performance.now();
  const [live] = await Promise.all([
    watch.until((object) => object?.data?.['value'] === value).then(() => performance.now() - startedMs),
    notify(),
  ]);
  return live;
}

/** Longer than the shortest time between two polls that webhooks cause. */
const HOOK_PAUSE_MS = 1_100;
const HOOK_SECRET = 'secret-of-the-benchmark';

async function sendHook(agent: RunningAgent, repository: TestRepository): Promise<void> {
  const body = JSON.stringify({ repository: repository.url });
  const signature = createHmac('sha256', HOOK_SECRET).update(body).digest('hex');
  const headers = { 'X-Tautline-Signature-256': `sha256=${signature}` };
  const answer = await request(`${agent.webhookUrl}/hooks/generic`, { method: 'POST', headers, body });
  assert.deepEqual(await answer.body.json(), { applications: 1 });
}

/** Edits another object in each round, since repeated heals of one object are slowed down on purpose. */
async function measureHeal(world: World, round: number): Promise<number> {
  const name = `settings-${String(600 + round).padStart(4, '0')}`;
  await using watch = await watchObject(world.plane, `/api/v1/namespaces/live/configmaps/${name}`);
  const metadata = { name, namespace: 'live' };
  await world.apply({ apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { value: 'hand' } }, 'hand');
  const editedMs = await watch.until((object) => object?.data?.['value'] === 'hand');
  const healedMs = await watch.until((object) => object?.data?.['value'] !== 'hand');
  // A pause between two heals, since manual edits do not follow each other directly.
  await sleep(100);
  return healedMs - editedMs;
}
