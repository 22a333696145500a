import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mayHaveMoved, nameOfRevision, readRevision, resolvedCommit } from '../../../src/source/revision.ts';

const COMMIT = '0123456789abcdef0123456789abcdef01234567';
const PUSHES: readonly (readonly [string, readonly string[], string | undefined, boolean])[] = [
  ['main', ['refs/heads/main'], undefined, true],
  ['main', ['refs/tags/main'], undefined, true],
  ['main', ['refs/heads/next'], 'main', false],
  ['main', ['refs/heads/next', 'refs/heads/main'], undefined, true],
  ['main', [], undefined, true],
  ['HEAD', ['refs/heads/main'], 'main', true],
  ['HEAD', ['refs/heads/next'], 'main', false],
  ['HEAD', ['refs/heads/next'], undefined, true],
  ['refs/heads/main', ['refs/heads/main'], undefined, true],
  ['refs/heads/main', ['refs/tags/main'], undefined, false],
  [COMMIT, ['refs/heads/main'], 'main', true],
  ['semver:1.x', ['refs/tags/v1.2.0'], 'main', true],
  ['semver:1.x', ['refs/heads/main'], 'main', false],
  ['semver:1.x', [], undefined, true],
];

for (const [revision, refs, defaultBranch, expected] of PUSHES) {
  const push = `a push of ${refs.join(', ') || 'unknown references'} (default ${defaultBranch ?? 'unknown'})`;
  test(`${push} ${expected ? 'may have' : 'has not'} moved ${revision}`, () => {
    assert.equal(mayHaveMoved(revision, { addresses: [], refs, defaultBranch }), expected);
  });
}

test('a resolved revision is read back from the text that status stores', () => {
  for (const text of [`main@sha1:${COMMIT}`, `team/a@b@sha1:${COMMIT}`, resolvedCommit(COMMIT).revision]) {
    assert.deepEqual(readRevision(text), { revision: text, commit: COMMIT });
  }
  for (const text of ['', 'main', COMMIT, `main@${COMMIT}`, `main@sha1:${COMMIT}0`, `main@sha1:${COMMIT.slice(1)}`]) {
    assert.equal(readRevision(text), undefined, text);
  }
});

test('a resolved revision has the name of the branch or tag that was followed', () => {
  assert.equal(nameOfRevision(`main@sha1:${COMMIT}`), 'main');
  assert.equal(nameOfRevision(`team/a@b@sha1:${COMMIT}`), 'team/a@b');
  assert.equal(nameOfRevision(`sha1:${COMMIT}`), `sha1:${COMMIT}`);
});
