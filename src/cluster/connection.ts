/**
 * Connects the agent to a cluster: `connectCluster` composes credentials, transport, discovery, live store and
 * Applications, and checks that the API server answers.
 *
 * Invariant: no credential leaves cluster/, and only cluster/ builds requests.
 */
import { randomUUID } from 'node:crypto';
import { StageError } from '../object/stage-error.ts';
import { stringifyJson } from '../object/json.ts';
import { stringAt } from '../object/value.ts';
import type { Chance, Clock, Log } from '../telemetry/ports.ts';
import { createApplicationClient } from './applications.ts';
import { loadCredentials, type ClusterSource } from './transport/credentials.ts';
import { agentIdentity, type Identity } from './identity.ts';
import type { KindInfo, Kinds } from './kinds.ts';
import type { ClusterLimits } from './limits.ts';
import { tryParseJson } from './live-object.ts';
import { createCredentialSecrets } from './live/credential-secrets.ts';
import { createDataWatches } from './live/data-watches.ts';
import { createLiveStore } from './live/live-store.ts';
import { noMetrics, type ClusterMetrics, type RequestCounts } from './metrics.ts';
import { collectionPath } from './requests/paths.ts';
import type { Cluster, FullClient, Hub, LiveStoreEvents } from './ports.ts';
import { readDefinitions } from './requests/definitions.ts';
import { createCapabilities } from './requests/capabilities.ts';
import { createDiscovery } from './requests/discovery.ts';
import { createClient } from './requests/object-client.ts';
import { refusalOf } from './requests/refusal.ts';
import { createServerVersion } from './requests/server-version.ts';
import { createAccessReviews } from './requests/access-reviews.ts';
import { createCallerClients } from './caller-clients.ts';
import { createRights } from './requests/rights.ts';
import { recordWrites } from './live/recording-client.ts';
import { createTransport, type Transport } from './transport/transport.ts';

export interface ConnectOptions {
  readonly source: ClusterSource;
  readonly limits: ClusterLimits;
  readonly log: Log;
  readonly clock: Clock;
  readonly chance: Chance;
  readonly metrics?: ClusterMetrics;
  readonly events?: LiveStoreEvents;
  /** Watch the Applications of this namespace only. Default: all namespaces. */
  readonly applicationNamespace?: string;
  /** Default `tautline`. */
  readonly userAgent?: string;
}

/** One API server that is both: hub of the Applications, and cluster of their objects. */
export interface ConnectedCluster extends Hub, Cluster {
  as(identity: Identity): FullClient;
  /** The cached discovery; `refresh` asks again (at most once at a time). */
  kinds(options?: { refresh: boolean }): Promise<Kinds>;
  /** Address of the API server. */
  readonly server: string;
  /** The namespace of the kubeconfig's context or of the Pod, if there is one. */
  readonly defaultNamespace: string | undefined;
  /** Requests sent so far, by category; repeated and failed ones count too. */
  requestCounts(): RequestCounts;
  /** Watches of the live store that are open or being opened. */
  watchCount(): number;
  close(): Promise<void>;
}

/** Throws StageError `ClusterConfigInvalid`, `ClusterUnreachable` or `ClusterUnauthorized`. */
export async function connectCluster(options: ConnectOptions): Promise<ConnectedCluster> {
  const { limits, log, clock, chance, metrics = noMetrics, events = { onChange: () => {} } } = options;
  const credentials = await loadCredentials(options.source);
  const userAgent = options.userAgent ?? 'tautline';
  const transport = createTransport({ credentials, limits, metrics, userAgent });
  const clusterId = await identifyCluster(transport).catch(async (error: unknown) => {
    await transport.close();
    throw error;
  });
  const shared = { transport, limits, clock, chance, log, metrics };
  const discovery = createDiscovery(shared);
  const capabilities = createCapabilities({ version: createServerVersion(shared), kinds: () => discovery.kinds() });
  const rights = createRights(shared);
  const live = createLiveStore({
    ...shared,
    events,
    clientOf: (identity) => createClient(transport, identity, discovery),
    onKindNotServed: () => discovery.doubt(),
  });
  const data = createDataWatches({ ...shared, onChange: (application) => events.onDataChange?.(application) });
  const callers = createCallerClients({ credentials, limits, metrics, userAgent });
  const { applicationNamespace } = options;
  const applications = createApplicationClient({
    ...shared,
    ...(applicationNamespace !== undefined && { namespace: applicationNamespace }),
  });
  return {
    hubId: clusterId,
    clusterId,
    server: transport.server,
    defaultNamespace: credentials.namespace,
    as: (identity) =>
      recordWrites(createClient(transport, identity, discovery), (kind, id) => live.beginWrite(identity, kind, id)),
    kinds: (options) => discovery.kinds(options),
    capabilities,
    definitions: () => readDefinitions({ transport, discovery }),
    live,
    data,
    credentialSecrets: createCredentialSecrets(shared),
    writableNames: (identity, kind, place) => rights.writableNames(identity, kind, place),
    mayWriteName: (identity, kind, object) => rights.mayWriteName(identity, kind, object),
    applications,
    reviews: createAccessReviews(shared),
    asCaller: (token) => callers.as(token),
    writeEvent: (event) => writeEvent({ transport, log, event }),
    requestCounts: () => transport.requestCounts(),
    watchCount: () => live.watchCount(),
    async close() {
      applications.close();
      live.close();
      data.close();
      await callers.close();
      await transport.close();
    },
  };
}

/** The uid of kube-system, or the server's address where the agent may not read it. Throws StageError. */
async function identifyCluster(transport: Transport): Promise<string> {
  const answer = await transport.send({
    verb: 'get',
    method: 'GET',
    path: '/api/v1/namespaces/kube-system',
    identity: agentIdentity,
    category: 'other',
  });
  if (answer.status === 200) return stringAt(tryParseJson(answer.text), 'metadata', 'uid') ?? transport.server;
  const refusal = refusalOf(answer, 'get', { group: '', kind: 'Namespace' });
  if (refusal.code === 'Unauthorized') {
    throw new StageError({
      stage: 'observe',
      code: 'ClusterUnauthorized',
      retry: 'backoff',
      message: `${refusal.message} (${transport.server})`,
    });
  }
  if (refusal.code === 'Unavailable' || refusal.code === 'Throttled') {
    throw new StageError({
      stage: 'observe',
      code: 'ClusterUnreachable',
      retry: refusal.retry,
      message: answer.status === 0 ? refusal.message : `${transport.server}: ${refusal.message}`,
    });
  }
  return transport.server;
}

const EVENTS: KindInfo = {
  group: 'events.k8s.io',
  version: 'v1',
  kind: 'Event',
  plural: 'events',
  isNamespaced: true,
  hasStatus: false,
  isWatchable: true,
};

interface EventToWrite {
  readonly transport: Transport;
  readonly log: Log;
  readonly event: Parameters<Hub['writeEvent']>[0];
}

async function writeEvent({ transport, log, event }: EventToWrite): Promise<void> {
  const namespace = stringAt(event.metadata, 'namespace') ?? 'default';
  const name = stringAt(event.metadata, 'name') ?? `tautline-${randomUUID()}`;
  try {
    const answer = await transport.send({
      verb: 'create',
      method: 'POST',
      path: collectionPath(EVENTS, namespace),
      identity: agentIdentity,
      category: 'event',
      contentType: 'application/json',
      body: stringifyJson({ ...event, metadata: { ...event.metadata, namespace, name } }),
    });
    if (answer.status === 201) return;
    const { code, message } = refusalOf(answer, 'create', EVENTS);
    log.debug('a Kubernetes Event was not written', { code, reason: message });
  } catch (error) {
    log.debug('a Kubernetes Event was not written', { reason: error instanceof Error ? error.message : 'unknown' });
  }
}
