/**
 * Runs one program within bounds on time, memory and output.
 *
 * Invariants: the program has a process group of its own, and the group is killed when a bound is exceeded, when the
 * caller cancels, and when this process ends. The promise settles after the program is gone.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { ExitHooks } from './exit-hooks.ts';

export interface ProcessLimits {
  readonly deadlineMs: number;
  /** Resident memory. */
  readonly maxRssBytes: number;
  /** Size of the standard output. */
  readonly maxOutputBytes: number;
}

export interface ProcessCall {
  /** An absolute path. */
  readonly command: string;
  readonly args: readonly string[];
  readonly folder: string;
  /** The whole environment. */
  readonly environment: Readonly<Record<string, string>>;
  /** The standard input. */
  readonly input: string | Uint8Array;
  /** Open descriptors that the program gets as its own, from 3 on. Absent: none. */
  readonly descriptors?: readonly number[];
  readonly limits: ProcessLimits;
  readonly signal: AbortSignal;
  readonly hooks: ExitHooks;
}

/** The bound at which the program was killed, or `cancelled`. */
export type StopReason = 'time' | 'memory' | 'output' | 'cancelled';

export interface Finished {
  /** null if a signal ended the program. */
  readonly exitCode: number | null;
  readonly stdout: Buffer;
  /** The end of the error output. */
  readonly stderr: string;
  readonly stopped: StopReason | undefined;
  readonly peakRssBytes: number;
}

const RSS_POLL_MS = 20;
const MAX_STDERR_CHARS = 65_536;
const PAGE_BYTES = 4096;

/** Rejects with the error of the system if the program cannot be started. */
export function runProcess(call: ProcessCall): Promise<Finished> {
  const { limits, signal } = call;
  const child: ChildProcess = spawn(call.command, call.args, {
    cwd: call.folder,
    env: { ...call.environment },
    stdio: ['pipe', 'pipe', 'pipe', ...(call.descriptors ?? [])],
    detached: true,
  });
  const output: Buffer[] = [];
  let outputBytes = 0;
  let stderr = '';
  let stopped: StopReason | undefined;
  let peakRssBytes = 0;
  const stop = (reason: StopReason): void => {
    stopped ??= reason;
    killGroup(child);
  };
  const onAbort = (): void => stop('cancelled');
  const poll = setInterval(() => {
    peakRssBytes = Math.max(peakRssBytes, rssBytes(child.pid));
    if (peakRssBytes > limits.maxRssBytes) stop('memory');
  }, RSS_POLL_MS);
  const deadline = setTimeout(() => stop('time'), limits.deadlineMs);
  const removeHook = call.hooks.add(() => killGroup(child));
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) stop('cancelled');
  // Without a free descriptor there are no streams either, and the child reports the error.
  child.stdout?.on('data', (chunk: Buffer) => {
    outputBytes += chunk.length;
    if (outputBytes > limits.maxOutputBytes) return stop('output');
    output.push(chunk);
  });
  child.stderr?.on('data', (chunk: Buffer) => {
    stderr = (stderr + chunk.toString('utf8')).slice(-MAX_STDERR_CHARS);
  });
  // A program that ends before it has read its input closes the pipe; its exit code tells why.
  child.stdin?.on('error', () => undefined);
  child.stdin?.end(call.input);
  return new Promise<Finished>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (exitCode) => {
      const stdout = stopped === undefined ? Buffer.concat(output) : Buffer.alloc(0);
      resolve({ exitCode, stdout, stderr, stopped, peakRssBytes });
    });
  }).finally(() => {
    clearInterval(poll);
    clearTimeout(deadline);
    removeHook();
    signal.removeEventListener('abort', onAbort);
  });
}

/** The group has the id of the program. Once the program is gone, another process may get this id. */
function killGroup({ pid, exitCode, signalCode }: ChildProcess): void {
  if (pid === undefined || exitCode !== null || signalCode !== null) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // The group is gone already.
  }
}

/** 0 if there is no /proc, or the process is gone. */
function rssBytes(pid: number | undefined): number {
  if (pid === undefined) return 0;
  try {
    return Number(readFileSync(`/proc/${pid}/statm`, 'latin1').split(' ')[1]) * PAGE_BYTES;
  } catch {
    return 0;
  }
}
