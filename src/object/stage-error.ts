/**
 * The one error that a failed effect throws. `reconcile` is the one place that catches it; `status` turns it into
 * conditions, an event and a requeue. Messages hold no stack, token, credential or Secret value.
 */
import type { ErrorCode } from './error-code.ts';

export type Stage =
  'source' | 'render' | 'bind' | 'observe' | 'diff' | 'plan' | 'apply' | 'prune' | 'health' | 'status';

/** When to try again: never (until the spec or the revision changes), after so long, or with backoff. */
export type Retry = 'never' | 'backoff' | { readonly afterMs: number };

export interface StageErrorOptions {
  readonly stage: Stage;
  readonly code: ErrorCode;
  readonly retry: Retry;
  /** For a person: what failed, on what, and what to do about it. */
  readonly message: string;
  readonly cause?: unknown;
}

export class StageError extends Error {
  readonly stage: Stage;
  readonly code: ErrorCode;
  readonly retry: Retry;

  constructor(options: StageErrorOptions) {
    super(options.message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'StageError';
    this.stage = options.stage;
    this.code = options.code;
    this.retry = options.retry;
  }
}
