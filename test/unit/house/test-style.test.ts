/** How tests are written, as far as a search of their text can tell. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertNone } from './assert-none.ts';
import { listCode, readSources } from './source-files.ts';

test('tests are registered by test() alone, so that a name says everything about its test', () => {
  const files = readSources(listCode()).filter(({ path }) => path.endsWith('.test.ts'));
  const others = files.filter(({ text }) => /^import .*\b(describe|it|suite)\b.* from 'node:test';$/m.test(text));
  assert.deepEqual(
    others.map(({ path }) => path),
    [],
  );
});

test('a random list or text for which a test allows a great length reaches it', () => {
  // Without `size` fast-check makes about ten items or characters, whatever `maxLength` says.
  const breaches = readSources(listCode()).flatMap(({ path, text }) => {
    const options = text.includes("from 'fast-check'") ? text.matchAll(/\{[^{}]*\bmaxLength: (\d+)[^{}]*\}/g) : [];
    const short = Array.from(options).filter(([all, length]) => Number(length) > 10 && !all.includes('size: '));
    return short.map(([all]) => `${path}: ${all}`);
  });
  assertNone(breaches, "lists and texts that need size: 'max':");
});
