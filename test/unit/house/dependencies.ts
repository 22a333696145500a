/** Reads the tables of docs/dependencies.md, the one place that says which files may import a package. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './source-files.ts';

export interface DependencyRow {
  readonly name: string;
  readonly job: string;
  /** Prefixes of paths below src/; none for packages that src/ does not import. */
  readonly importers: readonly string[];
}

/** Rows are `| `name` | job | `module/` `file.ts` |`. */
export function readDependencies(): DependencyRow[] {
  const text = readFileSync(join(ROOT, 'docs/dependencies.md'), 'utf8');
  return [...text.matchAll(/^\| `([^`]+)` \| ([^|]+) \| ([^|]+) \|$/gm)].map(
    ([, name = '', job = '', importers = '']) => ({
      name,
      job: job.trim(),
      importers: [...importers.matchAll(/`([^`]+)`/g)].map(([, prefix = '']) => prefix),
    }),
  );
}
