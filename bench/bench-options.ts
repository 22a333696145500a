/** What every benchmark is handed. */

export interface BenchOptions {
  /** Tells a person what is going on; silent with --json. */
  readonly say: (line: string) => void;
  /** Folder of the cases of `render`, each with a folder `input`; default test/golden/render. */
  readonly casesDir: string | undefined;
}
