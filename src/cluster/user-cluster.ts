/**
 * A cluster as the command line sees it: with a person's own rights, without caches and without the agent's watches.
 *
 * Invariant: of an Application nothing is ever written but one annotation, and only in the version that was read.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { stringifyJson } from '../object/json.ts';
import { isMap, isKubeObject, listAt, stringAt, valueAt, type KubeObject, type Value } from '../object/value.ts';
import type { Clock } from '../telemetry/ports.ts';
import { applicationKind } from './applications.ts';
import type { Refusal } from './answers.ts';
import { loadCredentials, type ClusterSource } from './transport/credentials.ts';
import { createDiscovery } from './discovery.ts';
import { agentIdentity } from './identity.ts';
import type { Kinds } from './kinds.ts';
import type { ClusterLimits } from './limits.ts';
import { readLines } from './transport/line-reader.ts';
import { asObjectOf, tryParseJson } from './live-object.ts';
import { noMetrics } from './metrics.ts';
import { collectionPath, objectPath, query } from './requests/paths.ts';
import type { FullClient } from './ports.ts';
import { createClient, refusalOf } from './requests/requests.ts';
import { createTransport, type HttpRequest, type Transport } from './transport/transport.ts';

export interface ApplicationName {
  readonly namespace: string;
  readonly name: string;
}

export type Read<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly refusal: Refusal };

export interface UserCluster {
  /** Address of the API server. */
  readonly server: string;
  /** Of the kubeconfig's context or of the Pod. */
  readonly namespace: string | undefined;
  /** Requests with the person's rights. */
  readonly client: FullClient;
  kinds(): Promise<Kinds>;
  /** The uid of kube-system, by which an agent names its cluster; undefined where it may not be read. */
  clusterId(): Promise<string | undefined>;
  /** undefined: there is none of that name. */
  readApplication(name: ApplicationName): Promise<Read<KubeObject | undefined>>;
  /** By namespace and name; all namespaces where it is empty. */
  listApplications(namespace: string): Promise<Read<readonly KubeObject[]>>;
  /** Sets one annotation; refusal `Modified` where the Application is no more as it was read. */
  annotate(application: KubeObject, annotation: string, value: string): Promise<Read<KubeObject>>;
  /**
   * The Application now and after each change, until the signal aborts; undefined, and the end, once it is gone. Throws
   * `RefusedError` where it may not be read. An answer that trying again may mend is waited out.
   */
  followApplication(name: ApplicationName, signal: AbortSignal): AsyncGenerator<KubeObject | undefined>;
  close(): Promise<void>;
}

/** An answer after which trying again is of no use. */
export class RefusedError extends Error {}

export interface UserClusterOptions {
  readonly source: ClusterSource;
  readonly limits: ClusterLimits;
  readonly clock: Clock;
  readonly userAgent: string;
}

/** Seconds of one watch request: a connection that died unseen is noticed so much later at most. */
const WATCH_SECONDS = 60;
const AGAIN_MS = 1_000;
const MAX_PAGES = 1_000;

/** Throws StageError `ClusterConfigInvalid`; sends nothing yet. */
export async function connectAsUser({ source, limits, clock, userAgent }: UserClusterOptions): Promise<UserCluster> {
  const credentials = await loadCredentials(source);
  const transport = createTransport({ credentials, limits, metrics: noMetrics, userAgent });
  const discovery = createDiscovery({ transport, limits, clock });
  const readApplication: UserCluster['readApplication'] = async (name) => {
    const answer = await send(transport, { verb: 'get', method: 'GET', path: objectPath(applicationKind, name) });
    return answer.ok || answer.refusal.code !== 'NotFound' ? answer : { ok: true, value: undefined };
  };
  return {
    server: transport.server,
    namespace: credentials.namespace,
    client: createClient(transport, agentIdentity),
    kinds: () => discovery.kinds(),
    async clusterId() {
      const path = '/api/v1/namespaces/kube-system';
      const answer = await send(transport, { verb: 'get', method: 'GET', path });
      return answer.ok ? stringAt(answer.value, 'metadata', 'uid') : undefined;
    },
    readApplication,
    listApplications: (namespace) => listAll(transport, namespace, limits.listPageSize),
    annotate(application, annotation, value) {
      const { resourceVersion = null, uid = null, namespace, name } = application.metadata;
      const patch: Value = { metadata: { resourceVersion, uid, annotations: { [annotation]: value } } };
      return send(transport, {
        verb: 'patch',
        method: 'PATCH',
        path:
          objectPath(applicationKind, { namespace: String(namespace), name: String(name) }) +
          query({ fieldManager: 'tautline-cli' }),
        contentType: 'application/merge-patch+json',
        body: stringifyJson(patch),
      });
    },
    async *followApplication(name, signal) {
      while (!signal.aborted) {
        const answer = await readApplication(name);
        if (answer.ok) {
          yield answer.value;
          if (!answer.value) return;
          yield* changesOf(transport, { name, from: answer.value, maxLineBytes: limits.maxWatchLineBytes, signal });
        } else if (answer.refusal.retry === 'never') throw new RefusedError(answer.refusal.message);
        await sleep(AGAIN_MS, undefined, { signal }).catch(() => undefined);
      }
    },
    close: () => transport.close(),
  };
}

type Sent = Omit<HttpRequest, 'identity' | 'category'>;

async function send(transport: Transport, request: Sent): Promise<Read<KubeObject>> {
  const answer = await transport.send({ ...request, identity: agentIdentity, category: 'other' });
  const value = answer.status >= 200 && answer.status < 300 ? tryParseJson(answer.text) : undefined;
  if (isKubeObject(value)) return { ok: true, value };
  return { ok: false, refusal: refusalOf(answer, request.verb, applicationKind) };
}

async function listAll(transport: Transport, namespace: string, limit: number): Promise<Read<readonly KubeObject[]>> {
  const found: KubeObject[] = [];
  let next: string | undefined;
  for (let page = 0; page < MAX_PAGES; page++) {
    const path = collectionPath(applicationKind, namespace) + query({ limit, continue: next });
    const answer = await send(transport, { verb: 'list', method: 'GET', path, gzip: true });
    if (!answer.ok) return answer;
    for (const item of listAt(answer.value, 'items')) {
      const application = asObjectOf(applicationKind, item);
      if (application) found.push(application);
    }
    next = stringAt(answer.value, 'metadata', 'continue') || undefined;
    if (next === undefined) break;
  }
  return { ok: true, value: found };
}

interface Following {
  readonly name: ApplicationName;
  readonly from: KubeObject;
  readonly maxLineBytes: number;
  readonly signal: AbortSignal;
}

/** One watch, to its end. Whatever ends it, the caller reads afresh. */
async function* changesOf(
  transport: Transport,
  { name, from, maxLineBytes, signal }: Following,
): AsyncGenerator<KubeObject> {
  const parameters = {
    watch: 1,
    fieldSelector: `metadata.name=${name.name}`,
    resourceVersion: stringAt(from.metadata, 'resourceVersion'),
    timeoutSeconds: WATCH_SECONDS,
  };
  const path = collectionPath(applicationKind, name.namespace) + query(parameters);
  const either = AbortSignal.any([signal, AbortSignal.timeout((WATCH_SECONDS + 10) * 1000)]);
  try {
    const stream = await transport.openStream(
      { verb: 'watch', method: 'GET', path, identity: agentIdentity, category: 'watch' },
      either,
    );
    for await (const line of readLines(stream.chunks, maxLineBytes)) {
      const event = tryParseJson(line);
      const object = valueAt(event, 'object');
      const type = stringAt(event, 'type');
      if (stream.status !== 200 || !isMap(object) || (type !== 'ADDED' && type !== 'MODIFIED')) return;
      const application = asObjectOf(applicationKind, object);
      if (application) yield application;
    }
  } catch {
    // Cut, refused or out of time: reading by name tells which.
  }
}
