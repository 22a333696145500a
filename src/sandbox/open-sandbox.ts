/**
 * Opens the sandbox for the agent and the command line. Its child processes run `child.ts`; they may read their own
 * code and the data folder, and may write no files.
 */
import { fileURLToPath } from 'node:url';
import type { Log } from '../telemetry/ports.ts';
import { codeDirs, createSandbox, type Sandbox } from './sandbox.ts';

/** The settings of config.ts that concern the sandbox: sizes in MiB, durations in milliseconds. */
export interface SandboxSettings {
  /** The folder with the fetched repositories. */
  readonly dataDir: string;
  readonly sandboxSlots: number;
  readonly sandboxHeapMib: number;
  readonly sandboxRssMib: number;
  readonly sandboxIdleMs: number;
  readonly renderTimeoutMs: number;
}

/** A child is replaced after so many jobs, so that a memory leak cannot grow without bound. */
const MAX_JOBS_PER_CHILD = 200;

export function openSandbox(settings: SandboxSettings, maxQueuedJobs: number, log: Log): Sandbox {
  const file = import.meta.url.endsWith('.ts') ? '../child.ts' : '../child.js';
  const entryFile = fileURLToPath(new URL(file, import.meta.url));
  return createSandbox({
    entryFile,
    slots: settings.sandboxSlots,
    maxHeapMib: settings.sandboxHeapMib,
    maxRssMib: settings.sandboxRssMib,
    jobDeadlineMs: settings.renderTimeoutMs,
    maxJobsPerChild: MAX_JOBS_PER_CHILD,
    maxQueuedJobs,
    idleEndMs: settings.sandboxIdleMs,
    readableDirs: [...codeDirs(entryFile), settings.dataDir],
    writableDirs: [],
    log,
  });
}
