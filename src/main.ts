/**
 * Composition root of the agent: creates the edges from the configuration, passes them to reconcile/, and starts the
 * listeners. It imports everything and decides nothing.
 */
import { chartLimitsOf, registrySettingsOf, renderLimitsOf, sourceLimitsOf } from './agent-limits.ts';
import type { Hub } from './cluster/ports.ts';
import { expectCrd } from './cluster/expect-crd.ts';
import { connectCluster, type ConnectedCluster } from './cluster/connection.ts';
import type { ClusterSource } from './cluster/transport/credentials.ts';
import { defaultClusterLimits } from './cluster/limits.ts';
import type { Config } from './config/config.ts';
import { inClusterAddress, proxySettings, searchPath } from './config/environment.ts';
import { VERSION } from './config/version.ts';
import { DEFAULT_KEPT_OUTPUTS, withKeptOutputs } from './helm/kept-outputs.ts';
import { openHelm } from './helm/open-helm.ts';
import { kubernetesEvent } from './notify/kubernetes-event.ts';
import { Claims } from './reconcile/neighbours/claims.ts';
import type { FaultPoint, ReconcileContext } from './reconcile/context.ts';
import { createController, type Controller } from './reconcile/queue/controller.ts';
import { collectInSandbox } from './sandbox/chart-files-job.ts';
import { openHealthChecks } from './sandbox/health-checks-file.ts';
import { checkSandbox, openSandbox } from './sandbox/open-sandbox.ts';
import { locateInSandbox } from './sandbox/locate-job.ts';
import { renderInSandbox } from './sandbox/render-job.ts';
import { apiRoutes } from './server/api/api.ts';
import { openListener } from './server/listener.ts';
import { signInSettingsOf } from './server/session/sign-in-settings.ts';
import { metricsRoutes } from './server/metrics.ts';
import { readPage } from './server/page.ts';
import { probeRoutes } from './server/probes.ts';
import { webhookRoutes } from './server/webhooks.ts';
import { prepareDataFolder } from './source/packs/data-folder.ts';
import { createSource, type Source, type SourceOptions } from './source/source.ts';
import { openTransport } from './source/transport/open-transport.ts';
import { createWebClient } from './source/transport/web-client.ts';
import { openSops } from './sops/open-sops.ts';
import { createLog } from './telemetry/log.ts';
import { createMetrics, type MetricsEndpoint } from './telemetry/metrics.ts';
import type { Clock, Log } from './telemetry/ports.ts';

const MiB = 1024 * 1024;

export interface Agent {
  /** Addresses of the listeners; a port 0 of the configuration is replaced by the real one. */
  readonly apiUrl: string;
  readonly probesUrl: string;
  readonly metricsUrl: string;
  readonly webhookUrl: string;
  readonly controller: Controller;
  /** Number of requests to the API server so far, by category. For tests and benchmarks. */
  readonly requestCounts: () => Readonly<Record<string, number>>;
  /** Finishes the running passes, then closes everything. */
  stop(): Promise<void>;
}

export interface StartOptions {
  /** Called at each named point between two effects. Tests kill the process there. */
  readonly onFaultPoint?: (point: FaultPoint) => Promise<void> | void;
  /** Wall clock, in milliseconds since the epoch, for tests of sync windows. Default: the clock of the machine. */
  readonly now?: () => number;
}

/**
 * Resolves when the Applications are listed. Rejects with a StageError if the API server does not answer, the CRD is
 * missing, or an address cannot be bound, and with the reason of `signal` if that is aborted before.
 */
export async function startAgent(config: Config, signal: AbortSignal, options: StartOptions = {}): Promise<Agent> {
  const log = createLog({ level: config.logLevel });
  const metrics = createMetrics({ version: VERSION });
  const onStop: (() => Promise<void> | void)[] = [];
  const stopAll = async (): Promise<void> => {
    for (const stop of onStop.splice(0).reverse()) await stop();
  };
  try {
    // Otherwise every fetch would fail, each with the same error.
    await prepareDataFolder(config.dataDir);
    const edges = await connectEdges({ config, log, metrics, onStop, options });
    signal.throwIfAborted();
    await expectCrd(edges.cluster);
    const controller = startableController({ config, edges, log, metrics, options });
    edges.forwardChanges(controller);
    const ready = { 'crd-found': true, 'applications-listed': false, 'not-draining': true };
    const urls = await openListeners({
      config,
      hub: edges.cluster,
      clock: edges.clock,
      controller,
      log,
      metrics,
      ready,
      onStop,
    });
    onStop.push(() => controller.drain());
    const { clusterId } = edges.cluster;
    const addresses = { api: urls.apiUrl, probes: urls.probesUrl };
    const others = { metrics: urls.metricsUrl, webhooks: urls.webhookUrl };
    log.info('tautline started', { version: VERSION, ...addresses, ...others, cluster: clusterId });
    await Promise.race([controller.start(), rejectedBy(signal)]);
    ready['applications-listed'] = true;
    return {
      ...urls,
      controller,
      requestCounts: () => ({ ...edges.cluster.requestCounts() }),
      async stop() {
        ready['not-draining'] = false;
        log.info('draining', {});
        // In the reverse order of the start: passes end first, and probes answer until all passes have ended.
        await stopAll();
        log.info('tautline stopped', {});
      },
    };
  } catch (error) {
    await stopAll();
    throw error;
  }
}

/**
 * Rejects when the signal is aborted. The list of Applications may never complete, for example if the agent lacks the
 * right to list them; the agent must be able to stop then.
 */
function rejectedBy(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    const onAbort = (): void => reject(signal.reason as Error);
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
  });
}

interface ControllerParts {
  readonly config: Config;
  readonly edges: Edges;
  readonly log: Log;
  readonly metrics: MetricsEndpoint;
  readonly options: StartOptions;
}

function startableController({ config, edges, log, metrics, options }: ControllerParts): Controller {
  const controller = createController({
    context: { ...edges, log, metrics, ...reconcileContext(config, edges.cluster, options) },
    concurrency: config.concurrency,
    passesPerSecond: config.passesPerSecond,
    minBackoffMs: config.minBackoffMs,
    maxBackoffMs: config.maxBackoffMs,
    maxApplications: config.maxApplications,
    maxApplicationsPerNamespace: config.maxApplicationsPerNamespace,
    definitionCheckMs: config.definitionCheckMs,
  });
  metrics.showQueue(() => controller.stats());
  return controller;
}

interface Wiring {
  readonly config: Config;
  readonly metrics: MetricsEndpoint;
  /** Stops the parts of the agent, in the order in which they were started. */
  readonly onStop: (() => Promise<void> | void)[];
}

type PassEdges = 'source' | 'render' | 'helm' | 'sops' | 'healthChecks' | 'claims' | 'clock' | 'chance';

interface Edges extends Pick<ReconcileContext, PassEdges> {
  readonly cluster: ConnectedCluster;
  /** Sets the receiver of object changes: the cluster is connected before the controller exists. */
  readonly forwardChanges: (receiver: Pick<Controller, 'onObjectChange' | 'onDataChange'>) => void;
}

type EdgesOptions = Wiring & { readonly log: Log; readonly options: StartOptions };

async function connectEdges({ config, log, metrics, onStop, options }: EdgesOptions): Promise<Edges> {
  const clock: Clock = { now: options.now ?? (() => Date.now()), monotonicMs: () => performance.now() };
  const chance = Math.random;
  const claims = new Claims();
  let receiver: Pick<Controller, 'onObjectChange' | 'onDataChange'> | undefined;
  const cluster = await connectCluster({
    source: clusterSourceOf(config),
    limits: {
      ...defaultClusterLimits,
      maxRequests: config.maxRequests,
      maxWatches: config.maxWatches,
      requestTimeoutMs: config.requestTimeoutMs,
      unwatchedReadMs: config.unwatchedCheckMs,
      maxNamespaceLiveBytes: config.maxNamespaceLiveMib * MiB,
      maxTotalLiveBytes: config.maxTotalLiveMib * MiB,
    },
    log,
    metrics: {
      onRequest: ({ verb, code }) => metrics.onKubernetesRequest(verb, code),
      onWatchRestart: ({ reason }) => metrics.onWatchRestart(reason),
    },
    clock,
    chance,
    events: {
      onChange: (change) => receiver?.onObjectChange(change),
      onDataChange: (application) => receiver?.onDataChange(application),
      // Watches open only once the cluster is connected.
      isClaimed: (id) => claims.ownerOf(cluster.clusterId, id) !== undefined,
    },
  });
  onStop.push(() => cluster.close());
  const sandbox = openSandbox(config, { maxQueuedJobs: config.maxApplications, log, clock });
  onStop.push(() => sandbox.close());
  await checkSandbox(sandbox, log);
  const healthChecks = await openHealthChecks(sandbox, config.healthChecks);
  const limits = sourceLimitsOf(config);
  const source = openSource(config, { limits, sandbox, log, clock });
  onStop.push(() => source.close());
  const program = openHelm(config, { searchPath: searchPath(), maxWaiting: config.maxApplications });
  const helm = withKeptOutputs(program, DEFAULT_KEPT_OUTPUTS);
  onStop.push(() => helm.close());
  const sops = openSops(config, { searchPath: searchPath(), maxWaiting: config.maxApplications });
  onStop.push(() => sops.close());
  const { maxObjectBytes, maxDeltaDepth, cacheBytes } = limits;
  const settings = {
    limits: renderLimitsOf(config),
    sizeLimits: { maxRenderedObjectBytes: config.maxObjectMib * MiB, maxRenderedBytes: config.maxRenderedMib * MiB },
    treeLimits: { maxObjectBytes, maxDeltaDepth, cacheBytes },
    parsedCacheBytes: config.renderCacheMib * MiB,
    deadlineMs: config.renderTimeoutMs,
  };
  return {
    cluster,
    claims,
    source,
    render: {
      render: (request) => renderInSandbox(sandbox, request, settings),
      chartFiles: (request) => collectInSandbox(sandbox, request, { ...settings, limits: chartLimitsOf(config) }),
      locateFields: (request) => locateInSandbox(sandbox, request, settings),
    },
    helm,
    sops,
    healthChecks,
    clock,
    chance,
    forwardChanges: (controller) => (receiver = controller),
  };
}

function openSource(config: Config, parts: Pick<SourceOptions, 'limits' | 'sandbox' | 'log' | 'clock'>): Source {
  const { limits, clock } = parts;
  const addresses = { allow: config.sourceAllow, deny: config.sourceDeny };
  const network = { limits, proxy: { ...proxySettings(), ssh: config.sshProxy }, addresses, clock };
  return createSource({
    ...parts,
    dataDir: config.dataDir,
    registry: registrySettingsOf(config),
    transport: openTransport({ ...network, knownHostsFile: config.sshKnownHosts }),
    web: createWebClient(network),
  });
}

function clusterSourceOf({ kubeconfig, context }: Config): ClusterSource {
  if (kubeconfig) return { type: 'kubeconfig', file: kubeconfig, ...(context ? { context } : {}) };
  const { host, port } = inClusterAddress();
  return { type: 'inCluster', host, port };
}

function reconcileContext(
  config: Config,
  cluster: ConnectedCluster,
  { onFaultPoint = () => undefined }: StartOptions,
): Pick<ReconcileContext, 'hub' | 'settings' | 'notify' | 'onFaultPoint'> {
  return {
    hub: cluster,
    settings: {
      version: VERSION,
      applyConcurrency: config.applyConcurrency,
      pruneGuard: { maxShare: config.pruneMaxPercent / 100, maxObjects: config.pruneMaxObjects },
      defaultServiceAccount: config.defaultServiceAccount,
      allowCrossNamespace: config.allowCrossNamespace,
      pollJitter: config.pollJitterPercent / 100,
      minPollBackoffMs: config.minPollBackoffMs,
      maxPollBackoffMs: config.maxPollBackoffMs,
      progressCheckMs: config.progressCheckMs,
      answerAgeMs: config.answerAgeMs,
      unwatchedCheckMs: config.unwatchedCheckMs,
      handOverWaitMs: config.handOverWaitMs,
      discoveryRetryMs: config.discoveryRetryMs,
      awaitedDiscoveryRetryMs: config.awaitedDiscoveryRetryMs,
      maxNamespaceRenderedBytes: config.maxNamespaceRenderedMib * MiB,
      maxTotalRenderedBytes: config.maxTotalRenderedMib * MiB,
      ...{ remoteBaseHosts: config.remoteBaseHosts, submoduleHosts: config.submoduleHosts },
      chartHosts: config.chartHosts,
      remoteBaseAllowUnpinned: config.remoteBaseAllowUnpinned,
      maxReadBytes: config.maxNamespaceLiveMib * MiB,
    },
    notify: (event, about) => {
      void cluster.writeEvent(kubernetesEvent(event, about, { instance: config.instance, nowMs: Date.now() }));
    },
    onFaultPoint,
  };
}

interface Serving extends Wiring {
  readonly hub: Pick<Hub, 'reviews' | 'kinds' | 'asCaller'>;
  readonly log: Log;
  readonly clock: Clock;
  readonly controller: Controller;
  readonly ready: Readonly<Record<string, boolean>>;
}

type Urls = Pick<Agent, 'apiUrl' | 'probesUrl' | 'metricsUrl' | 'webhookUrl'>;

async function openListeners(serving: Serving): Promise<Urls> {
  const { config, hub, clock, controller, log, metrics, ready, onStop } = serving;
  const probeSources = {
    failures: () => failuresOf(controller, config.maxPassTimeMs),
    readiness: () => ready,
    log,
  };
  const probes = await openListener('probes', probeRoutes(probeSources), config.probesAddress);
  onStop.push(() => probes.close());
  const metricsSources = {
    expose: () => metrics.expose(),
    reviews: config.metricsNeedToken ? hub.reviews : undefined,
    clock,
    log,
  };
  const scrapes = await openListener('metrics', metricsRoutes(metricsSources), config.metricsAddress);
  onStop.push(() => scrapes.close());
  const { anonymousRead, apiHosts: hosts } = config;
  const [page, signIn] = [readPage(), await signInSettingsOf(config)];
  const status = apiRoutes({ applications: controller, hub, anonymousRead, hosts, page, signIn, log, clock });
  const api = await openListener('api', status, config.apiAddress);
  onStop.push(() => api.close());
  const hooks = webhookRoutes({
    secretsDir: config.webhookSecretsDir,
    perMinute: config.webhooksPerMinute,
    totalPerMinute: config.totalWebhooksPerMinute,
    onPush: controller.onPush,
    onLost: controller.onHooksLost,
    trustedProxies: config.webhookTrustedProxies,
    log,
    metrics,
    clock,
  });
  const webhooks = await openListener('webhook', hooks, config.webhookAddress);
  onStop.push(() => webhooks.close());
  return { apiUrl: api.url, probesUrl: probes.url, metricsUrl: scrapes.url, webhookUrl: webhooks.url };
}

/** Every request and render has a deadline, so a pass that does not end is a defect that only a restart can clear. */
function failuresOf(controller: Controller, maxPassMs: number): string[] {
  const { longest } = controller.stats();
  if (!longest || longest.runningMs <= maxPassMs) return [];
  return [`a pass over ${longest.key} has run for ${Math.round(longest.runningMs / 1000)} s`];
}
