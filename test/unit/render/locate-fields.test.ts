/** locateFields: the line of a field in the file that holds it, and no line where the file does not tell. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { locateFields, type FieldQuestion } from '../../../src/render/locate-fields.ts';
import { memoryTree } from './memory-tree.ts';

const FILE = `# A comment.
apiVersion: v1
kind: ConfigMap
metadata: {name: first}
data:
  a: "1"
---
# Another one.
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: 'many'
  template:
    spec:
      containers:
        - name: app
          image: >-
            folded
            text
        - {name: b, image: c}
`;
const LIST = `apiVersion: v1
kind: List
items:
  - apiVersion: v1
    kind: Service
    spec:
      ports:
        - port: eighty
  - apiVersion: v1
    kind: ConfigMap
`;
const JSON_FILE = JSON.stringify({ apiVersion: 'v1', kind: 'Service', spec: { type: 'x' } }, null, 2);
const tree = memoryTree({
  'all.yaml': FILE,
  'list.yaml': LIST,
  'one.json': JSON_FILE,
  'crlf.yaml': FILE.replaceAll('\n', '\r\n'),
  'template.yaml': 'apiVersion: v1\nkind: {{ .kind }}\n',
  'large.yaml': `#${'x'.repeat(2_000)}\n${FILE}`,
});

function lineOf(question: Partial<FieldQuestion>): number | null | undefined {
  const web = { file: 'all.yaml', line: 9, apiVersion: 'apps/v1', kind: 'Deployment', path: [], scalar: null };
  return locateFields(tree, [{ ...web, ...question }], { maxFileBytes: 1_000 })[0];
}

const IMAGE = ['spec', 'template', 'spec', 'containers', 0, 'image'] as const;
const SERVICE = { apiVersion: 'v1', kind: 'Service' } as const;

for (const [what, question, line] of [
  ['a scalar', { path: ['spec', 'replicas'], scalar: 'many' }, 14],
  ['a scalar in a file with other line ends', { file: 'crlf.yaml', path: ['spec', 'replicas'], scalar: 'many' }, 14],
  ['a folded text', { path: IMAGE, scalar: 'folded text' }, 19],
  ['an item in one line', { path: ['spec', 'template', 'spec', 'containers', 1, 'image'], scalar: 'c' }, 22],
  ['a map', { path: ['spec', 'template'] }, 15],
  ['the nearest parent of a missing field', { path: ['spec', 'strategy', 'type'] }, 13],
  [
    'a field of an item of a List',
    { ...SERVICE, file: 'list.yaml', line: 4, path: ['spec', 'ports', 0, 'port'], scalar: 'eighty' },
    8,
  ],
  ['a field of JSON', { ...SERVICE, file: 'one.json', line: 1, path: ['spec', 'type'], scalar: 'x' }, 5],
] as const) {
  test(`the line of ${what} is found`, () => assert.equal(lineOf(question), line));
}

for (const [why, question] of [
  ['the file holds another value, which a patch has replaced', { path: ['spec', 'replicas'], scalar: 'few' }],
  ['a patch has added the field', { path: ['spec', 'paused'], scalar: 'yes' }],
  ['the line holds an object of another kind', { line: 2 }],
  ['there is no such line', { line: 99 }],
  ['there is no such file', { file: 'none.yaml' }],
  ['the file is no YAML', { ...SERVICE, file: 'template.yaml', line: 1 }],
  ['the file is larger than allowed', { file: 'large.yaml', line: 10 }],
] as const) {
  test(`no line is named if ${why}`, () => assert.equal(lineOf(question), null));
}
