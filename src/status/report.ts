/**
 * What one pass found and did, as status/ reads it: the sum of the outcomes of all stages. Plain data, made by
 * reconcile/ alone.
 */
import type { Application, ApplicationSpec } from '../application/schema.ts';
import type { Applied } from '../apply/applied.ts';
import type { Change } from '../diff/changes.ts';
import type { Health } from '../health/health.ts';
import type { ErrorCode } from '../object/error-code.ts';
import { idKey, type ObjectId } from '../object/identity.ts';
import type { Problem } from '../object/problem.ts';
import type { Retry, Stage } from '../object/stage-error.ts';
import type { HeldPrune, Wait } from '../plan/plan.ts';

/** A StageError as data. */
export interface StageFailure {
  readonly stage: Stage;
  readonly code: ErrorCode;
  readonly message: string;
  readonly retry: Retry;
}

/** An object of this Application that another claims as well; it stays where it is. */
export interface Contest {
  readonly id: ObjectId;
  /** Key of the other Application. */
  readonly by: string;
}

/** An object that is healed again and again. */
export interface Contested {
  readonly id: ObjectId;
  /** Against whom and at which field; never a value. */
  readonly message: string;
}

/** What a pass may write: what the spec says, as the request under way changes it. */
export interface Intent {
  readonly mode: ApplicationSpec['sync']['mode'];
  readonly prune: boolean;
  /** By `idKey`: nothing else is written or deleted. undefined: all. */
  readonly objects: ReadonlySet<string> | undefined;
}

export interface PassReport {
  readonly application: Application;
  readonly intent: Intent;
  /** `begun`: before the first effect, so that a kill leaves no doubt about what may exist; `ended`: all is known. */
  readonly phase: 'begun' | 'ended';
  /** Of the snapshot that was compared; absent while there is none. */
  readonly revision?: string;
  /** 40 hex digits. */
  readonly commit?: string;
  readonly failures: readonly StageFailure[];
  readonly problems: readonly Problem[];
  readonly changes: readonly Change[];
  readonly contests: readonly Contest[];
  readonly contested: readonly Contested[];
  readonly applied: Applied;
  readonly waitingFor: readonly Wait[];
  readonly held: HeldPrune | undefined;
  /** The Application of spec.dependsOn that is waited for, and why; or a cycle of them. */
  readonly unready?: string;
  /** By `idKey`. */
  readonly health: ReadonlyMap<string, Health>;
  /** The worst of the desired objects; undefined where none is desired. */
  readonly worst: Health | undefined;
  /** undefined: the stored one could not be read. */
  readonly inventory: readonly ObjectId[] | undefined;
  /** By `idKey`: Jobs and bare Pods that ran to their end, with the digest of their manifest; undefined: not read. */
  readonly finished: ReadonlyMap<string, string> | undefined;
  /** Digest of the whole desired set, if it was bound. */
  readonly desiredDigest?: string;
  /** Whether all was read that decides what has left Git: the condition of every prune, an empty render aside. */
  readonly isComplete: boolean;
  /** A render without problems and without objects, while the inventory holds some. */
  readonly isEmptyRender: boolean;
  /** The sync has run longer than spec.sync.timeout. */
  readonly isTimedOut: boolean;
  /** Some object has not been Healthy for longer than spec.health.timeout. */
  readonly isHealthOverdue: boolean;
  /** Kinds that may not be watched, and are read by name at the interval: a line each. */
  readonly polling: readonly string[];
  /** When the attempt at this revision began (RFC 3339). */
  readonly startedAt: string;
  /** When the next attempt is due, while failing or waiting (RFC 3339). */
  readonly nextAttemptAt?: string;
  /** The request that this pass answers. */
  readonly request?: { readonly id: string; readonly action: string; readonly refusal?: string };
  /** The token of the reconcile annotation that this pass has heard. */
  readonly reconcileAt?: string;
}

/** Objects that another Application owns; what it is about to hand over is waited for instead. */
export function refusedChanges({ changes, applied, waitingFor }: PassReport): Change[] {
  const waiting = new Set(waitingFor.map(({ id }) => idKey(id)));
  return changes.filter(
    ({ type, id }) =>
      (type === 'conflict' && !waiting.has(idKey(id))) || applied.get(idKey(id))?.outcome === 'conflict',
  );
}
