/**
 * The options of a watch, and the state that it keeps from one stream to the next.
 *
 * Invariant: `resourceVersion` is set exactly while the sink's last list is complete and no later event was missed.
 */
import type { Value } from '../../object/value.ts';
import type { Chance, Clock, Log } from '../../telemetry/ports.ts';
import type { Refusal } from '../answers.ts';
import type { Identity } from '../identity.ts';
import type { KindInfo } from '../kinds.ts';
import type { EventHead } from './event-head.ts';
import type { ClusterLimits } from '../limits.ts';
import type { ClusterMetrics } from '../metrics.ts';
import type { Transport } from '../transport/transport.ts';
import type { ListTarget } from './watch-list.ts';

/** The receiver of a watch's lists and events. */
export interface WatchSink {
  /** A list begins. `isReset`: the cluster's history went back (a restored etcd), so all known objects are void. */
  begin(isReset: boolean): void;
  /** An item of a list, or the object of ADDED or MODIFIED, as sent: items of a list lack kind and apiVersion. */
  upsert(value: Value): void;
  /** The object of DELETED: it left the watch, and may still exist without the label. */
  deleted(value: Value): void;
  /** The list is complete at this resourceVersion. Objects that it did not contain are not in the watch. */
  complete(resourceVersion: string): void;
  /**
   * In place of `upsert`, of an event after the list: `read` parses its object, and is not called where the version is
   * known already. undefined from it: the event is malformed. Absent: every event is parsed.
   */
  headed?(head: EventHead, read: () => Value | undefined): void;
  /** The watch is open. Called after each `complete` and each reconnect. */
  opened(): void;
  /** The known objects may be out of date, until `opened`; may be called several times. */
  failed(refusal: Refusal): void;
}

export interface WatchOptions {
  readonly transport: Pick<Transport, 'send' | 'openStream' | 'onRecovery' | 'server'>;
  readonly limits: ClusterLimits;
  readonly clock: Pick<Clock, 'monotonicMs'>;
  readonly chance: Chance;
  readonly log: Log;
  readonly metrics: ClusterMetrics;
  readonly identity: Identity;
  readonly kind: KindInfo;
  /** Empty: all namespaces, or a cluster-scoped kind. */
  readonly namespace: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  readonly sink: WatchSink;
}

export interface WatchState {
  readonly options: WatchOptions;
  readonly target: ListTarget;
  readonly stopping: AbortController;
  /** The version from which the next stream goes on; undefined: list first. */
  resourceVersion: string | undefined;
  /** The next list replaces all known objects, since the cluster's history went back. */
  isReset: boolean;
  /**
   * The last stream broke or could not be opened. The next round lists again, and first checks whether the server has
   * reached our resourceVersion.
   */
  isInDoubt: boolean;
  /** WatchList: the list arrives in the watch itself (since Kubernetes 1.34, or by its feature gate). */
  canStreamLists: boolean;
  /** Failures in a row. */
  failures: number;
  /** The last round ended with an expired resourceVersion. */
  hasExpired: boolean;
  /** When the watch last worked, by the monotonic clock. */
  lastGoodMs: number;
  hasListed: boolean;
  /** A warning was logged, and the recovery not yet. */
  hasWarned: boolean;
  /** Ends the pause before the next round. */
  wake: () => void;
  cutStream: (reason: 'suspect') => void;
}

/** Notes that the list is complete at this version, and tells the sink. */
export function finishList(state: WatchState, resourceVersion: string): void {
  state.resourceVersion = resourceVersion;
  state.isReset = false;
  state.hasListed = true;
  state.options.sink.complete(resourceVersion);
}
