/**
 * One child process of the sandbox and the job that it runs. The child has no environment, no credentials and a bounded
 * heap, and may read only its own code and one folder with data. The parent watches its memory and its time, and kills
 * it beyond a limit.
 *
 * Invariant: every job ends exactly once: with bytes, with the StageError of the job, with StageError `Killed`, or with
 * the code that was given to `end`.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { setPriority } from 'node:os';
import { join, resolve } from 'node:path';
import { StageError } from '../object/stage-error.ts';
import { confine, type Confinement } from './confinement.ts';
import { memoryOf, processorMsOf } from './process-figures.ts';
import type { JobMessage, JobReply, ReadyMessage } from './protocol.ts';
import { refusal, type RefusalCode } from './refusal.ts';

export interface SlotOptions {
  /** The module that the child runs. */
  readonly entryFile: string;
  /** Bound on the JavaScript heap of the child. */
  readonly maxHeapMib: number;
  /** Bound on the resident memory of the child, buffers included. */
  readonly maxRssMib: number;
  /** Bound on the processor time of a job, beside its deadline. On a busy machine a job may wait for long. */
  readonly maxProcessorMs?: number | undefined;
  /** The nice value of the child; 0 is that of the agent. */
  readonly niceness?: number | undefined;
  /** A child is replaced after so many jobs. */
  readonly maxJobsPerChild: number;
  /** An idle child is ended after this time; 0: never. */
  readonly idleEndMs: number;
  readonly readableDirs: readonly string[];
  readonly writableDirs: readonly string[];
  /** The program that confines children by means of the kernel; undefined: Node's permission model alone does it. */
  readonly confinement?: Confinement | undefined;
}

/** The place that a child serves. The child is replaced before a job of another place. */
export interface Place {
  /** Names tenant and folders. */
  readonly affinity: string;
  /** The folders with data that the child may read. */
  readonly dataFolders: readonly string[];
}

/** The cause of a StageError `Killed`. */
export interface KillCause {
  readonly reason: 'memory' | 'time' | 'crash';
  readonly peakRssMib: number | undefined;
}

export interface Slot {
  /** Runs one job; the caller must await it before the next one. Rejects with StageError. */
  run(job: JobMessage, place: Place): Promise<Uint8Array>;
  /** Ends the child; a running job is rejected with this code. */
  end(code: RefusalCode): void;
}

const RSS_POLL_MS = 50;
const MAX_STDERR_CHARS = 4096;
/**
 * A child whose idle memory exceeds this share of its bound is replaced, so that the next job is not killed for the
 * memory of an earlier one.
 */
const IDLE_RSS_SHARE = 0.5;

/** A child process, the end of its error output, and the number of jobs that it has been given. */
interface Child {
  readonly process: ChildProcess;
  readonly affinity: string;
  /** Resolves when the child has loaded its code; never if it cannot. */
  readonly ready: Promise<void>;
  stderrTail: string;
  jobCount: number;
}

interface RunningJob {
  readonly job: JobMessage;
  readonly resolve: (bytes: Uint8Array) => void;
  readonly reject: (error: StageError) => void;
  readonly timers: NodeJS.Timeout[];
  isEnded: boolean;
  /** Set when the parent kills the child because of this job. */
  killReason?: KillCause['reason'];
  peakRssMib: number | undefined;
}

export function createSlot(options: SlotOptions): Slot {
  let child: Child | undefined;
  let running: RunningJob | undefined;
  let idleTimer: NodeJS.Timeout | undefined;

  function endChild(): void {
    clearTimeout(idleTimer);
    const ended = child;
    child = undefined;
    ended?.process.kill('SIGKILL');
  }

  /** Removes the running job from the slot, so that it is settled only once. */
  function takeRunning(): RunningJob | undefined {
    const taken = running;
    running = undefined;
    if (taken) taken.isEnded = true;
    taken?.timers.forEach(clearTimeout);
    return taken;
  }

  function onReply(reply: JobReply): void {
    if (reply.id !== running?.job.id) return;
    const done = takeRunning();
    if (child) keepOrEndChild(child);
    if ('bytes' in reply) done?.resolve(reply.bytes);
    else done?.reject(new StageError(reply.error));
  }

  function keepOrEndChild({ process, jobCount }: Child): void {
    const rssMib = memoryOf(process.pid)?.rssMib ?? 0;
    if (jobCount >= options.maxJobsPerChild || rssMib > options.maxRssMib * IDLE_RSS_SHARE) return endChild();
    setReferenced(process, false);
    if (options.idleEndMs > 0) idleTimer = setTimeout(endChild, options.idleEndMs).unref();
  }

  function onExit(exited: Child): void {
    if (child !== exited) return;
    child = undefined;
    const done = takeRunning();
    done?.reject(killedError(done, exited.stderrTail, options));
  }

  return {
    run(job, place) {
      clearTimeout(idleTimer);
      return new Promise((resolve, reject) => {
        if (child && child.affinity !== place.affinity) endChild();
        running = { job, resolve, reject, timers: [], isEnded: false, peakRssMib: undefined };
        child ??= startChild({ options, place, onReply, onExit });
        child.jobCount += 1;
        const { process, ready } = child;
        setReferenced(process, true);
        watchJob(running, { process, ready }, options);
        process.send(job, (error) => {
          if (error) process.kill('SIGKILL');
        });
      });
    },
    end(code) {
      const stopped = takeRunning();
      stopped?.reject(refusal(stopped.job, code));
      endChild();
    },
  };
}

interface ChildStart {
  readonly options: SlotOptions;
  readonly place: Place;
  readonly onReply: (reply: JobReply) => void;
  readonly onExit: (exited: Child) => void;
}

function startChild({ options, place, onReply, onExit }: ChildStart): Child {
  const readableDirs = [...options.readableDirs, ...place.dataFolders];
  const nodeFlags = permissionFlags({ ...options, readableDirs });
  const process = fork(options.entryFile, [], {
    serialization: 'advanced',
    ...confine(options.confinement, { nodeFlags, readableDirs }),
    env: {},
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  if (options.niceness && process.pid !== undefined) lowerPriority(process.pid, options.niceness);
  const { promise: ready, resolve: onReady } = Promise.withResolvers<void>();
  const child: Child = { process, affinity: place.affinity, ready, stderrTail: '', jobCount: 0 };
  process.stderr?.on('data', (chunk: Buffer) => {
    child.stderrTail = (child.stderrTail + chunk.toString('utf8')).slice(-MAX_STDERR_CHARS);
  });
  process.on('message', (message) => {
    const reply = message as JobReply | ReadyMessage;
    if ('isReady' in reply) onReady();
    else onReply(reply);
  });
  // `close` comes after the end of stderr, which tells an exhausted heap from a crash.
  process.on('close', () => onExit(child));
  process.on('error', () => onExit(child));
  return child;
}

/** The process may have ended already; its priority is no condition of the job. */
function lowerPriority(pid: number, niceness: number): void {
  try {
    setPriority(pid, niceness);
  } catch {
    return;
  }
}

/** Longest start of a child, in milliseconds. It takes a tenth of a second on a quiet machine. */
const MAX_START_MS = 30_000;

/**
 * Kills the child when the job exceeds its deadline or the memory bound. Ends when the timers are cleared. The start of
 * the child does not count as time of the job.
 */
function watchJob(
  running: RunningJob,
  child: Pick<Child, 'process' | 'ready'>,
  { maxRssMib, maxProcessorMs = Infinity }: SlotOptions,
): void {
  const { pid } = child.process;
  let before: number | undefined;
  const kill = (reason: KillCause['reason']): void => {
    running.killReason ??= reason;
    child.process.kill('SIGKILL');
  };
  const start = setTimeout(() => kill('time'), MAX_START_MS);
  running.timers.push(start);
  void child.ready.then(() => {
    clearTimeout(start);
    before = processorMsOf(pid) ?? performance.now();
    if (!running.isEnded) running.timers.push(setTimeout(() => kill('time'), running.job.deadlineMs));
  });
  const poll = setInterval(() => {
    const usedMs = before === undefined ? 0 : (processorMsOf(pid) ?? performance.now()) - before;
    if (usedMs > maxProcessorMs) kill('time');
    const memory = memoryOf(pid);
    if (!memory) return;
    running.peakRssMib = Math.max(running.peakRssMib ?? 0, memory.peakMib);
    if (memory.rssMib > maxRssMib) kill('memory');
  }, RSS_POLL_MS);
  running.timers.push(poll);
}

function permissionFlags(options: SlotOptions): string[] {
  return [
    `--max-old-space-size=${options.maxHeapMib}`,
    '--disable-proto=delete',
    '--permission',
    ...options.readableDirs.flatMap(withContent).map((path) => `--allow-fs-read=${path}`),
    ...options.writableDirs.flatMap(withContent).map((path) => `--allow-fs-write=${path}`),
  ];
}

/** Node takes a folder that does not exist yet for a file, so its future content is named explicitly. */
function withContent(path: string): string[] {
  return [resolve(path), join(resolve(path), '*')];
}

/** An idle child is unreferenced, so that it does not keep its parent from ending. */
function setReferenced(child: ChildProcess | undefined, isReferenced: boolean): void {
  const stderr = child?.stderr as (NodeJS.ReadableStream & { ref?(): void; unref?(): void }) | null | undefined;
  for (const handle of [child, child?.channel, stderr]) {
    if (isReferenced) handle?.ref?.();
    else handle?.unref?.();
  }
}

const REASON_TEXT: Readonly<Record<KillCause['reason'], (options: SlotOptions, job: JobMessage) => string>> = {
  memory: ({ maxRssMib, maxHeapMib }) =>
    `it needed more memory than allowed (${maxRssMib} MiB, heap ${maxHeapMib} MiB)`,
  time: (_, { deadlineMs }) => `it took longer than allowed (${deadlineMs} ms)`,
  crash: () => 'its process ended unexpectedly',
};

function killedError(ended: RunningJob, stderrTail: string, options: SlotOptions): StageError {
  const { job, killReason, peakRssMib } = ended;
  const reason = killReason ?? (/heap out of memory|allocation failed/i.test(stderrTail) ? 'memory' : 'crash');
  const cause: KillCause = { reason, peakRssMib };
  const peak = peakRssMib === undefined ? '' : ` Its memory reached ${peakRssMib} MiB.`;
  return new StageError({
    stage: job.stage,
    code: 'Killed',
    retry: 'backoff',
    message: `The job ${job.name} was stopped: ${REASON_TEXT[reason](options, job)}.${peak}`,
    cause,
  });
}
