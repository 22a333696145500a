/** The output of apply/: the outcome of each change. A failed change is a result, not an exception. */
import type { Refusal } from '../cluster/answers.ts';
import type { LiveObject } from '../cluster/live.ts';
import type { Change } from '../diff/changes.ts';

/**
 * - unchanged: the server changed nothing (same resourceVersion), or an annotation keeps the object as it is.
 * - pruning: deletion has begun and is not complete.
 * - recreating: deleted, so that a later pass creates it again.
 * - released: our owner marks were removed or are already gone.
 * - conflict: another Application owns the object.
 * - waiting: an object that it requires could not be applied, or its deletion needs a confirmation.
 */
export type Outcome =
  | 'created'
  | 'configured'
  | 'unchanged'
  | 'adopted'
  | 'pruned'
  | 'pruning'
  | 'recreating'
  | 'released'
  | 'failed'
  | 'conflict'
  | 'waiting';

export interface ChangeResult {
  readonly change: Change;
  readonly outcome: Outcome;
  /** The object as the server returned it, after a successful apply. */
  readonly live?: LiveObject;
  /** The object as it was read and left as it is: kept by an annotation, or owned by another Application. */
  readonly found?: LiveObject;
  /** The reason of `failed`. */
  readonly refusal?: Refusal;
  /** The line of the field that the server refuses, in the file of the manifest; absent: not known. */
  readonly line?: number;
  /** For people, if the outcome needs an explanation. */
  readonly message?: string;
  /** Warnings of the API server about the applied body; present after a successful apply. */
  readonly warnings?: readonly string[];
}

/** By `idKey`. */
export type Applied = ReadonlyMap<string, ChangeResult>;
