import assert from 'node:assert/strict';
import { chmod, mkdir, stat, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { prepareDataFolder, whyUntrusted } from '../../../src/source/packs/data-folder.ts';
import { temporaryFolder } from './source-harness.ts';

const OWN = 1000;

const CASES = [
  ['our own folder', { uid: OWN, mode: 0o777, isFolder: true }, undefined],
  ['a mounted volume', { uid: 0, mode: 0o777, isFolder: true }, undefined],
  ['a mounted volume of a group', { uid: 0, mode: 0o2775, isFolder: true }, undefined],
  ['the folder of another user', { uid: 1001, mode: 0o777, isFolder: true }, /another user/],
  ['the closed folder of another user', { uid: 1001, mode: 0o755, isFolder: true }, /another user/],
  ['the shared folder for temporary files', { uid: 0, mode: 0o1777, isFolder: true }, /all users share/],
  ['a link', { uid: OWN, mode: 0o777, isFolder: false }, /not a folder/],
] as const;
for (const [what, facts, why] of CASES) {
  test(`${what} is ${why ? 'refused' : 'accepted'} as data folder`, () => {
    assert.match(whyUntrusted(facts, OWN) ?? '', why ?? /^$/);
  });
}

test('our own folder is closed to other users, and a link in its place is refused', async (t) => {
  const dir = await temporaryFolder(t);
  const folder = join(dir, 'data');
  await mkdir(folder);
  await chmod(folder, 0o777);
  await prepareDataFolder(folder);
  assert.equal((await stat(folder)).mode & 0o777, 0o700);
  await prepareDataFolder(join(dir, 'new', 'data'));
  assert.equal((await stat(join(dir, 'new', 'data'))).mode & 0o777, 0o700);
  await symlink(folder, join(dir, 'link'));
  await assert.rejects(prepareDataFolder(join(dir, 'link')), { code: 'DataDirUnusable' });
});
