/** `npm run bench -- NAME [--json]`: runs one benchmark; every figure of the README comes from here. */
import type { BenchOptions } from './bench-options.ts';

const BENCHMARKS: Readonly<Record<string, () => Promise<{ run: (options: BenchOptions) => Promise<unknown> }>>> = {
  drift: () => import('./drift.ts'),
  faults: () => import('./faults.ts'),
  scale: () => import('./scale.ts'),
  sync: () => import('./sync.ts'),
  render: () => import('./render.ts'),
};

const [name = '', ...flags] = process.argv.slice(2);
const load = BENCHMARKS[name];
if (!load || flags.some((flag) => flag !== '--json')) {
  console.error(`usage: npm run bench -- ${Object.keys(BENCHMARKS).join('|')} [--json]`);
  process.exit(2);
}
const isJson = flags.includes('--json');
const figures = await (await load()).run({ say: (line) => void (isJson || console.error(line)) });
console.log(JSON.stringify(figures, undefined, isJson ? 0 : 2));
