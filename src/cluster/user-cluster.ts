/**
 * A cluster for the command line: with the user's own rights, without caches and without the agent's watches.
 *
 * Invariant: a write to an Application sets one annotation, and only on the version that was read, or spec.suspend.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { idOf } from '../object/identity.ts';
import { stringifyJson } from '../object/json.ts';
import { isKubeObject, listAt, stringAt, type KubeObject, type Value } from '../object/value.ts';
import type { Capabilities } from '../render/needs.ts';
import type { Clock } from '../telemetry/ports.ts';
import { applicationKind } from './applications.ts';
import { callerClient } from './caller-clients.ts';
import {
  followApplications,
  watchApplications,
  type ApplicationList,
  type ApplicationSelection,
  type FollowedList,
  type WatchOptions,
} from './follow-applications.ts';
import { loadCredentials, type ClusterSource } from './transport/credentials.ts';
import { agentIdentity } from './identity.ts';
import type { Kinds } from './kinds.ts';
import type { ClusterLimits } from './limits.ts';
import { createCredentialSecrets } from './live/credential-secrets.ts';
import { objectKey } from './live/live-objects.ts';
import { asObjectOf, tryParseJson } from './live-object.ts';
import { noMetrics } from './metrics.ts';
import { objectPath, query } from './requests/paths.ts';
import type { CallerClient, CredentialSecrets, FullClient, LogAnswer, LogQuestion, Refused, User } from './ports.ts';
import { createCapabilities } from './requests/capabilities.ts';
import { createServerVersion } from './requests/server-version.ts';
import { createDiscovery } from './requests/discovery.ts';
import { createClient } from './requests/object-client.ts';
import { readPodLog } from './requests/pod-log.ts';
import { refusalOf } from './requests/refusal.ts';
import { createTransport, type HttpRequest, type Transport } from './transport/transport.ts';
import { listAll, type ListTarget } from './watches/watch-list.ts';

export interface ApplicationName {
  readonly namespace: string;
  readonly name: string;
}

export type ReadResult<T> = { readonly ok: true; readonly value: T } | Refused;

export interface UserCluster {
  /** The address of the API server. */
  readonly server: string;
  /** The namespace of the kubeconfig's context or of the Pod, if there is one. */
  readonly namespace: string | undefined;
  /** Requests with the user's own rights. */
  readonly client: FullClient;
  readonly credentialSecrets: CredentialSecrets;
  kinds(): Promise<Kinds>;
  /** The version of the API server, as `v1.36.3`. Rejects with StageError DiscoveryFailed. */
  serverVersion(): Promise<string>;
  /** As charts see the cluster. Rejects where discovery does. */
  capabilities(): Promise<Capabilities>;
  /** The uid of kube-system, which is an agent's clusterId; undefined if it cannot be read. */
  clusterId(): Promise<string | undefined>;
  /** undefined: there is no Application of that name. */
  readApplication(name: ApplicationName): Promise<ReadResult<KubeObject | undefined>>;
  /** The Applications of a namespace, or of all where it is empty. The selector is that of kubectl; empty: all. */
  listApplications(namespace: string, labelSelector?: string): Promise<ReadResult<readonly KubeObject[]>>;
  /** All Applications first, then those that changed, until the signal; see follow-applications.ts. */
  followApplications(selection: ApplicationSelection, signal: AbortSignal): AsyncIterable<FollowedList>;
  /** Requests of the status API where the person of the kubeconfig is its only caller. */
  readonly caller: CallerClient;
  /** The name and the groups of the person, as the API server tells them. */
  whoAmI(): Promise<ReadResult<User>>;
  /** Sets one annotation; refusal `Modified` if the Application has changed since it was read. */
  annotate(application: KubeObject, annotation: string, value: string): Promise<ReadResult<KubeObject>>;
  /** Sets spec.suspend, which is one field and so needs no version that was read. Returns the Application as stored. */
  setSuspended(name: ApplicationName, isSuspended: boolean): Promise<ReadResult<KubeObject>>;
  /** The last lines of the log of a Pod. */
  readLog(question: LogQuestion): Promise<LogAnswer>;
  /**
   * Yields the Application now and after each change, until the signal aborts. Once the Application is gone it yields
   * undefined and ends. Throws `RefusedError` for a refusal that a retry cannot change, and retries after all others.
   */
  followApplication(name: ApplicationName, signal: AbortSignal): AsyncGenerator<KubeObject | undefined>;
  close(): Promise<void>;
}

/** A refusal that a retry cannot change. */
export class RefusedError extends Error {}

export interface UserClusterOptions {
  readonly source: ClusterSource;
  readonly limits: ClusterLimits;
  readonly clock: Clock;
  readonly userAgent: string;
}

const RETRY_MS = 1_000;

/** Throws StageError `ClusterConfigInvalid`. Sends no request yet. */
export async function connectAsUser({ source, limits, clock, userAgent }: UserClusterOptions): Promise<UserCluster> {
  const credentials = await loadCredentials(source);
  const transport = createTransport({ credentials, limits, metrics: noMetrics, userAgent });
  const discovery = createDiscovery({ transport, limits, clock });
  const kinds = (): Promise<Kinds> => discovery.kinds();
  const version = createServerVersion({ transport, clock });
  const capabilities = createCapabilities({ version, kinds });
  const readApplication: UserCluster['readApplication'] = async (name) => {
    const answer = await send(transport, { verb: 'get', method: 'GET', path: objectPath(applicationKind, name) });
    return answer.ok || answer.refusal.code !== 'NotFound' ? answer : { ok: true, value: undefined };
  };
  return {
    server: transport.server,
    namespace: credentials.namespace,
    client: createClient(transport, agentIdentity),
    caller: callerClient((request) => transport.send(request)),
    whoAmI: () => whoAmI(transport),
    credentialSecrets: createCredentialSecrets({ transport, limits, clock, log: SILENT }),
    kinds,
    serverVersion: version,
    capabilities,
    async clusterId() {
      const path = '/api/v1/namespaces/kube-system';
      const answer = await send(transport, { verb: 'get', method: 'GET', path });
      return answer.ok ? stringAt(answer.value, 'metadata', 'uid') : undefined;
    },
    readApplication,
    listApplications: (namespace, labelSelector = '') =>
      listApplications({ transport, limits }, { namespace, labelSelector }),
    followApplications: (selection, signal) =>
      followApplications({
        ...{ transport, ...selection, signal, maxLineBytes: limits.maxWatchLineBytes, retryMs: RETRY_MS },
        list: () => listApplications({ transport, limits }, selection),
      }),
    annotate(application, annotation, value) {
      const { resourceVersion = null, uid = null, namespace, name } = application.metadata;
      const patch: Value = { metadata: { resourceVersion, uid, annotations: { [annotation]: value } } };
      return patchApplication(transport, { namespace: String(namespace), name: String(name) }, patch);
    },
    setSuspended: (name, isSuspended) => patchApplication(transport, name, { spec: { suspend: isSuspended } }),
    readLog: (question) => readPodLog(transport, question),
    async *followApplication(name, signal) {
      while (!signal.aborted) {
        const answer = await readApplication(name);
        if (answer.ok) {
          yield answer.value;
          if (!answer.value) return;
          yield* changesOf(name, answer.value, { transport, maxLineBytes: limits.maxWatchLineBytes, signal });
        } else if (answer.refusal.retry === 'never') throw new RefusedError(answer.refusal.message);
        await sleep(RETRY_MS, undefined, { signal }).catch(() => undefined);
      }
    },
    close: () => transport.close(),
  };
}

/** An object is never larger than the bound on answers: etcd would not store it. */
const SILENT = { warn: () => undefined };

type UserRequest = Omit<HttpRequest, 'identity' | 'category'>;

async function send(transport: Transport, request: UserRequest): Promise<ReadResult<KubeObject>> {
  const answer = await transport.send({ ...request, identity: agentIdentity, category: 'other' });
  const value = answer.status >= 200 && answer.status < 300 ? tryParseJson(answer.text) : undefined;
  if (isKubeObject(value)) return { ok: true, value };
  return { ok: false, refusal: refusalOf(answer, request.verb, applicationKind) };
}

async function whoAmI(transport: Transport): Promise<ReadResult<User>> {
  const kind = { group: 'authentication.k8s.io', kind: 'SelfSubjectReview' };
  const answer = await transport.send({
    verb: 'create',
    method: 'POST',
    path: `/apis/${kind.group}/v1/selfsubjectreviews`,
    identity: agentIdentity,
    category: 'other',
    contentType: 'application/json',
    body: stringifyJson({ apiVersion: `${kind.group}/v1`, kind: kind.kind }),
  });
  const value = answer.status === 201 ? tryParseJson(answer.text) : undefined;
  const username = stringAt(value, 'status', 'userInfo', 'username');
  if (username === undefined) return { ok: false, refusal: refusalOf(answer, 'create', kind) };
  const groups = listAt(value, 'status', 'userInfo', 'groups').filter((group) => typeof group === 'string');
  return { ok: true, value: { username, uid: '', groups, extra: {} } };
}

/** A merge patch. */
function patchApplication(transport: Transport, name: ApplicationName, patch: Value): Promise<ReadResult<KubeObject>> {
  return send(transport, {
    verb: 'patch',
    method: 'PATCH',
    path: objectPath(applicationKind, name) + query({ fieldManager: 'tautline-cli' }),
    contentType: 'application/merge-patch+json',
    body: stringifyJson(patch),
  });
}

async function listApplications(
  { transport, limits }: Pick<ListTarget, 'transport' | 'limits'>,
  selection: ApplicationSelection,
): Promise<ApplicationList> {
  const applications = new Map<string, KubeObject>();
  const target = { transport, limits, log: SILENT, identity: agentIdentity, kind: applicationKind, ...selection };
  const end = await listAll(target, (item) => {
    const application = asObjectOf(applicationKind, item);
    if (application) applications.set(objectKey(idOf(application)), application);
  });
  if (!end.ok) return end;
  return { ok: true, value: [...applications.values()], resourceVersion: end.resourceVersion };
}

/** Yields the changes of one watch, until it or the Application ends. The caller reads the Application again then. */
async function* changesOf(
  { namespace, name }: ApplicationName,
  from: KubeObject,
  options: Pick<WatchOptions, 'transport' | 'maxLineBytes' | 'signal'>,
): AsyncGenerator<KubeObject> {
  const selector = { fieldSelector: `metadata.name=${name}` };
  const resourceVersion = stringAt(from.metadata, 'resourceVersion') ?? '';
  for await (const event of watchApplications({ ...options, namespace, selector, resourceVersion })) {
    if (event.isDeleted) return;
    yield event.application;
  }
}
