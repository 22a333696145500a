/** The results of expressions, as the documentation of Flux and the manual of bash describe them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { evaluate, type Evaluation } from '../../../../src/render/substitute/evaluate.ts';
import { ExpressionError, readExpressions } from '../../../../src/render/substitute/expression.ts';

const VARIABLES: Readonly<Record<string, string>> = {
  cluster_env: 'prod',
  REGION: 'eu-central-1',
  EMPTY: '',
  path: '/srv/data/archive.tar.gz',
  letters: 'abcABC123ABCabc',
  umlaut: 'Über',
  _host1: 'a.example.com',
};

function evaluateText(text: string, costs = { work: () => {}, text: () => {} }): Evaluation {
  return evaluate(readExpressions(text), { variables: new Map(Object.entries(VARIABLES)), costs });
}

const RESULTS: readonly (readonly [string, string])[] = [
  ['plain text', 'plain text'],
  ['${cluster_env}', 'prod'],
  ['a-${cluster_env}-${REGION}-b', 'a-prod-eu-central-1-b'],
  ['$cluster_env', '$cluster_env'],
  ['$(cluster_env)', '$(cluster_env)'],
  ['${EMPTY}', ''],
  ['${_host1}', 'a.example.com'],
  // An escaped expression stays as text.
  ['$${cluster_env}', '${cluster_env}'],
  ['$$', '$'],
  ['$$$${x}', '$${x}'],
  ['$$${cluster_env}', '$prod'],
  ['price: 5$', 'price: 5$'],
  // Defaults.
  ['${unset:-x}', 'x'],
  ['${unset:=x}', 'x'],
  ['${unset=x}', 'x'],
  ['${EMPTY:-x}', 'x'],
  ['${EMPTY:=x}', 'x'],
  ['${EMPTY=x}', 'x'],
  ['${cluster_env:-x}', 'prod'],
  ['${unset:=}', ''],
  ['${unset:-}', ''],
  ['${unset:=a:b/c}', 'a:b/c'],
  ['${unset:-{}}', '{}'],
  ['${unset:=${cluster_env}}', 'prod'],
  ['${unset:=pre-${cluster_env}-post}', 'pre-prod-post'],
  ['${unset:=${also_unset:=inner}}', 'inner'],
  // Upper and lower case.
  ['${REGION^}', 'Eu-central-1'],
  ['${REGION^^}', 'EU-CENTRAL-1'],
  ['${letters,,}', 'abcabc123abcabc'],
  ['${umlaut,}', 'über'],
  // Lengths and positions count bytes.
  ['${#REGION}', '12'],
  ['${#umlaut}', '5'],
  ['${#EMPTY}', '0'],
  ['${REGION:3}', 'central-1'],
  ['${REGION:3:7}', 'central'],
  ['${REGION:-3}', 'eu-central-1'],
  ['${REGION:0:-2}', 'eu-central'],
  ['${REGION:100}', ''],
  ['${REGION:0:100}', 'eu-central-1'],
  ['${REGION:8:-8}', ''],
  ['${REGION:x}', 'eu-central-1'],
  // Patterns at the beginning and at the end.
  ['${path#*/}', 'srv/data/archive.tar.gz'],
  ['${path##*/}', 'archive.tar.gz'],
  ['${path%.*}', '/srv/data/archive.tar'],
  ['${path%%.*}', '/srv/data/archive'],
  ['${path#nothing}', '/srv/data/archive.tar.gz'],
  ['${letters#[a-c]}', 'bcABC123ABCabc'],
  ['${letters#[^x]?}', 'cABC123ABCabc'],
  ['${letters##[}', 'abcABC123ABCabc'],
  // Replacements.
  ['${letters/abc/x}', 'xABC123ABCabc'],
  ['${letters//abc/x}', 'xABC123ABCx'],
  ['${letters/#abc/x}', 'xABC123ABCabc'],
  ['${letters/%abc/x}', 'abcABC123ABCx'],
  ['${letters/ABC/}', 'abc123ABCabc'],
  ['${path//\\//-}', '-srv-data-archive.tar.gz'],
];

for (const [text, expected] of RESULTS) {
  test(`${text} becomes ${JSON.stringify(expected)}`, () => {
    const result = evaluateText(text);
    assert.equal(result.ok && result.text, expected);
  });
}

const WITHOUT_VALUE = [
  '${unset}',
  '${#unset}',
  '${unset^}',
  '${unset:1}',
  '${unset#x}',
  '${unset%%x}',
  '${unset//a/b}',
];
WITHOUT_VALUE.push('${cluster_env:-${unset}}');

for (const text of WITHOUT_VALUE) {
  test(`${text} fails, because the variable has no value`, () => {
    const result = evaluateText(text);
    assert.equal(result.ok, false);
    if (!result.ok) assert.deepEqual([result.reason, result.expression.name], ['unknown', 'unset']);
  });
}

const MALFORMED = [
  '${',
  '${}',
  '${a',
  '${a-b}',
  '${a b}',
  '${a.b}',
  '${.Values.x}',
  '${a:}',
  '${a:1:}',
  '${a#}',
  '${a/}',
];
MALFORMED.push('${a/x}', '${a:-', '${a:-${b}', '${a:1${b}}', '${#}', '${a,,,}', '${`date`}', `${'${a:-'.repeat(200)}`);

for (const text of MALFORMED) {
  test(`${text.slice(0, 20)} is refused as malformed`, () => {
    assert.throws(() => readExpressions(text), ExpressionError);
  });
}

test('a part of a text that would cut a character in half is refused', () => {
  const result = evaluateText('${umlaut:1}');
  assert.equal(!result.ok && result.reason, 'cut');
});

test('the number of steps of a pattern is known before they are made', () => {
  const value = 'a'.repeat(50_000);
  const pattern = `${'*a'.repeat(20_000)}b`;
  let steps = 0;
  const given = {
    variables: new Map([['x', value]]),
    costs: {
      text: () => {},
      work: (more: number) => {
        steps += more;
        if (steps > 1_000_000) throw new RangeError('too many steps');
      },
    },
  };
  assert.throws(() => evaluate(readExpressions(`\${x##${pattern}}`), given), /too many steps/);
});

test('the text of a replacement is counted before it is made', () => {
  const given = {
    variables: new Map([['x', 'a'.repeat(100_000)]]),
    costs: {
      work: () => {},
      text: (chars: number) => {
        if (chars > 1_000_000_000) throw new RangeError('too much text');
      },
    },
  };
  assert.throws(() => evaluate(readExpressions(`\${x//a/${'b'.repeat(20_000)}}`), given), /too much text/);
});
