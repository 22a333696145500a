/**
 * Opens sealed files with the program sops, as a process of the agent: keys by descriptor, the sealed file on the
 * standard input, the opened one on the standard output, no network where the kernel can close it, and bounds on time,
 * memory and output.
 *
 * Invariants: opened bytes are in memory alone. sops gets no keys but those of the call, and no credential of the
 * agent. A file that cannot be opened is an answer; only a failure of the run itself (no sops, too slow, too large)
 * is a StageError. Nothing that sops prints is shown.
 */
import type { CodeOf } from '../object/error-code.ts';
import { StageError } from '../object/stage-error.ts';
import {
  createBoundedProgram,
  type BoundedProgram,
  type Ended,
  type ProgramFailure,
  type ProgramOptions,
} from '../process/bounded-program.ts';
import type { Answer, SealedNeed } from '../render/needs.ts';
import type { AgeKeys } from './age-keys.ts';
import { explainExit, refuseRecipients } from './explain-refusal.ts';
import { isInMemory, withDescriptor } from './key-descriptor.ts';

/** A run beyond `maxWaiting` is refused with SopsBusy. */
export interface SopsOptions extends ProgramOptions {
  /** A folder in memory, for files without a name. */
  readonly keyFolder: string;
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

/** Its absolute path is all that is known of the program. */
type SopsProgram = BoundedProgram<string>;

export function createSops(options: SopsOptions): Sops {
  const sops: SopsProgram = createBoundedProgram(options, {
    check: (program, signal) => checkVersion({ program, signal }, sops, options),
    explain: (failed) => explain(failed, options),
  });
  return {
    async open(call) {
      const { recipients } = call.sealed;
      const refused = call.keys.type === 'secret' ? refuseRecipients(recipients) : undefined;
      if (refused) return refused;
      return sops.inTurn(call, (program, signal) => openFile({ ...call, program, signal }, sops, options));
    },
    close: () => sops.close(),
  };
}

async function openFile(
  { sealed, keys, program, signal }: SopsCall & { readonly program: string },
  sops: SopsProgram,
  options: SopsOptions,
): Promise<OpenedAnswer> {
  const { format, recipients, content } = sealed;
  const args = ['decrypt', '--input-type', format, '--output-type', format];
  const run = { program, args, input: Buffer.from(content, 'base64'), signal };
  const { exitCode, stdout } =
    keys.type === 'secret'
      ? await withKeys(keys, options, (descriptor) => runSops({ ...run, descriptor }, sops, options))
      : await runAsPerson({ ...run, environment: keys.environment }, sops);
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

/** The path of the program. Rejects with StageError SopsVersionUnsupported. */
async function checkVersion(
  { program, signal }: { readonly program: string; readonly signal: AbortSignal },
  sops: SopsProgram,
  options: SopsOptions,
): Promise<string> {
  const run = { program, args: ['--version', '--disable-version-check'], input: '', signal };
  const { exitCode, stdout } = await runSops(run, sops, options);
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
  readonly program: string;
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

function runSops(
  { descriptor, ...run }: SopsProcess,
  sops: SopsProgram,
  { limits }: Pick<SopsOptions, 'limits'>,
): Promise<Ended> {
  return sops.start({
    ...run,
    readable: descriptor === undefined ? [] : [KEY_FILE],
    folder: '/',
    environment: {
      ...CLOSED_ENVIRONMENT,
      GOMEMLIMIT: String(Math.round(limits.maxRssBytes * SOFT_MEMORY_SHARE)),
      ...(descriptor === undefined ? {} : { SOPS_AGE_KEY_FILE: KEY_FILE }),
    },
    descriptors: descriptor === undefined ? [] : [descriptor],
  });
}

type PersonalRun = Omit<SopsProcess, 'descriptor'> & Pick<Extract<SopsKeys, { type: 'own' }>, 'environment'>;

/** As the person would run it: with all keys and all access of that person. */
function runAsPerson({ environment, ...run }: PersonalRun, sops: SopsProgram): Promise<Ended> {
  const given = Object.entries(environment).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]));
  return sops.start({
    ...run,
    // Paths in the environment may be relative to the folder that the person is in.
    folder: process.cwd(),
    environment: { ...(Object.fromEntries(given) as Record<string, string>), SOPS_DISABLE_VERSION_CHECK: '1' },
  });
}

const MIB = 2 ** 20;

function explain(failed: ProgramFailure, { program, limits }: SopsOptions): StageError {
  const { deadlineMs, maxRssBytes, maxOutputBytes } = limits;
  switch (failed.reason) {
    case 'missing':
      return failure(
        'SopsMissing',
        `There is no program ${program}, which sealed files are opened with. Install sops, or name it with --sops.`,
      );
    case 'unstartable':
      return failure('SopsMissing', `The program ${failed.program} cannot be started (${failed.code}).`);
    case 'busy':
      return failure('SopsBusy', 'Too many sealed files wait for sops.');
    case 'killed':
      return failure('SopsMemory', 'sops was killed from outside, as if memory ran out.');
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
        `sops was stopped, because an opened file has more than ${Math.round(maxOutputBytes / MIB)} MiB ` +
          '(--max-file-mib).',
      );
  }
}

function failure(code: CodeOf<'sops' | 'sandbox'>, message: string): StageError {
  return new StageError({ stage: 'render', code, retry: 'backoff', message });
}
