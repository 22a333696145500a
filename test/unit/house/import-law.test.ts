/** Checks the import law for every file of src/. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { readDependencies } from './dependencies.ts';
import {
  allowedTypes,
  allowedValues,
  BROWSER,
  PURE,
  PURE_BUILTINS,
  roomOf,
  ROOMS,
  ROOTS,
  VOCABULARY,
  type Floors,
} from './import-law.ts';
import { isPackage, listSrc, packageName, readImports, ROOT, type Import, type SourceFile } from './source-files.ts';

const files = listSrc();
const folderOf = (path: string): string => path.split('/')[1] ?? '';
const isRootFile = (path: string): boolean => path.split('/').length === 2;

function assertNone(breaches: readonly string[], law: string): void {
  assert.equal(breaches.length, 0, `${law}\n  ${breaches.join('\n  ')}`);
}

function eachImport(find: (file: SourceFile, found: Import) => string | false): string[] {
  return files.flatMap((file) =>
    readImports(file)
      .map((found) => find(file, found))
      .filter((text) => text !== false),
  );
}

test('modules import only what lies below them, and stages before them by type only', () => {
  const breaches = eachImport(({ path }, { target, isTypeOnly }) => {
    if (!target.startsWith('src/') || isRootFile(path)) return false;
    const [from, to] = [folderOf(path), folderOf(target)];
    if (from === to) return false;
    if (from === BROWSER.folder) {
      const allowed: readonly string[] = isTypeOnly ? [...BROWSER.types, ...BROWSER.values] : BROWSER.values;
      return allowed.includes(target) ? false : `${path} → ${target}`;
    }
    if (VOCABULARY.includes(target)) return false;
    if (isRootFile(target)) return `${path} → ${target}`;
    const values = allowedValues(from);
    if (!values) return `${path}: the folder ${from}/ is in no law; add it to test/unit/house/import-law.ts`;
    if (values.includes(to) || (isTypeOnly && allowedTypes(from).includes(to))) return false;
    return `${path} → ${target}${isTypeOnly ? ' (type)' : ''}`;
  });
  assertNone(breaches, 'imports against the law:');
});

test('every file at the root of src is a composition root', () => {
  assertNone(
    files.map(({ path }) => path).filter((path) => isRootFile(path) && !ROOTS.includes(path)),
    'no module:',
  );
  const imported = eachImport(
    ({ path }, { target }) => ROOTS.includes(target) && !ROOTS.includes(path) && `${path} → ${target}`,
  );
  assertNone(imported, 'a composition root is imported:');
});

/** Breaches of the law of rooms in one module, each as a line for people. */
function roomBreaches(sources: readonly SourceFile[], folder: string, floors: Floors): string[] {
  const own = sources.filter(({ path }) => path.startsWith(`${folder}/`));
  const names = new Set(own.map(({ path }) => roomOf(path, folder, floors)?.name));
  const empty = floors.flat().filter((name) => !names.has(name));
  const homeless = own.filter(({ path }) => !roomOf(path, folder, floors));
  const upward = own.flatMap((file) => {
    const from = roomOf(file.path, folder, floors);
    return readImports(file).flatMap(({ target }) => {
      const to = roomOf(target, folder, floors);
      if (!from || !to || from.name === to.name || to.floor < from.floor) return [];
      return [`${file.path} → ${target}`];
    });
  });
  return [
    ...homeless.map(({ path }) => `${path}: is in no room of ${folder}; add it to test/unit/house/import-law.ts`),
    ...empty.map((name) => `${folder}/${name}: the room has no file`),
    ...upward,
  ];
}

for (const [folder, floors] of Object.entries(ROOMS)) {
  test(`rooms of ${folder} import only rooms on lower floors`, () => {
    assertNone(roomBreaches(files, folder, floors), 'against the law of rooms:');
  });
}

test('the law of rooms finds imports upwards and sideways, files without a room and rooms without a file', () => {
  const importing = (path: string, ...targets: string[]): SourceFile => ({
    path,
    text: targets.map((target) => `import type { A } from '${target}';`).join('\n'),
  });
  const sources = [
    importing('src/m/a.ts', './top/b.ts'),
    importing('src/m/b.ts', './a.ts'),
    importing('src/m/top/b.ts', '../a.ts', './c.ts'),
    importing('src/m/top/c.ts', './low/d.ts'),
    importing('src/m/top/low/d.ts', './../c.ts', '../../../other/e.ts'),
    importing('src/m/f.ts'),
  ];
  assert.deepEqual(roomBreaches(sources, 'src/m', [['top/low'], ['a.ts', 'b.ts'], ['top'], ['gone']]), [
    'src/m/f.ts: is in no room of src/m; add it to test/unit/house/import-law.ts',
    'src/m/gone: the room has no file',
    'src/m/a.ts → src/m/top/b.ts',
    'src/m/b.ts → src/m/a.ts',
    'src/m/top/low/d.ts → src/m/top/c.ts',
  ]);
});

test('a package is imported only by the module that its row in docs/dependencies.md names', () => {
  const allowed = new Map(readDependencies().map(({ name, importers }) => [name, importers]));
  const breaches = eachImport(({ path }, { target }) => {
    if (!isPackage(target)) return false;
    const importers = allowed.get(packageName(target)) ?? [];
    const isAllowed = importers.some((prefix) => path.startsWith(`src/${prefix}`));
    return isAllowed ? false : `${path} → ${target} (allowed: ${importers.join(', ') || 'none'})`;
  });
  assertNone(breaches, 'packages against the law:');
});

test('docs/dependencies.md has one row for each dependency and no other', () => {
  const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as Record<string, object>;
  const installed = Object.keys({ ...manifest['dependencies'], ...manifest['devDependencies'] }).sort();
  assert.deepEqual(
    readDependencies()
      .map(({ name }) => name)
      .sort(),
    installed,
  );
});

test('pure modules touch no clock, no chance, no file, no process and no network', () => {
  const pure = files.filter(({ path }) => PURE.includes(folderOf(path)));
  const builtins = pure.flatMap((file) =>
    readImports(file)
      .filter(({ target, isTypeOnly }) => target.startsWith('node:') && !isTypeOnly && !PURE_BUILTINS.includes(target))
      .map(({ target }) => `${file.path} → ${target}`),
  );
  const effects = /\b(Date\.now|new Date\(\)|Math\.random|process\.(?!platform)|setTimeout|setInterval|fetch)\(?/;
  const used = pure.flatMap(({ path, text }) =>
    text.split('\n').flatMap((line, index) => {
      const code = line.replace(/(^\s*(\/\/|\/?\*).*$)|'[^']*'|`[^`]*`/g, '');
      const effect = effects.exec(code)?.[0];
      return effect ? [`${path}:${index + 1}: ${effect}`] : [];
    }),
  );
  assertNone([...builtins, ...used], 'effects in pure modules:');
});

test('only config/environment.ts reads the environment', () => {
  const readers = files.filter(
    ({ path, text }) => path !== 'src/config/environment.ts' && /\bprocess\.(env|argv)\b/.test(text),
  );
  assertNone(
    readers.map(({ path }) => path).filter((path) => !ROOTS.includes(path)),
    'environment or flags read by:',
  );
});

test('no file imports itself through other files', () => {
  const edges = new Map(files.map((file) => [file.path, readImports(file).map(({ target }) => target)]));
  const done = new Set<string>();
  const cycles: string[] = [];
  const visit = (path: string, trail: readonly string[]): void => {
    if (trail.includes(path)) cycles.push([...trail.slice(trail.indexOf(path)), path].join(' → '));
    if (done.has(path) || trail.includes(path)) return;
    for (const target of edges.get(path) ?? []) if (edges.has(target)) visit(target, [...trail, path]);
    done.add(path);
  };
  for (const path of edges.keys()) visit(path, []);
  assertNone(cycles, 'cycles:');
});

test('src has no files named after nothing, no barrels and no default exports', () => {
  const drawers = files.filter(({ path }) =>
    /(^|\/)(utils?|helpers?|common|shared|misc|types|index)(\.ts|\/)/.test(path),
  );
  assertNone(
    drawers.map(({ path }) => path),
    'files or folders named after nothing:',
  );
  const isBarrel = (text: string): boolean =>
    /^export\s+(type\s+)?\*/m.test(text) ||
    (/^export\s+(type\s+)?\{[^}]*\}\s*from\s/m.test(text) &&
      !/^export\s+(async\s+)?(const|function|class|interface|type \w)/m.test(text));
  const barrels = files.filter(({ text }) => isBarrel(text));
  assertNone(
    barrels.map(({ path }) => path),
    're-exports:',
  );
  assertNone(
    files.filter(({ text }) => /^export default\b/m.test(text)).map(({ path }) => path),
    'default exports:',
  );
});

test('client-node is loaded lazily and in part', () => {
  const breaches = eachImport(
    ({ path }, { target, isTypeOnly, isDynamic }) =>
      target === '@kubernetes/client-node' && !isTypeOnly && !isDynamic && path,
  );
  assertNone(breaches, 'the whole client (60 MB, 0.4 s) is loaded at start by:');
});
