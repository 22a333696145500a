/** memberPath: which member of an object a field in a message of the API server names. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { memberPath } from '../../../src/object/field-path.ts';
import type { Value } from '../../../src/object/value.ts';

const OBJECT: Value = {
  metadata: { annotations: { 'app.example/x': 'a' }, finalizers: ['a/b', 'c'] },
  data: { 'a.b': '1', a: '2', 'tls.crt': '3' },
  spec: {
    ports: [
      { port: 80, protocol: 'TCP', name: 'http' },
      { port: 80, protocol: 'UDP' },
    ],
    containers: [{ name: 'app', image: 'x' }, { name: 'b"]' }],
  },
};

for (const [field, path] of [
  ['spec.ports[1].protocol', ['spec', 'ports', 1, 'protocol']],
  ['.spec.ports[port=80,protocol="UDP"].protocol', ['spec', 'ports', 1, 'protocol']],
  ['.spec.containers[name="app"].image', ['spec', 'containers', 0, 'image']],
  ['.spec.containers[name="b\\"]"]', ['spec', 'containers', 1]],
  ['.metadata.finalizers[="a/b"]', ['metadata', 'finalizers', 0]],
  ['metadata.annotations[app.example/x]', ['metadata', 'annotations', 'app.example/x']],
  ['metadata.annotations.app.example/x', ['metadata', 'annotations', 'app.example/x']],
  ['.data.a.b', ['data', 'a.b']],
  ['.data.a', ['data', 'a']],
  ['data[tls.crt]', ['data', 'tls.crt']],
  ['spec.ports[7].protocol', ['spec', 'ports']],
  ['spec.template.spec', ['spec']],
  ['spec.containers[name="none"].image', ['spec', 'containers']],
  ['specification', []],
  ['[]', []],
  ['', []],
] as const) {
  test(`the field '${field}' is ${JSON.stringify(path)}`, () => assert.deepEqual(memberPath(OBJECT, field), path));
}

test('property: a path that is written with brackets is found, and any text is read without an error', () => {
  const key = fc.stringMatching(/^[a-z./-]{1,6}$/);
  fc.assert(
    fc.property(fc.array(fc.oneof(key, fc.nat({ max: 2 })), { minLength: 1, maxLength: 6 }), (path) => {
      const object = path.reduceRight<Value>(
        (below, step) =>
          typeof step === 'number'
            ? [null, null, null].map((_, at) => (at === step ? below : null))
            : { [step]: below },
        'x',
      );
      assert.deepEqual(memberPath(object, path.map((step) => `[${step}]`).join('')), path);
    }),
  );
  fc.assert(fc.property(fc.string(), (field) => assert.ok(Array.isArray(memberPath(OBJECT, field)))));
});
