/** The configuration syntax of git, compared with `git config --list`. */
import assert from 'node:assert/strict';
import { mkdtempDisposable, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { readGitConfig } from '../../../../src/render/submodules/git-config.ts';
import { git } from '../../../support/git-command.ts';

/** The variables as git lists them. undefined: git refuses the text. */
async function listByGit(file: string, text: string): Promise<string | undefined> {
  await writeFile(file, text);
  return git(['config', '--file', file, '--list', '--null']).catch((error: Error) => {
    assert.match(error.message, /bad config line/);
    return undefined;
  });
}

function listByOurs(text: string): string | undefined {
  const config = readGitConfig(text);
  if (!config.ok) return undefined;
  return config.variables.map(({ key, value }) => `${key}${value === undefined ? '' : `\n${value}`}\0`).join('');
}

const TEXTS = [
  '',
  '[submodule "lib"]\n\tpath = vendor/lib\n\turl = ../lib.git\n',
  '\ufeff[submodule "a b\\"c\\\\d"]\r\n  PATH=x ; comment\r\n  url = "a # b" # c\r\n',
  '[submodule.Old]\npath = x',
  '[a]b = c\\\n  d\n[A.B "C"] e\n f =\n',
  '[a]\nb = "quoted\\tand \\"escaped\\""   trailing   \n',
  '# only a comment',
  '; another\n[x]',
  '[a]\nb = x\\',
];
const REFUSED: readonly (readonly [string, number])[] = [
  ['[submodule "lib"\n', 1],
  ['[a]\nb = "open\n', 2],
  ['[a]\nb = \\q\n', 2],
  ['[a b]\n', 1],
  ['[a]\n=x\n', 2],
  ['[a]\nb c\n', 2],
  ['[a]\n\n1b = x\n', 3],
  ['[a "b"x]\n', 1],
  ['[a_b]\n', 1],
];

test('files are read as git reads them', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'tautline-config-'));
  const file = join(folder.path, '.gitmodules');
  for (const text of TEXTS) {
    const expected = await listByGit(file, text);
    assert.notEqual(expected, undefined, JSON.stringify(text));
    assert.equal(listByOurs(text), expected, JSON.stringify(text));
  }
});

test('a file that git refuses is refused with its line', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'tautline-config-'));
  for (const [text, line] of REFUSED) {
    assert.equal(await listByGit(join(folder.path, 'x'), text), undefined, JSON.stringify(text));
    assert.deepEqual(readGitConfig(text), { ok: false, line }, JSON.stringify(text));
  }
});

// Versions of git differ in what becomes of a tab within a value, so none stands in the middle of one.
const piece = fc.constantFrom(
  ...['[', ']', '"', '\\', '=', '#', ';', ' ', '  ', '\n', '\r\n', '\n\t', 'a', 'B', 'c-1', '.', '/', 'ü', '_'],
  ...['[submodule "x"]\n', '[s]', 'path = ', 'url=', '\\"', '\\n', '\\\n', '../', ' = "a b"\n', 'key\n'],
);

test('random texts are read, or refused, as git does', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'tautline-config-'));
  const file = join(folder.path, 'config');
  const text = fc.array(piece, { maxLength: 25, size: 'max' }).map((pieces) => pieces.join(''));
  await fc.assert(
    fc.asyncProperty(text, async (config) => {
      // Git lists a variable before the first section, which no .gitmodules has.
      fc.pre(/^\s*\[/.test(config));
      assert.equal(listByOurs(config), await listByGit(file, config));
    }),
    { numRuns: 80 },
  );
});

test('the cost is linear in the text', () => {
  const startMs = performance.now();
  const text = '[submodule "x"]\n\tpath = a\n\turl = https://git.example.com/a\n'.repeat(20_000);
  const config = readGitConfig(text);
  const once = performance.now() - startMs;
  assert.equal(config.ok && config.variables.length, 40_000);
  const againMs = performance.now();
  readGitConfig(text.repeat(4));
  // A quadratic cost would be sixteen times the first.
  assert.ok(performance.now() - againMs < 12 * once + 500, 'four times the text costs more than twelve times the time');
});
