import assert from 'node:assert/strict';
import { test } from 'node:test';
import { beyondDisk, type SnapshotOnDisk } from '../../../src/source/packs/disk-budget.ts';

const snapshot = (commit: string, usedMs: number, packBytes: number, packs = [commit]): SnapshotOnDisk => {
  return { owner: 'shop', repositoryKey: 'repository', commit, packs, packBytes, usedMs };
};

const removed = (snapshots: readonly SnapshotOnDisk[], maxBytes: number) =>
  beyondDisk(snapshots, maxBytes).map(({ commit }) => commit);

test('the snapshots that were not used for longest leave the disk until the rest is within the bound', () => {
  const snapshots = [snapshot('b', 2, 50), snapshot('a', 1, 50), snapshot('c', 3, 50)];
  assert.deepEqual(removed(snapshots, 150), []);
  assert.deepEqual(removed(snapshots, 149), ['a']);
  assert.deepEqual(removed(snapshots, 50), ['a', 'b']);
  assert.deepEqual(removed(snapshots, 0), ['a', 'b', 'c']);
});

test('packs that snapshots share count once', () => {
  const snapshots = [snapshot('a', 1, 100, ['base']), snapshot('b', 2, 101, ['base', 'difference'])];
  assert.deepEqual(removed(snapshots, 101), []);
  assert.deepEqual(removed(snapshots, 100), ['a', 'b']);
});

test('the namespace that takes the most gives first, however long its snapshots were used ago', () => {
  const large = ['a', 'b', 'c'].map((commit, at) => ({ ...snapshot(commit, 10 + at, 50), owner: 'large' }));
  const small = { ...snapshot('small', 1, 60), owner: 'small' };
  assert.deepEqual(removed([...large, small], 160), ['a']);
  assert.deepEqual(removed([...large, small], 110), ['a', 'b']);
  assert.deepEqual(removed([...large, small], 50), ['a', 'b', 'small']);
});
