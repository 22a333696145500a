/**
 * The life of a program that the agent runs for tenants: it is found once, its version is checked, its runs take turns
 * and have bounds, and the kernel confines them where it can.
 *
 * Invariants: a program that is missing or unsuitable is looked for again at the next call, since it may be installed
 * later. Every failure passes through `explain`, so that the room that knows the program chooses code and words.
 */
import { dirname } from 'node:path';
import { StageError } from '../object/stage-error.ts';
import { createExitHooks, type ExitHooks } from './exit-hooks.ts';
import { findProgram, SYSTEM_PATHS } from './find-program.ts';
import { runProcess, type Finished, type ProcessCall, type ProcessLimits, type StopReason } from './run-process.ts';
import { createTurnQueue } from './turn-queue.ts';

export interface ProgramOptions {
  /** Path or name of the program. */
  readonly program: string;
  /** The variable PATH, in which a name without a folder is looked up. */
  readonly searchPath: string;
  /** Path of `tautline-landlock`; empty: the kernel does not confine the program. */
  readonly landlockProgram: string;
  readonly limits: ProcessLimits;
  /** Runs at the same time. */
  readonly slots: number;
  /** Runs that may wait; further ones are refused as busy. */
  readonly maxWaiting: number;
}

/** A failure of the run itself, not of its input. */
export type ProgramFailure =
  /** No file with this path or name can be run. */
  | { readonly reason: 'missing' }
  /** `code`: the error of the system, such as EACCES; `program`: the absolute path. */
  | { readonly reason: 'unstartable'; readonly program: string; readonly code: string }
  /** Too many runs wait. */
  | { readonly reason: 'busy' }
  /** A signal from outside ended it, which the kernel sends if memory runs out. */
  | { readonly reason: 'killed' }
  | { readonly reason: StopReason };

/** One run of the program. */
export interface ProgramRun extends Pick<
  ProcessCall,
  'args' | 'folder' | 'environment' | 'input' | 'descriptors' | 'signal'
> {
  /** Absolute path. */
  readonly program: string;
  /** Paths that it may read beside the program and the system's libraries. Absent: the run is not confined. */
  readonly readable?: readonly string[];
}

export interface ProgramRules<Found> {
  /** Checks the program at this absolute path, for example its version. Rejects if it cannot be used. */
  readonly check: (program: string, signal: AbortSignal) => Promise<Found>;
  readonly explain: (failure: ProgramFailure) => StageError;
}

/** The end of a run that no bound and no signal stopped. */
export type Ended = Finished & { readonly exitCode: number };

export interface BoundedProgram<Found> {
  /** Work for which this process must do something if it ends early. */
  readonly hooks: ExitHooks;
  /** The answer of `check`, asked once. Rejects with StageError. */
  find(): Promise<Found>;
  /**
   * Does work that runs the program once it is the turn of the tenant. The signal of the work also aborts at `close`.
   * Rejects with StageError.
   */
  inTurn<T>(
    turn: { readonly tenant: string; readonly signal: AbortSignal },
    work: (found: Found, signal: AbortSignal) => Promise<T>,
  ): Promise<T>;
  /** Runs the program, whatever its exit code is. Rejects with StageError if it cannot be started or is stopped. */
  start(run: ProgramRun): Promise<Ended>;
  /** Kills what runs, and refuses everything that waits or comes later. */
  close(): void;
}

export function createBoundedProgram<Found>(
  options: ProgramOptions,
  { check, explain }: ProgramRules<Found>,
): BoundedProgram<Found> {
  const { limits, landlockProgram, slots, maxWaiting } = options;
  const closing = new AbortController();
  const hooks = createExitHooks();
  const queue = createTurnQueue({ slots, maxWaiting, onFull: () => explain({ reason: 'busy' }) });
  let known: Promise<Found> | undefined;

  async function findAndCheck(): Promise<Found> {
    const program = await findProgram(options);
    if (program === undefined) throw explain({ reason: 'missing' });
    return check(program, closing.signal);
  }

  function find(): Promise<Found> {
    known ??= findAndCheck().catch((error: unknown) => {
      known = undefined;
      throw error;
    });
    return known;
  }

  async function runOnce({ program, args, readable, ...run }: ProgramRun): Promise<Finished> {
    const isConfined = readable !== undefined && landlockProgram !== '';
    const command = isConfined ? landlockProgram : program;
    const confinement = isConfined
      ? [String(process.pid), ...SYSTEM_PATHS, dirname(program), ...readable, '--', program]
      : [];
    try {
      return await runProcess({ ...run, command, args: [...confinement, ...args], limits, hooks });
    } catch (error) {
      const { code = 'unknown error' } = error as NodeJS.ErrnoException;
      throw explain({ reason: 'unstartable', program, code });
    }
  }

  return {
    hooks,
    find,
    async inTurn(turn, work) {
      const signal = AbortSignal.any([turn.signal, closing.signal]);
      try {
        return await queue.run({ tenant: turn.tenant, signal }, async () => work(await find(), signal));
      } catch (error) {
        if (signal.aborted && !(error instanceof StageError)) throw explain({ reason: 'cancelled' });
        throw error;
      }
    },
    async start(run) {
      const finished = await runOnce(run);
      const { stopped, exitCode } = finished;
      if (stopped !== undefined) throw explain({ reason: stopped });
      if (exitCode === null) throw explain({ reason: 'killed' });
      return { ...finished, exitCode };
    },
    close: () => closing.abort(),
  };
}
