/** The files of a chart survive the way from the child to the parent. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeChartFiles, encodeChartFiles } from '../../../src/sandbox/chart-files-wire.ts';

test('decoding reverses encoding for files of any content', () => {
  const file = fc.record({
    path: fc.string({ minLength: 1, maxLength: 20, size: 'max' }),
    bytes: fc.uint8Array({ maxLength: 50, size: 'max' }),
  });
  fc.assert(
    fc.property(fc.array(file), (files) => {
      const decoded = decodeChartFiles(encodeChartFiles({ ok: true, files }));
      assert.ok(decoded.ok);
      const plain = decoded.files.map(({ path, bytes }) => ({ path, bytes: new Uint8Array(bytes) }));
      assert.deepEqual(
        plain,
        files.map(({ path, bytes }) => ({ path, bytes: new Uint8Array(bytes) })),
      );
    }),
  );
});

test('a problem is handed on, and bytes that are cut off are refused', () => {
  const problem = { code: 'PathEscapesRoot', message: 'a link leaves the repository' } as const;
  assert.deepEqual(decodeChartFiles(encodeChartFiles({ ok: false, problem })), { ok: false, problem });
  const bytes = encodeChartFiles({ ok: true, files: [{ path: 'a', bytes: Buffer.from('abc') }] });
  assert.throws(() => decodeChartFiles(bytes.subarray(0, -1)), /cut off/);
});
