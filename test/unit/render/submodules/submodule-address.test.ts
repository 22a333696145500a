/** Addresses of submodules, compared with those that `git submodule init` notes. */
import assert from 'node:assert/strict';
import { mkdtempDisposable, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { resolveSubmoduleAddress } from '../../../../src/render/submodules/submodule-address.ts';
import { git } from '../../../support/git-command.ts';

const PARENTS = [
  'https://git.example.com/org/team/shop.git',
  'https://git.example.com:8443/org/shop',
  'ssh://git@git.example.com/org/team/shop.git',
  'ssh://git@git.example.com:2222/org/team/shop/',
  'git@git.example.com:org/team/shop.git',
  'git@git.example.com:/srv/git/shop.git',
  'git@[::1]:org/team/shop.git',
];
const ADDRESSES = ['../lib.git', './lib', '../../lib.git', '.././lib/', '../a/../b', './../lib.git'];
const WHOLE = ['https://other.example.com/lib.git', 'git@other.example.com:lib.git', 'ssh://git@other.example.com/lib'];

test('relative addresses are resolved as git resolves them', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'tautline-addresses-'));
  const cwd = folder.path;
  const all = [...ADDRESSES, ...WHOLE];
  await git(['init', '--quiet'], { cwd });
  const entries = all.map((url, index) => `[submodule "m${index}"]\n\tpath = m${index}\n\turl = ${url}\n`);
  await writeFile(join(cwd, '.gitmodules'), entries.join(''));
  const links = all.map((_, index) => `160000 ${'1'.repeat(40)}\tm${index}\n`).join('');
  await git(['update-index', '--index-info'], { cwd, input: links });
  for (const parent of PARENTS) {
    await git(['config', 'remote.origin.url', parent], { cwd });
    for (const index of all.keys())
      await git(['config', '--unset', `submodule.m${index}.url`], { cwd }).catch(() => '');
    await git(['submodule', '--quiet', 'init'], { cwd });
    for (const [index, text] of all.entries()) {
      const expected = await git(['config', `submodule.m${index}.url`], { cwd });
      const address = resolveSubmoduleAddress(text, parent);
      assert.deepEqual(address, { ok: true, repoURL: expected.replace(/\/+$/, '') }, `${text} at ${parent}`);
    }
  }
});

test('an address that names no server is refused with its reason', () => {
  const parent = 'https://git.example.com/org/shop.git';
  const table: readonly (readonly [string, RegExp])[] = [
    ['file:///srv/lib.git', /names a folder of a machine/],
    ['FILE:/srv/lib.git', /names a folder of a machine/],
    ['/srv/lib.git', /names a folder of a machine/],
    ['~/lib.git', /names a folder of a machine/],
    ['lib', /names a folder of a machine/],
    ['-u./payload', /begins with a hyphen/],
    ['--upload-pack=touch /tmp/x', /begins with a hyphen/],
    ['', /is empty/],
    ['https://git.example.com/a\nb', /cannot be printed/],
    ['git://git.example.com/lib', /none by https, http or ssh \(git\)/],
    ['ext::sh -c touch% /tmp/x', /none by https, http or ssh \(ext\)/],
    ['../../../lib.git', /leads above the host/],
  ];
  for (const [text, expected] of table) {
    const address = resolveSubmoduleAddress(text, parent);
    assert.equal(address.ok, false, text);
    assert.match(address.ok ? '' : address.problem, expected, text);
  }
});
