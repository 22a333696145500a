/** `npm run bench -- NAME [--json] [--cases DIR]`: runs one benchmark. All figures of the README come from here. */
import { parseArgs } from 'node:util';
import type { BenchOptions } from './bench-options.ts';

const BENCHMARKS: Readonly<Record<string, () => Promise<{ run: (options: BenchOptions) => Promise<unknown> }>>> = {
  drift: () => import('./drift.ts'),
  faults: () => import('./faults.ts'),
  scale: () => import('./scale.ts'),
  sync: () => import('./sync.ts'),
  render: () => import('./render.ts'),
};

const [name = '', ...args] = process.argv.slice(2);
const load = BENCHMARKS[name];
const { isJson, casesDir } = readFlags();
if (!load) usage();
const figures = await (await load()).run({ say: (line) => void (isJson || console.error(line)), casesDir });
console.log(JSON.stringify(figures, undefined, isJson ? 0 : 2));

function readFlags(): { isJson: boolean; casesDir: string | undefined } {
  try {
    const { values } = parseArgs({ args, options: { json: { type: 'boolean' }, cases: { type: 'string' } } });
    return { isJson: values.json ?? false, casesDir: values.cases };
  } catch {
    return usage();
  }
}

function usage(): never {
  console.error(`usage: npm run bench -- ${Object.keys(BENCHMARKS).join('|')} [--json] [--cases DIR (for render)]`);
  process.exit(2);
}
