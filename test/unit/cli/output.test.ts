/** The output of commands: texts of others are shown as text, and one module alone prints. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { mock, test } from 'node:test';
import { paint, print, printError, printPainted } from '../../../src/cli/output.ts';
import { printableLines } from '../../../src/object/printable.ts';
import { parseJson, stringifyJson } from '../../../src/object/json.ts';
import { readYaml } from '../../../src/object/yaml/read.ts';
import { nodeToValue } from '../../../src/object/yaml/node.ts';
import { writeYaml, writeYamlToShow } from '../../../src/object/yaml/write.ts';

/** Escape sequences, C1 controls, text direction, zero width, line separators, and a lone surrogate. */
const HOSTILE = ['\u001b[2J', '\u001b]0;owned\u0007', '\u009b31m', '\u202ex\u2066', '\u200b', '\u2028', '\r', '\ud800'];
const RAW = /[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800]/;

/** The text that a call writes to both streams. */
function written(run: () => void): string {
  const written: string[] = [];
  const streams = [process.stdout, process.stderr];
  const mocks = streams.map((stream) => mock.method(stream, 'write', (text: string) => written.push(text) > 0));
  try {
    run();
  } finally {
    for (const { mock: method } of mocks) method.restore();
  }
  return written.join('');
}

for (const text of HOSTILE) {
  const name = printableLines(text);
  test(`${name} is printed as text by every way to print`, () => {
    for (const way of [print, printError, printPainted]) {
      const shown = written(() => way(`a${text}b\n`));
      assert.doesNotMatch(shown, RAW);
      assert.match(shown, /^a\\u[0-9a-f]{4}.*b\n$/);
    }
    assert.doesNotMatch(paint('red', text).replaceAll(/\u001b\[\d{1,2}m/g, ''), RAW);
  });

  test(`${name} in JSON and YAML is escaped and stays the same value`, () => {
    const value = { [`k${text}`]: [text, `one\n${text}\n`, `'${text}"`], plain: 'a\nb\n' };
    const json = written(() => print(`${stringifyJson(value, 2)}\n`));
    assert.doesNotMatch(json, RAW);
    assert.equal(JSON.stringify(parseJson(json)), JSON.stringify(value));
    if (text === '\ud800') return;
    const yaml = writeYamlToShow(value);
    assert.doesNotMatch(yaml, RAW);
    assert.equal(
      written(() => print(yaml)),
      yaml,
    );
    const read = readYaml(yaml, { maxNodes: 100, maxDepth: 10 });
    const root = read.ok ? read.documents[0]?.root : undefined;
    assert.equal(JSON.stringify(nodeToValue(root ?? assert.fail(yaml))), JSON.stringify(value));
  });
}

test('YAML without such characters is written as kustomize writes it', () => {
  const value = { a: 'x', b: 'ä: y', c: 'one\ntwo\n', d: ['"', "it's"] };
  assert.equal(writeYamlToShow(value), writeYaml(value));
});

test('commands print by one module alone', () => {
  const folder = new URL('../../../src/cli/', import.meta.url);
  const printing = readdirSync(folder).filter((file) => {
    return /std(?:out|err)\.write|console\./.test(readFileSync(new URL(file, folder), 'utf8'));
  });
  assert.deepEqual(printing, ['output.ts']);
});
