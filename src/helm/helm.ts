/**
 * Runs `helm template` as a process of the agent: with the files of a chart in a fresh folder, an empty home, no
 * environment, no network where the kernel can close it, and bounds on time, memory and output.
 *
 * Invariants: helm reads nothing but the files that it is given. A mistake in the chart or the values is an answer;
 * only a failure of the run itself (no helm, too slow, too large) is a StageError. The output is untrusted text.
 */
import { join } from 'node:path';
import { inTurns } from '../cluster/concurrency.ts';
import type { CodeOf } from '../object/error-code.ts';
import { StageError } from '../object/stage-error.ts';
import {
  createBoundedProgram,
  type BoundedProgram,
  type Ended,
  type ProgramFailure,
  type ProgramOptions,
} from '../process/bounded-program.ts';
import type { ChartFile } from '../render/helm/chart-files.ts';
import type { Answer, Capabilities, HelmRun } from '../render/needs.ts';
import { helmCommand } from './arguments.ts';
import { explainFailure, malformedOutputOf, type HelmRefusal } from './explain-failure.ts';
import { mayVary } from './may-vary.ts';
import { removeLeftovers, withRunFolder, type RunFolder } from './run-folder.ts';
import { findTemplateLine } from './template-line.ts';

/** A run beyond `maxWaiting` is refused with HelmBusy. */
export interface HelmOptions extends ProgramOptions {
  /** The folder for the folders of the runs; nothing else may use it. */
  readonly folder: string;
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

interface FoundHelm {
  readonly program: string;
  /** `v4.3.1`. */
  readonly version: string;
}

type HelmProgram = BoundedProgram<FoundHelm>;

export function createHelm(options: HelmOptions): Helm {
  const helm: HelmProgram = createBoundedProgram(options, {
    check: (program, signal) => checkVersion({ program, signal }, helm, options),
    explain: (failed) => explain(failed, options),
  });
  return {
    template: (call) =>
      helm.inTurn(call, ({ program }, signal) => renderChart({ ...call, program, signal }, helm, options)),
    version: async () => (await helm.find()).version,
    close: () => helm.close(),
  };
}

async function renderChart(call: HelmCall & { readonly program: string }, helm: HelmProgram, options: HelmOptions) {
  const { program, signal } = call;
  const { args, input, valueFiles } = helmCommand(call.run, call.capabilities);
  const files = [...call.files, ...valueFiles.map(({ path, text }) => ({ path, bytes: Buffer.from(text) }))];
  return withRunFolder({ parent: options.folder, files, hooks: helm.hooks }, async (folder) => {
    const start = (more: readonly string[]): Promise<Ended> =>
      runHelm({ program, args: [...more, ...args], input, folder, signal }, helm, options);
    const { exitCode, stdout, stderr } = await start([]);
    if (exitCode === 0) {
      const text = stdout.toString('utf8');
      if (!(await inTurns(mayVary(files, textsOf(call.run, input))))) return { type: 'text', text } as const;
      const again = await start([]);
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

/** Rejects with StageError HelmVersionUnsupported. Removes the folders of an earlier process first. */
async function checkVersion(
  { program, signal }: { readonly program: string; readonly signal: AbortSignal },
  helm: HelmProgram,
  options: HelmOptions,
): Promise<FoundHelm> {
  await removeLeftovers(options.folder);
  const { exitCode, stdout } = await withRunFolder({ parent: options.folder, files: [], hooks: helm.hooks }, (folder) =>
    runHelm({ program, args: ['version', '--short'], input: '', folder, signal }, helm, options),
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
  readonly program: string;
  readonly args: readonly string[];
  readonly input: string;
  readonly folder: RunFolder;
  readonly signal: AbortSignal;
}

/** helm tries to stay below this share of its bound on memory. */
const SOFT_MEMORY_SHARE = 0.5;

function runHelm(
  { folder, ...run }: HelmProcess,
  helm: HelmProgram,
  { limits }: Pick<HelmOptions, 'limits'>,
): Promise<Ended> {
  return helm.start({
    ...run,
    readable: [folder.path],
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
  });
}

const MIB = 2 ** 20;

function explain(failed: ProgramFailure, { program, limits }: HelmOptions): StageError {
  const { deadlineMs, maxRssBytes, maxOutputBytes } = limits;
  switch (failed.reason) {
    case 'missing':
      return failure(
        'HelmMissing',
        `There is no program ${program}, which charts are rendered with. ` +
          `Install helm ${SUPPORTED_MAJOR}, or name it with --helm.`,
      );
    case 'unstartable':
      return failure('HelmMissing', `The program ${failed.program} cannot be started (${failed.code}).`);
    case 'busy':
      return failure('HelmBusy', 'Too many charts wait for helm.');
    case 'killed':
      return failure('HelmMemory', 'helm was killed from outside, as if memory ran out.');
    case 'cancelled':
      return failure('Cancelled', 'The render of the chart was cancelled.');
    case 'time':
      return failure(
        'HelmTimeout',
        `helm was stopped after ${deadlineMs / 1000} s (--helm-timeout). ` +
          'Check the chart for a template that does not end.',
      );
    case 'memory':
      return failure(
        'HelmMemory',
        `helm was stopped, because it needed more than ${Math.round(maxRssBytes / MIB)} MiB (--helm-memory-mib).`,
      );
    case 'output':
      return failure(
        'HelmOutputTooLarge',
        `helm was stopped, because the chart prints more than ${Math.round(maxOutputBytes / MIB)} MiB ` +
          '(--max-helm-output-mib).',
      );
  }
}

function failure(code: CodeOf<'helm' | 'sandbox'>, message: string): StageError {
  return new StageError({ stage: 'render', code, retry: 'backoff', message });
}
