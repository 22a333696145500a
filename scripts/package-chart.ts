/** `npm run package-chart -- FOLDER`: packages the chart as one file, with the same Helm as in the tests. */
import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { helmBinary } from '../test/control-plane/binaries.ts';
import { ROOT } from './steps.ts';

const [folder] = process.argv.slice(2);
if (folder === undefined) {
  console.error('package-chart: name the folder for the file');
  process.exitCode = 2;
} else {
  mkdirSync(folder, { recursive: true });
  const args = ['package', join(ROOT, 'charts/tautline'), '--destination', resolve(folder)];
  execFileSync(await helmBinary(), args, { stdio: 'inherit' });
}
