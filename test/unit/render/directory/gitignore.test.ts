/** Rules of ignore files leave out the same paths as in git. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import { readIgnoreRules } from '../../../../src/render/directory/gitignore.ts';

let folder = '';

before(() => {
  folder = mkdtempSync(join(tmpdir(), 'tautline-ignore-'));
  assert.equal(spawnSync('git', ['init', '-q'], { cwd: folder }).status, 0);
});

after(() => rmSync(folder, { recursive: true, force: true }));

/** The paths that git leaves out. Nothing needs to exist: a path that ends in a slash is a folder. */
function ignoredByGit(text: string, paths: readonly string[]): ReadonlySet<string> {
  writeFileSync(join(folder, '.gitignore'), text);
  const { stdout, status } = spawnSync('git', ['check-ignore', '--no-index', '-z', '--stdin'], {
    cwd: folder,
    input: paths.map((path) => `${path}\0`).join(''),
    encoding: 'utf8',
  });
  assert.ok(status === 0 || status === 1);
  return new Set(stdout.split('\0').filter((path) => path !== ''));
}

/** A path is left out if the last rule for it or for a folder above it says so. */
function isIgnored(text: string, path: string): boolean {
  const rules = readIgnoreRules(text);
  const parts = path.split('/');
  return parts.some((name, index) => {
    const inner = parts.slice(0, index + 1).join('/');
    const isFolder = index < parts.length - 1;
    const rule = rules.findLast(
      ({ isForFolders, isForNames, matches }) =>
        (isFolder || !isForFolders) && matches(isForNames ? name : inner, () => {}),
    );
    return rule !== undefined && !rule.isNegated;
  });
}

const PATHS = ['a.yaml', 'b.yaml', 'a/b.yaml', 'a/b/c.yaml', 'a/b/a.yaml', 'b/a', 'ab/c', '.hidden', 'a b', '#a', '!a'];
PATHS.push('a/.hidden/b.yaml', 'c[1].yaml', 'c1.yaml', 'x/a/b/y/a.yaml', 'A.yaml', 'a\\b', 'a ', 'foo/bar/a');

const FIXED = ['*.yaml', '/a.yaml', 'a/', '/*\n!/a', 'a/**', '**/a', '**/b/*.yaml', 'a/**/a.yaml', '!a.yaml', '# a'];
FIXED.push(
  '\\#a',
  '\\!a',
  'a\\ ',
  'a  ',
  '*.yaml\n!b.yaml',
  'c[0-9].yaml',
  'c[[]1].yaml',
  '[!a-b].yaml',
  '[^a].yaml',
  '?',
);
FIXED.push(
  '**',
  '*',
  '/',
  '',
  '//',
  'a//b',
  '/**/a',
  'a**b',
  '**.yaml',
  '[[:upper:]].yaml',
  '[a',
  'a\\',
  'x/*/b',
  '***/a',
);
FIXED.push(
  '[]a].yaml',
  '[a-].yaml',
  '\\a.yaml',
  'foo/*',
  'foo/**\n!foo/bar',
  '**/',
  '/a/',
  'a/*\n!a/b',
  '*/a',
  '?.yaml',
);

for (const text of FIXED) {
  test(`the rules ${JSON.stringify(text)} leave out the same paths as in git`, () => {
    const expected = ignoredByGit(text, PATHS);
    assert.deepEqual(
      PATHS.filter((path) => isIgnored(text, path)),
      PATHS.filter((path) => expected.has(path)),
    );
  });
}

test('random rules leave out the same paths as in git', () => {
  const part = fc.constantFrom('a', 'b', 'ab', '*', '**', '?', '[ab]', '[!a]', '.yaml', '*.yaml', 'c', '\\a');
  const segment = fc.array(part, { minLength: 1, maxLength: 2 }).map((parts) => parts.join(''));
  const rule = fc
    .tuple(
      fc.constantFrom('', '', '!', '/'),
      fc.array(segment, { minLength: 1, maxLength: 3 }),
      fc.constantFrom('', '/'),
    )
    .map(([start, segments, end]) => `${start}${segments.join('/')}${end}`);
  fc.assert(
    fc.property(fc.array(rule, { minLength: 1, maxLength: 4 }), (rules) => {
      const text = rules.join('\n');
      const expected = ignoredByGit(text, PATHS);
      assert.deepEqual(
        PATHS.filter((path) => isIgnored(text, path)),
        PATHS.filter((path) => expected.has(path)),
        text,
      );
    }),
    { seed: 20_260, numRuns: 150 },
  );
});

test('a pattern of many stars takes steps in proportion to its length', () => {
  const [rule] = readIgnoreRules(`${'*a'.repeat(200)}b`);
  let steps = 0;
  const count = (more: number): void => {
    steps += more;
  };
  assert.equal(rule?.matches('a'.repeat(2_000), count), false);
  assert.ok(steps < 2_000 * 1_000, `${steps} steps`);
});
