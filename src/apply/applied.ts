/** What apply/ hands on: what became of each change. A partial failure is a result, not an exception. */
import type { Refusal } from '../cluster/answers.ts';
import type { LiveObject } from '../cluster/live.ts';
import type { Change } from '../diff/changes.ts';

/**
 * - unchanged: the server changed nothing (same resourceVersion). pruning: deletion has begun, something holds it.
 * - recreating: deleted, so that a later pass makes it anew.
 * - released: let go, with our marks removed or no longer there. waiting: what it requires has failed or is not ready.
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
  /** For `failed`: why. */
  readonly refusal?: Refusal;
  /** For people, where the outcome alone does not tell. */
  readonly message?: string;
  readonly warnings?: readonly string[];
}

/** By `idKey`. */
export type Applied = ReadonlyMap<string, ChangeResult>;
