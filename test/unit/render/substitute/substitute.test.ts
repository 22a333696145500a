/** Substitution of variables in rendered objects, as `postBuild` of Flux does it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatProblem } from '../../../../src/object/problem.ts';
import type { Value } from '../../../../src/object/value.ts';
import type { Manifests } from '../../../../src/render/manifests.ts';
import type { Answer } from '../../../../src/render/needs.ts';
import { renderPath, type GivenOptions } from '../../../../src/render/render.ts';
import { LIMITS, memoryTree } from '../memory-tree.ts';

interface Given {
  readonly files: Readonly<Record<string, string>>;
  readonly options: GivenOptions;
  readonly answers?: Readonly<Record<string, Answer>>;
}

function render({ files, options, answers = {} }: Given): Manifests {
  const tree = memoryTree(files);
  return renderPath({ tree, path: 'app', limits: LIMITS, options, answers: new Map(Object.entries(answers)) });
}

/** The values of one ConfigMap with these lines below `data`. */
function dataOf(lines: string, substitute: Readonly<Record<string, string>>): Value | undefined {
  const text = `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: web\ndata:\n${lines}\n`;
  const { manifests, problems } = render({ files: { 'app/a.yaml': text }, options: { substitute } });
  assert.deepEqual(problems, []);
  return JSON.parse(JSON.stringify(manifests[0]?.object['data'])) as Value;
}

/** Cases of the documentation of Flux, and the values that Flux gives them. */
const CASES: readonly (readonly [string, Readonly<Record<string, string>>, Value])[] = [
  ['  a: ${cluster_env}', { cluster_env: 'prod' }, { a: 'prod' }],
  ['  a: ${cluster_env:=dev}', { other: 'x' }, { a: 'dev' }],
  ['  a: ${cluster_region:-eu-central-1}', { cluster_region: 'us' }, { a: 'us' }],
  ['  a: $${var}', { var: 'x' }, { a: '${var}' }],
  // The type comes from the text with the value.
  ['  a: ${count}', { count: '3' }, { a: 3 }],
  ['  a: "${count}"', { count: '3' }, { a: 3 }],
  ['  a: ${quote}${count}${quote}', { count: '3', quote: '"' }, { a: '3' }],
  ['  a: ${flag}', { flag: 'true' }, { a: true }],
  ['  a: ${flag}', { flag: 'yes' }, { a: true }],
  ['  a: x${count}', { count: '3' }, { a: 'x3' }],
  ['  a: ${list}', { list: '[1, x]' }, { a: [1, 'x'] }],
  ['  a: ${empty}', { empty: '' }, { a: null }],
  ['  ${key}: v', { key: 'k' }, { k: 'v' }],
  // Line ends are removed from values.
  ['  a: ${lines}', { lines: 'one\ntwo\n' }, { a: 'onetwo' }],
  // A block of text keeps its form.
  [
    '  a: |\n    if [ "$x" ]; then\n      echo ${name}\n    fi',
    { name: 'web' },
    { a: 'if [ "$x" ]; then\n  echo web\nfi\n' },
  ],
  // A value is not read for expressions.
  ['  a: ${first}', { first: '${second}', second: 'x' }, { a: '${second}' }],
  // Without any variable nothing is replaced.
  ['  a: ${cluster_env:=dev} $${x}', {}, { a: '${cluster_env:=dev} $${x}' }],
];

for (const [lines, substitute, expected] of CASES) {
  test(`${lines.trim()} with ${JSON.stringify(substitute)} becomes ${JSON.stringify(expected)}`, () => {
    assert.deepEqual(dataOf(lines, substitute), expected);
  });
}

for (const [kind, key] of [
  ['labels', 'kustomize.toolkit.fluxcd.io/substitute'],
  ['annotations', 'kustomize.toolkit.fluxcd.io/substitute'],
  ['annotations', 'tautline.dev/substitute'],
]) {
  test(`an object with ${key}: disabled in its ${kind} stays as it is`, () => {
    const text = `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n  ${kind}: {${key}: disabled}\ndata: {x: '\${unset}'}\n`;
    const { manifests, problems } = render({ files: { 'app/a.yaml': text }, options: { substitute: { a: 'b' } } });
    assert.deepEqual(problems, []);
    assert.deepEqual({ ...(manifests[0]?.object['data'] as object) }, { x: '${unset}' });
  });
}

const SCRIPT = 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: script\ndata:\n  run: |\n    echo ${HOME}\n';

test('a variable without a value is a problem with its name, its line and a hint, and nothing is rendered', () => {
  const files = { 'app/a.yaml': SCRIPT, 'app/b.yaml': SCRIPT.replace('script', 'other').replace('${HOME}', 'x') };
  const { manifests, problems } = render({ files, options: { substitute: { a: 'b' } } });
  assert.equal(manifests.length, 0);
  assert.equal(problems.length, 1);
  const [problem] = problems;
  assert.deepEqual([problem?.code, problem?.file, problem?.line], ['SubstitutionFailed', 'app/a.yaml', 7]);
  assert.match(problem?.message ?? '', /^the variable HOME in ConfigMap script has no value$/);
  assert.match(problem?.hint ?? '', /spec\.render\.substitute.*tautline\.dev\/substitute: disabled/);
});

test('a malformed expression is a problem at the object', () => {
  const files = { 'app/a.yaml': SCRIPT.replace('${HOME}', '${.Values.x}') };
  const { problems } = render({ files, options: { substitute: { a: 'b' } } });
  assert.deepEqual(
    problems.map(({ code, line }) => [code, line]),
    [['SubstitutionFailed', 1]],
  );
});

const SECRET = 'Hunter2: geheim: [';

test('a value that breaks the YAML is a problem at the object that names the variable and not the value', () => {
  const { problems } = render({
    files: { 'app/a.yaml': `---\n${SCRIPT.replace('|\n    echo ${HOME}', '${PASSWORD}')}` },
    options: { substituteFrom: [{ kind: 'Secret', name: 'db', optional: false }] },
    answers: { 'Secret db': { type: 'data', data: { PASSWORD: SECRET } } },
  });
  assert.equal(problems.length, 1);
  assert.match(problems[0]?.message ?? '', /ConfigMap script is not valid YAML .* value of PASSWORD$/);
  assert.deepEqual([problems[0]?.file, problems[0]?.line], ['app/a.yaml', 2]);
  assert.doesNotMatch(JSON.stringify(problems) + problems.map((one) => formatProblem(one)).join(), /geheim|Hunter/);
});

test('values come from the objects in their order, and those of the Application win', () => {
  const files = { 'app/a.yaml': SCRIPT.replace('${HOME}', '${a} ${b} ${c} ${d}') };
  const substituteFrom = [
    { kind: 'ConfigMap', name: 'one', optional: false },
    { kind: 'Secret', name: 'two', optional: false },
    { kind: 'ConfigMap', name: 'gone', optional: true },
  ] as const;
  const { manifests, problems } = render({
    files,
    options: { substituteFrom: [...substituteFrom], substitute: { c: '3' } },
    answers: {
      'ConfigMap one': { type: 'data', data: { a: '1', b: '1', c: '1', d: '1' } },
      'Secret two': { type: 'data', data: { b: '2', c: '2' } },
      'ConfigMap gone': { type: 'noData' },
    },
  });
  assert.deepEqual(problems, []);
  assert.deepEqual({ ...(manifests[0]?.object['data'] as object) }, { run: 'echo 1 2 3 1\n' });
});

test('objects that are not known yet are asked for, all at once', () => {
  const { needs, manifests, problems } = render({
    files: { 'app/a.yaml': SCRIPT },
    options: {
      substituteFrom: [
        { kind: 'ConfigMap', name: 'one', optional: false },
        { kind: 'Secret', name: 'two', optional: false },
      ],
    },
  });
  assert.deepEqual([manifests.length, problems.length], [0, 0]);
  assert.deepEqual(
    needs.map(({ type, key }) => [type, key]),
    [
      ['data', 'ConfigMap one'],
      ['data', 'Secret two'],
    ],
  );
});

test('an object that must exist and does not is a problem', () => {
  const { manifests, problems } = render({
    files: { 'app/a.yaml': SCRIPT },
    options: { substituteFrom: [{ kind: 'ConfigMap', name: 'one', optional: false }] },
    answers: { 'ConfigMap one': { type: 'noData' } },
  });
  assert.equal(manifests.length, 0);
  assert.match(problems[0]?.message ?? '', /the ConfigMap one of spec\.render\.substituteFrom does not exist/);
});

for (const name of ['my-key', '1st', 'values.yaml', 'ä']) {
  test(`the key ${name} is no name of a variable`, () => {
    const { manifests, problems } = render({
      files: { 'app/a.yaml': SCRIPT.replace('$', '') },
      options: { substituteFrom: [{ kind: 'ConfigMap', name: 'one', optional: false }] },
      answers: { 'ConfigMap one': { type: 'data', data: { [name]: 'x' } } },
    });
    assert.equal(manifests.length, 0);
    assert.ok(problems[0]?.message.startsWith(`the ConfigMap one has the key ${name}`));
  });
}

test('a name or kind that is no text after the substitution is a problem', () => {
  const files = { 'app/a.yaml': SCRIPT.replace('name: script', 'name: ${count}').replace('${HOME}', '') };
  const { problems } = render({ files, options: { substitute: { count: '7' } } });
  assert.match(problems[0]?.message ?? '', /no metadata\.name of type text/);
});

test('objects of a kustomization are substituted after the build, and get no hash of the value', () => {
  const files = {
    'app/kustomization.yaml': 'namePrefix: ${env}-\nconfigMapGenerator: [{name: a, literals: ["k=${env}"]}]\n',
  };
  const names = ['dev', 'prod'].map((env) => {
    const { manifests, problems } = render({ files, options: { substitute: { env } } });
    assert.deepEqual(problems, []);
    return String(manifests[0]?.object.metadata['name']);
  });
  assert.equal(names[0]?.replace('dev', 'prod'), names[1]);
});

test('the text that variables create is bounded', () => {
  const text = SCRIPT.replace('${HOME}', '${a}'.repeat(2_000));
  const { problems } = renderPath({
    tree: memoryTree({ 'app/a.yaml': text }),
    path: 'app',
    limits: { ...LIMITS, maxFileBytes: 100_000 },
    options: { substitute: { a: 'x'.repeat(10_000) } },
  });
  assert.deepEqual(
    problems.map(({ code }) => code),
    ['LimitExceeded'],
  );
});

const FROM_SECRET: GivenOptions = { substituteFrom: [{ kind: 'Secret', name: 'keys', optional: false }] };
const KEYS: Answer = { type: 'data', data: { password: 'hunter2', host: 'db' } };

for (const [what, line, substitute, isMarked] of [
  ['has a value of a Secret', 'a: ${password}', {}, true],
  ['has a value of a Secret as a default', 'a: ${other:-${password}}', {}, true],
  ['tells the length of a value of a Secret', 'a: "${#password}"', {}, true],
  ['has no value of a Secret', 'a: ${other:-x}', {}, false],
  ['has a value of the Application in place of that of the Secret', 'a: ${password}', { password: 'x' }, false],
] as const) {
  test(`an object that ${what} is ${isMarked ? '' : 'not '}marked, so that its values are not shown`, () => {
    const rendered = (kind: string): Manifests =>
      render({
        files: { 'app/a.yaml': `apiVersion: v1\nkind: ${kind}\nmetadata: {name: web}\ndata:\n  ${line}\n` },
        options: { ...FROM_SECRET, substitute },
        answers: { 'Secret keys': KEYS },
      });
    const { manifests, problems } = rendered('ConfigMap');
    assert.deepEqual(problems, []);
    assert.equal(manifests[0]?.isSealed === true, isMarked);
    assert.equal(rendered('Secret').manifests[0]?.isSealed, undefined, 'a Secret is hidden anyway');
  });
}
