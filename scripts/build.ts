/** `npm run build`: dist/ from src/, for the package and the image. What is no TypeScript is copied beside it. */
import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, readFileSync, rmSync } from 'node:fs';
import { extname, join } from 'node:path';
import { ROOT } from './steps.ts';

const dist = join(ROOT, 'dist');
const SHEBANG = '#!/usr/bin/env node\n';

rmSync(dist, { recursive: true, force: true });
const tsc = [join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', join(ROOT, 'tsconfig.build.json')];
const { status } = spawnSync(process.execPath, tsc, { stdio: 'inherit' });
if (status !== 0) process.exit(status ?? 1);
cpSync(join(ROOT, 'src'), dist, { recursive: true, filter: (path) => !['.ts', '.tsx'].includes(extname(path)) });

const cli = join(dist, 'cli.js');
if (existsSync(cli)) {
  if (!readFileSync(cli, 'utf8').startsWith(SHEBANG)) throw new Error(`src/cli.ts must begin with ${SHEBANG.trim()}`);
  chmodSync(cli, 0o755);
}
console.log(`wrote ${dist}`);
