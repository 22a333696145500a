/** The line of a template is found by the texts around its actions, or not at all. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inTurns } from '../../../src/cluster/concurrency.ts';
import { findTemplateLine } from '../../../src/helm/template-line.ts';

const NAME = 'web/templates/cm.yaml';
const TEMPLATE = [
  '{{- if .Values.on }}',
  'kind: ConfigMap',
  'metadata:',
  '  name: {{ .Release.Name }}-web',
  '  note: {{ .Values.note }}: {{ .Values.more }}',
  '{{- end }}',
].join('\n');

function lineOf(template: string, text: string, line: number): Promise<number | undefined> {
  return inTurns(findTemplateLine(template, { text, name: NAME, line }));
}

function printed(...lines: readonly string[]): string {
  return `---\n# Source: web/templates/other.yaml\nnote: x\n---\n# Source: ${NAME}\n${lines.join('\n')}\n`;
}

test('the line that printed a line of the output is found', async () => {
  const text = printed('kind: ConfigMap', 'metadata:', '  name: one-web', '  note: a: b');
  assert.equal(await lineOf(TEMPLATE, text, 4), 5);
  assert.equal(await lineOf(TEMPLATE, text, 3), 4);
});

test('no line is named if several fit equally well, or none fits', async () => {
  const text = printed('a: 1', 'b: 2', 'something else');
  assert.equal(await lineOf('a: {{ .x }}\na: {{ .y }}', text, 1), undefined);
  assert.equal(await lineOf(TEMPLATE, text, 3), undefined);
  assert.equal(await lineOf(TEMPLATE, text, 99), undefined);
  assert.equal(await lineOf('{{ .x }}\n', text, 1), undefined);
});

test('an action that ends on a later line is no text', async () => {
  const text = printed('a: one', 'b: two');
  assert.equal(await lineOf('a: {{ include "one"\n  . }}\nb: {{ .x }}', text, 1), 1);
});

test('huge templates and outputs name no line, and cost no more than a bound', async () => {
  const once = printed('a: one');
  assert.equal(await lineOf(`a: {{ .x }}\n${'{'.repeat(200_000)}`, once, 1), 1);
  assert.equal(await lineOf(`a: {{ .x }}\n${'x\n'.repeat(200_000)}`, once, 1), undefined);
  assert.equal(await lineOf(`a: {{ .x }}\n${'x\n'.repeat(10_000)}`, once.repeat(20_000), 1), undefined);
  assert.equal(await lineOf('a: {{ .x }}', printed(`a: ${'x'.repeat(1e6)}`), 1), undefined);
});
