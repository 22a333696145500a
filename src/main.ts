/**
 * Composition root of the agent: makes the edges from the configuration, hands them to reconcile/, and starts the
 * listeners. It sees all and decides nothing.
 */
import { fileURLToPath } from 'node:url';
import { CRD_NAME, GROUP, KIND, VERSION as API_VERSION } from './application/keys.ts';
import { connectCluster } from './cluster/connection.ts';
import { kindKey } from './cluster/kinds.ts';
import { defaultClusterLimits } from './cluster/limits.ts';
import { VERSION, type Config } from './config.ts';
import { kubernetesEvent } from './notify/kubernetes-event.ts';
import { StageError } from './object/stage-error.ts';
import { Claims } from './reconcile/claims.ts';
import type { FaultPoint, ReconcileContext } from './reconcile/context.ts';
import { createController, type Controller } from './reconcile/controller.ts';
import { renderInSandbox } from './sandbox/render-job.ts';
import { codeDirs, createSandbox } from './sandbox/sandbox.ts';
import { apiRoutes } from './server/api.ts';
import { listen, type Listener } from './server/listener.ts';
import { probeRoutes } from './server/probes.ts';
import { defaultSourceLimits } from './source/limits.ts';
import { createGitSource } from './source/source.ts';
import { createLog } from './telemetry/log.ts';
import { createMetrics } from './telemetry/metrics.ts';
import type { Clock } from './telemetry/ports.ts';

const MiB = 1024 * 1024;

export interface Agent {
  /** Where the listeners are bound, ports resolved. */
  readonly apiUrl: string;
  readonly probesUrl: string;
  readonly controller: Controller;
  /** Requests so far by category, for tests and bench. */
  readonly requestCounts: () => Readonly<Record<string, number>>;
  /** Finishes the passes under way, then lets go of everything. */
  stop(): Promise<void>;
}

export interface StartOptions {
  /** Called at each named moment between two effects; a test kills the process there. */
  readonly reach?: (point: FaultPoint) => Promise<void> | void;
}

/** Rejects with StageError if the API server does not answer, the CRD is missing, or an address cannot be bound. */
export async function startAgent(config: Config, signal: AbortSignal, options: StartOptions = {}): Promise<Agent> {
  const log = createLog({ level: config.logLevel });
  const metrics = createMetrics({ version: VERSION });
  const clock: Clock = { now: () => Date.now(), monotonicMs: () => performance.now() };
  const chance = Math.random;
  const childFile = fileURLToPath(new URL(import.meta.url.endsWith('.ts') ? 'child.ts' : 'child.js', import.meta.url));
  const sandbox = createSandbox({
    entryFile: childFile,
    slots: config.sandboxSlots,
    heapMb: config.sandboxHeapMib,
    rssLimitMb: config.sandboxRssMib,
    jobDeadlineMs: config.renderTimeout,
    maxJobsPerChild: 200,
    maxQueuedJobs: config.maxApplications,
    idleEndMs: config.sandboxIdle,
    readableDirs: [...codeDirs(childFile), config.dataDir],
    writableDirs: [],
    log,
  });
  let controller: Controller | undefined;
  const cluster = await connectCluster({
    kubeconfig: config.kubeconfig || undefined,
    context: config.context || undefined,
    limits: { ...defaultClusterLimits, maxRequests: config.maxRequests, maxWatches: config.maxWatches },
    log,
    metrics: { onRequest: metrics.onKubernetesRequest, onWatchRestart: metrics.onWatchRestart },
    clock,
    chance,
    events: { onChange: (change) => controller?.onObjectChange(change) },
  });
  signal.throwIfAborted();
  const source = createGitSource({
    dataDir: config.dataDir,
    limits: { ...defaultSourceLimits, maxPackBytes: config.maxPackMib * MiB, maxFiles: config.maxRepositoryFiles },
    sandbox,
    log,
    clock,
  });
  const listeners: Listener[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(listeners.map((listener) => listener.close()));
    await source.close();
    await cluster.close();
    sandbox.close();
  };
  try {
    await expectCrd(cluster);
    const context: Omit<ReconcileContext, 'wake'> = {
      cluster,
      source,
      render: renderInSandbox(sandbox, {
        sourceLimits: defaultSourceLimits,
        deadlineMs: config.renderTimeout,
        renderLimits: {
          maxFileBytes: config.maxFileMib * MiB,
          maxNodes: config.maxNodes,
          maxDepth: config.maxDepth,
          maxObjects: config.maxObjects,
          maxFiles: config.maxRenderFiles,
        },
      }),
      claims: new Claims(),
      log,
      metrics,
      clock,
      chance,
      settings: {
        version: VERSION,
        applyConcurrency: config.applyConcurrency,
        pruneGuard: { maxShare: config.pruneMaxShare / 100, maxObjects: config.pruneMaxObjects },
        allowCrossNamespace: config.allowCrossNamespace,
        pollJitter: config.pollJitterPercent / 100,
        minPollBackoffMs: config.minPollBackoff,
        maxPollBackoffMs: config.maxPollBackoff,
        progressCheckMs: config.progressCheck,
        discoveryRetryMs: config.discoveryRetry,
        awaitedDiscoveryRetryMs: 300,
      },
      notify: (event, about) =>
        void cluster.writeEvent(kubernetesEvent(event, about, { instance: config.instance, nowMs: clock.now() })),
      reach: options.reach ?? (() => undefined),
    };
    const running = createController({
      context,
      concurrency: config.concurrency,
      minBackoffMs: config.minBackoff,
      maxBackoffMs: config.maxBackoff,
      maxApplications: config.maxApplications,
    });
    controller = running;
    const ready = { 'crd-found': true, 'applications-listed': false, 'not-draining': true };
    const probes = await bind('probes', () =>
      listen(
        probeRoutes({ isHealthy: () => true, readiness: () => ready, metrics: metrics.expose }),
        config.probesAddress,
      ),
    );
    listeners.push(probes);
    const api = await bind('api', () => listen(apiRoutes(running), config.apiAddress));
    listeners.push(api);
    log.info('tautline started', { version: VERSION, api: api.url, probes: probes.url, cluster: cluster.clusterId });
    await running.start();
    ready['applications-listed'] = true;
    return {
      apiUrl: api.url,
      probesUrl: probes.url,
      controller: running,
      requestCounts: () => cluster.requestCounts(),
      async stop() {
        ready['not-draining'] = false;
        log.info('draining', {});
        await running.drain();
        await close();
        log.info('tautline stopped', {});
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
}

async function expectCrd(cluster: Awaited<ReturnType<typeof connectCluster>>): Promise<void> {
  const kinds = await cluster.kinds({ refresh: true });
  if (kinds.served.has(kindKey(`${GROUP}/${API_VERSION}`, KIND))) return;
  throw new StageError({
    stage: 'observe',
    code: 'CrdMissing',
    retry: 'never',
    message:
      `the cluster does not serve ${KIND} of ${GROUP}/${API_VERSION}: install the CustomResourceDefinition ${CRD_NAME} ` +
      'with: tautline crd | kubectl apply --server-side -f -',
  });
}

async function bind(name: string, start: () => Promise<Listener>): Promise<Listener> {
  try {
    return await start();
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown';
    const message = `the ${name} listener cannot be bound (${code}): choose another address with --${name}-address`;
    throw new StageError({ stage: 'status', code: 'AddressUnavailable', retry: 'never', message, cause: error });
  }
}

