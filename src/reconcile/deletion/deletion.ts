/** The values that finishing a deleted Application works with: no more than it may use. */
import type { ApplicationMetadata, ApplicationSpec, StoredStatus } from '../../application/schema.ts';
import type { Desired } from '../../bind/desired.ts';
import type { Identity } from '../../cluster/identity.ts';
import type { ApplicationClient, Cluster, Hub, HubClient } from '../../cluster/ports.ts';
import type { KubeObject } from '../../object/value.ts';
import type { ObservedCluster } from '../../observe/observe.ts';
import type { Log, Metrics } from '../../telemetry/ports.ts';
import type { ReconcileContext } from '../context.ts';
import type { ApplicationRecord, Memory } from '../memory.ts';
import type { Claims } from '../neighbours/claims.ts';
import type { Neighbours } from '../neighbours/neighbours.ts';

/** An Application with a deletion timestamp. */
export interface DeletedApplication {
  readonly metadata: ApplicationMetadata;
  readonly status: StoredStatus;
  /** undefined: it cannot be read. */
  readonly spec: ApplicationSpec | undefined;
}

/** The part of the context that finishing an Application may use: of source and render only `readApplied`. */
export interface DeletionContext extends Pick<ReconcileContext, 'clock' | 'notify' | 'onFaultPoint'> {
  readonly hub: DeletionHub;
  readonly claims: Pick<Claims, 'wantedBy'>;
  readonly neighbours: Pick<
    Neighbours,
    'get' | 'all' | 'ofRepository' | 'desiredBy' | 'entrust' | 'wake' | 'awaitAnnouncements' | 'askToAnnounce'
  >;
  /** The objects of the revision that was applied last. undefined: none was. Throws StageError if it cannot be read. */
  readonly readApplied: () => Promise<Desired | undefined>;
  readonly log: Pick<Log, 'debug' | 'warn'>;
  readonly metrics: Pick<Metrics, 'onChange'>;
  readonly settings: Pick<
    ReconcileContext['settings'],
    | 'allowCrossNamespace'
    | 'applyConcurrency'
    | 'maxReadBytes'
    | 'defaultServiceAccount'
    | 'discoveryRetryMs'
    | 'handOverWaitMs'
    | 'progressCheckMs'
    | 'pruneGuard'
  >;
}

export interface DeletionHub extends Pick<Hub, 'hubId' | 'kinds'> {
  as(identity: Identity): Pick<HubClient, 'get'>;
  readonly applications: Pick<ApplicationClient, 'putStatus' | 'read' | 'removeFinalizer'>;
}

export interface DeletedRecord extends Pick<ApplicationRecord, 'key' | 'stored'> {
  readonly memory: Pick<Memory, 'inventory' | 'evidence' | 'deletion' | 'endedJobs'>;
}

/** One pass over a deleted Application. */
export interface Deletion {
  /** With the status as this pass has written it, as far as hooks are concerned. */
  deleted: DeletedApplication;
  /** The rights with which its objects are read and deleted. */
  readonly identity: Identity;
  /** Where its objects are. */
  readonly target: Pick<Cluster, 'clusterId' | 'as' | 'kinds' | 'writableNames' | 'mayWriteName'> &
    Pick<ObservedCluster, 'live'>;
  readonly record: DeletedRecord;
  readonly context: DeletionContext;
  readonly signal: AbortSignal;
  /** The stored Application that this pass started from, or that its own last write returned. */
  base: KubeObject;
}
