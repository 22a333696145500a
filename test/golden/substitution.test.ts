/**
 * Compares the substitution of variables with that of Flux: random expressions give the same text, and random objects
 * the same values, or both fail. The seed is fixed; TAUTLINE_SUBSTITUTION_CASES sets the number of cases.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { before, test } from 'node:test';
import { parseJson, stringifyJson } from '../../src/object/json.ts';
import type { ValueMap } from '../../src/object/value.ts';
import { writeYaml } from '../../src/object/yaml/write.ts';
import { renderObjects } from '../../src/render/render.ts';
import { evaluate } from '../../src/render/substitute/evaluate.ts';
import { ExpressionError, readExpressions } from '../../src/render/substitute/expression.ts';
import { fluxSubstitutionBinary } from '../control-plane/binaries.ts';
import { newChance, type Chance } from '../support/chance.ts';
import { LIMITS, memoryTree } from '../unit/render/memory-tree.ts';

const CASES = Number(process.env['TAUTLINE_SUBSTITUTION_CASES'] ?? 4_000);

/** Values that YAML reads as something else than text, if no quotes surround them, are among them. */
const VARIABLES: Readonly<Record<string, string>> = {
  empty: '',
  letters: 'abcABC123ABCabc',
  c_1: '/home/user/archive.tar.gz',
  odd: 'x*y[z]\\',
  same: 'aaa',
  umlaut: 'ﬁ Éa',
  number: '12',
  float: '1.50',
  large: '12345678901234567890',
  flag: 'true',
  yes: 'yes',
  off: 'off',
  nothing: 'null',
  octal: '0777',
  date: '2001-02-03',
  minutes: '1:30',
  map: '{a: 1, b: [x, "y"]}',
  list: '[1, 2]',
  holes: '{a: , b: [x, ], c}',
  colon: 'a: b',
  hash: 'a #b',
  quote: 'it\'s "quoted"',
  star: '*x',
  space: ' both ',
  percent: '%x',
  _u: 'foo/bar/baz',
};

let binary = '';

before(async () => {
  binary = await fluxSubstitutionBinary();
});

interface Answer {
  readonly result?: unknown;
  readonly error?: string;
}

/** Asks Flux about many texts at once. */
function askFlux(texts: readonly string[], isPlain: boolean): readonly Answer[] {
  const input = texts.map((text) => JSON.stringify({ text, variables: VARIABLES, isPlain })).join('\n');
  const { stdout, status } = spawnSync(binary, { input, encoding: 'utf8', maxBuffer: 1e9 });
  assert.equal(status, 0);
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => parseJson(line) as unknown as Answer);
}

const SYMBOLS = ['${', '${', '}', '$', '$$', '{', ':', ':-', ':=', '=', ':+', ':?', '-', '+', '?', '#', '##', '%', '%%'];
SYMBOLS.push('/', '//', '/#', '/%', ',', ',,', '^', '^^', '*', '[', ']', '[a-c]', '\\', '\\/', '.', 'abc', 'a', '1', '-1');
SYMBOLS.push(' ', '\n', 'é', 'letters', 'c_1', 'odd', 'unset', 'ABC');

const WORDS = ['*', '?', 'a', 'abc', '/', '.', 'b', '[a-c]', '[^/]', '\\*', '\\', '[', ']', '${same}', '1', '-1', 'é', ':'];
WORDS.push('2', '[a-', '${unset}', '$$', '}');

function makeWord(chance: Chance): string {
  return Array.from({ length: 1 + chance.int(3) }, () => chance.pick(WORDS)).join('');
}

function makeExpression(chance: Chance, depth = 0): string {
  const name = chance.pick([...Object.keys(VARIABLES), 'letters', 'letters', 'c_1', 'unset']);
  const word = chance.may(0.3) && depth < 3 ? makeExpression(chance, depth + 1) : makeWord(chance);
  const position = chance.pick(['0', '1', '-3', '3', '100', '-100', 'z', '+2']);
  const length = chance.pick(['2', '-1', '0', '100', '-100', 'q']);
  const body = chance.pick([
    ...[name, name, `#${name}`, `${name}:-${word}`, `${name}:=${word}`, `${name}=${word}`, `${name}:+${word}`],
    ...[`${name}:${position}`, `${name}:${position}:${length}`],
    ...[`${name}#${word}`, `${name}##${word}`, `${name}%${word}`, `${name}%%${word}`],
    ...[`${name}/${word}/${word}`, `${name}//${word}/${makeWord(chance)}`, `${name}/#${word}/x`, `${name}/%${word}/x`],
    ...[',', ',,', '^', '^^', ',^'].map((operator) => `${name}${operator}`),
  ]);
  return `${chance.pick(['', '', 'x', '$', '$$'])}\${${body}}${chance.pick(['', '', 'y', '}', '$'])}`;
}

function makeText(chance: Chance): string {
  if (chance.may(0.7)) return makeExpression(chance) + (chance.may(0.3) ? makeExpression(chance) : '');
  return Array.from({ length: 1 + chance.int(9) }, () => chance.pick(SYMBOLS)).join('');
}

const NO_COSTS = { work: () => {}, text: () => {} };

function expand(text: string): string | undefined {
  try {
    const result = evaluate(readExpressions(text), { variables: new Map(Object.entries(VARIABLES)), costs: NO_COSTS });
    return result.ok ? result.text : undefined;
  } catch (error) {
    if (error instanceof ExpressionError) return undefined;
    throw error;
  }
}

test(`${CASES} random texts with expressions become the same as in Flux`, () => {
  const chance = newChance(20_261);
  const texts = Array.from({ length: CASES }, () => makeText(chance));
  const differences: string[] = [];
  let replaced = 0;
  askFlux(texts, true).forEach(({ result }, index) => {
    const text = texts[index] as string;
    // Flux cuts characters of several bytes in half.
    if (typeof result === 'string' && result.includes('\ufffd')) return;
    if (result !== undefined) replaced += 1;
    const ours = expand(text);
    if (ours !== result) differences.push(`${text}\nFlux: ${String(result)}\nours: ${String(ours)}`);
  });
  assert.deepEqual(differences.slice(0, 5), []);
  assert.ok(replaced > CASES / 4, `only ${replaced} texts are replaced`);
});

function makeObject(chance: Chance): ValueMap {
  const text = (): string =>
    chance.pick([
      () => makeExpression(chance),
      () => `\${${chance.pick(Object.keys(VARIABLES))}}`,
      () => `"\${${chance.pick(Object.keys(VARIABLES))}}"`,
      () => `a long text of many words in which a value stands somewhere behind the best width: \${letters} and more`,
      () => `lines\nwith \${${chance.pick(Object.keys(VARIABLES))}}\n`,
      () => `\${unset:-a default with several words, which the writer of YAML may break into lines of text}`,
      () => "it's ${umlaut}",
    ])();
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'web', labels: { app: text() } },
    data: { a: text(), b: text(), [chance.may(0.2) ? '${number}' : 'c']: text() },
    list: [text(), { k: text() }],
  };
}

test(`${CASES} random objects get the same values as in Flux`, () => {
  const chance = newChance(20_262);
  const objects = Array.from({ length: CASES }, () => makeObject(chance));
  const differences: string[] = [];
  let replaced = 0;
  const answers = askFlux(
    objects.map((object) => writeYaml(object)),
    false,
  );
  answers.forEach(({ result, error }, index) => {
    const object = objects[index] as ValueMap;
    const { objects: rendered, problems } = renderObjects({
      tree: memoryTree({ 'a.json': stringifyJson(object) }),
      path: '',
      limits: LIMITS,
      options: { substitute: VARIABLES },
    });
    const [ours] = rendered;
    const [theirText, ourText] = [result, ours?.object].map((value) =>
      value === undefined ? 'nothing' : writeYaml(parseJson(stringifyJson(value as ValueMap))),
    );
    if (theirText?.includes('\ufffd')) return;
    if (ours !== undefined) replaced += 1;
    if (theirText === ourText) return;
    differences.push(`${writeYaml(object)}\nFlux: ${theirText} ${error}\nours: ${ourText} ${problems[0]?.message}`);
  });
  assert.deepEqual(differences.slice(0, 5), []);
  assert.ok(replaced > CASES / 10, `only ${replaced} objects are replaced`);
});
