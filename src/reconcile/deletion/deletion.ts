/** The values that finishing a deleted Application works with: no more than it may use. */
import type { ApplicationMetadata, ApplicationSpec, StoredStatus } from '../../application/schema.ts';
import type { Identity } from '../../cluster/identity.ts';
import type { Cluster } from '../../cluster/ports.ts';
import type { KubeObject } from '../../object/value.ts';
import type { ReconcileContext } from '../context.ts';
import type { ApplicationRecord } from '../memory.ts';

/** An Application with a deletion timestamp. */
export interface DeletedApplication {
  readonly metadata: ApplicationMetadata;
  readonly status: StoredStatus;
  /** undefined: it cannot be read. */
  readonly spec: ApplicationSpec | undefined;
}

/** The part of the context that finishing an Application may use: no source, no render. */
export type DeletionContext = Pick<
  ReconcileContext,
  'hub' | 'claims' | 'neighbours' | 'clock' | 'log' | 'metrics' | 'notify' | 'onFaultPoint'
> & {
  readonly settings: Pick<
    ReconcileContext['settings'],
    | 'allowCrossNamespace'
    | 'applyConcurrency'
    | 'defaultServiceAccount'
    | 'discoveryRetryMs'
    | 'handOverWaitMs'
    | 'progressCheckMs'
    | 'pruneGuard'
  >;
};

/** One pass over a deleted Application. */
export interface Deletion {
  readonly deleted: DeletedApplication;
  /** The rights with which its objects are read and deleted. */
  readonly identity: Identity;
  /** Where its objects are. */
  readonly target: Cluster;
  readonly record: ApplicationRecord;
  readonly context: DeletionContext;
  readonly signal: AbortSignal;
  /** The stored Application that this pass started from, or that its own last write returned. */
  base: KubeObject;
}
