/**
 * `npm run build`: builds dist/ from src/ for the package, the image and the tests. Packages stay in node_modules.
 *
 * A process starts several times faster from a few files than from the hundreds of src/, which counts most for the
 * child processes that render. Types are checked by `npm run check`.
 */
import { chmodSync, copyFileSync, readFileSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { buildSync, type BuildOptions } from 'esbuild';
import { buildPage } from './build-page.ts';
import { ROOT } from './steps.ts';

/** Files that a process begins with, or that one loads by name. */
const PROGRAM = ['cli.ts', 'main.ts', 'source/transport/ssh/decrypt-key.ts', 'sandbox/restricted-module.ts'];
/** It is built for itself, so that a child reads one file. */
const CHILD = 'child.ts';

/** The folder of the page in the browser, where server/page.ts looks for it. */
const PAGE = 'page';

/** The description of the status API, for clients that are made from it. */
const OPEN_API = 'server/api/openapi.json';

const SHEBANG = '#!/usr/bin/env node\n';

export interface ExtraEntries {
  /** Absolute paths of further programs on the sources; each is built under its own name. */
  readonly extra?: readonly string[];
}

/**
 * Replaces `outDir`. All code that Node runs is in this folder itself: code that names a neighbour (`./child.js`)
 * relies on that.
 * Throws if the sources cannot be parsed, or an import leads nowhere.
 */
export function build(outDir: string, { extra = [] }: ExtraEntries = {}): void {
  rmSync(outDir, { recursive: true, force: true });
  const entries = [...PROGRAM.map((path) => join(ROOT, 'src', path)), ...extra];
  bundle(outDir, entries, { splitting: true, chunkNames: '[name]-[hash]' });
  bundle(outDir, [join(ROOT, 'src', CHILD)], {});
  buildPage(join(outDir, PAGE));
  copyFileSync(join(ROOT, 'src', OPEN_API), join(outDir, basename(OPEN_API)));
  const cli = join(outDir, 'cli.js');
  if (!readFileSync(cli, 'utf8').startsWith(SHEBANG)) throw new Error(`src/cli.ts must begin with ${SHEBANG.trim()}`);
  chmodSync(cli, 0o755);
}

function bundle(outDir: string, entries: readonly string[], options: BuildOptions): void {
  buildSync({
    ...options,
    entryPoints: entries.map((file) => ({ in: file, out: basename(file, '.ts') })),
    outdir: outDir,
    absWorkingDir: ROOT,
    bundle: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    target: 'node24',
    logLevel: 'error',
  });
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const dist = join(ROOT, 'dist');
  build(dist);
  console.log(`wrote ${dist}`);
}
