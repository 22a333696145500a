/**
 * Opens the sandbox for the agent and the command line. Its child processes run `child.ts`; they may read their own
 * code and the folder of one repository, and may write no files.
 */
import { accessSync, constants } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Clock, Log } from '../telemetry/ports.ts';
import { codeDirs, createSandbox, type Sandbox } from './sandbox.ts';
import { decodeWalls } from './wall-check.ts';

/** The settings of the agent that concern the sandbox: sizes in MiB, durations in milliseconds. */
export interface SandboxSettings {
  readonly sandboxSlots: number;
  readonly sandboxHeapMib: number;
  readonly sandboxRssMib: number;
  readonly sandboxIdleMs: number;
  readonly renderTimeoutMs: number;
  /** Path of `tautline-landlock`; empty: the kernel does not confine children. */
  readonly landlockProgram: string;
}

interface OpenOptions {
  readonly maxQueuedJobs: number;
  readonly log: Log;
  readonly clock: Pick<Clock, 'monotonicMs'>;
}

/** A child is replaced after so many jobs, so that a memory leak cannot grow without bound. */
const MAX_JOBS_PER_CHILD = 200;

/** A job that needs more than this goes to the long lane: most renders take some milliseconds. */
const SHORT_LANE = { maxProcessorMs: 1_000, deadlineMs: 8_000, maxHeapMib: 160, maxRssMib: 256 };

/** Throws the error of the file system if the program that confines children is configured, and cannot be run. */
export function openSandbox(settings: SandboxSettings, { maxQueuedJobs, log, clock }: OpenOptions): Sandbox {
  const entryFile = childFile();
  const { landlockProgram } = settings;
  if (landlockProgram !== '') accessSync(landlockProgram, constants.X_OK);
  return createSandbox({
    entryFile,
    slots: settings.sandboxSlots,
    maxHeapMib: settings.sandboxHeapMib,
    maxRssMib: settings.sandboxRssMib,
    shortLane: {
      maxProcessorMs: SHORT_LANE.maxProcessorMs,
      deadlineMs: SHORT_LANE.deadlineMs,
      maxHeapMib: Math.min(SHORT_LANE.maxHeapMib, settings.sandboxHeapMib),
      maxRssMib: Math.min(SHORT_LANE.maxRssMib, settings.sandboxRssMib),
    },
    jobDeadlineMs: settings.renderTimeoutMs,
    maxJobsPerChild: MAX_JOBS_PER_CHILD,
    maxQueuedJobs,
    idleEndMs: settings.sandboxIdleMs,
    readableDirs: codeDirs(entryFile),
    writableDirs: [],
    confinement: landlockProgram === '' ? undefined : { program: landlockProgram },
    clock,
    log,
  });
}

/**
 * Starts a child and logs which walls are missing, with the remedy. Rejects if a child cannot be started: then nothing
 * could be rendered.
 */
export async function checkSandbox(sandbox: Sandbox, log: Log): Promise<void> {
  const job = {
    name: 'checkWalls',
    stage: 'render',
    input: null,
    tenant: '',
    dataFolders: [dirname(childFile())],
  } as const;
  const walls = decodeWalls(await sandbox.run(job));
  const { isNetworkClosed, areDatagramsClosed, isSignallingClosed } = walls;
  if (isNetworkClosed && areDatagramsClosed && isSignallingClosed) {
    return log.info('child processes are confined by the kernel');
  }
  log.warn('the kernel does not confine child processes completely; see --landlock-program', { ...walls });
}

/** The built program is in one folder. */
function childFile(): string {
  const file = import.meta.url.endsWith('.ts') ? '../child.ts' : './child.js';
  return fileURLToPath(new URL(file, import.meta.url));
}
