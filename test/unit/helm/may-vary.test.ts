/** Charts that use chance or the time are found by the words of their templates. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mayVary } from '../../../src/helm/may-vary.ts';

const file = (path: string, text: string) => ({ path, bytes: Buffer.from(text) });

test('functions of chance and time are found in templates, values and texts', () => {
  for (const text of ['{{ randAlphaNum 8 }}', '{{- $x := genCA "a" 3 -}}', '{{ now | date "2006" }}', '{{ uuidv4 }}']) {
    assert.ok(mayVary([file('chart/templates/a.yaml', `x: ${text}`)], []), text);
    assert.ok(mayVary([file('chart/charts/db/templates/_a.tpl', text)], []), text);
    assert.ok(mayVary([file('chart/values.yaml', `x: "${text}"`)], []), text);
    assert.ok(mayVary([], [`x: ${text}`]), text);
  }
});

test('a packed dependency may hold anything', () => {
  assert.ok(mayVary([file('chart/charts/db-1.0.0.tgz', '')], []));
});

test('words outside of actions, and other functions, are no reason', () => {
  const files = [
    file('chart/templates/a.yaml', '# now or never\nx: {{ .Values.known | quote }}'),
    file('chart/templates/b.yaml', '{{ randomize }} now'),
    file('chart/crds/a.yaml', '{{ now }}'),
    file('chart/README.md', '{{ now }}'),
  ];
  assert.ok(!mayVary(files, ['a: now']));
});
