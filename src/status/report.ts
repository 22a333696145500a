/** The results of all stages of one pass: the input of status/. Plain data, made only by reconcile/. */
import type { EncodedInventory } from '../application/inventory.ts';
import type { LeftObject } from '../application/prune-digest.ts';
import type { Application, ApplicationSpec } from '../application/schema.ts';
import type { ApplicationStatus, Hold, SourceRevision, WrittenValue } from '../application/status-schema.ts';
import type { WindowState } from '../application/windows.ts';
import type { Applied } from '../apply/applied.ts';
import type { Change } from '../diff/changes.ts';
import type { Health } from '../health/health.ts';
import type { ErrorCode } from '../object/error-code.ts';
import { compareIds, idKey, type ObjectId } from '../object/identity.ts';
import type { Problem } from '../object/problem.ts';
import type { Retry, Stage } from '../object/stage-error.ts';
import { sortSteps, type Steps } from '../object/steps.ts';
import type { CommitAbout } from '../source/snapshot.ts';
import type { HeldPrune, Wait } from '../plan/plan.ts';

/** A StageError as data. */
export interface StageFailure {
  readonly stage: Stage;
  readonly code: ErrorCode;
  readonly message: string;
  readonly retry: Retry;
}

/** An object of this Application that another Application claims too. It stays with this one. */
export interface RivalClaim {
  readonly id: ObjectId;
  /** Key of the other Application. */
  readonly claimant: string;
}

/** An object that is healed repeatedly because another client keeps changing it. */
export interface ContestedObject {
  readonly id: ObjectId;
  /** Names the other manager and the field; never holds a value. */
  readonly message: string;
}

/** The effects that a pass may have: those of the spec, as changed by the current request. */
export interface Intent {
  readonly mode: ApplicationSpec['sync']['mode'];
  readonly prune: boolean;
  /** By `idKey`: the only objects that may be written or deleted. undefined: all objects. */
  readonly objects: ReadonlySet<string> | undefined;
}

export interface PassReport {
  readonly application: Application;
  readonly intent: Intent;
  /** `begun`: before the first effect, so that after a kill the status names all objects that may exist. */
  readonly phase: 'begun' | 'ended';
  /** Revision of the compared snapshot; absent while there is none. */
  readonly revision?: string;
  /** 40 hex digits. */
  readonly commit?: string;
  /** Revisions of the other repositories of the render, in a fixed order; absent if there are none. */
  readonly sources?: readonly SourceRevision[];
  /** Subject, author and date of the commit. */
  readonly about?: CommitAbout;
  readonly failures: readonly StageFailure[];
  readonly problems: readonly Problem[];
  /** Warnings of the last render; undefined if this process has not rendered yet. */
  readonly renderWarnings: readonly string[] | undefined;
  readonly changes: readonly Change[];
  readonly rivalClaims: readonly RivalClaim[];
  readonly contestedObjects: readonly ContestedObject[];
  readonly applied: Applied;
  readonly waitingFor: readonly Wait[];
  readonly held: HeldPrune | undefined;
  /** undefined: the pass did not come to a plan. */
  readonly guard?: {
    /** undefined: no object that left Git is left. */
    readonly objectsBefore: number | undefined;
    /** The objects that left Git. undefined: the pass could not tell, or was not to prune all of them. */
    readonly left: readonly LeftObject[] | undefined;
    /** Id of the request that confirmed their prune. */
    readonly confirmedBy: string | undefined;
  };
  /** For people: the Application of spec.dependsOn that is not ready and why, or the cycle that they form. */
  readonly unready?: string;
  /** By `idKey`. */
  readonly health: ReadonlyMap<string, Health>;
  /** The worst health of the desired objects; undefined if there are none. */
  readonly worst: Health | undefined;
  /** undefined: the stored inventory could not be read. */
  readonly inventory: readonly ObjectId[] | undefined;
  /** The stored form of the same set or of an earlier one, to be used again if the set is the same. */
  readonly encodedInventory?: EncodedInventory;
  /** The proof that the Application has written these objects. undefined: there is none. */
  readonly written?: WrittenValue | undefined;
  /** By `idKey`: Jobs and bare Pods that completed or failed, with their manifest digest. undefined: not read. */
  readonly finishedJobs: ReadonlyMap<string, string> | undefined;
  /** The same for Jobs and bare Pods that were started and have not ended yet. */
  readonly startedJobs: ReadonlyMap<string, string> | undefined;
  /** The desired set as `status.sync.failed` names it, and its SyncFail hooks. undefined: not all could be read. */
  readonly syncFail?: { readonly set: string; readonly hooks: number };
  /** Number of hooks that run when the Application is deleted. undefined: not all objects could be read. */
  readonly deletionHooks?: NonNullable<ApplicationStatus['deletionHooks']>;
  /** Digest of the desired set, if it was bound. */
  readonly desiredDigest?: string;
  /** Whether everything was read that decides which objects left Git. Otherwise nothing is pruned. */
  readonly isComplete: boolean;
  /** Whether the render has neither problems nor objects. */
  readonly isEmptyRender: boolean;
  /** For people: why it has none. */
  readonly whyEmpty?: string;
  /** Whether the sync has run longer than spec.sync.timeout. */
  readonly isTimedOut: boolean;
  /** Whether some object has not been Healthy for longer than spec.health.timeout. */
  readonly isHealthOverdue: boolean;
  /** One line for each kind that may not be watched and is read by name at the interval. */
  readonly polling: readonly string[];
  /** When the attempt at this revision began (RFC 3339). */
  readonly startedAt: string;
  /** When the next attempt is due, while failing or waiting (RFC 3339). */
  readonly nextAttemptAt?: string;
  /** The last poll has answered an older commit than the one that is in force; another poll has to agree. */
  readonly isInDoubt?: boolean;
  /** The state of spec.sync.windows; absent if there are none. */
  readonly window?: WindowState;
  /** The hold that was in force in this pass. */
  readonly hold?: Hold;
  /** The request that this pass answers. */
  readonly request?: { readonly id: string; readonly action: string; readonly refusal?: string };
  /** The value of the annotation reconcile.fluxcd.io/requestedAt that this pass handles. */
  readonly reconcileAt?: string;
}

/**
 * The report with its lists sorted by object. Answers and maps have another order in each pass, and after a restart;
 * equal findings must give an equal status.
 */
export function* inOneOrder(report: PassReport): Steps<PassReport> {
  return {
    ...report,
    changes: yield* sortedById(report.changes),
    rivalClaims: yield* sortedById(report.rivalClaims),
    contestedObjects: yield* sortedById(report.contestedObjects),
    waitingFor: yield* sortedById(report.waitingFor),
    polling: [...report.polling].sort(),
  };
}

function sortedById<T extends { readonly id: ObjectId }>(items: readonly T[]): Steps<T[]> {
  return sortSteps(items, (a, b) => compareIds(a.id, b.id));
}

/** Objects that another Application owns, without those that it is about to hand over, which are waited for. */
export function refusedChanges({ changes, applied, waitingFor }: PassReport): Change[] {
  // Most passes find no conflict, and need no set of what waits.
  const isAnyFound = changes.some(({ type }) => type === 'conflict');
  if (!isAnyFound && !applied.values().some(({ outcome }) => outcome === 'conflict')) return [];
  const waiting = new Set(isAnyFound ? waitingFor.map(({ id }) => idKey(id)) : []);
  return changes.filter(
    ({ type, id }) =>
      (type === 'conflict' && !waiting.has(idKey(id))) || applied.get(idKey(id))?.outcome === 'conflict',
  );
}
