/** What a pass works with: the edges, handed in by main.ts, and the numbers that bound it. */
import type { Cluster } from '../cluster/ports.ts';
import type { PruneGuard } from '../plan/plan.ts';
import type { Manifests } from '../render/manifests.ts';
import type { SourcePort } from '../source/ports.ts';
import type { Snapshot } from '../source/snapshot.ts';
import type { PassEvent } from '../status/event.ts';
import type { Chance, Clock, Log, Metrics } from '../telemetry/ports.ts';
import type { KubeObject } from '../object/value.ts';
import type { Claims } from './neighbours/claims.ts';
import type { ApplicationState } from './memory.ts';

export interface ReconcileContext {
  readonly cluster: Cluster;
  readonly source: SourcePort;
  readonly render: RenderPort;
  readonly claims: Claims;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly chance: Chance;
  readonly settings: ReconcileSettings;
  /** Asks for a pass of another Application, by key. */
  readonly wake: (application: string) => void;
  /** Every Application that the agent knows. */
  readonly peers: () => Iterable<ApplicationState>;
  /** Best effort; never throws. */
  readonly notify: (event: PassEvent, about: KubeObject) => void;
  /** Reached by name at the moments that a kill must survive; tests hook in here. */
  readonly reach: (point: FaultPoint) => Promise<void> | void;
}

/** Moments between two effects, in their order. A test kills the agent at each. */
export const FAULT_POINTS = [
  'marks-written',
  'inventory-written',
  'object-recreating',
  'wave-applied',
  'objects-pruned',
  'finalizer-removed',
] as const;
export type FaultPoint = (typeof FAULT_POINTS)[number];

export interface ReconcileSettings {
  /** Version of the agent, for the ApplySet's tooling annotation. */
  readonly version: string;
  /** Requests under way at once for one plan. */
  readonly applyConcurrency: number;
  readonly pruneGuard: PruneGuard;
  /** The ServiceAccount of Applications that name none; undefined: the agent's own rights. */
  readonly defaultServiceAccount: string | undefined;
  /** Whether an Application with the agent's own rights may reach beyond its own namespace. */
  readonly allowCrossNamespace: boolean;
  /** Share by which poll intervals vary, so that Applications do not ask all at once. */
  readonly pollJitter: number;
  readonly minPollBackoffMs: number;
  readonly maxPollBackoffMs: number;
  /** How long a pass waits before it looks again at what is progressing, where no watch tells. */
  readonly progressCheckMs: number;
  /** How long a prune waits for other Applications of the source to say what they want. */
  readonly handOverWaitMs: number;
  /** No sooner is discovery asked again for a kind that nobody serves. */
  readonly discoveryRetryMs: number;
  /** The same where a CRD of the same render is to bring the kind. */
  readonly awaitedDiscoveryRetryMs: number;
}

export interface RenderPort {
  render(request: {
    snapshot: Snapshot;
    path: string;
    /** The last render of this path: what of it is the same is handed on again. */
    previous: Manifests | undefined;
    signal: AbortSignal;
  }): Promise<Manifests>;
}
