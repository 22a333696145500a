/** What every benchmark is handed. */

export interface BenchOptions {
  /** Tells a person what is going on; silent with --json. */
  readonly say: (line: string) => void;
}
