/** Patterns of paths: parts, any number of parts, and single characters. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { compileGlob } from '../../../src/render/glob.ts';

const CASES: readonly (readonly [pattern: string, matched: readonly string[], others: readonly string[]])[] = [
  ['envs/*.yaml', ['envs/a.yaml', 'envs/.yaml'], ['envs/a/b.yaml', 'a.yaml', 'envs/a.yml']],
  ['envs/**', ['envs', 'envs/a', 'envs/a/b'], ['env', 'envsa', 'a/envs']],
  ['**/a.yaml', ['a.yaml', 'x/a.yaml', 'x/y/a.yaml'], ['xa.yaml', 'a.yaml/x']],
  ['a/**/**/b', ['a/b', 'a/x/b', 'a/x/y/b'], ['ab', 'a/xb', 'a/x/bc']],
  ['**', ['', 'a', 'a/b'], []],
  ['a**b', ['ab', 'axb'], ['a/b']],
  ['?[!a-c]', ['xd', 'a-'], ['xa', 'x/', 'x']],
  ['[^a]\\*', ['b*'], ['a*', 'bx']],
  ['[a', ['[a'], ['a']],
];

for (const [pattern, matched, others] of CASES) {
  test(`the pattern ${pattern} matches exactly what it should`, () => {
    const matches = compileGlob(pattern);
    assert.deepEqual(
      matched.filter((path) => !matches(path)),
      [],
    );
    assert.deepEqual(others.filter(matches), []);
  });
}

test('a pattern without special characters matches its own text alone', () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'b', '/', '.', '-') });
  fc.assert(fc.property(text, text, (path, pattern) => assert.equal(compileGlob(pattern)(path), path === pattern)));
});
