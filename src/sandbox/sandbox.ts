/**
 * Runs jobs on untrusted input in child processes, a bounded number at a time and fairly between tenants.
 *
 * There are two lanes. The long lane has the configured number of children, and runs any job up to its deadline. The
 * short lane has one more child, which stops a job after a short time or at a small size of memory; that job starts
 * again in the long lane. So a few expensive jobs never keep everybody else waiting.
 *
 * Invariants: a job that exhausts memory or time ends only its own child; the next job gets a new child. A child serves
 * one tenant and reads the folders of its job; a job of another tenant or on other folders gets a new child. No child
 * outlives its parent.
 */
import { existsSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { StageError, type Stage } from '../object/stage-error.ts';
import type { Clock, Log } from '../telemetry/ports.ts';
import { createJobQueue, type Burst, type JobQueue, type Lane, type QueuedWork } from './job-queue.ts';
import type { JobMessage } from './protocol.ts';
import { refusal } from './refusal.ts';
import { createSlot, type KillCause, type Slot, type SlotOptions } from './slot.ts';

export interface SandboxOptions extends SlotOptions {
  /** Children of the long lane. */
  readonly slots: number;
  /** Bounds on a job in the short lane. */
  readonly shortLane: Pick<SlotOptions, 'maxHeapMib' | 'maxRssMib' | 'maxProcessorMs'> & {
    readonly deadlineMs: number;
  };
  /** The deadline of a job that names none. */
  readonly jobDeadlineMs: number;
  /** Jobs that may wait for a child; further ones are refused with SandboxBusy. */
  readonly maxQueuedJobs: number;
  readonly clock: Pick<Clock, 'monotonicMs'>;
  readonly log: Log;
}

export interface Job {
  readonly name: string;
  /** The stage under which a kill is reported. */
  readonly stage: Stage;
  /** Plain data without credentials. */
  readonly input: unknown;
  /** The namespace for which the job runs; '' on a person's machine. */
  readonly tenant: string;
  /** The folders with data that the job reads: one for each repository. */
  readonly dataFolders: readonly string[];
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

interface QueuedJob extends QueuedWork {
  readonly message: JobMessage;
  readonly dataFolders: readonly string[];
  readonly resolve: (bytes: Uint8Array) => void;
  readonly reject: (error: StageError) => void;
  isLong: boolean;
  /** Set while the job runs. */
  slot?: Slot;
}

interface LaneSlot {
  readonly lane: Lane;
  readonly slot: Slot;
  burst?: Burst;
}

/** Long jobs leave the processors to short ones, and to the agent. */
const LONG_LANE_NICENESS = 10;

function createSlots(options: SandboxOptions): LaneSlot[] {
  return [
    { lane: 'short', slot: createSlot({ ...options, ...options.shortLane }) },
    ...Array.from({ length: options.slots }, (): LaneSlot => ({
      lane: 'long',
      slot: createSlot({ ...options, niceness: LONG_LANE_NICENESS }),
    })),
  ];
}

export function createSandbox(options: SandboxOptions): Sandbox {
  const { clock, shortLane } = options;
  const shortMs = shortLane.maxProcessorMs ?? shortLane.deadlineMs;
  const slots = createSlots(options);
  // The last free slot is used first: a slot of the long lane, and of these the one whose child was used last.
  const free = [...slots];
  const queue = createJobQueue<QueuedJob>(() => clock.monotonicMs());
  const knownLong = createKnownLong();
  let nextId = 1;
  let isClosed = false;

  function close(): void {
    isClosed = true;
    process.removeListener('exit', close);
    for (const queued of queue.removeAll()) queued.reject(refusal(queued.message, 'SandboxClosed'));
    for (const { slot } of slots) slot.end('SandboxClosed');
  }
  // An idle child ends by itself when its channel closes; a child in a busy loop does not notice that.
  process.on('exit', close);

  function startQueued(): void {
    for (let at = free.length - 1; at >= 0 && queue.size > 0 && !isClosed; at--) {
      const laneSlot = free[at] as LaneSlot;
      const queued = takeFor(laneSlot, queue, knownLong);
      if (!queued) continue;
      free.splice(at, 1);
      void runIn(laneSlot, queued);
    }
  }

  async function runIn(laneSlot: LaneSlot, queued: QueuedJob): Promise<void> {
    const { lane, slot } = laneSlot;
    const [{ message, affinity }, startMs] = [queued, clock.monotonicMs()];
    if (laneSlot.burst?.affinity !== affinity) laneSlot.burst = { affinity, sinceMs: startMs };
    queued.slot = slot;
    const deadlineMs = lane === 'short' ? Math.min(message.deadlineMs, shortLane.deadlineMs) : message.deadlineMs;
    try {
      queued.resolve(await slot.run({ ...message, deadlineMs }, queued));
      if (clock.monotonicMs() - startMs < shortMs / 2) knownLong.forget(queued);
    } catch (error) {
      if (lane === 'short' && mayEndInLongLane(message, error, options) && !isClosed) {
        knownLong.remember(queued);
        requeue(queue, queued);
      } else {
        logKill(options.log, message, error);
        queued.reject(error as StageError);
      }
    } finally {
      queue.charge(queued.tenant, clock.monotonicMs() - startMs);
      free.splice(lane === 'short' ? 0 : free.length, 0, laneSlot);
      startQueued();
    }
  }

  return {
    close,
    async run({ tenant, dataFolders, ...job }, { deadlineMs = options.jobDeadlineMs, signal } = {}) {
      if (isClosed) throw refusal(job, 'SandboxClosed');
      if (signal?.aborted) throw refusal(job, 'Cancelled');
      if (queue.size >= options.maxQueuedJobs) throw refusal(job, 'SandboxBusy');
      const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
      const work = {
        message: { ...job, id: nextId++, deadlineMs },
        tenant,
        dataFolders,
        affinity: [tenant, ...dataFolders].join('\n'),
      };
      const queued: QueuedJob = { ...work, isLong: knownLong.has(work), resolve, reject };
      const onAbort = () => cancel(queue, queued);
      signal?.addEventListener('abort', onAbort, { once: true });
      queue.push(queued);
      startQueued();
      return promise.finally(() => signal?.removeEventListener('abort', onAbort));
    },
  };
}

/** A job may have waited since before it was known that such jobs take long. */
function takeFor(
  { lane, burst }: LaneSlot,
  queue: JobQueue<QueuedJob>,
  knownLong: Pick<KnownLong, 'has'>,
): QueuedJob | undefined {
  for (;;) {
    const queued = queue.take(lane, burst);
    if (lane === 'long' || !queued || !knownLong.has(queued)) return queued;
    requeue(queue, queued);
  }
}

/** Whether a bound stopped a job in the short lane that is wider in the long lane. */
function mayEndInLongLane(
  { deadlineMs }: JobMessage,
  error: unknown,
  { shortLane, maxHeapMib, maxRssMib }: SandboxOptions,
): boolean {
  if (!isKilled(error) || error.cause.reason === 'crash') return false;
  if (error.cause.reason === 'time') return shortLane.deadlineMs < deadlineMs;
  return shortLane.maxHeapMib < maxHeapMib || shortLane.maxRssMib < maxRssMib;
}

function requeue(queue: JobQueue<QueuedJob>, queued: QueuedJob): void {
  queued.isLong = true;
  delete queued.slot;
  queue.push(queued);
}

function cancel(queue: JobQueue<QueuedJob>, queued: QueuedJob): void {
  if (queued.slot) return queued.slot.end('Cancelled');
  queue.remove(queued);
  queued.reject(refusal(queued.message, 'Cancelled'));
}

type Kind = Pick<QueuedJob, 'message' | 'affinity'>;

/** Jobs that took long by name, tenant and folders; the next one goes to the long lane at once. */
interface KnownLong {
  has(job: Kind): boolean;
  /** Forgets the oldest beyond a bound. */
  remember(job: Kind): void;
  forget(job: Kind): void;
}

const MAX_KNOWN_LONG = 2_000;

function createKnownLong(): KnownLong {
  const keys = new Set<string>();
  const keyOf = ({ message, affinity }: Kind): string => `${message.name}\n${affinity}`;
  return {
    has: (job) => keys.has(keyOf(job)),
    remember(job) {
      keys.add(keyOf(job));
      const [oldest] = keys;
      if (keys.size > MAX_KNOWN_LONG && oldest !== undefined) keys.delete(oldest);
    },
    forget: (job) => void keys.delete(keyOf(job)),
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

function isKilled(error: unknown): error is StageError & { readonly cause: KillCause } {
  return error instanceof StageError && error.code === 'Killed';
}

function logKill(log: Log, message: JobMessage, error: unknown): void {
  if (!isKilled(error)) return;
  const { reason, peakRssMib } = error.cause;
  log.warn('a sandboxed job was killed', { job: message.name, reason, peakRssMib });
}
