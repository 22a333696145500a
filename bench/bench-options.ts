/** The options of every benchmark. */

export interface BenchOptions {
  /** Prints a line of progress; prints nothing with --json. */
  readonly say: (line: string) => void;
  /** Folder with the cases of `render`, each with a folder `input`; undefined: test/golden/render. */
  readonly casesDir: string | undefined;
  /** Number of runs of `faults`, and of polls in a row of `source`; undefined: their defaults. */
  readonly runs?: number | undefined;
  /** Seed of the runs of `faults`; undefined: its default. */
  readonly seed?: number | undefined;
}
