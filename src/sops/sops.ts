/**
 * Opens sealed files with the program sops, as a process of the agent: keys by descriptor, the sealed file on the
 * standard input, the opened one on the standard output, no network where the kernel can close it, and bounds on time,
 * memory and output.
 *
 * Invariants: opened bytes are in memory alone. sops gets no keys but those of the call, and no credential of the
 * agent. A file that cannot be opened is an answer; only a failure of the run itself (no sops, too slow, too large)
 * is a StageError. Nothing that sops prints is shown.
 */
import { dirname } from 'node:path';
import type { CodeOf } from '../object/error-code.ts';
import { StageError } from '../object/stage-error.ts';
import { createExitHooks, type ExitHooks } from '../process/exit-hooks.ts';
import { findProgram, SYSTEM_PATHS } from '../process/find-program.ts';
import { runProcess, type Finished, type ProcessLimits, type StopReason } from '../process/run-process.ts';
import { createTurnQueue } from '../process/turn-queue.ts';
import type { Answer, SealedNeed } from '../render/needs.ts';
import type { AgeKeys } from './age-keys.ts';
import { explainExit, refuseRecipients } from './explain-refusal.ts';
import { isInMemory, withDescriptor } from './key-descriptor.ts';

export interface SopsOptions {
  /** Path or name of the program. */
  readonly program: string;
  /** The variable PATH, in which a name without a folder is looked up. */
  readonly searchPath: string;
  /** A folder in memory, for files without a name. */
  readonly keyFolder: string;
  /** Path of `tautline-landlock`; empty: the kernel does not confine sops. */
  readonly landlockProgram: string;
  readonly limits: ProcessLimits;
  /** Runs at the same time. */
  readonly slots: number;
  /** Runs that may wait; further ones are refused with SopsBusy. */
  readonly maxWaiting: number;
}

export interface SopsCall {
  readonly sealed: Pick<SealedNeed, 'format' | 'recipients' | 'content'>;
  readonly keys: SopsKeys;
  /** The namespace of the Application; '' on a person's machine. */
  readonly tenant: string;
  readonly signal: AbortSignal;
}

export type SopsKeys =
  /** `secret`: `namespace/name`, for messages. */
  | ({ readonly type: 'secret'; readonly secret: string } & AgeKeys)
  /** On a person's machine sops looks for keys as it always does, in this environment. */
  | { readonly type: 'own'; readonly environment: Readonly<Record<string, string | undefined>> };

type OpenedAnswer = Extract<Answer, { readonly type: 'opened' | 'refused' }>;

export interface Sops {
  /**
   * Opened bytes or a refusal. Rejects with StageError: SopsMissing, SopsVersionUnsupported, SopsBusy, SopsTimeout, …
   */
  open(call: SopsCall): Promise<OpenedAnswer>;
  /** Kills what runs, and refuses everything that waits or comes later. */
  close(): void;
}

export function createSops(options: SopsOptions): Sops {
  const closing = new AbortController();
  const hooks = createExitHooks();
  const { slots, maxWaiting } = options;
  const queue = createTurnQueue({
    slots,
    maxWaiting,
    onFull: () => failure('SopsBusy', 'Too many sealed files wait for sops.'),
  });
  /** The present program; forgotten when it cannot be used, so that it may be installed later. */
  let known: Promise<string> | undefined;

  function find(): Promise<string> {
    known ??= findSops(options, hooks, closing.signal).catch((error: unknown) => {
      known = undefined;
      throw error;
    });
    return known;
  }

  return {
    async open(call) {
      const { recipients } = call.sealed;
      const refused = call.keys.type === 'secret' ? refuseRecipients(recipients) : undefined;
      if (refused) return refused;
      const signal = AbortSignal.any([call.signal, closing.signal]);
      try {
        return await queue.run({ tenant: call.tenant, signal }, async () => {
          const program = await find();
          return openFile({ ...call, signal }, { ...options, program, hooks });
        });
      } catch (error) {
        if (signal.aborted && !(error instanceof StageError)) throw stopped('cancelled', options.limits);
        throw error;
      }
    },
    close: () => closing.abort(),
  };
}

type RunOptions = SopsOptions & { readonly hooks: ExitHooks };

async function openFile({ sealed, keys, signal }: SopsCall, options: RunOptions): Promise<OpenedAnswer> {
  const { format, recipients, content } = sealed;
  const args = ['decrypt', '--input-type', format, '--output-type', format];
  const input = Buffer.from(content, 'base64');
  const run = { args, input, signal };
  const finished =
    keys.type === 'secret'
      ? await withKeys(keys, options, (descriptor) => runSops({ ...run, descriptor }, options))
      : await runAsPerson({ ...run, environment: keys.environment }, options);
  const { exitCode, stdout } = checkFinished(finished, options.limits);
  if (exitCode === 0) return { type: 'opened', bytes: stdout };
  const named = keys.type === 'secret' ? keys : { secret: undefined, recipients: [] };
  return explainExit(exitCode, recipients, named);
}

async function withKeys<T>(
  { text }: AgeKeys,
  { keyFolder }: SopsOptions,
  use: (descriptor: number) => Promise<T>,
): Promise<T> {
  if (!isInMemory(keyFolder)) {
    throw failure(
      'KeyFolderUnusable',
      `The folder ${keyFolder}, through which sops gets its keys, is not in memory. Name a tmpfs with --key-folder.`,
    );
  }
  try {
    return await withDescriptor({ folder: keyFolder, text }, use);
  } catch (error) {
    if (error instanceof StageError) throw error;
    const { code = 'unknown error' } = error as NodeJS.ErrnoException;
    throw failure('KeyFolderUnusable', `The folder ${keyFolder} (--key-folder) cannot be written (${code}).`);
  }
}

/** `sops decrypt` reads its standard input since 3.9. */
const OLDEST = { major: 3, minor: 9 };

async function findSops(options: SopsOptions, hooks: ExitHooks, signal: AbortSignal): Promise<string> {
  const program = await findProgram(options);
  if (program === undefined) {
    throw failure(
      'SopsMissing',
      `There is no program ${options.program}, which sealed files are opened with. Install sops, or name it with --sops.`,
    );
  }
  const run = { args: ['--version', '--disable-version-check'], input: '', signal };
  const { exitCode, stdout } = checkFinished(await runSops(run, { ...options, program, hooks }), options.limits);
  const [, major = '', minor = ''] = /^sops v?(\d+)\.(\d+)\./.exec(stdout.toString('utf8').slice(0, 100)) ?? [];
  const isSupported = Number(major) === OLDEST.major && Number(minor) >= OLDEST.minor;
  if (exitCode === 0 && isSupported) return program;
  const found = major === '' ? 'is not sops' : `is sops ${major}.${minor}`;
  const wanted = `${OLDEST.major}.${OLDEST.minor}`;
  throw failure(
    'SopsVersionUnsupported',
    `${program} ${found}; sealed files are opened with sops ${wanted} or a later ${OLDEST.major}.x. ` +
      'Install it, or name it with --sops.',
  );
}

interface SopsProcess {
  readonly args: readonly string[];
  readonly input: string | Uint8Array;
  readonly signal: AbortSignal;
  /** With the keys. Absent: the run needs none. */
  readonly descriptor?: number;
}

/** sops tries to stay below this share of its bound on memory. */
const SOFT_MEMORY_SHARE = 0.75;

const KEY_FILE = '/dev/fd/3';

/** No home, no cloud and no way out: a file cannot make sops use another key or ask a server. */
const CLOSED_ENVIRONMENT = {
  HOME: '/nonexistent',
  GNUPGHOME: '/nonexistent',
  SOPS_GPG_EXEC: '/nonexistent/gpg',
  PATH: '',
  SOPS_DISABLE_VERSION_CHECK: '1',
  AWS_EC2_METADATA_DISABLED: 'true',
  HTTP_PROXY: 'http://127.0.0.1:9',
  HTTPS_PROXY: 'http://127.0.0.1:9',
  GOMAXPROCS: '1',
};

async function runSops({ args, input, signal, descriptor }: SopsProcess, options: RunOptions): Promise<Finished> {
  const { program, landlockProgram, limits, hooks } = options;
  const isConfined = landlockProgram !== '';
  const keyFile = descriptor === undefined ? [] : [KEY_FILE];
  const readable = [...SYSTEM_PATHS, dirname(program), ...keyFile];
  return start(options, {
    command: isConfined ? landlockProgram : program,
    args: isConfined ? [...readable, '--', program, ...args] : args,
    folder: '/',
    environment: {
      ...CLOSED_ENVIRONMENT,
      GOMEMLIMIT: String(Math.round(limits.maxRssBytes * SOFT_MEMORY_SHARE)),
      ...(descriptor === undefined ? {} : { SOPS_AGE_KEY_FILE: KEY_FILE }),
    },
    descriptors: descriptor === undefined ? [] : [descriptor],
    input,
    limits,
    hooks,
    signal,
  });
}

type PersonalRun = Omit<SopsProcess, 'descriptor'> & Pick<Extract<SopsKeys, { type: 'own' }>, 'environment'>;

/** As the person would run it: with all keys and all access of that person. */
async function runAsPerson({ args, input, signal, environment }: PersonalRun, options: RunOptions): Promise<Finished> {
  const { program, limits, hooks } = options;
  const given = Object.entries(environment).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]));
  const run = { command: program, args, folder: '/', input, limits, hooks, signal };
  return start(options, {
    ...run,
    environment: { ...(Object.fromEntries(given) as Record<string, string>), SOPS_DISABLE_VERSION_CHECK: '1' },
  });
}

async function start({ program }: SopsOptions, call: Parameters<typeof runProcess>[0]): Promise<Finished> {
  try {
    return await runProcess(call);
  } catch (error) {
    const { code = 'unknown error' } = error as NodeJS.ErrnoException;
    throw failure('SopsMissing', `The program ${program} cannot be started (${code}).`);
  }
}

function checkFinished(finished: Finished, limits: ProcessLimits): Finished & { readonly exitCode: number } {
  const { stopped: reason, exitCode } = finished;
  if (reason !== undefined) throw stopped(reason, limits);
  // Something else has killed it, which the kernel does if memory runs out.
  if (exitCode === null) throw failure('SopsMemory', 'sops was killed from outside, as if memory ran out.');
  return { ...finished, exitCode };
}

const MIB = 2 ** 20;

function stopped(reason: StopReason, limits: ProcessLimits): StageError {
  const { deadlineMs, maxRssBytes, maxOutputBytes } = limits;
  switch (reason) {
    case 'cancelled':
      return failure('Cancelled', 'The opening of a sealed file was cancelled.');
    case 'time':
      return failure('SopsTimeout', `sops was stopped after ${deadlineMs / 1000} s (--sops-timeout).`);
    case 'memory':
      return failure(
        'SopsMemory',
        `sops was stopped, because it needed more than ${Math.round(maxRssBytes / MIB)} MiB (--sops-memory-mib). ` +
          'Split the sealed file.',
      );
    case 'output':
      return failure(
        'SopsOutputTooLarge',
        `sops was stopped, because an opened file has more than ${Math.round(maxOutputBytes / MIB)} MiB (--max-file-mib).`,
      );
  }
}

function failure(code: CodeOf<'sops' | 'sandbox'>, message: string): StageError {
  return new StageError({ stage: 'render', code, retry: 'backoff', message });
}
