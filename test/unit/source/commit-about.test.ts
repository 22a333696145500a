/** Subject, author and date of a commit, whatever the commit holds. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isPrintable } from '../../../src/object/printable.ts';
import { readCommitAbout } from '../../../src/source/packs/commit-about.ts';

const commit = (author: string, message: string): Buffer =>
  Buffer.from(`tree ${'a'.repeat(40)}\nparent ${'b'.repeat(40)}\n${author}\ncommitter C <c@x> 1 +0000\n\n${message}`);

test('subject, author and date are read, and the address of the author is not', () => {
  assert.deepEqual(
    readCommitAbout(commit('author Ann Lee <ann@example.com> 1767225600 +0200', 'Bump nginx\n\nBecause.\n')),
    { subject: 'Bump nginx', author: 'Ann Lee', date: '2026-01-01T00:00:00Z' },
  );
});

test('a part that a commit does not have, or that cannot be written, is left out', () => {
  assert.deepEqual(readCommitAbout(Buffer.from(`tree ${'a'.repeat(40)}\n`)), {});
  assert.deepEqual(readCommitAbout(commit('author <> 999999999999 +0000', '\n  \n')), {});
  assert.deepEqual(readCommitAbout(commit('author A <a> 0 +0000', 'x')), { subject: 'x', author: 'A' });
});

test('no commit makes the reader throw, and its texts are printable and bounded', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'binary', maxLength: 600, size: 'max' }),
      fc.string({ unit: 'binary' }),
      (message, name) => {
        const about = readCommitAbout(commit(`author ${name} <a@b> 1767225600 +0000`, message));
        for (const text of [about.subject ?? '', about.author ?? '']) {
          assert.ok(isPrintable(text) && text.length <= 200);
        }
      },
    ),
  );
});
