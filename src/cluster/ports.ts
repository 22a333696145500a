/**
 * The types through which the rest of the agent uses a cluster. `connection.ts` makes the Cluster and hands it in.
 */
import type { LabelledSecret } from '../application/credential-secret.ts';
import type { FieldSet } from '../object/field-set.ts';
import type { Owner } from '../object/applyset.ts';
import type { ObjectId } from '../object/identity.ts';
import type { KubeObject, ValueMap } from '../object/value.ts';
import type { Refusal } from './answers.ts';
import type { Identity } from './identity.ts';
import type { KindInfo, Kinds } from './kinds.ts';
import type { LiveEntry, LiveObject } from './live.ts';
import type { Capabilities } from '../render/needs.ts';

/** A request that the API server refused or did not answer. */
export interface Refused {
  readonly ok: false;
  readonly refusal: Refusal;
}

export interface Written {
  readonly ok: true;
  /** The object as the API server returned it; of a dry run, as it would be stored. */
  readonly object: LiveObject;
  /** HTTP status 201: the object did not exist before. */
  readonly isCreated: boolean;
  /** The texts of the answer's `Warning` headers; bounded, and without values of Secrets. */
  readonly warnings: readonly string[];
}

export type WriteAnswer = Written | Refused;

interface ReadByName {
  readonly ok: true;
  /** undefined: the GET by name was answered with 404, which is the one proof of absence. */
  readonly object: LiveObject | undefined;
}

export type ReadAnswer = ReadByName | Refused;

interface ReadSecret {
  readonly ok: true;
  /** The decoded values by key, never to be shown; undefined: the GET by name was answered with 404. */
  readonly data: ReadonlyMap<string, Buffer> | undefined;
  /** Absent for a ConfigMap. */
  readonly labels?: Readonly<Record<string, string>>;
}

export type SecretAnswer = ReadSecret | Refused;

interface Deleted {
  readonly ok: true;
  /** gone: removed, or absent before. held: its deletion has begun, and a finalizer or the grace period delays it. */
  readonly outcome: 'gone' | 'held';
}

export type DeleteAnswer = Deleted | Refused;

interface ListedObjects {
  readonly ok: true;
  readonly objects: LiveObject[];
}

export type ListAnswer = ListedObjects | Refused;

interface WrittenApplication {
  readonly ok: true;
  /** The Application as it is stored now. */
  readonly object: KubeObject;
}

export type ApplicationAnswer = WrittenApplication | Refused;

/** `force` and `dryRun` are the parameters of that name in the Kubernetes API. */
export interface ApplyRequest {
  readonly kind: KindInfo;
  readonly body: KubeObject;
  /** Take fields from the managers that own them, where false is answered with FieldConflict. */
  readonly force: boolean;
  readonly dryRun?: boolean;
  /** Only create the object: where it exists, the answer is a refusal (`Modified`), and nothing is changed. */
  readonly isCreation?: boolean;
  /** Default `tautline`. */
  readonly fieldManager?: string;
  /** Keys of a Secret's `data` to send with their present live values; the caller never sees these. */
  readonly liveSecretKeys?: readonly string[];
}

export interface DeleteRequest {
  readonly kind: KindInfo;
  readonly id: ObjectId;
  /** Precondition, like `resourceVersion`. Both are required: without them any object of that name would be deleted. */
  readonly uid: string;
  readonly resourceVersion: string;
  readonly dryRun?: boolean;
}

/**
 * Requests to one cluster with the rights of one identity. No answer makes a method reject; it is returned as Refused.
 */
export interface ClusterClient {
  get(kind: KindInfo, id: ObjectId): Promise<ReadAnswer>;
  /** Server-side apply: `PATCH` with `application/apply-patch+yaml`. */
  apply(request: ApplyRequest): Promise<WriteAnswer>;
  /**
   * The patch of managedFields at an adoption: moves the fields of the managers that `isTakenOverManager` names to
   * `tautline`, guarded by uid and resourceVersion. Sends nothing where there are none.
   */
  takeOver(kind: KindInfo, live: LiveObject): Promise<WriteAnswer>;
  /**
   * Makes these fields ours alone by a patch of managedFields, so that the next apply removes those that it leaves out.
   * Values stay as they are. Guarded by uid and resourceVersion. `live` comes from a read by name or from a write.
   */
  takeFields(kind: KindInfo, live: LiveObject, fields: FieldSet): Promise<WriteAnswer>;
  /**
   * A dry run that replaces the object's fields, but for its identity and status, by those of `body`; guarded by uid.
   * Entries of a Secret that are equal to those of `live`, which are digests, stay as they are.
   */
  tryReplace(kind: KindInfo, live: LiveObject, body: KubeObject): Promise<WriteAnswer>;
  /** Whether writes of this client are dry runs, so that one of them does not build on another. */
  readonly isDryRun?: boolean;
  /**
   * Moves the fields that managedFields list under versions that are served no more, `goneVersion` among them, to the
   * version of `kind`; guarded by uid and resourceVersion. Sends no patch where no entry has such a version.
   */
  moveGoneVersions(kind: KindInfo, live: LiveObject, goneVersion: string): Promise<WriteAnswer>;
  /**
   * Removes only our label and annotation, so that the object belongs to no Application, or replaces them by the marks
   * of another one; guarded by uid and resourceVersion.
   */
  release(kind: KindInfo, live: LiveObject, to?: Owner): Promise<WriteAnswer>;
  /**
   * After a 422 for an existing object: whether the update is forbidden and not the manifest. Asked by a dry-run create
   * of the same body under another name.
   */
  isImmutable(kind: KindInfo, body: KubeObject): Promise<boolean>;
  /** Rejects with RangeError if a precondition is empty. */
  remove(request: DeleteRequest): Promise<DeleteAnswer>;
  /**
   * Objects by an equality selector on labels, such as the Pods of a workload, or on the fields that the API server
   * offers for a kind, such as the object of an Event; at most `limit`.
   */
  listBySelector(kind: KindInfo, options: Selection): Promise<ListAnswer>;
}

export interface Selection {
  readonly namespace: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  readonly limit: number;
}

/** Objects of one kind in one namespace, watched while at least one Application needs them. */
export interface WatchScope {
  readonly kind: KindInfo;
  /** Empty: all namespaces, or a cluster-scoped kind. */
  readonly namespace: string;
  /** The objects whose content is kept; undefined: all. Others are only known to exist. */
  readonly names?: ReadonlySet<string>;
}

export interface LiveStore {
  /**
   * Keeps exactly these scopes watched for an Application, which its key names; its other scopes are released. Resolves
   * once every scope has listed or failed; never rejects. Sends no request where nothing is new.
   */
  keepWatched(application: string, identity: Identity, scopes: readonly WatchScope[]): Promise<void>;
  release(application: string): void;
  /**
   * The object as it is known, without a request. `unseen`: the scope's list is complete and does not hold the object,
   * and no read by name within `unwatchedReadMs` has shown it without our label. `unknown`: the watch failed, or the
   * scope is not watched. Where list and watch are forbidden or not served, the scope is polled: a read that was
   * recorded within `pollIntervalMs` counts, all else is `unseen`, and the caller reads what it needs by name.
   */
  look(identity: Identity, kind: KindInfo, id: ObjectId): LiveEntry;
  /**
   * A number that is the same as before only if `look` tells the same of every object in the kept scopes of an
   * Application, but for objects without our label, whose reads by name expire. undefined: a scope is not watched just
   * now, so that nothing can be said. Costs no request, and a few look-ups whatever the number of objects.
   */
  versionFor(application: string): number | undefined;
  /** For people: one line for each of an Application's scopes that is read by name because it may not be watched. */
  pollingReasons(application: string): readonly string[];
  /**
   * Takes in the answer of a GET, or of a write that was not sent by `Cluster.as`, whose clients record their own. An
   * older event never overwrites it. undefined: proven absent.
   */
  record(identity: Identity, kind: KindInfo, id: ObjectId, object: LiveObject | undefined): void;
}

/** A ConfigMap or Secret that a render depends on. */
export interface DataRef {
  readonly kind: 'ConfigMap' | 'Secret';
  readonly namespace: string;
  readonly name: string;
}

export interface DataWatches {
  /** Keeps exactly these objects watched for an Application, which its key names. Costs nothing where none is new. */
  keep(application: string, identity: Identity, refs: readonly DataRef[]): void;
  /** Whether changes of the object are told. False: the watch is refused or not open, so the object has to be read. */
  isWatched(identity: Identity, ref: DataRef): boolean;
  release(application: string): void;
}

interface ListedSecrets {
  readonly ok: true;
  readonly secrets: readonly LabelledSecret[];
}

export type LabelledAnswer = ListedSecrets | Refused;

export interface CredentialSecrets {
  /** The Secrets with credentials by label, as the identity may list them; at most ten minutes old. */
  list(identity: Identity, namespace: string): Promise<LabelledAnswer>;
  /** The next answer for this identity and namespace is a new one. */
  doubt(identity: Identity, namespace: string): void;
}

export interface LiveStoreEvents {
  /** A ConfigMap or Secret that the render of an Application depends on may have changed. */
  readonly onDataChange?: (application: string) => void;
  /**
   * Whether an Application claims an object, as by its stored inventory: its content is kept from the first list on,
   * also where the Application has had no pass yet. Default: none does.
   */
  readonly isClaimed?: (id: ObjectId) => boolean;
  /**
   * An object of a watched scope appeared, changed or disappeared, and not by our own write. `owner`: the value of its
   * owner annotation.
   */
  onChange(change: { id: ObjectId; owner: string | undefined; type: 'added' | 'modified' | 'deleted' }): void;
}

/** The Applications: one watch over all of them, and the writes of the agent to them. */
export interface ApplicationClient {
  /** Hands on every stored Application as a raw value, valid or not. Resolves when the first list is complete. */
  watch(handlers: ApplicationHandlers): Promise<void>;
  /** GET of an Application, which names it. */
  read(application: KubeObject): Promise<ApplicationAnswer>;
  /** PUT of the status subresource, guarded by resourceVersion: refusal `Modified` on 409. */
  putStatus(application: KubeObject, status: ValueMap): Promise<ApplicationAnswer>;
  /**
   * Server-side apply as manager `tautline-applyset`: finalizer, ApplySet label and annotations. Fields that are left
   * out are given up, so an absent finalizer is removed. Guarded by uid and resourceVersion where they are given.
   */
  applyMetadata(
    application: KubeObject,
    metadata: { finalizers: string[]; labels: Record<string, string>; annotations: Record<string, string> },
  ): Promise<ApplicationAnswer>;
  /**
   * Removes a finalizer whichever manager owns it; guarded. `applyMetadata` cannot remove one that another manager
   * owns, as after a restore from a backup.
   */
  removeFinalizer(application: KubeObject, finalizer: string): Promise<ApplicationAnswer>;
}

export interface ApplicationHandlers {
  /** `isListed`: from a new list, which is right even if its resourceVersion is older (a restored etcd). */
  onUpsert(application: KubeObject, isListed: boolean): void;
  /** `application` is only sure to hold apiVersion, kind and metadata {namespace, name, uid}. */
  onDelete(application: KubeObject): void;
  /** Applications cannot be listed or watched (their definition may not be installed); the watch keeps trying. */
  onFailed?(refusal: Refusal): void;
}

/** Reads of the hub with the rights of one identity. */
export interface HubClient extends Pick<ClusterClient, 'get'> {
  /** The values of one Secret: the only way to them, since LiveObject carries digests. Not kept in cluster/. */
  readSecret(namespace: string, name: string): Promise<SecretAnswer>;
  /** The values of one ConfigMap: its `data` and its `binaryData`. */
  readConfigMap(namespace: string, name: string): Promise<SecretAnswer>;
}

/** A client for both: one API server may be hub and cluster at once. */
export type FullClient = ClusterClient & HubClient;

/** A user as the API server knows it. */
export interface User {
  readonly username: string;
  readonly uid: string;
  readonly groups: readonly string[];
  readonly extra: Readonly<Record<string, readonly string[]>>;
}

/** A right to a kind of objects, or to a path of a server. */
export type AccessQuestion =
  | {
      readonly verb: string;
      readonly group: string;
      /** The plural name. */
      readonly resource: string;
      /** Absent: all namespaces, or a cluster-scoped kind. */
      readonly namespace?: string;
      /** Absent: all objects. */
      readonly name?: string;
    }
  | { readonly verb: string; readonly path: string };

/** Reviews for callers of our own listeners, each believed for a minute. Both throw StageError without an answer. */
export interface AccessReviews {
  /** undefined: the API server does not accept the token. */
  authenticate(token: string): Promise<User | undefined>;
  authorize(user: User, question: AccessQuestion): Promise<boolean>;
}

export interface LogQuestion {
  readonly namespace: string;
  readonly pod: string;
  /** Absent: the only container, or the default one. */
  readonly container?: string | undefined;
  /** The log of the container before its last restart. */
  readonly isPrevious: boolean;
  readonly lines: number;
}

export type LogAnswer = { readonly ok: true; readonly text: string } | Refused;

/** Requests to the cluster with the token of a caller of our own listeners: the API server decides about each. */
export interface CallerClient extends Pick<ClusterClient, 'get' | 'listBySelector'> {
  readLog(question: LogQuestion): Promise<LogAnswer>;
  readApplication(name: { readonly namespace: string; readonly name: string }): Promise<ReadAnswer>;
  /** A merge patch of an Application, guarded by the uid and resourceVersion of the version that was read. */
  patchApplication(application: KubeObject, patch: ValueMap): Promise<ApplicationAnswer>;
}

/** Where the Applications live, with their Secrets, accounts and Events. */
export interface Hub {
  /** Identifies the hub in owner annotations: the uid of the kube-system namespace, or the URL. Holds no slash. */
  readonly hubId: string;
  as(identity: Identity): HubClient;
  /** The cached discovery. */
  kinds(): Promise<Kinds>;
  readonly data: DataWatches;
  readonly credentialSecrets: CredentialSecrets;
  readonly applications: ApplicationClient;
  readonly reviews: AccessReviews;
  /** `token` is sent as it is; the rights of the agent have no part in the answers. */
  asCaller(token: string): CallerClient;
  /** Writes one events.k8s.io/v1 Event; best effort, never throws. */
  writeEvent(event: KubeObject): Promise<void>;
}

/** The cluster as charts see it. */
export interface ClusterCapabilities extends Capabilities {
  readonly kubeVersion: string;
  /** Changes with the version or with any API version. */
  readonly digest: string;
}

/** Where the objects of Applications go. */
/** 'some': those that a role names, if any. */
export type WritableNames = 'all' | 'some' | 'none';

export interface Cluster {
  /** Identifies the cluster in keys of caches, claims and limits: the uid of the kube-system namespace, or the URL. */
  readonly clusterId: string;
  as(identity: Identity): ClusterClient;
  /** The discovered kinds, from the cache unless `refresh` is set; concurrent calls share one discovery. */
  kinds(options?: { refresh: boolean }): Promise<Kinds>;
  /** The version and the API versions that charts are rendered for. Rejects with StageError DiscoveryFailed. */
  capabilities(): Promise<ClusterCapabilities>;
  /**
   * A text for each API group that changes with the definitions of its kinds. Asks the server, and the known kinds are
   * those of the answer then. undefined: the server does not answer; never rejects.
   */
  definitions(): Promise<ReadonlyMap<string, string> | undefined>;
  readonly live: LiveStore;
  /**
   * Which objects of a kind in a namespace an identity may create and change, by access reviews that are kept for a
   * while. Throws StageError where there is no answer.
   */
  writableNames(identity: Identity, kind: KindInfo, place: Pick<ObjectId, 'namespace'>): Promise<WritableNames>;
  /** The same for one object, where rights may be limited to single names. */
  mayWriteName(identity: Identity, kind: KindInfo, object: Pick<ObjectId, 'namespace' | 'name'>): Promise<boolean>;
}
