/** Text that is shown to people contains no control sequences and no characters that change how a line reads. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cutText } from '../../../src/application/conditions.ts';
import { formatProblem } from '../../../src/object/problem.ts';
import { isPrintable, printable, printableLines } from '../../../src/object/printable.ts';

test('control characters, text directions and lone surrogates are shown by their code units', () => {
  assert.equal(printable('a\x1b[2J\x07\x7f\x9b b'), 'a\\u001b[2J\\u0007\\u007f\\u009b b');
  assert.equal(printable('\u202egnp.txt\u2066\u200b\ufeff'), '\\u202egnp.txt\\u2066\\u200b\\ufeff');
  assert.equal(printable('one\ntwo\u2028three'), 'one\\u000atwo\\u2028three');
  assert.equal(printable('half \ud83d, whole \u{1f600}'), 'half \\ud83d, whole \u{1f600}');
  assert.equal(printable('tag \u{e0041}'), 'tag \\udb40\\udc41');
});

test('words of all languages are shown unchanged', () => {
  for (const text of ['größer – „naïve“', '日本語', 'עברית', 'a\tb'.replace('\t', ' ')]) {
    assert.equal(printable(text), text);
    assert.ok(isPrintable(text));
  }
});

test('a message of several lines keeps its line feeds, and other control characters are escaped', () => {
  assert.equal(printableLines('one\ntwo\r\x1b[0m'), 'one\ntwo\\u000d\\u001b[0m');
  assert.equal(cutText('x\x1b[31m', 100), 'x\\u001b[31m');
});

test('the name of a file or an object cannot add a line to a problem', () => {
  const shown = formatProblem({
    code: 'YamlSyntax',
    message: 'x\nReady: True',
    file: 'a\nReady: True.yaml',
    excerpt: 'd: \x1b[2J[\r',
    hint: 'h\u202e',
  });
  assert.deepEqual(shown.split('\n'), [
    'a\\u000aReady: True.yaml: x\\u000aReady: True',
    '  d: \\u001b[2J[',
    '  h\\u202e',
  ]);
});
