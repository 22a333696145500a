/**
 * Runs jobs on untrusted input in child processes, a few at a time. A job that exhausts memory or time takes its child
 * with it and nothing else: the next job gets a fresh one. No child outlives its parent.
 */
import { existsSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { StageError, type Stage } from '../object/stage-error.ts';
import type { Log } from '../telemetry/ports.ts';
import type { JobMessage } from './protocol.ts';
import { refusal } from './refusal.ts';
import { createSlot, type KillCause, type Slot, type SlotOptions } from './slot.ts';

export interface SandboxOptions extends SlotOptions {
  /** Children at a time. */
  readonly slots: number;
  /** For a job that names none. */
  readonly jobDeadlineMs: number;
  /** Jobs that wait at most; further ones are refused. */
  readonly maxQueuedJobs: number;
  readonly log: Log;
}

export interface Job {
  readonly name: string;
  /** The stage that a kill is reported under. */
  readonly stage: Stage;
  /** Plain data, without credentials. */
  readonly input: unknown;
}

export interface RunOptions {
  readonly deadlineMs?: number;
  readonly signal?: AbortSignal | undefined;
}

export interface Sandbox {
  /** Rejects with the job's StageError, or one of code Killed, Cancelled, SandboxBusy, SandboxClosed. */
  run(job: Job, options?: RunOptions): Promise<Uint8Array>;
  /** Ends all children; jobs under way and waiting are rejected. */
  close(): void;
}

interface Waiting {
  readonly message: JobMessage;
  readonly resolve: (bytes: Uint8Array) => void;
  readonly reject: (error: StageError) => void;
  slot?: Slot;
}

export function createSandbox(options: SandboxOptions): Sandbox {
  const all = Array.from({ length: options.slots }, () => createSlot(options));
  const free = [...all];
  const queue: Waiting[] = [];
  let nextId = 1;
  let isClosed = false;

  function close(): void {
    isClosed = true;
    process.removeListener('exit', close);
    for (const waiting of queue.splice(0)) waiting.reject(refusal(waiting.message, 'SandboxClosed'));
    for (const slot of all) slot.end('SandboxClosed');
  }
  // An idle child ends by itself when its channel closes; a busy one does not look.
  process.on('exit', close);

  function pump(): void {
    while (queue.length > 0 && free.length > 0 && !isClosed) {
      // The slot used last has a warm child.
      void serve(free.pop() as Slot, queue.shift() as Waiting);
    }
  }

  async function serve(slot: Slot, waiting: Waiting): Promise<void> {
    waiting.slot = slot;
    try {
      waiting.resolve(await slot.run(waiting.message));
    } catch (error) {
      logKill(options.log, waiting.message, error);
      waiting.reject(error as StageError);
    } finally {
      free.push(slot);
      pump();
    }
  }

  function cancel(waiting: Waiting): void {
    if (waiting.slot) return waiting.slot.end('Cancelled');
    const at = queue.indexOf(waiting);
    if (at >= 0) queue.splice(at, 1);
    waiting.reject(refusal(waiting.message, 'Cancelled'));
  }

  return {
    close,
    async run(job, { deadlineMs = options.jobDeadlineMs, signal } = {}) {
      if (isClosed) throw refusal(job, 'SandboxClosed');
      if (signal?.aborted) throw refusal(job, 'Cancelled');
      if (queue.length >= options.maxQueuedJobs) throw refusal(job, 'SandboxBusy');
      const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
      const waiting: Waiting = { message: { ...job, id: nextId++, deadlineMs }, resolve, reject };
      const onAbort = () => cancel(waiting);
      signal?.addEventListener('abort', onAbort, { once: true });
      queue.push(waiting);
      pump();
      try {
        return await promise;
      } finally {
        signal?.removeEventListener('abort', onAbort);
      }
    },
  };
}

/**
 * What a child must be able to read to run its own code: the folder of the entry, the package.json that says how its
 * files are to be read, and every node_modules above.
 */
export function codeDirs(entryFile: string): string[] {
  const dirs = [dirname(entryFile)];
  for (let dir = dirname(entryFile); dir !== dirname(dir); dir = dirname(dir)) {
    for (const name of ['node_modules', 'package.json']) {
      const path = join(dir, name);
      // Whoever imports through a link asks for the link's own path first.
      if (existsSync(path)) dirs.push(path, realpathSync(path));
    }
  }
  return [...new Set(dirs)];
}

function logKill(log: Log, message: JobMessage, error: unknown): void {
  if (!(error instanceof StageError) || error.code !== 'Killed') return;
  const cause = error.cause as KillCause;
  log.warn('A sandboxed job was killed', { job: message.name, reason: cause.reason, peakRssMb: cause.peakRssMb });
}
