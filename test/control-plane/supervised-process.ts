/**
 * One running program of the control plane.
 *
 * Invariant: the program ends at the latest when this process ends, for whatever reason. The program (or its guard)
 * ends with its standard input, which is a pipe whose other end only this process holds.
 */
import { spawn } from 'node:child_process';
import type { ChildProcess, SpawnOptions } from 'node:child_process';
import { open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { Socket } from 'node:net';
import type { Executable } from './binaries.ts';

const logLinesShown = 15;

export interface ProgramStart {
  readonly name: string;
  readonly executable: Executable;
  readonly args: readonly string[];
  readonly environment?: NodeJS.ProcessEnv;
  /** Standard output and error are appended to this file. */
  readonly logFile: string;
}

export class SupervisedProcess {
  readonly name: string;
  /** Resolves, never rejects, when the program has ended. */
  readonly ended: Promise<void>;
  #pid: number;
  #child: ChildProcess;
  #logFile: string;
  #isRunning = true;

  private constructor(start: ProgramStart, child: ChildProcess, pid: number) {
    this.name = start.name;
    this.#logFile = start.logFile;
    this.#child = child;
    this.#pid = pid;
    this.ended = new Promise((resolve) => {
      const end = (): void => {
        this.#isRunning = false;
        resolve();
      };
      if (child.exitCode !== null || child.signalCode !== null) end();
      else child.once('exit', end);
    });
  }

  static async start(start: ProgramStart): Promise<SupervisedProcess> {
    const log = await open(start.logFile, 'a');
    try {
      const { command, args, isEndedByStandardInput } = start.executable;
      const options: SpawnOptions = {
        stdio: ['pipe', log.fd, log.fd, ...(isEndedByStandardInput ? [] : ['pipe' as const])],
        env: { ...process.env, ...start.environment },
        // The interrupt of a terminal must reach only the launcher, which then stops the programs in its own order.
        detached: true,
      };
      const child = isEndedByStandardInput
        ? spawn(command, [...args, ...start.args], options)
        : spawn(process.execPath, [join(import.meta.dirname, 'guard.ts'), command, ...args, ...start.args], options);
      await new Promise<void>((resolve, reject) => child.once('spawn', resolve).once('error', reject));
      child.on('error', () => undefined);
      child.stdin?.on('error', () => undefined);
      const pid = isEndedByStandardInput ? child.pid : await guardedPid(child);
      if (pid === undefined) throw new Error(`${start.name} (${command}) did not start; see ${start.logFile}`);
      // A missing stop() must not keep the process of a test alive; the programs end with that process.
      child.unref();
      if (child.stdin instanceof Socket) child.stdin.unref();
      return new SupervisedProcess(start, child, pid);
    } finally {
      await log.close();
    }
  }

  get isRunning(): boolean {
    return this.#isRunning;
  }

  /** Signals the program itself, not its guard. Resolves at once, or for SIGKILL when the program has ended. */
  async kill(signal: NodeJS.Signals): Promise<void> {
    if (!this.#isRunning) return;
    this.#child.ref();
    try {
      process.kill(this.#pid, signal);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
    if (signal === 'SIGKILL') await this.ended;
    else this.#child.unref();
  }

  /** The last lines of the program's log, for error messages. */
  async lastLog(): Promise<string> {
    const text = await readFile(this.#logFile, 'utf8');
    return text.trimEnd().split('\n').slice(-logLinesShown).join('\n');
  }
}

async function guardedPid(child: ChildProcess): Promise<number | undefined> {
  const pipe = child.stdio[3] as Readable | undefined;
  if (!pipe) return undefined;
  let text = '';
  for await (const chunk of pipe) {
    text += String(chunk);
    if (text.includes('\n')) return Number(text);
  }
  return undefined;
}
