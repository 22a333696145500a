/**
 * The sandbox as Tautline itself uses it, in the agent and on the command line: its own child, which may read its code
 * and what was fetched, and may write nothing.
 */
import { fileURLToPath } from 'node:url';
import type { Log } from '../telemetry/ports.ts';
import { codeDirs, createSandbox, type Sandbox } from './sandbox.ts';

/** As in config.ts: sizes in MiB, durations in milliseconds. */
export interface SandboxSettings {
  /** Where fetched repositories are. */
  readonly dataDir: string;
  readonly sandboxSlots: number;
  readonly sandboxHeapMib: number;
  readonly sandboxRssMib: number;
  readonly sandboxIdleMs: number;
  readonly renderTimeoutMs: number;
}

/** What leaks in a child is gone with it. */
const MAX_JOBS_PER_CHILD = 200;

export function openSandbox(settings: SandboxSettings, maxQueuedJobs: number, log: Log): Sandbox {
  const file = import.meta.url.endsWith('.ts') ? '../child.ts' : '../child.js';
  const entryFile = fileURLToPath(new URL(file, import.meta.url));
  return createSandbox({
    entryFile,
    slots: settings.sandboxSlots,
    heapMb: settings.sandboxHeapMib,
    rssLimitMb: settings.sandboxRssMib,
    jobDeadlineMs: settings.renderTimeoutMs,
    maxJobsPerChild: MAX_JOBS_PER_CHILD,
    maxQueuedJobs,
    idleEndMs: settings.sandboxIdleMs,
    readableDirs: [...codeDirs(entryFile), settings.dataDir],
    writableDirs: [],
    log,
  });
}
