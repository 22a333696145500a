/**
 * `npm run build`: builds dist/ from src/ for the package and the image. Files other than
 * TypeScript and Go are copied.
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, readFileSync, rmSync } from 'node:fs';
import { extname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ROOT } from './steps.ts';

const SHEBANG = '#!/usr/bin/env node\n';

/** Replaces `outDir`. `tscFlags` override tsconfig.build.json. Throws if the sources do not compile. */
export function build(outDir: string, tscFlags: readonly string[] = []): void {
  rmSync(outDir, { recursive: true, force: true });
  const tsc = [join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', join(ROOT, 'tsconfig.build.json')];
  const { status } = spawnSync(process.execPath, [...tsc, '--outDir', outDir, ...tscFlags], { stdio: 'inherit' });
  if (status !== 0) throw new Error(`the sources do not compile (tsc ended with ${status})`);
  cpSync(join(ROOT, 'src'), outDir, { recursive: true, filter: isCopied });
  const cli = join(outDir, 'cli.js');
  if (!existsSync(cli)) return;
  if (!readFileSync(cli, 'utf8').startsWith(SHEBANG)) throw new Error(`src/cli.ts must begin with ${SHEBANG.trim()}`);
  chmodSync(cli, 0o755);
}

/** The Go program of the sandbox is built for the image only. */
function isCopied(path: string): boolean {
  return !['.ts', '.tsx'].includes(extname(path)) && !path.includes('/sandbox/landlock');
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const dist = join(ROOT, 'dist');
  build(dist);
  console.log(`wrote ${dist}`);
}
