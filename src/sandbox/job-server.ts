/**
 * The child's side of the sandbox: runs one job at a time and replies to each with bytes or a StageError. The child
 * ends when its parent is gone; a job that is running then is stopped shortly after its deadline.
 */
import { runInThisContext } from 'node:vm';
import { StageError } from '../object/stage-error.ts';
import type { JobMessage, JobReply, PlainStageError, ReadyMessage } from './protocol.ts';

/** Gets the input that the parent sent. The type is not checked, because only the parent can send jobs. */
export type JobHandler = (input: never) => Uint8Array | Promise<Uint8Array>;

/** Serves the jobs by name until the parent closes the channel. */
export function serveJobs(handlers: Readonly<Record<string, JobHandler>>): void {
  process.on('disconnect', () => process.exit(0));
  process.on('message', (message) => {
    const job = message as JobMessage;
    void runJob(handlers, job).then((reply) => process.send?.(reply));
  });
  const ready: ReadyMessage = { isReady: true };
  process.send?.(ready);
}

async function runJob(handlers: Readonly<Record<string, JobHandler>>, job: JobMessage): Promise<JobReply> {
  try {
    const handler = Object.hasOwn(handlers, job.name) ? handlers[job.name] : undefined;
    if (!handler) throw new Error(`there is no job ${job.name}`);
    return { id: job.id, bytes: await runWithin(() => handler(job.input as never), job.deadlineMs) };
  } catch (error) {
    return { id: job.id, error: toPlainError(error, job) };
  }
}

/** Time after the deadline for the parent to kill the child first. */
const GRACE_MS = 2_000;

/**
 * Stops the work some time after its deadline. The timeout of a script is the only way to stop a busy loop from inside
 * the process. It matters only if the parent is gone; otherwise the parent kills the child at the deadline.
 */
function runWithin<T>(work: () => T, deadlineMs: number): T {
  const call = runInThisContext('(work) => { globalThis.tautlineJob = work; }') as (work: () => T) => void;
  call(work);
  return runInThisContext('globalThis.tautlineJob()', { timeout: deadlineMs + GRACE_MS }) as T;
}

function toPlainError(error: unknown, job: JobMessage): PlainStageError {
  if (error instanceof StageError) {
    return { stage: error.stage, code: error.code, retry: error.retry, message: error.message };
  }
  const text = error instanceof Error ? error.message : String(error);
  return {
    stage: job.stage,
    code: 'Failed',
    retry: 'backoff',
    message: `The job ${job.name} failed unexpectedly: ${text.slice(0, 200)}`,
  };
}
