/** `npm run package-chart -- FOLDER`: the chart as one file, by the helm that the tests use. */
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
