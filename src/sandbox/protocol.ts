/**
 * The messages between parent and child of the sandbox, as plain data: one when the child is ready, and one reply to
 * each job.
 */
import type { ErrorCode } from '../object/error-code.ts';
import type { Retry, Stage } from '../object/stage-error.ts';

export interface JobMessage {
  readonly id: number;
  readonly name: string;
  /** The stage under which an unexpected failure is reported. */
  readonly stage: Stage;
  readonly input: unknown;
  /** Shortly after this time the child stops the job by itself, in case its parent is gone. */
  readonly deadlineMs: number;
}

/** Sent once, when the child has loaded its code. */
export interface ReadyMessage {
  readonly isReady: true;
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
