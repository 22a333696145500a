/** A helm that notes each of its runs, so that tests and benchmarks can count them. */
import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { helmBinary } from '../control-plane/binaries.ts';

export interface CountedHelm {
  /** Path of the program. */
  readonly program: string;
  /** The real program behind it. */
  readonly helm: string;
  /** Calls of `helm template` so far. */
  runs(): Promise<number>;
}

/** Writes the program and its notes to an existing folder. */
export async function countedHelm(folder: string): Promise<CountedHelm> {
  const helm = await helmBinary();
  const [program, notes] = [join(folder, 'helm'), join(folder, 'runs')];
  await writeFile(notes, '');
  await writeFile(program, `#!/bin/sh\n[ "$1" = template ] && echo run >> '${notes}'\nexec '${helm}' "$@"\n`);
  await chmod(program, 0o755);
  return {
    program,
    helm,
    runs: async () => (await readFile(notes, 'utf8')).split('\n').length - 1,
  };
}
