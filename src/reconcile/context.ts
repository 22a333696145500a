/** The edges that a pass works with, and the numbers that bound it; main.ts hands them in. */
import type { AddressRule } from '../application/address-rule.ts';
import type { RenderOptions } from '../application/render-schema.ts';
import type { Cluster, Hub } from '../cluster/ports.ts';
import type { KubeObject } from '../object/value.ts';
import type { Helm } from '../helm/helm.ts';
import type { PruneGuard } from '../plan/prune-guard.ts';
import type { Manifests } from '../render/manifests.ts';
import type { CollectedFiles } from '../render/helm/chart-files.ts';
import type { ChartFilesRequest } from '../sandbox/chart-files-job.ts';
import type { CommonChecks, HealthChecksPort } from '../sandbox/health-checks-job.ts';
import type { LocateRequest } from '../sandbox/locate-job.ts';
import type { Sops } from '../sops/sops.ts';
import type { SourcePort } from '../source/ports.ts';
import type { Answers, Release, TreeOrigin } from '../render/needs.ts';
import type { Snapshot, SnapshotTree } from '../source/snapshot.ts';
import type { PassEvent } from '../status/event.ts';
import type { Chance, Clock, Log, Metrics } from '../telemetry/ports.ts';
import type { Claims } from './neighbours/claims.ts';
import type { Neighbours } from './neighbours/neighbours.ts';

export interface ReconcileContext {
  /** Where the Applications, their Secrets and their Events live. */
  readonly hub: Hub;
  /** Where the objects of the Applications go. A pass reads it from `Pass.target`. */
  readonly cluster: Cluster;
  readonly source: SourcePort;
  /** The same source while effects are carried out: the pass works meanwhile, and keeps its worker. */
  readonly sourceWhileApplying: Pick<SourcePort, 'poll' | 'fetch' | 'recall'>;
  readonly render: RenderPort;
  readonly helm: HelmPort;
  readonly sops: Pick<Sops, 'open'>;
  /** Evaluates the checks of health that people have written. */
  readonly healthChecks: HealthChecksPort & CommonChecks;
  readonly claims: Claims;
  readonly neighbours: Neighbours;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly chance: Chance;
  readonly settings: ReconcileSettings;
  /** Writes an Event about an Application; best effort, never throws. */
  readonly notify: (event: PassEvent, about: KubeObject) => void;
  /** Called at the moments that a kill must survive; tests kill the agent there. */
  readonly onFaultPoint: (point: FaultPoint) => Promise<void> | void;
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
  /** Share (0 to 1) by which poll intervals vary, so that Applications do not poll all at once. */
  readonly pollJitter: number;
  readonly minPollBackoffMs: number;
  readonly maxPollBackoffMs: number;
  /** How long a pass waits before it looks again at progressing objects that no watch tells about. */
  readonly progressCheckMs: number;
  /** How long a pass waits before it reads objects again that no watch tells about and that it leaves as they are. */
  readonly unwatchedCheckMs: number;
  /** How long an answer of the API server is believed for an object that differs from Git. */
  readonly answerAgeMs: number;
  /** How long a prune waits for the announcements of other Applications of the source. */
  readonly handOverWaitMs: number;
  /** Least time between two requests to discovery for a kind that the API server lacks. */
  readonly discoveryRetryMs: number;
  /** The first pause while a CustomResourceDefinition of the same render is to define the kind; it doubles. */
  readonly awaitedDiscoveryRetryMs: number;
  /** Size of the renders that all Applications of one namespace keep in memory. */
  readonly maxNamespaceRenderedBytes: number;
  /** The same of all namespaces; beyond it each namespace gets an equal share. */
  readonly maxTotalRenderedBytes: number;
  /** Hosts whose repositories a kustomization may name as bases. */
  readonly remoteBaseHosts: readonly AddressRule[];
  /** Hosts whose charts a chart or a kustomization may depend on. */
  readonly chartHosts: readonly AddressRule[];
  /** The same for submodules that are not on the host of their repository. */
  readonly submoduleHosts: readonly AddressRule[];
  /** Whether such a base may name no revision. */
  readonly remoteBaseAllowUnpinned: boolean;
  /** Size of the live objects that one pass reads by name. */
  readonly maxReadBytes: number;
}

export interface RenderPort {
  render(request: RenderRequest): Promise<Manifests>;
  /** The files of a chart, for helm. */
  chartFiles(request: ChartFilesRequest): Promise<CollectedFiles>;
  /** For each question the 1-based line, or undefined if it is not known. */
  locateFields(request: LocateRequest): Promise<readonly (number | undefined)[]>;
}

export type HelmPort = Pick<Helm, 'template' | 'version'>;

export interface RenderRequest {
  readonly snapshot: Snapshot;
  readonly path: string;
  /** The repository of the snapshot. */
  readonly origin?: TreeOrigin | undefined;
  /** `spec.render`. */
  readonly options: RenderOptions;
  readonly release: Release;
  /** By `$name` of spec.sources, or by the key of a need that a tree answers. */
  readonly trees: ReadonlyMap<string, RenderedTree>;
  readonly answers: Answers;
  /** The last render of this path: unchanged manifests of it are handed on again. */
  readonly previous: Manifests | undefined;
  /** False: `previous` had other options or answers. */
  readonly mayBeUnchanged: boolean;
  /** The namespace of the Application. */
  readonly tenant: string;
  readonly signal: AbortSignal;
}

/** A tree on disk, and the folder in it that paths begin at. */
export interface RenderedTree {
  readonly tree: SnapshotTree;
  readonly path: string;
  /** The repository of spec.sources or of a remote base. Absent: nothing but the objects of the tree is read. */
  readonly origin?: TreeOrigin | undefined;
}
