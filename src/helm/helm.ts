/**
 * Runs `helm template` as a process of the agent: with the files of a chart in a fresh folder, an empty home, no
 * environment, no network where the kernel can close it, and bounds on time, memory and output.
 *
 * Invariants: helm reads nothing but the files that it is given. A mistake in the chart or the values is an answer;
 * only a failure of the run itself (no helm, too slow, too large) is a StageError. The output is untrusted text.
 */
import { dirname, join } from 'node:path';
import { inTurns } from '../cluster/concurrency.ts';
import type { CodeOf } from '../object/error-code.ts';
import { StageError } from '../object/stage-error.ts';
import { createExitHooks, type ExitHooks } from '../process/exit-hooks.ts';
import { findProgram, SYSTEM_PATHS } from '../process/find-program.ts';
import { runProcess, type Finished, type ProcessLimits, type StopReason } from '../process/run-process.ts';
import { createTurnQueue } from '../process/turn-queue.ts';
import type { ChartFile } from '../render/helm/chart-files.ts';
import type { Answer, Capabilities, HelmRun } from '../render/needs.ts';
import { helmCommand } from './arguments.ts';
import { explainFailure, malformedOutputOf, type HelmRefusal } from './explain-failure.ts';
import { mayVary } from './may-vary.ts';
import { removeLeftovers, withRunFolder, type RunFolder } from './run-folder.ts';
import { findTemplateLine } from './template-line.ts';

export interface HelmOptions {
  /** Path or name of the program. */
  readonly program: string;
  /** The variable PATH, in which a name without a folder is looked up. */
  readonly searchPath: string;
  /** The folder for the folders of the runs; nothing else may use it. */
  readonly folder: string;
  /** Path of `tautline-landlock`; empty: the kernel does not confine helm. */
  readonly landlockProgram: string;
  readonly limits: ProcessLimits;
  /** Runs at the same time. */
  readonly slots: number;
  /** Runs that may wait; further ones are refused with HelmBusy. */
  readonly maxWaiting: number;
}

export interface HelmCall {
  readonly run: HelmRun;
  /** As `collectChartFiles` gives them. */
  readonly files: readonly ChartFile[];
  readonly capabilities: Capabilities;
  /** The namespace of the Application; '' on a person's machine. */
  readonly tenant: string;
  readonly signal: AbortSignal;
}

export interface Helm {
  /** Text or a refusal. Rejects with StageError: HelmMissing, HelmVersionUnsupported, HelmBusy, HelmTimeout, … */
  template(call: HelmCall): Promise<Extract<Answer, { readonly type: 'text' | 'refused' }>>;
  /** `v4.3.1`. Rejects with StageError HelmMissing or HelmVersionUnsupported. */
  version(): Promise<string>;
  /** Kills what runs, and refuses everything that waits or comes later. */
  close(): void;
}

/** The major version whose output Tautline is tested with. */
const SUPPORTED_MAJOR = 4;

export function createHelm(options: HelmOptions): Helm {
  const closing = new AbortController();
  const hooks = createExitHooks();
  const { slots, maxWaiting } = options;
  const queue = createTurnQueue({
    slots,
    maxWaiting,
    onFull: () => failure('HelmBusy', 'Too many charts wait for helm.'),
  });
  /** The answer for the present program; forgotten when it cannot be used, so that it may be installed later. */
  let known: Promise<{ readonly program: string; readonly version: string }> | undefined;

  function find(): Promise<{ readonly program: string; readonly version: string }> {
    known ??= findHelm(options, hooks, closing.signal).catch((error: unknown) => {
      known = undefined;
      throw error;
    });
    return known;
  }

  return {
    async template(call) {
      const signal = AbortSignal.any([call.signal, closing.signal]);
      try {
        return await queue.run({ tenant: call.tenant, signal }, async () => {
          const { program } = await find();
          return renderChart({ ...call, signal }, { ...options, program, hooks });
        });
      } catch (error) {
        if (signal.aborted && !(error instanceof StageError)) throw stopped('cancelled', options.limits);
        throw error;
      }
    },
    version: async () => (await find()).version,
    close: () => closing.abort(),
  };
}

type RunOptions = HelmOptions & { readonly hooks: ExitHooks };

async function renderChart(call: HelmCall, options: RunOptions) {
  const { args, input, valueFiles } = helmCommand(call.run, call.capabilities);
  const files = [...call.files, ...valueFiles.map(({ path, text }) => ({ path, bytes: Buffer.from(text) }))];
  return withRunFolder({ parent: options.folder, files, hooks: options.hooks }, async (folder) => {
    const start = (more: readonly string[]): Promise<Finished> =>
      runHelm({ args: [...more, ...args], input, folder, signal: call.signal }, options);
    const finished = await start([]);
    const { exitCode, stdout, stderr } = checkFinished(finished, options.limits);
    if (exitCode === 0) {
      const text = stdout.toString('utf8');
      if (!(await inTurns(mayVary(files, textsOf(call.run, input))))) return { type: 'text', text } as const;
      const again = checkFinished(await start([]), options.limits);
      return { type: 'text', text, again: again.stdout.toString('utf8') } as const;
    }
    const refusal = explainFailure(stderr, call.run);
    const malformed = malformedOutputOf(stderr);
    if (malformed === undefined) return refusal;
    // With this flag helm prints the output that it cannot read.
    const printed = await start(['--debug']);
    return withTemplateLine(refusal, { files, printed: printed.stdout.toString('utf8'), malformed });
  });
}

/** The texts that helm itself or a template may execute. */
function textsOf({ nameTemplate = '', parameters }: HelmRun, input: string): string[] {
  return [input, nameTemplate, ...parameters.map(({ value }) => value)];
}

interface MalformedOutput {
  readonly files: readonly ChartFile[];
  readonly printed: string;
  readonly malformed: { readonly path: string; readonly line: number };
}

async function withTemplateLine(
  refusal: HelmRefusal,
  { files, printed, malformed }: MalformedOutput,
): Promise<HelmRefusal> {
  const { blamed } = refusal;
  const template = files.find(({ path }) => path === `chart/${blamed?.path ?? ''}`);
  if (blamed === undefined || template === undefined) return refusal;
  const text = Buffer.from(template.bytes).toString('utf8');
  const line = await inTurns(findTemplateLine(text, { ...malformed, text: printed, name: malformed.path }));
  return line === undefined ? refusal : { ...refusal, blamed: { ...blamed, line } };
}

/** The program, and its version if it is supported. */
async function findHelm(
  options: HelmOptions,
  hooks: ExitHooks,
  signal: AbortSignal,
): Promise<{ program: string; version: string }> {
  const program = await findProgram(options);
  if (program === undefined) {
    throw failure(
      'HelmMissing',
      `There is no program ${options.program}, which charts are rendered with. Install helm ${SUPPORTED_MAJOR}, or name it with --helm.`,
    );
  }
  await removeLeftovers(options.folder);
  const run = { parent: options.folder, files: [], hooks };
  const { exitCode, stdout } = await withRunFolder(run, async (folder) =>
    checkFinished(
      await runHelm({ args: ['version', '--short'], input: '', folder, signal }, { ...options, program, hooks }),
      options.limits,
    ),
  );
  const version = stdout.toString('utf8').trim().slice(0, 100);
  const major = /^v?(\d+)\./.exec(version)?.[1];
  if (exitCode !== 0 || Number(major) !== SUPPORTED_MAJOR) {
    const found = major === undefined ? 'is not helm' : `is helm ${version}`;
    throw failure(
      'HelmVersionUnsupported',
      `${program} ${found}; charts are rendered with helm ${SUPPORTED_MAJOR}. Install it, or name it with --helm.`,
    );
  }
  return { program, version: version.replace(/\+.*$/, '') };
}

interface HelmProcess {
  readonly args: readonly string[];
  readonly input: string;
  readonly folder: RunFolder;
  readonly signal: AbortSignal;
}

/** helm tries to stay below this share of its bound on memory. */
const SOFT_MEMORY_SHARE = 0.5;

async function runHelm({ args, input, folder, signal }: HelmProcess, options: RunOptions): Promise<Finished> {
  const { program, landlockProgram, limits, hooks } = options;
  const isConfined = landlockProgram !== '';
  const readable = [...SYSTEM_PATHS, dirname(program), folder.path];
  try {
    return await runProcess({
      command: isConfined ? landlockProgram : program,
      args: isConfined ? [...readable, '--', program, ...args] : args,
      folder: folder.path,
      environment: {
        HOME: folder.home,
        HELM_CACHE_HOME: folder.home,
        HELM_CONFIG_HOME: folder.home,
        HELM_DATA_HOME: folder.home,
        KUBECONFIG: join(folder.home, 'none'),
        PATH: '',
        GOMAXPROCS: '1',
        GOMEMLIMIT: String(Math.round(limits.maxRssBytes * SOFT_MEMORY_SHARE)),
      },
      input,
      limits,
      hooks,
      signal,
    });
  } catch (error) {
    const { code = 'unknown error' } = error as NodeJS.ErrnoException;
    throw failure('HelmMissing', `The program ${program} cannot be started (${code}).`);
  }
}

function checkFinished(finished: Finished, limits: ProcessLimits): Finished {
  if (finished.stopped !== undefined) throw stopped(finished.stopped, limits);
  // Something else has killed it, which the kernel does if memory runs out.
  if (finished.exitCode === null) throw failure('HelmMemory', 'helm was killed from outside, as if memory ran out.');
  return finished;
}

const MIB = 2 ** 20;

function stopped(reason: StopReason, limits: ProcessLimits): StageError {
  const { deadlineMs, maxRssBytes, maxOutputBytes } = limits;
  switch (reason) {
    case 'cancelled':
      return failure('Cancelled', 'The render of the chart was cancelled.');
    case 'time':
      return failure(
        'HelmTimeout',
        `helm was stopped after ${deadlineMs / 1000} s (--helm-timeout). Check the chart for a template that does not end.`,
      );
    case 'memory':
      return failure(
        'HelmMemory',
        `helm was stopped, because it needed more than ${Math.round(maxRssBytes / MIB)} MiB (--helm-memory-mib).`,
      );
    case 'output':
      return failure(
        'HelmOutputTooLarge',
        `helm was stopped, because the chart prints more than ${Math.round(maxOutputBytes / MIB)} MiB (--max-helm-output-mib).`,
      );
  }
}

function failure(code: CodeOf<'helm' | 'sandbox'>, message: string): StageError {
  return new StageError({ stage: 'render', code, retry: 'backoff', message });
}
