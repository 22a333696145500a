/**
 * What one watch is told, and what it remembers from one stream to the next. Invariant: `resourceVersion` is set
 * exactly while the sink's last list is complete and nothing since then was missed.
 */
import type { Value } from '../../object/value.ts';
import type { Chance, Clock, Log } from '../../telemetry/ports.ts';
import type { Refusal } from '../answers.ts';
import type { Identity } from '../identity.ts';
import type { KindInfo } from '../kinds.ts';
import type { ClusterLimits } from '../limits.ts';
import type { ClusterMetrics } from '../metrics.ts';
import type { Transport } from '../transport/transport.ts';
import type { ListTarget } from './watch-list.ts';

export interface WatchSink {
  /** A list begins. `isReset`: the cluster's history went back (a restored etcd), so nothing known counts any more. */
  begin(isReset: boolean): void;
  /** An item of a list, or ADDED or MODIFIED; as sent, so list items lack kind and apiVersion. */
  upsert(value: Value): void;
  deleted(value: Value): void;
  /** The list is complete at this resourceVersion: what it did not name is not in the watch. */
  complete(resourceVersion: string): void;
  /** A watch is open. Called after each `complete` and each reconnect. */
  live(): void;
  /** What is known may be out of date; called once or more, until `live`. */
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
  readonly sink: WatchSink;
}

export interface WatchState {
  readonly options: WatchOptions;
  readonly target: ListTarget;
  readonly stopping: AbortController;
  /** Where the watch goes on; undefined: list first. */
  resourceVersion: string | undefined;
  /** The next list replaces a history that is void. */
  isReset: boolean;
  /**
   * The last stream broke, or was not to be had: list anew, having asked whether our resourceVersion is one that the
   * server has reached.
   */
  isInDoubt: boolean;
  /** WatchList: the list comes down the watch itself (Kubernetes 1.34, or the feature gate). */
  streamsLists: boolean;
  failures: number;
  /** The last round ended with an expired revision. */
  hasExpired: boolean;
  lastGoodMs: number;
  hasListed: boolean;
  /** The log holds a warning that is not taken back yet. */
  hasWarned: boolean;
  wake: () => void;
  cutStream: (reason: 'suspect') => void;
}

export function finishList(state: WatchState, resourceVersion: string): void {
  state.resourceVersion = resourceVersion;
  state.isReset = false;
  state.hasListed = true;
  state.options.sink.complete(resourceVersion);
}
