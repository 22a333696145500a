/**
 * The error that every failed effect throws. `reconcile` catches it, and `status` turns it into conditions, an event
 * and the time of the next pass. Messages contain no stack, token, credential or Secret value.
 */
import type { ErrorCode } from './error-code.ts';

export type Stage =
  'source' | 'render' | 'bind' | 'observe' | 'diff' | 'plan' | 'apply' | 'prune' | 'health' | 'status';

/** When to try again: never (until the spec or the revision changes), with backoff, or after a given time. */
export type Retry = 'never' | 'backoff' | { readonly afterMs: number };

export interface StageErrorOptions {
  readonly stage: Stage;
  readonly code: ErrorCode;
  readonly retry: Retry;
  /** For people: what failed, on which object or file, and what to do about it. */
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
