/**
 * Reads the hand-written files of the repository and their imports for the tests of this folder. TypeScript 7 has no
 * programming interface, so imports are found by pattern; the formatter keeps every import in one of the shapes below.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';

export const ROOT = join(import.meta.dirname, '../../..');

export interface SourceFile {
  /** From the root of the repository, `/`-separated. */
  readonly path: string;
  readonly text: string;
}

export interface Import {
  /** Path from the root for a relative import, such as `src/…`; else the name of the package or `node:…`. */
  readonly target: string;
  readonly isTypeOnly: boolean;
  /** Whether it is a call of `import()`, so that the module is loaded only then. */
  readonly isDynamic: boolean;
}

/** All files that git tracks or would add, sorted by path. */
export function listFiles(): string[] {
  const known = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], { cwd: ROOT });
  return [...new Set(known.toString('utf8').split('\0'))].filter((path) => path && existsSync(join(ROOT, path))).sort();
}

export function readSources(paths: readonly string[]): SourceFile[] {
  return paths.map((path) => ({ path, text: readFileSync(join(ROOT, path), 'utf8') }));
}

/** TypeScript and JavaScript that people write, without generated files and test/golden. */
export function listCode(): string[] {
  return listFiles().filter(
    (path) => /\.(ts|tsx|mjs|js)$/.test(path) && !path.startsWith('test/golden/') && !path.endsWith('.generated.ts'),
  );
}

export function listSrc(): SourceFile[] {
  return readSources(listCode().filter((path) => path.startsWith('src/') && /\.tsx?$/.test(path)));
}

export function readImports({ path, text }: SourceFile): Import[] {
  const code = text.replaceAll(/^\s*(\/\/|\/?\*).*$/gm, '');
  const found: Import[] = [];
  for (const [, type, target] of code.matchAll(/^(?:import|export)\s+(type\s+)?[^'"`;]*?from\s+'([^']+)'/gm)) {
    found.push({ target: resolveTarget(path, target ?? ''), isTypeOnly: type !== undefined, isDynamic: false });
  }
  for (const [, target] of code.matchAll(/^import\s+'([^']+)'/gm)) {
    found.push({ target: resolveTarget(path, target ?? ''), isTypeOnly: false, isDynamic: false });
  }
  for (const [, target] of code.matchAll(/\bimport\(\s*'([^']+)'\s*\)/g)) {
    found.push({ target: resolveTarget(path, target ?? ''), isTypeOnly: false, isDynamic: true });
  }
  return found;
}

/** `@scope/name` or `name` of `@scope/name/file.js`. */
export function packageName(target: string): string {
  return target.split('/', target.startsWith('@') ? 2 : 1).join('/');
}

export function isPackage(target: string): boolean {
  return !target.startsWith('src/') && !target.startsWith('test/') && !target.startsWith('node:');
}

function resolveTarget(from: string, target: string): string {
  return target.startsWith('.') ? posix.normalize(posix.join(posix.dirname(from), target)) : target;
}
