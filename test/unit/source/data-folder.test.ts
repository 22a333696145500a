import assert from 'node:assert/strict';
import { chmod, mkdir, stat, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { prepareDataFolder, whyReplaceable, whyUntrusted } from '../../../src/source/packs/data-folder.ts';
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

const SELF = { uid: OWN, groups: [OWN, 2000] };
const PARENTS = [
  ['our own folder', { uid: OWN, gid: OWN, mode: 0o755 }, undefined],
  ['a folder of root', { uid: 0, gid: 0, mode: 0o755 }, undefined],
  ['the shared folder for temporary files', { uid: 0, gid: 0, mode: 0o1777 }, undefined],
  ['a volume of one of our groups', { uid: 0, gid: 2000, mode: 0o2775 }, undefined],
  ['our own link', { uid: OWN, gid: OWN, mode: 0o777, isLink: true }, undefined],
  ['a folder of another user', { uid: 1001, gid: OWN, mode: 0o755 }, /another user/],
  ['a shared folder of another user', { uid: 1001, gid: OWN, mode: 0o1777 }, /another user/],
  ['a link of another user', { uid: 1001, gid: OWN, mode: 0o777, isLink: true }, /another user/],
  ['a folder that all may write', { uid: 0, gid: 0, mode: 0o777 }, /all users/],
  ['our own folder that all may write', { uid: OWN, gid: OWN, mode: 0o757 }, /all users/],
  ['a folder that another group may write', { uid: 0, gid: 3000, mode: 0o775 }, /group 3000/],
] as const;
for (const [what, facts, why] of PARENTS) {
  test(`${what} above the data folder is ${why ? 'refused' : 'accepted'}`, () => {
    assert.match(whyReplaceable({ isLink: false, ...facts }, SELF) ?? '', why ?? /^$/);
  });
}

test('a data folder is refused if others may replace it, by its path or by what the path leads to', async (t) => {
  const dir = await temporaryFolder(t);
  const open = join(dir, 'open');
  await mkdir(join(open, 'deep'), { recursive: true });
  await chmod(open, 0o777);
  await assert.rejects(prepareDataFolder(join(open, 'deep', 'data')), {
    code: 'DataDirUnusable',
    message: /can be replaced, since .*open may be written by all users/,
  });
  await symlink(open, join(dir, 'link'));
  await assert.rejects(prepareDataFolder(join(dir, 'link', 'data')), /open may be written by all users/);
  await mkdir(join(dir, 'closed'), { mode: 0o700 });
  await symlink(join(dir, 'closed'), join(open, 'link'));
  await assert.rejects(prepareDataFolder(join(open, 'link', 'data')), /open may be written by all users/);
  await chmod(open, 0o1777);
  await prepareDataFolder(join(open, 'link', 'data'));
});

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
