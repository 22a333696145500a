/** Commits as git stores them, and as other programs may write them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseCommit } from '../../../src/source/packs/git-tree.ts';

const TREE = 'a'.repeat(40);
const OID = 'f'.repeat(40);
const parse = (...lines: readonly string[]) => parseCommit(Buffer.from(lines.join('\n')), OID);
const author = 'author A <a@example.com> 5 +0000';
const committer = 'committer C <c@example.com> 1700000000 -0330';

test('the lineage of a commit is read from its header alone', () => {
  const parents = ['1'.repeat(40), '2'.repeat(40)];
  const headers = [`tree ${TREE}`, ...parents.map((oid) => `parent ${oid}`), author, committer, 'gpgsig x'];
  const { treeOid, lineage } = parse(...headers, '', `parent ${OID}`, 'committer X <x> 1 +0000', '');
  assert.equal(treeOid, TREE);
  assert.deepEqual(lineage, { parents, committedS: 1_700_000_000 });
});

test('a commit without parents or without a readable time is read all the same', () => {
  assert.deepEqual(parse(`tree ${TREE}`).lineage, { parents: [], committedS: undefined });
  for (const time of ['', '-5 +0000', '1e9 +0000', `${'9'.repeat(30)} +0000`]) {
    assert.equal(parse(`tree ${TREE}`, author, `committer C <c> ${time}`, '', 'text').lineage.committedS, undefined);
  }
});

test('the number of parents that are kept is bounded', () => {
  const parents = Array.from({ length: 1000 }, (_, index) => `parent ${index.toString(16).padStart(40, '0')}`);
  assert.equal(parse(`tree ${TREE}`, ...parents, author, committer).lineage.parents.length, 32);
});

test('an object without a tree is no commit', () => {
  for (const text of ['', 'tree', `tree ${TREE.slice(1)}\n`, `object ${TREE}\n`, `tree ${TREE}0\n`]) {
    assert.throws(() => parse(text), { code: 'NotACommit' });
  }
});
