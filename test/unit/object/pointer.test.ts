import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatPointer, parsePointer, valueAtPointer } from '../../../src/object/pointer.ts';

test('tokens that are written as a pointer are read back unchanged', () => {
  fc.assert(
    fc.property(fc.array(fc.string()), (tokens) => assert.deepEqual(parsePointer(formatPointer(tokens)), tokens)),
  );
});

test('the examples of RFC 6901 name the values that the RFC gives', () => {
  const document = { foo: ['bar', 'baz'], '': 0, 'a/b': 1, 'm~n': 8 };
  const table: [string, unknown][] = [
    ['', document],
    ['/foo/0', 'bar'],
    ['/', 0],
    ['/a~1b', 1],
    ['/m~0n', 8],
    ['/foo/01', undefined],
    ['/foo/2', undefined],
    ['/constructor', undefined],
  ];
  for (const [pointer, expected] of table)
    assert.equal(valueAtPointer(document, parsePointer(pointer)), expected, pointer);
});

test('a text that is not a pointer is refused', () => {
  for (const text of ['a', 'a/b', '/~', '/~2']) assert.throws(() => parsePointer(text), RangeError, text);
});
