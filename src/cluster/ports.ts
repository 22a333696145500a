/**
 * What the rest of the agent sees of a cluster: types only. `cluster/connection.ts` makes the client,
 * `cluster/live-store.ts` the store; apply/ and reconcile/ get them handed in.
 */
import type { ObjectId } from '../object/identity.ts';
import type { KubeObject, ValueMap } from '../object/value.ts';
import type { Refusal } from './answers.ts';
import type { Identity } from './identity.ts';
import type { KindInfo, Kinds } from './kinds.ts';
import type { LiveEntry, LiveObject } from './live.ts';

export type WriteAnswer =
  | {
      readonly ok: true;
      readonly object: LiveObject;
      /** 201: the object did not exist before. */
      readonly created: boolean;
      /** `Warning` headers of the answer. */
      readonly warnings: readonly string[];
    }
  | { readonly ok: false; readonly refusal: Refusal };

export type ReadAnswer =
  | {
      readonly ok: true;
      /** undefined: 404 by name, the one proof of absence. */ readonly object: LiveObject | undefined;
    }
  | { readonly ok: false; readonly refusal: Refusal };

export type SecretAnswer =
  | {
      readonly ok: true;
      /** Decoded values; undefined: 404 by name. To be shown to nobody. */ readonly data:
        ReadonlyMap<string, Buffer> | undefined;
    }
  | { readonly ok: false; readonly refusal: Refusal };

export type DeleteAnswer =
  | {
      readonly ok: true;
      /** gone: removed or already absent; held: deletion has begun, a finalizer or grace holds it. */ readonly outcome:
        'gone' | 'held';
    }
  | { readonly ok: false; readonly refusal: Refusal };

export interface ApplyRequest {
  readonly kind: KindInfo;
  readonly body: KubeObject;
  readonly force: boolean;
  readonly dryRun?: boolean;
  /** Default `tautline`. */
  readonly fieldManager?: string;
  /** Keys of a Secret's `data` to send with the value that is live at this moment; it is seen by nobody else. */
  readonly liveSecretKeys?: readonly string[];
}

export interface DeleteRequest {
  readonly kind: KindInfo;
  readonly id: ObjectId;
  /** Both are required: a missing precondition deletes anything. */
  readonly uid: string;
  readonly resourceVersion: string;
  readonly dryRun?: boolean;
}

/** Requests to one cluster with the rights of one identity. Never throws for an answer; aborts reject. */
export interface ClusterClient {
  get(kind: KindInfo, id: ObjectId): Promise<ReadAnswer>;
  /** The values of one Secret: the only way to them, for LiveObject carries digests. Kept by nobody in cluster/. */
  readSecret(namespace: string, name: string): Promise<SecretAnswer>;
  /** Server-side apply: `PATCH` with `application/apply-patch+yaml`. */
  apply(request: ApplyRequest): Promise<WriteAnswer>;
  /**
   * The one take-over patch at adoption: gives `tautline` the fields of the listed managers, guarded by uid and
   * resourceVersion.
   */
  takeOver(kind: KindInfo, live: LiveObject): Promise<WriteAnswer>;
  /** Removes our label and annotation only (release, orphan), guarded by uid. */
  release(kind: KindInfo, live: LiveObject): Promise<WriteAnswer>;
  /** On 422 for an existing object: is the update what is forbidden? (dry-run create under another name). */
  isImmutable(kind: KindInfo, body: KubeObject): Promise<boolean>;
  remove(request: DeleteRequest): Promise<DeleteAnswer>;
  /** Objects by an equality selector on labels, for health (Pods of a workload); at most `limit`. */
  listBySelector(
    kind: KindInfo,
    options: { namespace: string; labelSelector: string; limit: number },
  ): Promise<{ ok: true; objects: LiveObject[] } | { ok: false; refusal: Refusal }>;
}

/** Who asks for what to be watched: a scope stays watched while at least one key holds it. */
export interface WatchScope {
  readonly kind: KindInfo;
  /** Empty: all namespaces, or a cluster-scoped kind. */
  readonly namespace: string;
}

export interface LiveStore {
  /**
   * Sees to it that the scopes are watched for `holder` (an Application's key) and lets go of its other scopes.
   * Resolves once every scope has listed or failed; never rejects. Costs no request when nothing is new.
   */
  hold(holder: string, identity: Identity, scopes: readonly WatchScope[]): Promise<void>;
  release(holder: string): void;
  /**
   * No request: what is known. `unseen` where the scope's list is complete and holds no such object; `unknown` where it
   * failed or the scope isn't watched. Where list and watch are forbidden (or not served at all), what was read by name
   * within `pollIntervalMs` and is `record`ed counts, all else is `unseen`: the caller reads by name what it owns.
   */
  look(identity: Identity, kind: KindInfo, id: ObjectId): LiveEntry;
  /** One line for people about each of the holder's scopes that is read by name, since it may not be watched. */
  pollingReasons(holder: string): readonly string[];
  /**
   * Takes in the answer of a GET, and of a write that was not sent by `Cluster.as` (which takes in its own). An older
   * event never overwrites it. undefined: proven absent.
   */
  record(identity: Identity, kind: KindInfo, id: ObjectId, object: LiveObject | undefined): void;
}

export interface LiveStoreEvents {
  /** An object of the holder's scopes appeared, changed or went; `owner` is the owner annotation's value if any. */
  onChange(change: { id: ObjectId; owner: string | undefined; type: 'added' | 'modified' | 'deleted' }): void;
}

/** The Applications themselves, from one watch, and the two ways in which the agent writes them. */
export interface ApplicationClient {
  /** Every stored Application as raw value, valid or not; resolves when the first list is complete. */
  watch(handlers: ApplicationHandlers): Promise<void>;
  /** PUT of the status subresource with resourceVersion. Refusal `Modified` on 409. Resolves to the stored object. */
  putStatus(
    application: KubeObject,
    status: ValueMap,
  ): Promise<{ ok: true; object: KubeObject } | { ok: false; refusal: Refusal }>;
  /**
   * Server-side apply as manager `tautline-applyset`: finalizer, ApplySet label and annotations. Fields left out are
   * given up (so an absent finalizer is removed). Guarded by uid and resourceVersion where given.
   */
  applyMetadata(
    application: KubeObject,
    metadata: { finalizers: string[]; labels: Record<string, string>; annotations: Record<string, string> },
  ): Promise<{ ok: true; object: KubeObject } | { ok: false; refusal: Refusal }>;
  /** Takes a finalizer away, whoever set it (a restored backup, say, where leaving it out would keep it); guarded. */
  removeFinalizer(
    application: KubeObject,
    finalizer: string,
  ): Promise<{ ok: true; object: KubeObject } | { ok: false; refusal: Refusal }>;
}

export interface ApplicationHandlers {
  /** `isListed`: out of a fresh list, which is right even where its resourceVersion is older (etcd was restored). */
  onUpsert(application: KubeObject, isListed: boolean): void;
  /** `application` holds no more than apiVersion, kind and metadata {namespace, name, uid} for sure. */
  onDelete(application: KubeObject): void;
  /** The Applications cannot be listed or watched (their definition is not installed, say); goes on being tried. */
  onFailed?(refusal: Refusal): void;
}

export interface Cluster {
  /** Identifies the cluster in keys of caches, claims and limits: the uid of the kube-system namespace, or the URL. */
  readonly clusterId: string;
  as(identity: Identity): ClusterClient;
  /** The cached discovery; `refresh` asks again (at most once at a time). */
  kinds(options?: { refresh: boolean }): Promise<Kinds>;
  readonly live: LiveStore;
  readonly applications: ApplicationClient;
  /** Writes one events.k8s.io/v1 Event; best effort, never throws. */
  writeEvent(event: KubeObject): Promise<void>;
  /**
   * Count of requests so far for objects of Applications (not status, events, discovery, watches), for tests and bench.
   */
  close(): Promise<void>;
}
