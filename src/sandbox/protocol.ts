/** What parent and child of the sandbox say to each other: plain data only, one reply a job. */
import type { ErrorCode } from '../object/error-code.ts';
import type { Retry, Stage } from '../object/stage-error.ts';

export interface JobMessage {
  readonly id: number;
  readonly name: string;
  /** The stage that an unexpected failure is reported under. */
  readonly stage: Stage;
  readonly input: unknown;
  /** The child gives up by itself after this, in case its parent is no more. */
  readonly deadlineMs: number;
}

export type JobReply =
  { readonly id: number; readonly bytes: Uint8Array } | { readonly id: number; readonly error: PlainStageError };

/** A StageError without its cause. */
export interface PlainStageError {
  readonly stage: Stage;
  readonly code: ErrorCode;
  readonly retry: Retry;
  readonly message: string;
}
