/** `npm run bench -- NAME [--json] [FLAGS]`: runs one benchmark. All figures of the README come from here. */
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
const load = BENCHMARKS[name];
const { isJson, ...flags } = readFlags();
if (!load) usage();
const figures = await (await load()).run({ say: (line) => void (isJson || console.error(line)), ...flags });
console.log(JSON.stringify(figures, undefined, isJson ? 0 : 2));

function readFlags(): Omit<BenchOptions, 'say'> & { readonly isJson: boolean } {
  try {
    const text = { type: 'string' } as const;
    const options = { json: { type: 'boolean' }, cases: text, runs: text, seed: text } as const;
    const { values } = parseArgs({ args, options });
    const [runs, seed] = [values.runs, values.seed].map(readCount);
    return { isJson: values.json ?? false, casesDir: values.cases, runs, seed };
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
  process.exit(2);
}
