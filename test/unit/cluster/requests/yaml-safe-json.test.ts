import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { writeYamlSafeJson } from '../../../../src/cluster/requests/yaml-safe-json.ts';

/** Characters that go-yaml refuses or folds within a JSON string. */
const UNSAFE = /[\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]/;

test('every text has no character that YAML refuses or folds, and stays the same JSON value', () => {
  const unit = fc.constantFrom(
    'a',
    '"',
    '\\',
    '\u007f',
    '\u0085',
    '\u009f',
    '\u2028',
    '\u2029',
    '\ufeff',
    '\uffff',
    '🚀',
  );
  fc.assert(
    fc.property(fc.string({ unit }), (text) => {
      const json = writeYamlSafeJson({ [text]: text });
      assert.doesNotMatch(json, UNSAFE);
      assert.deepEqual(JSON.parse(json), { [text]: text });
    }),
  );
});

test('a number beyond double precision keeps its digits', () => {
  assert.equal(writeYamlSafeJson({ big: 12345678901234567890n }), '{"big":12345678901234567890}');
});
