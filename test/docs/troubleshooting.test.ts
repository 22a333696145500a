/**
 * docs/troubleshooting.md has a row for every reason that a status, an Event or the start of the agent can give, and no
 * other rows.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ERROR_CODES } from '../../src/object/error-code.ts';
import { readPage } from './page.ts';

const SRC = join(import.meta.dirname, '../../src');
const read = (path: string): string => readFileSync(join(SRC, path), 'utf8');

function wordsIn(text: string, pattern: RegExp): string[] {
  return [...text.matchAll(pattern)].map(([, word = '']) => word);
}

function block(path: string, start: RegExp, end: string): string {
  const text = read(path);
  const from = start.exec(text)?.index ?? assert.fail(`${path} has no ${start.source}`);
  return text.slice(from, text.indexOf(end, from));
}

/** Error codes that are shown as reasons; those of the API server's answers appear only in messages. */
function errorCodes(): string[] {
  const { answer: _inMessages, ...shown } = ERROR_CODES;
  return Object.values(shown).flat();
}

function allReasons(): Set<string> {
  const status = readdirSync(join(SRC, 'status')).map((file) => read(`status/${file}`));
  return new Set([
    ...status.flatMap((text) => wordsIn(text, /reason: '(\w+)'/g)),
    ...status.flatMap((text) => wordsIn(text, /reason = isStalled \? '(\w+)'/g)),
    ...status.flatMap((text) => wordsIn(text, /reason = isStalled \? '\w+' : '(\w+)'/g)),
    ...status.flatMap((text) => wordsIn(text, /'Progressing' : '(\w+Retry)'/g)),
    ...wordsIn(read('status/verdict.ts'), /^const [A-Z_]+ = '(\w+)'/gm),
    ...wordsIn(block('status/verdict.ts', /REASON_BY_STAGE: /, '}'), /'(\w+)',$/gm),
    ...wordsIn(read('status/event.ts'), /doneReason = drift \? '(\w+)'/g),
    ...wordsIn(read('status/event.ts'), /doneReason = drift \? '\w+' : '(\w+)'/g),
    ...wordsIn(block('application/status-schema.ts', /const healthWord/, ';'), /'(\w+)'/g),
    ...wordsIn(block('object/problem.ts', /export type ProblemCode/, ';'), /'(\w+)'/g),
    ...wordsIn(read('reconcile/deletion/tenant-gone.ts'), /reason: '(\w+)'/g),
    ...wordsIn(read('reconcile/deletion/release-objects.ts'), /reason: '(\w+)'/g),
    ...wordsIn(read('reconcile/deletion/run-hooks.ts'), /reason: '(\w+)'/g),
    ...wordsIn(read('reconcile/queue/controller.ts'), /reason: '(\w+)'/g),
    ...wordsIn(read('reconcile/reconcile.ts'), /reason: '(\w+)'/g),
    ...wordsIn(read('server/api/views.ts'), /reason: '(\w+)'/g),
    ...wordsIn(block('application/status-schema.ts', /const holdSchema/, '})'), /'([A-Z]\w+)'/g),
    ...wordsIn(read('status/rollback.ts'), /reason: isFailure \? '\w+' : '(\w+)'/g),
    ...wordsIn(block('application/status-schema.ts', /const lastRequestSchema/, '})'), /'([A-Z]\w+)'/g),
    ...errorCodes(),
  ]);
}

test('docs/troubleshooting.md has a row for every reason and no other rows', () => {
  const page = readPage('docs/troubleshooting.md');
  const rows = [...page.matchAll(/^\| ((?:`\w+`(?:, )?)+) \|/gm)].flatMap(([, cell = '']) => wordsIn(cell, /`(\w+)`/g));
  const named = new Set([...rows, 'NotReconciled']);
  const known = allReasons();
  assert.ok(known.size > 80, String(known.size));
  assert.deepEqual(
    [...known].filter((code) => !named.has(code)),
    [],
    'reasons without a row',
  );
  assert.deepEqual(
    rows.filter((code) => !known.has(code)),
    [],
    'rows without a reason',
  );
});

test('every link in the documentation leads to a file or a heading that exists', () => {
  const docs = join(import.meta.dirname, '../../docs');
  const inDocs = readdirSync(docs, { recursive: true, encoding: 'utf8' }).map((path) => `docs/${path}`);
  const pages = ['README.md', 'CONTRIBUTING.md', 'examples/README.md', ...inDocs].filter((path) =>
    path.endsWith('.md'),
  );
  const brokenLinks = pages.flatMap((page) =>
    wordsIn(readPage(page), /\]\(((?!https?:)[^)\s]+)\)/g)
      .filter((link) => !hasTarget(page, link))
      .map((link) => `${page}: ${link}`),
  );
  assert.deepEqual(brokenLinks, []);
});

function hasTarget(page: string, link: string): boolean {
  const [path = '', anchor] = link.split('#');
  const target = path === '' ? page : join(page, '..', path);
  try {
    if (anchor === undefined)
      return readdirSync(join(SRC, '..', target, '..')).includes(target.split('/').at(-1) ?? '');
    const headings = wordsIn(readPage(target), /^#+ (.*)$/gm).map((heading) =>
      heading
        .toLowerCase()
        .replaceAll(/[^\w\s-]/g, '')
        .replaceAll(' ', '-'),
    );
    return headings.includes(anchor);
  } catch {
    return false;
  }
}
