/** Finds the programs that the agent runs, and names what they need of the system. */
import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { delimiter, isAbsolute, join, resolve } from 'node:path';

/** Shared libraries, for a program that is linked with those of the system. */
export const SYSTEM_PATHS = ['/lib', '/lib64', '/usr/lib', '/usr/lib64', '/nix/store', '/etc/ld.so.cache', '/dev/null'];

export interface Wanted {
  /** Path or name of the program. */
  readonly program: string;
  /** The variable PATH, in which a name without a folder is looked up. */
  readonly searchPath: string;
}

/** The absolute path of a program that can be run; undefined if there is none. */
export async function findProgram({ program, searchPath }: Wanted): Promise<string | undefined> {
  const candidates = program.includes('/')
    ? [resolve(program)]
    : searchPath
        .split(delimiter)
        .filter((folder) => isAbsolute(folder))
        .map((folder) => join(folder, program));
  for (const candidate of candidates) {
    const canRun = await access(candidate, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (canRun) return candidate;
  }
  return undefined;
}
