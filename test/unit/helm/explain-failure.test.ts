/** Messages of helm 4 become problems with the file and the line of the chart, and never show a value of a Secret. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { explainFailure, malformedOutputOf } from '../../../src/helm/explain-failure.ts';
import type { HelmValues } from '../../../src/render/needs.ts';

const SECRET: HelmValues = { type: 'text', text: 'password: s3cret', isSecret: true };
const FILE: HelmValues = { type: 'file', place: { tree: '', path: 'envs/prod.yaml' }, oid: 'x' };
const DEBUG = '\n\nUse --debug flag to render out invalid YAML\n';

const CASES: readonly (readonly [title: string, stderr: string, code: string, message: RegExp, blamed?: object])[] = [
  [
    'output that is no YAML',
    `Error: YAML parse error on web/templates/cm.yaml: error converting YAML to JSON: yaml: line 5: mapping values are not allowed in this context${DEBUG}`,
    'YamlSyntax',
    /prints no YAML: line 5 of its output: mapping values/,
    { path: 'templates/cm.yaml' },
  ],
  [
    'output that is a list',
    'Error: YAML parse error on web/charts/db/templates/cm.yaml: error unmarshaling JSON: while decoding JSON: json: cannot unmarshal array into Go value of type util.SimpleHead',
    'YamlSyntax',
    /no object/,
    { path: 'charts/db/templates/cm.yaml' },
  ],
  [
    'the function fail',
    `Error: execution error at (web/templates/cm.yaml:2:3): set s3cret${DEBUG}`,
    'TemplateFailed',
    /refuses its values: set s3cret/,
    { path: 'templates/cm.yaml', line: 2 },
  ],
  [
    'the function fail with a text that looks like an error of helm',
    `Error: execution error at (web/templates/cm.yaml:2:3): Validation\nError: parse error at (a/b:1): s3cret${DEBUG}`,
    'TemplateFailed',
    /refuses its values: Validation\nError: parse/,
    { path: 'templates/cm.yaml', line: 2 },
  ],
  [
    'a malformed template',
    'Error: parse error at (web/templates/cm.yaml:7): function "nosuch" not defined',
    'TemplateFailed',
    /function "nosuch" not defined/,
    { path: 'templates/cm.yaml', line: 7 },
  ],
  [
    'an action in a named template',
    `Error: web/templates/cm.yaml:1:6\n  executing "web/templates/cm.yaml" at <include "h" .>:\n    error calling include:\nweb/templates/_h.tpl:4:26\n  executing "h" at <.Values.q.r>:\n    nil pointer evaluating interface {}.r${DEBUG}`,
    'TemplateFailed',
    /\{\{ \.Values\.q\.r \}\} fails: nil pointer/,
    { path: 'templates/_h.tpl', line: 4 },
  ],
  [
    'an action in a text that tpl renders',
    'Error: template: web/templates/cm.yaml:2:6: executing "web/templates/cm.yaml" at <tpl .Values.text .>: error calling tpl: error during tpl function execution for "s3cret": template: gotpl:1:10: executing "gotpl" at <.Values.z.y>: nil pointer evaluating interface {}.y',
    'TemplateFailed',
    /\{\{ \.Values\.z\.y \}\} fails: nil pointer/,
    { path: 'templates/cm.yaml', line: 2 },
  ],
  [
    'a missing dependency',
    "Error: an error occurred while checking for chart dependencies. You may need to run 'helm dependency build' to fetch missing dependencies: found in Chart.yaml, but missing in charts/ directory: db, cache",
    'DependencyMissing',
    /needs db, cache/,
    { path: 'Chart.yaml' },
  ],
  [
    'values that the schema refuses, in a stable order',
    "Error: values don't meet the specifications of the schema(s) in the following chart(s):\nweb:\n- at '/b': 's3cret' does not match pattern '^x'\n- at '/a': got number, want string\n",
    'ValuesInvalid',
    /web: at '\/a': got number, want string\nweb: at '\/b': 's3cret'/,
    { path: 'values.schema.json' },
  ],
  [
    'values that the schema refuses for several reasons',
    "Error: values don't meet the specifications of the schema(s) in the following chart(s):\nweb:\n- at '/z': validation failed\n  - at '/z/q': got number, want string\n  - at '/z': 'allOf' failed\n    - at '/z/r': 's3cret' does not match pattern '^y'\n- at '/port': got string, want integer\n",
    'ValuesInvalid',
    /:\nweb: at '\/port'.*\nweb: at '\/z'.*\n(web: at '\/z'.*\n)?web: at '\/z\/q'.*\nweb: at '\/z\/r'/,
    { path: 'values.schema.json' },
  ],
  [
    'values that are a list',
    'Error: cannot load values.yaml: cannot unmarshal yaml document: error unmarshaling JSON: while decoding JSON: json: cannot unmarshal array into Go value of type map[string]interface {}',
    'ValuesInvalid',
    /it is no map/,
    { path: 'values.yaml' },
  ],
  [
    'a malformed file with values',
    'Error: failed to parse ./values/1.yaml: cannot unmarshal yaml document: error converting YAML to JSON: yaml: line 1: did not find expected node content',
    'ValuesInvalid',
    /^envs\/prod\.yaml cannot be read: line 1/,
  ],
  [
    'malformed values of the Application',
    'Error: failed to parse -: cannot unmarshal yaml document: error converting YAML to JSON: yaml: line 1: s3cret',
    'ValuesInvalid',
    /the given values cannot be read: line 1/,
  ],
  [
    'a malformed parameter',
    'Error: failed parsing --set data: key "s3cret" has no value',
    'ValuesInvalid',
    /a parameter cannot be read: key/,
  ],
  [
    'another version of Kubernetes',
    'Error: chart requires kubeVersion: >=99 which is incompatible with Kubernetes v1.36.3',
    'ChartInvalid',
    /needs Kubernetes >=99, and is rendered for v1\.36\.3/,
    { path: 'Chart.yaml' },
  ],
  [
    'a library chart',
    'Error: library charts are not installable',
    'ChartInvalid',
    /type library/,
    { path: 'Chart.yaml' },
  ],
  [
    'a chart without a name',
    'Error: validation: chart.metadata.name is required',
    'ChartInvalid',
    /chart\.metadata\.name is required/,
    { path: 'Chart.yaml' },
  ],
  [
    'an unknown error',
    'level=INFO msg="found symbolic link"\nError: something else',
    'TemplateFailed',
    /^helm: something else$/,
  ],
];

for (const [title, stderr, code, message, blamed] of CASES) {
  test(`the message about ${title} becomes the problem ${code}`, () => {
    const refusal = explainFailure(stderr, {
      values: [SECRET, FILE].map((one) => ({ ...one, isSecret: false }) as HelmValues),
    });
    assert.equal(refusal.problem.code, code);
    assert.match(refusal.problem.message, message);
    assert.deepEqual(refusal.blamed, blamed);
  });

  test(`the message about ${title} shows no value if a value is from a Secret`, () => {
    const { problem, blamed: place } = explainFailure(stderr, { values: [SECRET, FILE] });
    assert.equal(problem.code, code);
    assert.deepEqual(place, blamed);
    assert.doesNotMatch(`${problem.message} ${problem.hint ?? ''}`, /s3cret/);
  });
}

test('long messages are cut', () => {
  const { problem } = explainFailure(`Error: execution error at (web/templates/a.yaml:1:1): ${'x'.repeat(5000)}`, {
    values: [],
  });
  assert.ok(problem.message.length < 700);
});

test('the line of malformed output is told apart from other failures', () => {
  const stderr = 'Error: YAML parse error on web/templates/a.yaml: error converting YAML to JSON: yaml: line 12: x';
  assert.deepEqual(malformedOutputOf(stderr), { path: 'web/templates/a.yaml', line: 12 });
  assert.equal(malformedOutputOf('Error: library charts are not installable'), undefined);
});
