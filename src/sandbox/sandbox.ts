/**
 * Runs jobs on untrusted input in child processes, a bounded number at a time.
 *
 * Invariants: a job that exhausts memory or time ends only its own child; the next job gets a new child. No child
 * outlives its parent.
 */
import { existsSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { StageError, type Stage } from '../object/stage-error.ts';
import type { Log } from '../telemetry/ports.ts';
import type { JobMessage } from './protocol.ts';
import { refusal } from './refusal.ts';
import { createSlot, type KillCause, type Slot, type SlotOptions } from './slot.ts';

export interface SandboxOptions extends SlotOptions {
  /** Children at the same time. */
  readonly slots: number;
  /** The deadline of a job that names none. */
  readonly jobDeadlineMs: number;
  /** Jobs that may wait for a child; further ones are refused with SandboxBusy. */
  readonly maxQueuedJobs: number;
  readonly log: Log;
}

export interface Job {
  readonly name: string;
  /** The stage under which a kill is reported. */
  readonly stage: Stage;
  /** Plain data without credentials. */
  readonly input: unknown;
}

export interface RunOptions {
  readonly deadlineMs?: number;
  readonly signal?: AbortSignal | undefined;
}

export interface Sandbox {
  /** Rejects with the StageError of the job, or with the code Killed, Cancelled, SandboxBusy or SandboxClosed. */
  run(job: Job, options?: RunOptions): Promise<Uint8Array>;
  /** Ends all children, and rejects all jobs that run or wait. */
  close(): void;
}

interface QueuedJob {
  readonly message: JobMessage;
  readonly resolve: (bytes: Uint8Array) => void;
  readonly reject: (error: StageError) => void;
  /** Set while the job runs. */
  slot?: Slot;
}

export function createSandbox(options: SandboxOptions): Sandbox {
  const slots = Array.from({ length: options.slots }, () => createSlot(options));
  const free = [...slots];
  const queue: QueuedJob[] = [];
  let nextId = 1;
  let isClosed = false;

  function close(): void {
    isClosed = true;
    process.removeListener('exit', close);
    for (const queued of queue.splice(0)) queued.reject(refusal(queued.message, 'SandboxClosed'));
    for (const slot of slots) slot.end('SandboxClosed');
  }
  // An idle child ends by itself when its channel closes; a child in a busy loop does not notice that.
  process.on('exit', close);

  function startQueued(): void {
    while (queue.length > 0 && free.length > 0 && !isClosed) {
      // The slot that was used last has a child that is already running.
      void runIn(free.pop() as Slot, queue.shift() as QueuedJob);
    }
  }

  async function runIn(slot: Slot, queued: QueuedJob): Promise<void> {
    queued.slot = slot;
    try {
      queued.resolve(await slot.run(queued.message));
    } catch (error) {
      logKill(options.log, queued.message, error);
      queued.reject(error as StageError);
    } finally {
      free.push(slot);
      startQueued();
    }
  }

  function cancel(queued: QueuedJob): void {
    if (queued.slot) return queued.slot.end('Cancelled');
    const at = queue.indexOf(queued);
    if (at >= 0) queue.splice(at, 1);
    queued.reject(refusal(queued.message, 'Cancelled'));
  }

  return {
    close,
    async run(job, { deadlineMs = options.jobDeadlineMs, signal } = {}) {
      if (isClosed) throw refusal(job, 'SandboxClosed');
      if (signal?.aborted) throw refusal(job, 'Cancelled');
      if (queue.length >= options.maxQueuedJobs) throw refusal(job, 'SandboxBusy');
      const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
      const queued: QueuedJob = { message: { ...job, id: nextId++, deadlineMs }, resolve, reject };
      const onAbort = () => cancel(queued);
      signal?.addEventListener('abort', onAbort, { once: true });
      queue.push(queued);
      startQueued();
      try {
        return await promise;
      } finally {
        signal?.removeEventListener('abort', onAbort);
      }
    },
  };
}

/**
 * The folders and files that a child must read to run its own code: the folder of its entry file, and every
 * package.json (which sets the module type) and node_modules above it.
 */
export function codeDirs(entryFile: string): string[] {
  const dirs = [dirname(entryFile)];
  for (let dir = dirname(entryFile); dir !== dirname(dir); dir = dirname(dir)) {
    for (const name of ['node_modules', 'package.json']) {
      const path = join(dir, name);
      // An import through a link needs the permission to read both the link and its target.
      if (existsSync(path)) dirs.push(path, realpathSync(path));
    }
  }
  return [...new Set(dirs)];
}

function logKill(log: Log, message: JobMessage, error: unknown): void {
  if (!(error instanceof StageError) || error.code !== 'Killed') return;
  const cause = error.cause as KillCause;
  log.warn('a sandboxed job was killed', { job: message.name, reason: cause.reason, peakRssMib: cause.peakRssMib });
}
