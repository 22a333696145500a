/** Unified differences of texts of several lines. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { fieldDifferences } from '../../../src/diff/field-difference.ts';
import { unifiedHunks } from '../../../src/diff/text-hunks.ts';

const numbered = (count: number): string[] => Array.from({ length: count }, (_, at) => `line ${at + 1}`);
const textOf = (lines: readonly string[]): string => `${lines.join('\n')}\n`;

test('a changed line is shown with its neighbours, and distant changes in hunks of their own', () => {
  const before = numbered(30);
  const after = before.with(4, 'five').toSpliced(24, 1);
  assert.equal(
    unifiedHunks(textOf(before), textOf(after)),
    [
      ...['@@ -2,7 +2,7 @@', ' line 2', ' line 3', ' line 4', '-line 5', '+five', ' line 6', ' line 7', ' line 8'],
      ...['@@ -22,7 +22,6 @@', ' line 22', ' line 23', ' line 24', '-line 25', ' line 26', ' line 27', ' line 28'],
    ].join('\n'),
  );
});

test('a line end that is missing at the end of a text is a difference', () => {
  assert.equal(unifiedHunks('a\nb\n', 'a\nb'), '@@ -1,2 +1,2 @@\n a\n b\n\\ No newline at end of text');
});

test('the hunks turn one text into the other', () => {
  const line = fc.constantFrom('a', 'b', 'c', 'd');
  const lines = fc.array(line, { maxLength: 12, size: 'max' }).map(textOf);
  fc.assert(
    fc.property(lines, lines, (before, after) => {
      if (before === after) return;
      assert.equal(applied(before, unifiedHunks(before, after)), after);
    }),
  );
});

function applied(before: string, hunks: string): string {
  const rest = before.split('\n').slice(0, -1);
  const result: string[] = [];
  let at = 0;
  for (const row of hunks.split('\n')) {
    const start = /^@@ -(\d+),/.exec(row);
    if (start) {
      const first = Number(start[1]) - 1;
      result.push(...rest.slice(at, first));
      at = first;
    } else if (row.startsWith('+')) result.push(row.slice(1));
    else {
      if (row.startsWith(' ')) result.push(row.slice(1));
      at += 1;
    }
  }
  return textOf([...result, ...rest.slice(at)]).replace(/^\n$/, '\n');
}

test('cost and result are bounded for large texts', () => {
  const before = textOf(numbered(20_000));
  const after = textOf(numbered(20_000).map((one) => `${one}!`));
  const started = performance.now();
  assert.ok(unifiedHunks(before, after).split('\n').length <= 61);
  assert.ok(performance.now() - started < 2000);
});

const live = (fields: object) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' }, ...fields });

test('a field with a text of several lines has hunks, a Secret has none, and long equal beginnings are left out', () => {
  const finding = (desired: string, found: string) => [
    { tokens: ['data', 'x'], steps: [], desired, live: found } as unknown as Parameters<typeof fieldDifferences>[0][0],
  ];
  const [many] = fieldDifferences(finding('a\nc\n', 'a\nb\n'), { live: live({}) });
  assert.equal(many?.hunks, '@@ -1,2 +1,2 @@\n a\n-b\n+c');
  const [secret] = fieldDifferences(finding('a\nc\n', 'a\nb\n'), { live: { ...live({}), kind: 'Secret' } });
  assert.deepEqual([secret?.hunks, secret?.live, secret?.desired], [undefined, '********', '********']);
  const [sealed] = fieldDifferences(finding('a\nc\n', 'a\nb\n'), { live: live({}), isSealed: true });
  assert.deepEqual([sealed?.hunks, sealed?.live, sealed?.desired], [undefined, '********', '********']);
  const start = 'x'.repeat(1000);
  const [long] = fieldDifferences(finding(`${start}one`, `${start}two`), { live: live({}) });
  assert.match(String(long?.desired), /^…x{32}one$/);
  assert.match(String(long?.live), /^…x{32}two$/);
});
