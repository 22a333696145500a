/**
 * Builds the page that the status API serves to browsers: one script, one style sheet and an icon, whose names hold a
 * digest of their content, and the HTML that names them. Each is also compressed, so that no answer is compressed when
 * it is sent.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { basename, join } from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { buildSync } from 'esbuild';
import { ROOT } from './steps.ts';

const SOURCE = join(ROOT, 'src/ui');

/** Packages of which the script has parts; their licences ask that their notices go with it. */
const PARTS = ['preact', '@preact/signals', '@preact/signals-core', 'preact-iso', 'diff'];

/** Writes the files of the page into `outDir`. Throws if the sources cannot be parsed, or an import leads nowhere. */
export function buildPage(outDir: string): void {
  mkdirSync(outDir, { recursive: true });
  const { outputFiles } = buildSync({
    entryPoints: [
      { in: join(SOURCE, 'main.tsx'), out: 'app' },
      { in: join(SOURCE, 'style.css'), out: 'app' },
    ],
    entryNames: '[name]-[hash]',
    outdir: outDir,
    absWorkingDir: ROOT,
    bundle: true,
    minify: true,
    write: false,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    jsx: 'automatic',
    jsxImportSource: 'preact',
    logLevel: 'error',
  });
  const icon = readFileSync(join(SOURCE, 'icon.svg'));
  const files = [
    ...outputFiles.map(({ path, contents }) => ({ name: basename(path), contents: Buffer.from(contents) })),
    { name: `icon-${digestOf(icon)}.svg`, contents: icon },
  ];
  for (const { name, contents } of files) write(outDir, name, contents);
  const nameOf = (end: string): string => files.find(({ name }) => name.endsWith(end))?.name ?? '';
  const html = readFileSync(join(SOURCE, 'index.html'), 'utf8')
    .replace('app.js', nameOf('.js'))
    .replace('app.css', nameOf('.css'))
    .replaceAll('icon.svg', nameOf('.svg'));
  write(outDir, 'index.html', Buffer.from(html));
  writeFileSync(join(outDir, 'LICENSES.txt'), licences());
}

function write(outDir: string, name: string, contents: Buffer): void {
  writeFileSync(join(outDir, name), contents);
  writeFileSync(join(outDir, `${name}.br`), brotliCompressSync(contents));
  writeFileSync(join(outDir, `${name}.gz`), gzipSync(contents, { level: 9 }));
}

function digestOf(contents: Buffer): string {
  return createHash('sha256').update(contents).digest('hex').slice(0, 8);
}

function licences(): string {
  const texts = PARTS.map((name) => {
    const text = readFileSync(join(ROOT, 'node_modules', name, 'LICENSE'), 'utf8');
    return `${name}\n\n${text.trim()}\n`;
  });
  return `The script of the page has parts of these packages.\n\n${texts.join('\n---\n\n')}`;
}
