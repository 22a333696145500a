/** Opens helm for the agent and the command line, with the bounds of their settings. */
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { createHelm, type Helm } from './helm.ts';

/** The settings of the agent that concern helm: sizes in MiB, durations in milliseconds. */
export interface HelmSettings {
  readonly helmProgram: string;
  readonly helmTimeoutMs: number;
  readonly helmMemoryMib: number;
  /** 0: as many as there are processors. */
  readonly helmSlots: number;
  readonly maxHelmOutputMib: number;
  /** Path of `tautline-landlock`; empty: the kernel does not confine helm. */
  readonly landlockProgram: string;
  readonly dataDir: string;
}

const MIB = 2 ** 20;

/** `searchPath`: the variable PATH. The folder `helm` of the data folder belongs to it alone. */
export function openHelm(
  settings: HelmSettings,
  { searchPath, maxWaiting }: { readonly searchPath: string; readonly maxWaiting: number },
): Helm {
  return createHelm({
    program: settings.helmProgram,
    searchPath,
    folder: join(settings.dataDir, 'helm'),
    landlockProgram: settings.landlockProgram,
    limits: {
      deadlineMs: settings.helmTimeoutMs,
      maxRssBytes: settings.helmMemoryMib * MIB,
      maxOutputBytes: settings.maxHelmOutputMib * MIB,
    },
    slots: helmSlotsOf(settings, availableParallelism()),
    maxWaiting,
  });
}

/** More runs would take much memory at once, and the other programs of the agent need processors, too. */
const MAX_SLOTS_BY_DEFAULT = 4;

/** Runs of helm at the same time. `processors`: those that the process may use, by its cgroup as well. */
export function helmSlotsOf({ helmSlots }: Pick<HelmSettings, 'helmSlots'>, processors: number): number {
  return helmSlots === 0 ? Math.min(processors, MAX_SLOTS_BY_DEFAULT) : helmSlots;
}
