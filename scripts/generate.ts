/**
 * `npm run generate`: writes the files that are generated from the schema of the Application, from the settings, from
 * the values of the chart, from the rules of health, and from the operations of the API. With `--check` it writes
 * nothing, and fails if a committed file differs from the generated one.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { printCrd } from '../src/application/crd.ts';
import { printEditorSchema } from '../src/application/editor-schema.ts';
import { printFieldReference } from '../src/application/reference.ts';
import { printOpenApi } from '../src/server/api/openapi.ts';
import { printChartReadme } from './chart-readme.ts';
import { printChartSchema } from './chart-schema.ts';
import { printHealthPage } from './health-page.ts';

const ROOT = join(import.meta.dirname, '..');

const GENERATED: Readonly<Record<string, () => string>> = {
  'charts/tautline/files/applications.tautline.dev.yaml': printCrd,
  'charts/tautline/values.schema.json': printChartSchema,
  'charts/tautline/README.md': printChartReadme,
  'docs/spec/application-fields.md': printFieldReference,
  'docs/spec/application.schema.json': printEditorSchema,
  'docs/spec/health.md': printHealthPage,
  'src/server/api/openapi.json': printOpenApi,
};

const isCheck = process.argv.includes('--check');
for (const [path, print] of Object.entries(GENERATED)) {
  const file = join(ROOT, path);
  const wanted = print();
  const found = await readFile(file, 'utf8').catch(() => undefined);
  if (found === wanted) continue;
  if (isCheck) {
    console.error(`${path} differs from its source. Run: npm run generate`);
    process.exitCode = 1;
  } else {
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, wanted);
    console.log(`wrote ${path}`);
  }
}
