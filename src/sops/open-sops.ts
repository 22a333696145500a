/** Opens sops for the agent and the command line, with the bounds of their settings. */
import { createSops, type Sops } from './sops.ts';

/** The settings of the agent that concern sops: sizes in MiB, durations in milliseconds. */
export interface SopsSettings {
  readonly sopsProgram: string;
  readonly sopsTimeoutMs: number;
  readonly sopsMemoryMib: number;
  readonly sopsSlots: number;
  /** Size of one file, sealed or opened. */
  readonly maxFileMib: number;
  readonly keyFolder: string;
  /** Path of `tautline-landlock`; empty: the kernel does not confine sops. */
  readonly landlockProgram: string;
}

const MIB = 2 ** 20;

/** `searchPath`: the variable PATH. */
export function openSops(
  settings: SopsSettings,
  { searchPath, maxWaiting }: { readonly searchPath: string; readonly maxWaiting: number },
): Sops {
  return createSops({
    program: settings.sopsProgram,
    searchPath,
    keyFolder: settings.keyFolder,
    landlockProgram: settings.landlockProgram,
    limits: {
      deadlineMs: settings.sopsTimeoutMs,
      maxRssBytes: settings.sopsMemoryMib * MIB,
      maxOutputBytes: settings.maxFileMib * MIB,
    },
    slots: settings.sopsSlots,
    maxWaiting,
  });
}
