/**
 * The child's side of the sandbox: runs one job at a time and answers each with bytes or a StageError. It ends as soon
 * as its parent is gone; a job that is busy just then is stopped at its deadline.
 */
import { runInThisContext } from 'node:vm';
import { StageError } from '../object/stage-error.ts';
import type { JobMessage, JobReply, PlainStageError } from './protocol.ts';

/** Gets what the parent passed as input; checks nothing, since only the parent can call it. */
export type JobHandler = (input: never) => Uint8Array | Promise<Uint8Array>;

/** Serves the jobs by name until the parent closes the channel. */
export function serveJobs(handlers: Readonly<Record<string, JobHandler>>): void {
  process.on('disconnect', () => process.exit(0));
  process.on('message', (message) => {
    const job = message as JobMessage;
    void runJob(handlers, job).then((reply) => process.send?.(reply));
  });
}

async function runJob(handlers: Readonly<Record<string, JobHandler>>, job: JobMessage): Promise<JobReply> {
  try {
    const handler = Object.hasOwn(handlers, job.name) ? handlers[job.name] : undefined;
    if (!handler) throw new Error(`no job is called ${job.name}`);
    return { id: job.id, bytes: await runWithin(() => handler(job.input as never), job.deadlineMs) };
  } catch (error) {
    return { id: job.id, error: toPlain(error, job) };
  }
}

const GRACE_MS = 2_000;

/** A script's time-out is the one way to stop a busy loop from within; the parent's kill comes first if it lives. */
function runWithin<T>(work: () => T, deadlineMs: number): T {
  const call = runInThisContext('(work) => { globalThis.tautlineJob = work; }') as (work: () => T) => void;
  call(work);
  return runInThisContext('globalThis.tautlineJob()', { timeout: deadlineMs + GRACE_MS }) as T;
}

function toPlain(error: unknown, job: JobMessage): PlainStageError {
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
