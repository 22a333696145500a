/** Charts that use chance or the time are found by the words of their templates. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inTurns } from '../../../src/cluster/concurrency.ts';
import { mayVary } from '../../../src/helm/may-vary.ts';
import type { ChartFile } from '../../../src/render/helm/chart-files.ts';

const file = (path: string, text: string) => ({ path, bytes: Buffer.from(text) });
const varies = (files: readonly ChartFile[], texts: readonly string[]): Promise<boolean> =>
  inTurns(mayVary(files, texts));

test('functions of chance and time are found in templates, values and texts', async () => {
  for (const text of ['{{ randAlphaNum 8 }}', '{{- $x := genCA "a" 3 -}}', '{{ now | date "2006" }}', '{{ uuidv4 }}']) {
    assert.ok(await varies([file('chart/templates/a.yaml', `x: ${text}`)], []), text);
    assert.ok(await varies([file('chart/charts/db/templates/_a.tpl', text)], []), text);
    assert.ok(await varies([file('chart/values.yaml', `x: "${text}"`)], []), text);
    assert.ok(await varies([], [`x: ${text}`]), text);
  }
});

test('a packed dependency may hold anything', async () => {
  assert.ok(await varies([file('chart/charts/db-1.0.0.tgz', '')], []));
});

test('words outside of actions, and other functions, are no reason', async () => {
  const files = [
    file('chart/templates/a.yaml', '# now or never\nx: {{ .Values.known | quote }}'),
    file('chart/templates/b.yaml', '{{ randomize }} now'),
    file('chart/crds/a.yaml', '{{ now }}'),
    file('chart/README.md', '{{ now }}'),
  ];
  assert.ok(!(await varies(files, ['a: now'])));
});

test('a text whose actions never end is searched in linear time', async () => {
  assert.ok(!(await varies([file('chart/files/a.txt', '{'.repeat(1e6))], [])));
});
