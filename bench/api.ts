/**
 * Measures the status API: a list of 1,000 Applications, one Application of 5,000 objects, and 500 open streams. The
 * clients run in a thread of their own, so that the event loop that is measured is that of the API alone. Access
 * reviews are answered at once: the figures are those of the API, not of an API server.
 */
import { once } from 'node:events';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { parseApplication } from '../src/application/parse.ts';
import type { CallerClient } from '../src/cluster/ports.ts';
import { apiRoutes, type ApiOptions } from '../src/server/api/api.ts';
import type { KnownApplication } from '../src/server/api/views.ts';
import { listen } from '../src/server/listener.ts';
import type { ObjectStatus } from '../src/status/object-status.ts';
import type { ClientAnswer, ClientTask } from './api-clients.ts';
import type { BenchOptions } from './bench-options.ts';

const APPLICATIONS = 1_000;
const OBJECTS = 5_000;
const STREAMS = 500;
const ROUNDS = 5;
const MiB = 1024 * 1024;

interface Figures {
  readonly [name: string]: ClientAnswer & { readonly longestBlockMs: number };
}

export async function run({ say }: BenchOptions): Promise<{ readonly figures: Figures; readonly memoryMib: object }> {
  const all = Array.from({ length: APPLICATIONS }, (_, n) => applicationOf(n, 'Healthy'));
  all[0] = { ...applicationOf(0, 'Healthy'), view: { objects: objects(), problems: [] } };
  const startMib = usedMib();
  const listener = await listen(apiRoutes(optionsOf(all)), { host: '127.0.0.1', port: 0 });
  const worker = new Worker(new URL('./api-clients.ts', import.meta.url), { workerData: listener.url });
  const blocked = monitorEventLoopDelay({ resolution: 1 });
  blocked.enable();
  const figures: Record<string, Figures[string]> = {};
  const ask = async (name: string, task: ClientTask): Promise<void> => {
    blocked.reset();
    worker.postMessage(task);
    const [answer] = (await once(worker, 'message')) as [ClientAnswer];
    figures[name] = { ...answer, longestBlockMs: longestMs(blocked) };
    say(`${name}: ${JSON.stringify(figures[name])}`);
  };
  const list = '/api/v1/applications?limit=1000';
  await ask('first list of 1,000', { type: 'requests', path: list, count: 1 });
  await ask('list of 1,000', { type: 'requests', path: list, count: 100 });
  await ask('list of 1,000, confirmed by its tag', { type: 'requests', path: list, count: 200, isConditional: true });
  await ask('list filtered by words, 50 a page', {
    type: 'requests',
    path: `${list.slice(0, -4)}50&search=app-9`,
    count: 200,
  });
  await ask('one of 5,000 objects', { type: 'requests', path: '/api/v1/applications/bench/app-0', count: 20 });
  await ask('tree of 5,000 objects', { type: 'requests', path: '/api/v1/applications/bench/app-0/tree', count: 20 });
  const listedMib = usedMib();
  await ask('opening 500 streams', { type: 'open', count: STREAMS });
  const changing = change(all);
  await ask('a change on 500 streams', { type: 'follow', events: STREAMS * ROUNDS });
  await changing;
  const memoryMib = { start: startMib, 'after the lists': listedMib, 'with 500 streams': usedMib() };
  await worker.terminate();
  await listener.close();
  return { figures, memoryMib };
}

/** One Application changes in each round; its name carries the time of the change. */
async function change(all: KnownApplication[]): Promise<void> {
  for (let round = 1; round <= ROUNDS; round++) {
    await sleep(1_500);
    all[round] = applicationOf(round, 'Degraded', `changed at ${performance.timeOrigin + performance.now()}`);
  }
}

function usedMib(): number {
  return Math.round(process.memoryUsage().rss / MiB);
}

function longestMs(blocked: ReturnType<typeof monitorEventLoopDelay>): number {
  return Math.round(blocked.max / 1e5) / 10;
}

function applicationOf(n: number, health: string, message = 'all objects are Healthy'): KnownApplication {
  const lastTransitionTime = '2026-11-30T00:00:00Z';
  const revision = `main@sha1:${'a'.repeat(40)}`;
  const parsed = parseApplication({
    apiVersion: 'tautline.dev/v1alpha1',
    kind: 'Application',
    metadata: {
      namespace: 'bench',
      name: `app-${n}`,
      uid: `u${n}`,
      resourceVersion: '1',
      generation: 1,
      labels: { n: `${n}` },
    },
    spec: { source: { repoURL: `https://git.example.com/team-${n}.git`, path: 'deploy' } },
    status: {
      sync: { status: 'Synced', revision, commit: 'a'.repeat(12), lastSyncedAt: lastTransitionTime },
      health: { status: health, message },
      conditions: [
        { type: 'Ready', status: 'True', reason: 'Synced', message: 'all is as Git has it', lastTransitionTime },
      ],
    },
  });
  return { parsed, view: undefined, trial: undefined, desiredOf: () => undefined };
}

function objects(): ObjectStatus[] {
  return Array.from({ length: OBJECTS }, (_, n) => ({
    id: { group: '', kind: 'ConfigMap', namespace: 'bench', name: `object-${n}` },
    sync: n % 10 === 0 ? ('OutOfSync' as const) : ('Synced' as const),
    health: { status: 'Healthy' as const, message: '' },
    fields: n % 10 === 0 ? [{ path: '/data/n', desired: 'in Git', live: 'in the cluster', manager: 'kubectl' }] : [],
    isPruning: false,
    file: 'all.yaml',
    line: n,
  }));
}

function optionsOf(all: readonly KnownApplication[]): ApiOptions {
  const client: CallerClient = {
    get: async () => ({ ok: true, object: undefined }),
    listBySelector: async () => ({ ok: true, objects: [] }),
    readLog: async () => ({ ok: true, text: '' }),
    readApplication: async () => ({ ok: true, object: undefined }),
    patchApplication: async (object) => ({ ok: true, object }),
  };
  return {
    signIn: { publicUrl: undefined, sessionSecret: undefined, provider: undefined },
    applications: { list: () => all, get: (_namespace, name) => all[Number(name.slice(4))] },
    hub: {
      kinds: async () => ({ served: new Map(), stale: new Set(), preferred: new Map() }),
      asCaller: () => client,
      reviews: {
        authenticate: async (username) => ({ username, uid: '', groups: [], extra: {} }),
        authorize: async () => true,
      },
    },
    anonymousRead: 'nothing',
    hosts: [],
    log: { debug() {}, info() {}, warn() {}, error() {} },
    clock: { now: () => Date.now(), monotonicMs: () => performance.now() },
  };
}
