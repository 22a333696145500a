/** How tests are written, as far as a search of their text can tell. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { listCode, readSources } from './source-files.ts';

test('tests are registered by test() alone, so that a name says everything about its test', () => {
  const files = readSources(listCode()).filter(({ path }) => path.endsWith('.test.ts'));
  const others = files.filter(({ text }) => /^import .*\b(describe|it|suite)\b.* from 'node:test';$/m.test(text));
  assert.deepEqual(
    others.map(({ path }) => path),
    [],
  );
});
