import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { LineTooLongError, readLines } from '../../../../src/cluster/transport/line-reader.ts';

async function linesOf(chunks: readonly Uint8Array[], maxLineBytes = 1_000): Promise<string[]> {
  async function* stream(): AsyncGenerator<Uint8Array> {
    yield* chunks;
  }
  const lines: string[] = [];
  for await (const line of readLines(stream(), maxLineBytes)) lines.push(line);
  return lines;
}

test('lines are the same wherever the chunks end, even within a character', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.string({ unit: fc.constantFrom('a', 'ä', '🚀', '"', '\r', '\u2028'), minLength: 1 })),
      fc.array(fc.nat(20)),
      async (lines, cuts) => {
        const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(''));
        const chunks: Uint8Array[] = [];
        let at = 0;
        for (const size of cuts) {
          chunks.push(bytes.subarray(at, at + size));
          at += size;
        }
        chunks.push(bytes.subarray(at));
        assert.deepEqual(await linesOf(chunks), lines);
      },
    ),
  );
});

test('an unfinished last line is dropped', async () => {
  assert.deepEqual(await linesOf([Buffer.from('whole\nhal'), Buffer.from('f')]), ['whole']);
});

test('a line of exactly the bound is read, and one more byte throws, with or without a line feed', async () => {
  assert.deepEqual(await linesOf([Buffer.from('abc\n')], 3), ['abc']);
  await assert.rejects(linesOf([Buffer.from('abcd\n')], 3), LineTooLongError);
  await assert.rejects(linesOf([Buffer.from('ab'), Buffer.from('cd')], 3), LineTooLongError);
});
