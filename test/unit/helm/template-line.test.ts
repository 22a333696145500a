/** The line of a template is found by the texts around its actions, or not at all. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
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

function printed(...lines: readonly string[]): string {
  return `---\n# Source: web/templates/other.yaml\nnote: x\n---\n# Source: ${NAME}\n${lines.join('\n')}\n`;
}

test('the line that printed a line of the output is found', () => {
  const text = printed('kind: ConfigMap', 'metadata:', '  name: one-web', '  note: a: b');
  assert.equal(findTemplateLine(TEMPLATE, { text, name: NAME, line: 4 }), 5);
  assert.equal(findTemplateLine(TEMPLATE, { text, name: NAME, line: 3 }), 4);
});

test('no line is named if several fit equally well, or none fits', () => {
  const text = printed('a: 1', 'b: 2', 'something else');
  assert.equal(findTemplateLine('a: {{ .x }}\na: {{ .y }}', { text, name: NAME, line: 1 }), undefined);
  assert.equal(findTemplateLine(TEMPLATE, { text, name: NAME, line: 3 }), undefined);
  assert.equal(findTemplateLine(TEMPLATE, { text, name: NAME, line: 99 }), undefined);
  assert.equal(findTemplateLine('{{ .x }}\n', { text, name: NAME, line: 1 }), undefined);
});
