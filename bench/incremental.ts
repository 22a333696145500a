/**
 * Measures the second render of a plain folder of 1,000 files in the agent's child, after a commit that changes one
 * line of one file. A kustomization over as many files takes longer, since all of its objects are transformed again.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { renderInSandbox } from '../src/sandbox/render-job.ts';
import { codeDirs, createSandbox, type Sandbox } from '../src/sandbox/sandbox.ts';
import { defaultSourceLimits } from '../src/source/limits.ts';
import { createSource, type Source } from '../src/source/source.ts';
import { createHttpTransport } from '../src/source/transport/http-transport.ts';
import { createWebClient } from '../src/source/transport/web-client.ts';
import { defaultRegistryLimits } from '../src/registry/limits.ts';
import type { Snapshot } from '../src/source/snapshot.ts';
import type { Clock, Log } from '../src/telemetry/ports.ts';
import { createRepository } from '../test/support/git-repository.ts';
import { startGitServer } from '../test/support/git-server.ts';
import { deploymentText } from './overlay.ts';

const FILES = 1_000;
const ROUNDS = 5;
const MiB = 1024 * 1024;

const LIMITS = { maxFileBytes: 8 * MiB, maxNodes: 1_000_000, maxDepth: 200, maxObjects: 50_000, maxFiles: 20_000 };

/** Median time in milliseconds from the request of the parent to its manifests. Each round uses a new child. */
export async function measureIncremental(folder: string): Promise<number> {
  mkdirSync(join(folder, 'data'), { recursive: true });
  await using server = await startGitServer(join(folder, 'repositories'));
  const repository = await createRepository(server, 'bench');
  await repository.commit(filesOf());
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const sandbox = openSandbox();
    const source = openSource(join(folder, 'data'), sandbox);
    try {
      const previous = await render(sandbox, await fetchTip(source, repository.url), undefined);
      await repository.commit({
        [nameOf(round)]: deploymentText(`app-${round}`).replace('replicas: 2', 'replicas: 5'),
      });
      const snapshot = await fetchTip(source, repository.url);
      const startMs = performance.now();
      await render(sandbox, snapshot, previous);
      times.push(performance.now() - startMs);
    } finally {
      await source.close();
      sandbox.close();
    }
  }
  return Math.round((times.sort((a, b) => a - b)[Math.floor(ROUNDS / 2)] ?? 0) * 10) / 10;
}

function nameOf(index: number): string {
  return `app/app-${String(index).padStart(4, '0')}.yaml`;
}

function filesOf(): Record<string, string> {
  return Object.fromEntries(
    Array.from({ length: FILES }, (_, index) => [nameOf(index), deploymentText(`app-${index}`)]),
  );
}

async function fetchTip(source: Source, repoUrl: string): Promise<Snapshot> {
  const resolved = await source.poll({ repoUrl });
  return source.fetch({ repoUrl, resolved });
}

type Rendered = Awaited<ReturnType<typeof renderInSandbox>>;

function render(sandbox: Sandbox, snapshot: Snapshot, previous: Rendered | undefined): Promise<Rendered> {
  const { maxObjectBytes, maxDeltaDepth, cacheBytes } = defaultSourceLimits;
  const request = { snapshot, path: 'app', previous, tenant: '', signal: new AbortController().signal };
  const treeLimits = { maxObjectBytes, maxDeltaDepth, cacheBytes };
  return renderInSandbox(sandbox, request, {
    limits: LIMITS,
    sizeLimits: { maxRenderedObjectBytes: 3 * MiB, maxRenderedBytes: 32 * MiB },
    treeLimits,
    parsedCacheBytes: 128 * MiB,
    deadlineMs: 60_000,
  });
}

const silent = (): void => undefined;

const LOG: Log = { debug: silent, info: silent, warn: silent, error: silent };

function openSandbox(): Sandbox {
  const entryFile = fileURLToPath(new URL('../dist/child.js', import.meta.url));
  return createSandbox({
    entryFile,
    slots: 1,
    maxHeapMib: 512,
    maxRssMib: 1024,
    shortLane: { deadlineMs: 2_000, maxHeapMib: 160, maxRssMib: 256 },
    jobDeadlineMs: 60_000,
    maxJobsPerChild: 200,
    maxQueuedJobs: 10,
    idleEndMs: 30_000,
    readableDirs: codeDirs(entryFile),
    writableDirs: [],
    clock: CLOCK,
    log: LOG,
  });
}

function openSource(dataDir: string, sandbox: Sandbox): Source {
  const limits = defaultSourceLimits;
  const proxy = { http: '', https: '', exceptions: '' };
  const network = { limits, proxy, addresses: { allow: [], deny: [] }, clock: CLOCK };
  return createSource({
    dataDir,
    limits,
    registry: { limits: defaultRegistryLimits, tokenHosts: [], plainHttpHosts: [] },
    sandbox,
    transport: createHttpTransport(network),
    web: createWebClient(network),
    log: LOG,
    clock: CLOCK,
  });
}

const CLOCK: Clock = { now: () => Date.now(), monotonicMs: () => performance.now() };
