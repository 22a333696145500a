/**
 * `npm run generate`: writes the files that are made from others: from the Application's schema, from the settings, and
 * from the chart's values. With `--check` it writes nothing and fails where a committed file is not what would be made.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { printCrd } from '../src/application/crd.ts';
import { printFieldReference } from '../src/application/reference.ts';
import { printChartReadme } from './chart-readme.ts';
import { printChartSchema } from './chart-schema.ts';

const ROOT = join(import.meta.dirname, '..');

const GENERATED: Readonly<Record<string, () => string>> = {
  'charts/tautline/files/applications.tautline.dev.yaml': printCrd,
  'charts/tautline/values.schema.json': printChartSchema,
  'charts/tautline/README.md': printChartReadme,
  'docs/spec/application-fields.md': printFieldReference,
};

const isCheck = process.argv.includes('--check');
for (const [path, print] of Object.entries(GENERATED)) {
  const file = join(ROOT, path);
  const wanted = print();
  const found = await readFile(file, 'utf8').catch(() => undefined);
  if (found === wanted) continue;
  if (isCheck) {
    console.error(`${path} is not what its source says. Run: npm run generate`);
    process.exitCode = 1;
  } else {
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, wanted);
    console.log(`wrote ${path}`);
  }
}
