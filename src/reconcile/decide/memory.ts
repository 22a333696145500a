/**
 * The parts of an Application's memory that only `decide/` writes. Other rooms change them through its functions
 * (`noteApplied`, `noteGone` in evidence.ts, `noteHeal` in brake-heals.ts, and those of inventory.ts, ended-jobs.ts and
 * health-checks.ts).
 */
import type { EncodedInventory } from '../../application/inventory.ts';
import type { DesiredObject } from '../../bind/desired.ts';
import type { Baseline, SettledChange } from '../../diff/changes.ts';
import type { InvalidExpression } from '../../health/checks/evaluate.ts';
import type { Health } from '../../health/health.ts';
import type { ObjectId } from '../../object/identity.ts';
import type { Value } from '../../object/value.ts';
import type { HealRecord } from '../../plan/brake.ts';

export interface InventoryMemory {
  /** By `idKey`: applied and owned objects. undefined until the status was read, or while it cannot be decoded. */
  ids: Map<string, ObjectId> | undefined;
  /**
   * `idKey`s of the objects that the API server has shown or accepted with the marks of this Application, without a gap
   * since: the proof that it has written them. Dropping it costs access reviews where another Application claims one.
   */
  written: Set<string>;
  /**
   * The same for objects that this process has not seen yet, by what the status told when it was read first. It is a
   * weaker proof: an Application may have come to own such an object just before the process before this one ended.
   */
  recalled: Set<string>;
  /** The stored inventory that was merged into `ids` last. */
  stored: Value | undefined;
  /** The stored form that was made last, if it is large. */
  encoded: EncodedInventory | undefined;
  /** Number of objects before the first of those that left Git did so. undefined: no object has left Git. */
  sizeBefore: number | undefined;
}

export function emptyInventoryMemory(): InventoryMemory {
  return {
    ids: undefined,
    written: new Set(),
    recalled: new Set(),
    stored: undefined,
    encoded: undefined,
    sizeBefore: undefined,
  };
}

/** Answers of the API server about manifests. All of it may be dropped at the price of requests. */
export interface EvidenceMemory {
  /** By `idKey`. */
  baselines: Map<string, Baseline>;
  /** By `idKey`: digest of the manifest that the server accepted last. */
  accepted: Map<string, string>;
  /** The digest in status whose set `accepted` holds; see recall-accepted.ts. */
  recalledDigest: string | undefined;
  /** Manifests that may have to be healed while newer ones wait; see heal-applied.ts. */
  applied: AppliedObjects | undefined;
  /** By `idKey`: a settled comparison, and the manifest and object that it is about. */
  settled: Map<string, SettledChange>;
  /** By `idKey`: what a dry run has told about a change that waits. */
  foreseen: Map<string, SettledChange>;
  /** Keys (`idKey`) whose baselines and settled answers prove nothing until the server has answered again. */
  doubted: Set<string>;
  /** Monotonic; when all answers are doubted next. undefined: no pass has begun yet. */
  doubtAtMs: number | undefined;
  /** Since when discovery lacks a kind of the inventory, and whether it lacked it again later; see missing-kinds.ts. */
  unserved: { readonly sinceMs: number; readonly isSettled: boolean } | undefined;
}

export interface AppliedObjects {
  /** The digest in status of the set that they belong to. */
  readonly digest: string;
  /** By `idKey`. undefined: the applied revision has no such object, or cannot be made again. */
  readonly objects: ReadonlyMap<string, DesiredObject | undefined>;
}

export function emptyEvidenceMemory(): EvidenceMemory {
  return {
    baselines: new Map(),
    accepted: new Map(),
    recalledDigest: undefined,
    applied: undefined,
    settled: new Map(),
    foreseen: new Map(),
    doubted: new Set(),
    doubtAtMs: undefined,
    unserved: undefined,
  };
}

/** Records of Jobs and bare Pods by `idKey`; see ended-jobs.ts. undefined: the status was not read yet. */
export interface EndedJobsMemory {
  ended: Map<string, string> | undefined;
  started: Map<string, string> | undefined;
  seenRunning: Map<string, boolean>;
}

export function emptyEndedJobsMemory(): EndedJobsMemory {
  return { ended: undefined, started: undefined, seenRunning: new Map() };
}

/** Results of the checks of health that people have written; see health-checks.ts. */
export interface HealthChecksMemory {
  /** A digest of the checks of the Application that were read last. undefined: none were read yet. */
  digest: string | undefined;
  /** Expressions of the Application that cannot be read. */
  invalid: readonly InvalidExpression[];
  /** By `idKey`. */
  results: Map<string, CheckedHealth>;
}

export interface CheckedHealth {
  /** The version of the object that was evaluated. */
  readonly resourceVersion: string;
  readonly health: Health;
}

export function emptyHealthChecksMemory(): HealthChecksMemory {
  return { digest: undefined, invalid: [], results: new Map() };
}

export interface HealsMemory {
  /** By `idKey`: objects that were healed lately; see plan/brake.ts. */
  records: Map<string, HealMemory>;
}

/** The record of a brake, with the other writer as people read it. */
export interface HealMemory extends HealRecord {
  readonly other: string;
  /** The last heal deleted the object so that it is created again: the creation ends this heal and is not a new one. */
  readonly isRecreating: boolean;
}

export function emptyHealsMemory(): HealsMemory {
  return { records: new Map() };
}
