/** Rules of style that the formatter and the linter cannot check, for every hand-written file. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { listCode, listFiles, listSrc, readSources, ROOT, type SourceFile } from './source-files.ts';

const MAX_LINE_CHARS = 120;
const MAX_FILE_LINES = 400;

const code = readSources(listCode());

function assertNone(breaches: readonly string[], law: string): void {
  assert.equal(breaches.length, 0, `${law}\n  ${breaches.join('\n  ')}`);
}

function eachLine(files: readonly SourceFile[], isBreach: (line: string) => boolean): string[] {
  return files.flatMap(({ path, text }) =>
    text
      .split('\n')
      .flatMap((line, index) => (isBreach(line) ? [`${path}:${index + 1}: ${line.trim().slice(0, 80)}`] : [])),
  );
}

/** The comment that a file opens with, or ''. */
function openingComment({ text }: SourceFile): string {
  const body = text.replace(/^#!.*\n/, '');
  return /^\/\*\*?[\s\S]*?\*\//.exec(body)?.[0] ?? /^(\/\/.*\n)+/.exec(body)?.[0] ?? '';
}

test('lines have at most 120 characters', () => {
  // The formatter breaks code. A line that it leaves long contains a text in one piece, which a search should find.
  const isLong = (line: string): boolean =>
    line.length > MAX_LINE_CHARS && (/^\s*(\/\/|\/?\*)/.test(line) || !/['"`/]/.test(line));
  assertNone(eachLine(code, isLong), 'lines that are too long:');
});

test('files have at most 400 lines, unless their first comment says why', () => {
  const long = code.filter(
    (file) => file.text.split('\n').length - 1 > MAX_FILE_LINES && !/\b(long|lines)\b/i.test(openingComment(file)),
  );
  assertNone(
    long.map(({ path, text }) => `${path}: ${text.split('\n').length - 1}`),
    'files without a reason for their length:',
  );
});

test('every file of src opens with a comment that says what it is for', () => {
  assertNone(
    listSrc()
      .filter((file) => openingComment(file).length < 30)
      .map(({ path }) => path),
    'files without an opening comment:',
  );
});

test('no mark of unfinished work, no switched-off check and no skipped test is left', () => {
  const marks = ['TO' + 'DO', 'FIX' + 'ME', 'XX' + 'X', 'HA' + 'CK'];
  const off = [
    '@ts-' + 'ignore',
    '@ts-' + 'nocheck',
    '@ts-' + 'expect-error',
    'oxlint-' + 'disable',
    'eslint-' + 'disable',
  ];
  const pattern = new RegExp(
    `\\b(${marks.join('|')})\\b|${off.join('|')}|\\bas ` + 'any\\b|\\b(test|suite|it)\\.(skip|only)\\(',
  );
  assertNone(
    eachLine(code, (line) => pattern.test(line)),
    'marks, switched-off checks and skipped tests:',
  );
});

test('no module of src has a variable at module level', () => {
  assertNone(
    eachLine(listSrc(), (line) => /^(export )?(let|var) /.test(line)),
    'variables at module level:',
  );
});

test('the repository names no registry and no path of a machine on which it was written', () => {
  const pattern = new RegExp(['registry\\.npm' + 'js', 'proxy\\.gol' + 'ang', '/' + 'work/(main|shared)'].join('|'));
  const texts = listFiles().filter((path) => /\.(ts|mjs|js|json|ya?ml|md|sh|go|mod|sum)$|^\.npmrc$|^\.ci\//.test(path));
  assertNone(
    eachLine(readSources(texts), (line) => pattern.test(line)),
    'names of registries and paths:',
  );
});

test('the lock file records no address of a registry', () => {
  const lock = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { resolved?: string; integrity?: string }>;
  };
  const resolved = Object.entries(lock.packages).filter(([, entry]) => entry.resolved !== undefined);
  assertNone(
    resolved.map(([name]) => name),
    'packages with an address:',
  );
  const unpinned = Object.entries(lock.packages).filter(([name, entry]) => name !== '' && !entry.integrity);
  assertNone(
    unpinned.map(([name]) => name),
    'packages without a digest:',
  );
});

test('the changelog begins with unreleased changes and lists versions with their dates, newest first', () => {
  const text = readFileSync(join(ROOT, 'CHANGELOG.md'), 'utf8');
  assert.match(text, /^# Changelog\n/);
  const heads = text.split('\n').filter((line) => line.startsWith('## '));
  assert.ok(heads.length > 0, 'the changelog lists no version');
  for (const [index, head] of heads.entries()) {
    if (index === 0 && head === '## Unreleased') continue;
    assert.match(head, /^## \d+\.\d+\.\d+ \(\d{4}-\d{2}-\d{2}\)$/);
  }
  const versions = heads.flatMap((head) => /\d+\.\d+\.\d+/.exec(head) ?? []);
  const byNewest = versions.toSorted((a, b) => b.localeCompare(a, 'en', { numeric: true }));
  assert.deepEqual(versions, byNewest);
});

test('test names are sentences of more than two words', () => {
  const tests = code.filter(({ path }) => path.endsWith('.test.ts'));
  const short = eachLine(tests, (line) => {
    const name = /^\s*(?:void |await )?(?:t\.)?test\(\s*'([^']*)'/.exec(line)?.[1];
    return name !== undefined && name.split(' ').length < 3;
  });
  assertNone(short, 'names that are not sentences:');
});
