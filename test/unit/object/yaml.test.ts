import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { newMap, type Value } from '../../../src/object/value.ts';
import { explainYaml } from '../../../src/object/yaml/explain.ts';
import { compareKeys } from '../../../src/object/yaml/key-order.ts';
import { nodeToValue } from '../../../src/object/yaml/node.ts';
import { readYaml, type YamlFailure, type YamlOptions } from '../../../src/object/yaml/read.ts';
import { resolvePlain } from '../../../src/object/yaml/scalar.ts';
import { writeYaml } from '../../../src/object/yaml/write.ts';

const LIMITS = { maxNodes: 100_000, maxDepth: 100 };

function read(text: string, options: Partial<YamlOptions> = {}): Value[] {
  const result = readYaml(text, { ...LIMITS, ...options });
  assert.ok(result.ok, result.ok ? '' : result.failure.message);
  return result.documents.flatMap(({ root }) => (root === undefined ? [] : [nodeToValue(root)]));
}

function refuse(text: string, options: Partial<YamlOptions> = {}): YamlFailure {
  const result = readYaml(text, { ...LIMITS, ...options });
  assert.ok(!result.ok, `${text} was read`);
  return result.failure;
}

const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

test('plain scalars have the same meaning as in go-yaml', () => {
  const table: readonly (readonly [string, Value])[] = [
    ['yes', 'yes'],
    ['True', true],
    ['tRue', 'tRue'],
    ['~', null],
    ['Null', null],
    ['0777', 511],
    ['0o10', 8],
    ['0b11', 3],
    ['-0x1F', -31],
    ['1_000', 1000],
    ['08', 8],
    ['1e3', 1000],
    ['.5', 0.5],
    ['.0_5', 0.05],
    ['._5', '._5'],
    ['e3', 'e3'],
    ['1:30', '1:30'],
    ['9007199254740993', 9007199254740993n],
    ['18446744073709551616', 18446744073709551616],
    ['1e400', '1e400'],
    ['2020-1-1', '2020-01-01T00:00:00Z'],
    ['2020-02-30', '2020-02-30'],
    ['0x', '0x'],
    ['-', '-'],
    ['.', '.'],
    ['2020-01-01T10:00:00.50+02:00', '2020-01-01T10:00:00.5+02:00'],
    ['2020-01-01 10:00:00', '2020-01-01T10:00:00Z'],
  ];
  for (const [text, value] of table) assert.deepEqual(nodeToValue(resolvePlain(text)), value, text);
});

test('version 2, which reads kustomizations, knows the booleans of YAML 1.1 and keeps dates as texts', () => {
  assert.deepEqual(plain(read('[yes, n, Off, 2020-01-01]', { dialect: 'v2' })), [[true, false, false, '2020-01-01']]);
});

test('aliases are copied and merge keys are resolved, own keys first', () => {
  const [value] = read('a: &a {x: 1, l: [1]}\nb: {<<: *a, x: 2}\nc: {<<: [{x: 3}, *a]}\nd: *a\n');
  assert.deepEqual(plain(value), {
    a: { x: 1, l: [1] },
    b: { x: 2, l: [1] },
    c: { x: 3, l: [1] },
    d: { x: 1, l: [1] },
  });
});

test('a missing value after a colon is null in block style and the empty text in flow style', () => {
  assert.deepEqual(plain(read('a:\nb: {c: , d}\n')), [{ a: null, b: { c: '', d: '' } }]);
});

test('a text that is not YAML is refused with the offset of the error', () => {
  const table: readonly (readonly [string, RegExp])[] = [
    ['a: 1\na: 2\n', /"a" occurs twice/],
    ['a: *b\n', /no anchor/],
    ['a: &a [*a]\n', /inside the node/],
    ['a: {1: x}\n', /quotes/],
    ['null: x\n', /null cannot be a key/],
    ['? [a]\n: b\n', /cannot be a key/],
    ['a: !!int x\n', /does not fit/],
    ['<<: 1\n', /needs a map/],
    ['a: [\n', /./],
  ];
  for (const [text, message] of table) assert.match(refuse(text).message, message, text);
  assert.equal(refuse('a: 1\nb: 2\na: 3\n').offset, 10);
});

test('a text with too many nodes or too deep nesting is refused with LimitExceeded', () => {
  assert.equal(refuse('[1, 2, 3, 4, 5]', { maxNodes: 4 }).code, 'LimitExceeded');
  assert.equal(refuse('['.repeat(50), { maxDepth: 20 }).code, 'LimitExceeded');
});

test('a syntax error is explained with line, column, the line itself and a hint', () => {
  const text = 'a: b\nc: @d\n';
  const { line, column, excerpt, hint } = explainYaml(text, refuse(text));
  assert.deepEqual([line, column, excerpt], [2, 4, '1 | a: b\n2 | c: @d\n  |    ^']);
  assert.match(hint ?? '', /quotes/);
});

test('each document has the line at which it begins', () => {
  const result = readYaml('# first\na: 1\n---\n\nb: 2\n---\n---\nc: 3\n', LIMITS);
  assert.deepEqual(result.ok && result.documents.map(({ line }) => line), [2, 5, 5, 8]);
});

test('keys are sorted with letters last and digits by their value', () => {
  assert.deepEqual(['b', 'a10', 'a9', 'a-b', '1', 'aB'].sort(compareKeys), ['1', 'a-b', 'a9', 'a10', 'aB', 'b']);
});

const text = fc.oneof(
  fc.string(),
  fc.string({
    unit: fc.constantFrom(
      'a',
      ' ',
      '\n',
      ':',
      '-',
      '#',
      "'",
      '"',
      '\\',
      '{',
      '1',
      '.',
      'é',
      '🎉',
      '\t',
      '\r',
      '\u2028',
    ),
  }),
  fc.constantFrom('yes', 'null', '0777', '1e3', '<<', '', '-', '2020-01-01', '~', '1:30', 'word '.repeat(40)),
);

/** In the value model integers of 64 bits beyond 2^53 are bigints, with the digits that are printed. */
function asInModel(number: number): number | bigint {
  if (number === 0) return 0;
  if (!Number.isInteger(number) || Number.isSafeInteger(number) || Math.abs(number) >= 1e21) return number;
  const digits = BigInt(String(number));
  return digits >= -(2n ** 63n) && digits < 2n ** 64n ? digits : number;
}

const value = fc.letrec<{ value: Value }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    text,
    fc.integer(),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map(asInModel),
    fc.bigInt({ min: 2n ** 53n, max: 2n ** 64n - 1n }),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.array(fc.tuple(text, tie('value')), { maxLength: 4 }).map((entries) => newMap(entries)),
  ),
})).value;

test('every value that is written is read back as the same value', () => {
  fc.assert(
    fc.property(value, (written) => {
      const [back] = read(writeYaml(newMap([['value', written]])));
      assert.deepEqual(back, newMap([['value', written]]));
    }),
    { numRuns: 500 },
  );
});

test('no text makes the reader throw', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(...Array.from('a:-[]{}&*!|>\n \t#\'"%@?,<0')) }), (any) => {
      const result = readYaml(any, LIMITS);
      if (!result.ok) explainYaml(any, result.failure);
    }),
    { numRuns: 2000 },
  );
});

test('texts that libyaml refuses are refused, although the parser accepts them', () => {
  const refused: readonly (readonly [string, RegExp])[] = [
    ['a: |\n  \tx\n  y\n', /cannot begin with a tab/],
    ['a: |\n\n  \tx\n', /cannot begin with a tab/],
    ['a: "\x7f"\n', /control characters/],
    ['a: \x80\n', /control characters/],
    ['a: "\\/"\n', /not an escape/],
    ['a: &x.y b\n', /the anchor &x\.y/],
  ];
  for (const [text, message] of refused) {
    const result = readYaml(text, { maxNodes: 100, maxDepth: 10 });
    assert.ok(!result.ok, text);
    assert.match(result.failure.message, message);
  }
  for (const text of ['a: |2\n  \tx\n', 'a: |\n  x\n  \ty\n', 'a: "\\\\/"\n', 'a: \\/\n']) {
    assert.ok(readYaml(text, { maxNodes: 100, maxDepth: 10 }).ok, text);
  }
});

test('the time to indent a text for the parser is proportional to its length', () => {
  const flow = `a: {\n${'b: c,\n'.repeat(100_000)}}\n`;
  const lines = `a:\n${'  b: [\n]\n'.repeat(50_000)}`;
  for (const text of [flow, lines, '"'.repeat(300_000), '[\n'.repeat(300_000), 'a: "\n'.repeat(100_000)]) {
    const startMs = performance.now();
    readYaml(text, { maxNodes: 1e6, maxDepth: 100, duplicateKeys: 'last' });
    assert.ok(performance.now() - startMs < 10_000);
  }
});

test('a !!binary text must be complete base64, as in Go', () => {
  for (const text of ['aGk=', '"aGk="', '|\n  aG\n  k=\n']) assert.deepEqual(read(`!!binary ${text}`), ['hi']);
  for (const text of ['"%%%"', 'aGk', 'aGk==', '"aG k="', '====', 'a===', '_-8=']) {
    assert.match(refuse(`x: !!binary ${text}\n`).message, /does not fit its tag !!binary/, text);
  }
});

test('an escape that does not name a character is refused, and a surrogate pair is one character', () => {
  assert.deepEqual(read('"\\ud83d\\ude00"'), ['\u{1f600}']);
  for (const text of ['\\ud800', '\\udfff', 'x\\ude00\\ud83d', '\\U00110000', '\\U0000d800']) {
    assert.match(refuse(`x: "${text}"\n`).message, /escape/, text);
  }
});
