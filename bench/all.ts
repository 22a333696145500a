/**
 * `npm run bench -- all [--against FILE]`: runs the benchmarks one after the other, each in a process of its own, and
 * shows their figures in one table. With a file of an earlier `--json` run it shows the ratios to that run.
 */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { BenchOptions } from './bench-options.ts';
import { figuresOf, parseFigures, tableOf, type Figures } from './figure-table.ts';

const RUN = fileURLToPath(new URL('run.ts', import.meta.url));

export interface AllOptions extends Pick<BenchOptions, 'say'> {
  readonly names: readonly string[];
  /** File with the figures of an earlier run. */
  readonly against: string | undefined;
}

export interface AllFigures {
  readonly figures: Figures;
  readonly table: string;
  /** Names of the benchmarks that failed. */
  readonly failed: readonly string[];
}

/** Throws if the file of the earlier run cannot be read, before any benchmark begins. */
export async function runAll({ names, against, say }: AllOptions): Promise<AllFigures> {
  const earlier = against === undefined ? undefined : parseFigures(await readFile(against, 'utf8'));
  const figures: Record<string, number> = {};
  const failed: string[] = [];
  for (const name of names) {
    say(name);
    try {
      const { stdout } = await promisify(execFile)(process.execPath, [RUN, name, '--json']);
      Object.assign(figures, figuresOf(name, JSON.parse(stdout)));
    } catch (error) {
      say(`${name} failed: ${error instanceof Error ? error.message : String(error)}`);
      failed.push(name);
    }
  }
  return { figures, table: tableOf(figures, earlier), failed };
}
