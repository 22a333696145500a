import assert from 'node:assert/strict';
import { test } from 'node:test';
import { digestValue } from '../../../src/object/digest.ts';
import type { KubeObject } from '../../../src/object/value.ts';
import type { Manifests } from '../../../src/render/manifests.ts';
import { decodeManifests, encodeManifests } from '../../../src/sandbox/manifests-wire.ts';

const objects: KubeObject[] = [
  { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'ümlaut' }, data: { key: '\u2028\n', ['__proto__']: 'x' } },
  {
    apiVersion: 'example.com/v1',
    kind: 'Large',
    metadata: { name: 'b' },
    spec: { id: 9007199254740993n, list: [1, null] },
  },
];
const rendered: Manifests = {
  manifests: objects.map((object, line) => ({
    object,
    digest: digestValue(object),
    file: `${line}.yaml`,
    line: line + 1,
  })),
  problems: [
    {
      code: 'DuplicateObject',
      message: 'twice',
      file: 'a.yaml',
      object: { group: '', kind: 'ConfigMap', namespace: '', name: 'a' },
    },
  ],
  warnings: ['old'],
  needs: [{ type: 'data', key: 'ConfigMap web', kind: 'ConfigMap', name: 'web' }],
  readSet: { '0.yaml': 'ab', none: '' },
};

test('manifests that are encoded are decoded unchanged', () => {
  assert.deepEqual(decodeManifests(encodeManifests(rendered, new Set()), new Map()), rendered);
  const none: Manifests = { manifests: [], problems: [], warnings: [], needs: [], readSet: {} };
  assert.deepEqual(decodeManifests(encodeManifests(none, new Set()), new Map()), none);
});

test('an object whose digest is known is not sent, and the known object itself is returned', () => {
  const known = new Map([[digestValue(objects[1] as KubeObject), objects[1] as KubeObject]]);
  const decoded = decodeManifests(encodeManifests(rendered, new Set(known.keys())), known);
  assert.notEqual(decoded.manifests[0]?.object, objects[0]);
  assert.equal(decoded.manifests[1]?.object, objects[1]);
  const whole = encodeManifests(rendered, new Set()).length;
  assert.ok(encodeManifests(rendered, new Set(known.keys())).length < whole, 'its JSON is not sent');
});
