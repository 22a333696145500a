/**
 * The parts of an Application's memory that only `report/` writes: its findings at rest, and the Events of unwell
 * objects. May be dropped at any time.
 */
import type { Desired } from '../../bind/desired.ts';
import type { Kinds } from '../../cluster/kinds.ts';
import type { Change } from '../../diff/changes.ts';
import type { LeftObject } from '../../application/prune-digest.ts';
import type { Cause } from '../../health/causes.ts';
import type { Health } from '../../health/health.ts';
import type { ObjectId } from '../../object/identity.ts';
import type { Plan } from '../../plan/plan.ts';
import type { Gate } from '../../plan/sync-waves.ts';
import type { KnownParts } from '../../status/compose.ts';
import type { Intent } from '../../status/report.ts';

export interface CausesMemory {
  /** By namespace, while objects in it are not well. */
  byNamespace: Map<string, KnownCauses>;
}

export interface KnownCauses {
  /** Monotonic. */
  readonly askedMs: number;
  /** Changes with the objects that are not well. */
  readonly mark: string;
  readonly causes: readonly Cause[];
}

export function emptyCausesMemory(): CausesMemory {
  return { byNamespace: new Map() };
}

export interface RestMemory {
  /** undefined: the last pass was not at rest. */
  found: RestRecord | undefined;
}

export interface RestRecord {
  readonly mark: RestMark;
  readonly findings: RestFindings;
  /** undefined: no status has been composed of these findings yet. */
  composed: KnownParts | undefined;
}

/** Everything that the findings of a pass at rest depend on. */
export interface RestMark extends Pick<Intent, 'mode' | 'prune'> {
  readonly desired: Desired;
  readonly kinds: Kinds;
  /** By `idKey`. It is compared by identity and size: between two passes ids are only ever added. */
  readonly inventory: ReadonlyMap<string, ObjectId>;
  readonly inventorySize: number;
  /** `LiveStore.versionFor`. */
  readonly liveVersion: number;
  /** `Claims.versionFor`. */
  readonly claimsVersion: number;
  /** `metadata.generation` of the Application. */
  readonly generation: number;
  /** `status.sync.digest`: the set that the API server is known to have accepted. */
  readonly acceptedDigest: string | undefined;
  /** `status.finished` as JSON: the Jobs that have run. */
  readonly finished: string;
}

/** The findings that are not the same in every pass at rest. */
export interface RestFindings {
  /** Ordered by id. */
  readonly changes: readonly Change[];
  readonly gate: Gate | undefined;
  /** It has no effects. */
  readonly plan: Plan;
  /** As `GuardFindings.left`: no object, or undefined. */
  readonly left: readonly LeftObject[] | undefined;
  /** By `idKey`. */
  readonly health: ReadonlyMap<string, Health>;
  /** The worst of them. undefined: there are none. */
  readonly worst: Health | undefined;
}

export function emptyRestMemory(): RestMemory {
  return { found: undefined };
}
