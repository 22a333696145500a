/** `npm run bench -- NAME [--json] [FLAGS]`: runs one benchmark, or all. All figures of the pages come from here. */
import { parseArgs } from 'node:util';
import type { BenchOptions } from './bench-options.ts';

const BENCHMARKS: Readonly<Record<string, () => Promise<{ run: (options: BenchOptions) => Promise<unknown> }>>> = {
  api: () => import('./api.ts'),
  charts: () => import('./charts.ts'),
  drift: () => import('./drift.ts'),
  faults: () => import('./faults.ts'),
  scale: () => import('./scale.ts'),
  source: () => import('./source.ts'),
  sync: () => import('./sync.ts'),
  tenants: () => import('./tenants.ts'),
  render: () => import('./render.ts'),
};

const [name = '', ...args] = process.argv.slice(2);
const { isJson, against, ...flags } = readFlags();
const say: BenchOptions['say'] = (line) => void (isJson || console.error(line));
if (name === 'all') await runEach();
else await runOne();

async function runOne(): Promise<void> {
  const load = BENCHMARKS[name];
  if (!load || against !== undefined) return usage();
  const figures = await (await load()).run({ say, ...flags });
  console.log(JSON.stringify(figures, undefined, isJson ? 0 : 2));
}

/** The trials of `faults` have no figures to compare. */
async function runEach(): Promise<void> {
  const { runAll } = await import('./all.ts');
  const names = Object.keys(BENCHMARKS).filter((each) => each !== 'faults');
  const { figures, table, failed } = await runAll({ names, against, say });
  console.log(isJson ? JSON.stringify(figures) : table);
  if (failed.length > 0) process.exitCode = 1;
}

interface Flags extends Omit<BenchOptions, 'say'> {
  readonly isJson: boolean;
  /** File with the figures of an earlier run of all. */
  readonly against: string | undefined;
}

function readFlags(): Flags {
  try {
    const text = { type: 'string' } as const;
    const options = { json: { type: 'boolean' }, cases: text, runs: text, seed: text, against: text } as const;
    const { values } = parseArgs({ args, options });
    const [runs, seed] = [values.runs, values.seed].map(readCount);
    return { isJson: values.json ?? false, against: values.against, casesDir: values.cases, runs, seed };
  } catch {
    return usage();
  }
}

function readCount(value: string | undefined): number | undefined {
  if (value === undefined || /^\d+$/.test(value)) return value === undefined ? undefined : Number(value);
  throw new RangeError(`not a number: ${value}`);
}

function usage(): never {
  const names = Object.keys(BENCHMARKS).join('|');
  const flags = '[--json] [--cases DIR (render)] [--runs N (faults, source)] [--seed N (faults)]';
  console.error(`usage: npm run bench -- ${names} ${flags}`);
  console.error('       npm run bench -- all [--json] [--against FILE]');
  process.exit(2);
}
