/** The errors for jobs that were not completed for a reason outside the job and its input. */
import type { CodeOf } from '../object/error-code.ts';
import { StageError, type Stage } from '../object/stage-error.ts';

export type RefusalCode = keyof typeof REFUSALS;

const REFUSALS = {
  Cancelled: 'was cancelled',
  SandboxBusy: 'could not be queued: too many jobs are waiting',
  SandboxClosed: 'was not completed: Tautline is shutting down',
} as const satisfies Partial<Record<CodeOf<'sandbox'>, string>>;

export function refusal(job: { readonly name: string; readonly stage: Stage }, code: RefusalCode): StageError {
  const message = `The job ${job.name} ${REFUSALS[code]}.`;
  return new StageError({ stage: job.stage, code, retry: 'backoff', message });
}
