/** docs/security.md names the tests that hold its promises, and they exist. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

const ROOT = join(import.meta.dirname, '../..');
const page = readFileSync(join(ROOT, 'docs/security.md'), 'utf8');

test('every test that docs/security.md names exists', () => {
  const named = Array.from(page.matchAll(/`(test\/[\w/.-]+)`/g), ([, path = '']) => path);
  assert.ok(named.length >= 25, `${named.length} tests are named`);
  assert.deepEqual(
    named.filter((path) => !existsSync(join(ROOT, path))),
    [],
  );
});

test('every row of a table of promises in docs/security.md names a test', () => {
  const tables = page.split('\n\n').filter((block) => /^\|[^\n]*\b(test|held by) \|\n\|/.test(block));
  assert.ok(tables.length >= 3);
  const rows = tables.flatMap((table) => table.split('\n').slice(2));
  assert.deepEqual(
    rows.filter((row) => row.startsWith('|') && !row.includes('`test/')),
    [],
  );
});

test('every link within docs/security.md leads to a heading', () => {
  const headings = Array.from(page.matchAll(/^#+ (.+)$/gm), ([, text = '']) =>
    text
      .toLowerCase()
      .replaceAll(/[^\w -]/g, '')
      .replaceAll(' ', '-'),
  );
  const links = Array.from(page.matchAll(/\]\(#([\w-]+)\)/g), ([, name = '']) => name);
  assert.deepEqual(
    links.filter((name) => !headings.includes(name)),
    [],
  );
});
