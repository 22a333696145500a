/** The words, the line and the lines around it for the usual mistakes in YAML. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { explainYaml } from '../../../src/object/yaml/explain.ts';
import { readYaml } from '../../../src/object/yaml/read.ts';

const HEAD = 'apiVersion: v1\nkind: ConfigMap\n';

/** Title, text, line, column and message. */
const MISTAKES: readonly (readonly [string, string, number, number, RegExp])[] = [
  [
    'a key that is indented too deep',
    `${HEAD}metadata:\n  labels:\n    a: b\n  name: web\n    namespace: shop\ndata: {}\n`,
    7,
    5,
    /^line 7 is indented deeper than line 6, which already has a value$/,
  ],
  [
    'a list item that is indented deeper than a value',
    'a:\n  image: nginx\n    - name: x\n',
    3,
    5,
    /^line 3 is indented deeper than line 2, which already has a value$/,
  ],
  [
    'a key between two levels',
    `${HEAD}metadata:\n    name: web\n  labels: {}\n`,
    5,
    3,
    /^line 5 is indented by 2 spaces, and the lines above that it could belong to by 0 or 4$/,
  ],
  ['a tab', `${HEAD}metadata:\n\tname: web\n`, 4, 1, /^line 4 is indented with a tab; YAML allows only spaces$/],
  [
    'a quote that is not closed',
    `${HEAD}metadata:\n  name: "web\n  labels: {}\n`,
    4,
    9,
    /^the quote " of line 4 is not closed by "$/,
  ],
  [
    'a bracket that is not closed',
    `${HEAD}metadata: {name: web\ndata: {}\n`,
    3,
    11,
    /^the bracket \{ of line 3 is not closed by \}$/,
  ],
  ['a list that is not closed', `${HEAD}metadata:\n  x: [1, 2\n  name: y\n`, 4, 6, /^the bracket \[ of line 4/],
  ['a key without a colon', `${HEAD}metadata\n`, 3, 1, /^line 3 is neither a key with a colon nor a list item$/],
  ['a colon without a blank', `${HEAD}metadata:{}\n`, 3, 1, /^the colon of line 3 needs a blank after it$/],
  ['a key without a blank', `${HEAD}metadata:\n  name:web\n  x: y\n`, 4, 3, /^the colon of line 4 needs a blank/],
  [
    'a value with a colon',
    `${HEAD}data:\n  a: b: c\n`,
    4,
    6,
    /^a value that holds a colon and a blank must be in quotes$/,
  ],
  ['a value with an at sign', `${HEAD}data:\n  a: @b\n`, 4, 6, /^a value cannot begin with this character/],
  [
    'a second JSON document',
    '{"a": 1}\n{"b": 2}\n',
    2,
    1,
    /^another document begins here, without a line --- before it$/,
  ],
  ['a duplicate key', 'a: 1\nb: 2\na: 3\n', 3, 1, /^the key "a" occurs twice in one map$/],
  ['an unknown alias', 'a: *b\n', 1, 5, /alias \*b has no anchor before it$/],
  ['an unknown escape', 'a: 1\nb: "C:\\Users"\n', 2, 7, /unknown escape/],
];

for (const [title, text, line, column, message] of MISTAKES) {
  test(`${title} is told in plain words with its line`, () => {
    const result = readYaml(text, { maxNodes: 1000, maxDepth: 50 });
    assert.ok(!result.ok, 'the text was read');
    const told = explainYaml(text, result.failure);
    assert.match(told.message, message, JSON.stringify(told));
    assert.deepEqual([told.line, told.column], [line, column], JSON.stringify(told));
    assert.equal(told.mayQuote, false);
    const excerpt = told.excerpt.split('\n');
    const shown = text.split('\n').slice(Math.max(0, line - 3), line);
    assert.deepEqual(
      excerpt.slice(0, -1),
      shown.map((one, at) => `${line - shown.length + at + 1} | ${one}`),
    );
    assert.equal(excerpt.at(-1)?.indexOf('^'), String(line).length + 3 + column - 1);
  });
}

test('a valid text next to a mistake is not blamed', () => {
  const script = 'data:\n  run: |\n    if true; then\n        echo "x\n    fi\n  other: [\n';
  const result = readYaml(script, { maxNodes: 1000, maxDepth: 50 });
  assert.ok(!result.ok);
  assert.equal(explainYaml(script, result.failure).line, 6);
});

test('the words of a diagnosis repeat nothing of a text but single characters', () => {
  for (const [, text] of MISTAKES.slice(0, 10)) {
    const hidden = text.replaceAll('web', 'hunter2').replaceAll('nginx', 'hunter2');
    const result = readYaml(hidden, { maxNodes: 1000, maxDepth: 50 });
    if (!result.ok) assert.doesNotMatch(explainYaml(hidden, result.failure).message, /hunter2/);
  }
});
