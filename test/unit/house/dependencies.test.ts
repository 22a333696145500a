/** docs/dependencies.md describes the imports of src/ as they are; import-law.test.ts checks that they are allowed. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { assertNone } from './assert-none.ts';
import { readDependencies } from './dependencies.ts';
import { listSrc, packageName, readImports, ROOT } from './source-files.ts';

/** Packages whose row names a file that does not exist yet. Delete a package here when its file exists. */
const AWAITED = ['fast-json-patch'];

const rows = readDependencies().filter(({ name }) => !AWAITED.includes(name));
const files = listSrc();

/** Whether a file, or a file of a folder, imports the package. An import of types is enough for `createRequire`. */
function hasImport(importer: string, name: string): boolean {
  return files
    .filter(({ path }) => (importer.endsWith('/') ? path.startsWith(`src/${importer}`) : path === `src/${importer}`))
    .some((file) => readImports(file).some(({ target }) => packageName(target) === name));
}

test('every file and folder that docs/dependencies.md names exists and imports the package', () => {
  const named = rows.flatMap(({ name, importers }) => importers.map((importer) => ({ name, importer })));
  assert.ok(named.length >= 13);
  assertNone(
    named.filter(({ importer }) => !existsSync(join(ROOT, 'src', importer))).map(({ importer }) => `src/${importer}`),
    'named in docs/dependencies.md, but missing:',
  );
  assertNone(
    named
      .filter(({ name, importer }) => !hasImport(importer, name))
      .map(({ name, importer }) => `${importer}: ${name}`),
    'named in docs/dependencies.md, but without an import of the package:',
  );
});
