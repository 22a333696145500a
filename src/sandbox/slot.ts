/**
 * One child process of the sandbox and the job it is busy with. The child has no environment, no credential, a bounded
 * heap and leave to read a few folders; its parent watches its memory and its time, and kills it when either is up.
 * Every job ends in exactly one of: bytes, the child's StageError, or StageError `Killed`.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { StageError } from '../object/stage-error.ts';
import type { JobMessage, JobReply } from './protocol.ts';
import { refusal, type RefusalCode } from './refusal.ts';

export interface SlotOptions {
  /** The child's module. */
  readonly entryFile: string;
  /** MiB of the child's JavaScript heap. */
  readonly heapMb: number;
  /** MiB of the child's resident memory, buffers included. */
  readonly rssLimitMb: number;
  /** After so many jobs a child is replaced. */
  readonly maxJobsPerChild: number;
  /** How long an idle child stays; 0 for ever. */
  readonly idleEndMs: number;
  readonly readableDirs: readonly string[];
  readonly writableDirs: readonly string[];
}

/** The cause of a StageError `Killed`. */
export interface KillCause {
  readonly reason: 'memory' | 'time' | 'crash';
  readonly peakRssMb: number | undefined;
}

export interface Slot {
  /** One job at a time. Rejects with StageError. */
  run(job: JobMessage): Promise<Uint8Array>;
  /** Ends the child; a job under way is rejected with this code. */
  end(code: RefusalCode): void;
}

const RSS_POLL_MS = 50;
const MAX_STDERR_CHARS = 4096;
/** A child that keeps more of its bound than this when idle is replaced: no job is charged for another's. */
const IDLE_RSS_SHARE = 0.5;

interface Running {
  readonly job: JobMessage;
  readonly resolve: (bytes: Uint8Array) => void;
  readonly reject: (error: StageError) => void;
  readonly timers: NodeJS.Timeout[];
  kill?: KillCause['reason'];
  peakRssMb: number | undefined;
}

export function createSlot(options: SlotOptions): Slot {
  let child: ChildProcess | undefined;
  let running: Running | undefined;
  let jobsOfChild = 0;
  let idleTimer: NodeJS.Timeout | undefined;
  let stderr = '';

  function retire(): void {
    clearTimeout(idleTimer);
    const old = child;
    child = undefined;
    old?.kill('SIGKILL');
  }

  function settle(): Running | undefined {
    const done = running;
    running = undefined;
    done?.timers.forEach(clearTimeout);
    return done;
  }

  function onReply(reply: JobReply): void {
    if (reply.id !== running?.job.id) return;
    const done = settle();
    rest();
    if ('bytes' in reply) done?.resolve(reply.bytes);
    else done?.reject(new StageError(reply.error));
  }

  /** After a job: keeps the child for the next one, or replaces it. */
  function rest(): void {
    const rss = memoryOf(child?.pid)?.rssMb ?? 0;
    if (jobsOfChild >= options.maxJobsPerChild || rss > options.rssLimitMb * IDLE_RSS_SHARE) return retire();
    setReferenced(child, false);
    if (options.idleEndMs > 0) idleTimer = setTimeout(retire, options.idleEndMs).unref();
  }

  function onExit(from: ChildProcess): void {
    if (child !== from) return;
    child = undefined;
    const done = settle();
    done?.reject(killed(done, stderr, options));
  }

  function start(): ChildProcess {
    stderr = '';
    jobsOfChild = 0;
    const started = fork(options.entryFile, [], {
      serialization: 'advanced',
      execArgv: permissionFlags(options),
      env: {},
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    started.stderr?.on('data', (chunk: Buffer) => {
      stderr = (stderr + chunk.toString('utf8')).slice(-MAX_STDERR_CHARS);
    });
    started.on('message', (message) => onReply(message as JobReply));
    // `close` comes after the last of stderr, which tells an exhausted heap from a crash.
    started.on('close', () => onExit(started));
    started.on('error', () => onExit(started));
    return started;
  }

  function watch(current: Running): void {
    const stop = (reason: KillCause['reason']) => {
      current.kill ??= reason;
      child?.kill('SIGKILL');
    };
    current.timers.push(setTimeout(() => stop('time'), current.job.deadlineMs));
    const poll = setInterval(() => {
      const memory = memoryOf(child?.pid);
      if (!memory) return;
      current.peakRssMb = Math.max(current.peakRssMb ?? 0, memory.peakMb);
      if (memory.rssMb > options.rssLimitMb) stop('memory');
    }, RSS_POLL_MS);
    current.timers.push(poll);
  }

  return {
    run(job) {
      clearTimeout(idleTimer);
      return new Promise((succeed, reject) => {
        const current: Running = { job, resolve: succeed, reject, timers: [], peakRssMb: undefined };
        running = current;
        child ??= start();
        jobsOfChild += 1;
        setReferenced(child, true);
        watch(current);
        child.send(job, (error) => {
          if (error) child?.kill('SIGKILL');
        });
      });
    },
    end(code) {
      const done = settle();
      done?.reject(refusal(done.job, code));
      retire();
    },
  };
}

function permissionFlags(options: SlotOptions): string[] {
  return [
    `--max-old-space-size=${options.heapMb}`,
    '--disable-proto=delete',
    '--permission',
    ...options.readableDirs.flatMap(withContent).map((path) => `--allow-fs-read=${path}`),
    ...options.writableDirs.flatMap(withContent).map((path) => `--allow-fs-write=${path}`),
  ];
}

/** A folder that does not exist yet is taken for a file, so what will be in it is named as well. */
function withContent(path: string): string[] {
  return [resolve(path), join(resolve(path), '*')];
}

/** An idle child must not keep its parent from ending. */
function setReferenced(child: ChildProcess | undefined, isReferenced: boolean): void {
  const stderr = child?.stderr as (NodeJS.ReadableStream & { ref?(): void; unref?(): void }) | null | undefined;
  for (const handle of [child, child?.channel, stderr]) {
    if (isReferenced) handle?.ref?.();
    else handle?.unref?.();
  }
}

const REASON_TEXT: Readonly<Record<KillCause['reason'], (options: SlotOptions, job: JobMessage) => string>> = {
  memory: ({ rssLimitMb, heapMb }) => `it needed more memory than allowed (${rssLimitMb} MiB, heap ${heapMb} MiB)`,
  time: (_, { deadlineMs }) => `it took longer than allowed (${deadlineMs} ms)`,
  crash: () => 'its process ended unexpectedly',
};

function killed(done: Running, stderr: string, options: SlotOptions): StageError {
  const reason = done.kill ?? (/heap out of memory|allocation failed/i.test(stderr) ? 'memory' : 'crash');
  const cause: KillCause = { reason, peakRssMb: done.peakRssMb };
  const peak = done.peakRssMb === undefined ? '' : ` Its memory reached ${done.peakRssMb} MiB.`;
  return new StageError({
    stage: done.job.stage,
    code: 'Killed',
    retry: 'backoff',
    message: `The job ${done.job.name} was stopped: ${REASON_TEXT[reason](options, done.job)}.${peak}`,
    cause,
  });
}

/** Undefined where there is no /proc: then only heap and time are bounded. */
function memoryOf(pid: number | undefined): { rssMb: number; peakMb: number } | undefined {
  if (pid === undefined) return undefined;
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'latin1');
    const read = (name: string) =>
      Math.round(Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]) / 1024);
    const [rssMb, peakMb] = [read('VmRSS'), read('VmHWM')];
    return Number.isFinite(rssMb) && Number.isFinite(peakMb) ? { rssMb, peakMb } : undefined;
  } catch {
    return undefined;
  }
}
