/**
 * The program as `npm run build` makes it, for the processes that tests start: they start several times faster than
 * from the sources, and are what people run. It is built once for each state of the sources.
 */
import { createHash, randomUUID } from 'node:crypto';
import {
  globSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
} from 'node:fs';
import { join, relative } from 'node:path';
import { build } from '../../scripts/build.ts';

const ROOT = join(import.meta.dirname, '../..');
/** The packages are found from here. A child that may read few folders could not follow a link. */
const CACHE = join(realpathSync(join(ROOT, 'node_modules')), '.cache/tautline');

/** Agents that differ from the built one, and a part of it. */
const EXTRA = ['agent-that-forgets.ts', 'agent-with-faults.ts', 'source-process.ts'].map((name) =>
  join(import.meta.dirname, name),
);

/** The scripts that build the program. */
const BUILDERS = ['build.ts', 'build-page.ts'].map((name) => join(ROOT, 'scripts', name));

const DAY_MS = 24 * 3_600_000;

/** The path of a file of the built program, such as `cli.js`. Builds the program if that has not been done yet. */
export function builtFile(name: string): string {
  built ??= builtFolder();
  return join(built, name);
}

/** One process tests one state of the sources. */
let built: string | undefined;

function builtFolder(): string {
  const folder = join(CACHE, digestOfSources());
  if (!touch(folder)) makeFolder(folder);
  return folder;
}

/** Several processes may build at the same time; the first result is kept. */
function makeFolder(folder: string): void {
  mkdirSync(CACHE, { recursive: true });
  removeUnused();
  const made = join(CACHE, `unfinished-${randomUUID()}`);
  build(made, { extra: EXTRA });
  try {
    renameSync(made, folder);
  } catch (error) {
    rmSync(made, { recursive: true, force: true });
    if (!touch(folder)) throw error;
  }
}

/** Whether the folder exists. It is marked as used. */
function touch(folder: string): boolean {
  try {
    const now = new Date();
    utimesSync(folder, now, now);
    return true;
  } catch {
    return false;
  }
}

function removeUnused(): void {
  for (const name of readdirSync(CACHE)) {
    const path = join(CACHE, name);
    const info = statSync(path, { throwIfNoEntry: false });
    if (info && Date.now() - info.mtimeMs > DAY_MS) rmSync(path, { recursive: true, force: true });
  }
}

function digestOfSources(): string {
  const hash = createHash('sha256');
  const sources = globSync('src/**/*.{ts,tsx,css,html,svg}', { cwd: ROOT }).map((path) => join(ROOT, path));
  for (const path of [...sources, ...EXTRA, ...BUILDERS].sort()) {
    hash
      .update(`${relative(ROOT, path)}\0`)
      .update(readFileSync(path))
      .update('\0');
  }
  return hash.digest('hex').slice(0, 32);
}
