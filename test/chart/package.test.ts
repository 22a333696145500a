/** The npm package as a user gets it: packed, installed globally (into a temporary folder), and run. */
import assert from 'node:assert/strict';
import { cpSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { build } from '../../scripts/build.ts';
import { VERSION } from '../../src/config/version.ts';
import { run } from './command.ts';

const ROOT = join(import.meta.dirname, '../..');
const PACKED = ['package.json', 'README.md', 'LICENSE', 'CHANGELOG.md'];

let root = '';

interface Packed {
  readonly filename: string;
  readonly files: readonly { readonly path: string }[];
}
let packed: Packed;

// Packs a copy, since dist/ of the working tree may be in use.
before(async () => {
  root = await mkdtemp(join(tmpdir(), 'tautline-package-'));
  const source = join(root, 'source');
  build(join(source, 'dist'));
  for (const name of PACKED) cpSync(join(ROOT, name), join(source, name));
  const made = await run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', root], { cwd: source });
  assert.equal(made.code, 0, made.stderr);
  const answer = JSON.parse(made.stdout) as Packed[] | Record<string, Packed>;
  const [first] = Array.isArray(answer) ? answer : Object.values(answer);
  assert.ok(first);
  packed = first;
});

after(() => rm(root, { recursive: true, force: true }));

test('the package contains the built program, its licence and its pages, and nothing else', () => {
  const paths = packed.files.map(({ path }) => path);
  assert.deepEqual(paths.filter((path) => !path.startsWith('dist/')).sort(), [...PACKED].sort());
  assert.ok(paths.includes('dist/cli.js') && paths.includes('dist/child.js') && paths.includes('dist/main.js'));
  assert.deepEqual(
    paths.filter((path) => path.startsWith('dist/') && !path.startsWith('dist/page/') && !path.endsWith('.js')),
    ['dist/openapi.json'],
  );
  assert.ok(paths.includes('dist/page/index.html') && paths.includes('dist/page/LICENSES.txt'));
});

test('`npm pack` in the working tree builds the program first', () => {
  const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
    scripts: Record<string, string>;
  };
  assert.equal(scripts['prepack'], scripts['build']);
});

test('the installed package provides `tautline` and the kubectl plugin `kubectl tautline`', async () => {
  const prefix = join(root, 'prefix');
  const args = ['install', '--global', '--prefix', prefix, '--prefer-offline', '--ignore-scripts', '--no-audit'];
  const installed = await run('npm', [...args, join(root, packed.filename)], { cwd: root });
  assert.equal(installed.code, 0, installed.stderr);
  for (const program of ['tautline', 'kubectl-tautline']) {
    const command = join(prefix, 'bin', program);
    const version = await run(command, ['--version'], { cwd: root });
    assert.deepEqual([version.code, version.stdout], [0, `${VERSION}\n`], version.stderr);
  }
  const crd = await run(join(prefix, 'bin/tautline'), ['crd'], { cwd: root });
  assert.match(crd.stdout, /name: applications\.tautline\.dev/);
});
