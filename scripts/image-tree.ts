/**
 * `npm run image-tree -- FOLDER`: writes the files of the image: dist/, package.json, the licence, and the production
 * packages of the lock file. The Dockerfile runs this script, so its result can be tested without a container engine.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { build } from './build.ts';
import { ROOT } from './steps.ts';

const KEPT = ['package.json', 'LICENSE'];
/** Files that only npm needs; they are removed afterwards. */
const FOR_INSTALL = ['package-lock.json', '.npmrc'];
const INSTALL = ['ci', '--omit=dev', '--ignore-scripts', '--prefer-offline', '--no-progress'];

function assemble(folder: string): void {
  mkdirSync(folder, { recursive: true });
  if (readdirSync(folder).length > 0) throw new Error(`${folder} is not empty`);
  build(join(folder, 'dist'));
  for (const name of [...KEPT, ...FOR_INSTALL]) cpSync(join(ROOT, name), join(folder, name));
  const { status } = spawnSync('npm', INSTALL, { cwd: folder, stdio: 'inherit' });
  if (status !== 0) throw new Error(`npm ${INSTALL.join(' ')} ended with ${status}`);
  for (const name of FOR_INSTALL) rmSync(join(folder, name));
  // A list of the packages that only npm uses. The image has no npm.
  rmSync(join(folder, 'node_modules/.package-lock.json'), { force: true });
  if (!existsSync(join(folder, 'dist/cli.js'))) throw new Error('dist/cli.js is missing');
}

const [folder] = process.argv.slice(2);
if (folder === undefined) {
  console.error('image-tree: name the folder to write; it must be empty or absent');
  process.exitCode = 2;
} else {
  assemble(resolve(folder));
  console.log(`wrote ${resolve(folder)}`);
}
