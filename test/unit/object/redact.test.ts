import assert from 'node:assert/strict';
import { test } from 'node:test';
import { digestSecretValue, isSensitivePath, MASK, maskValue, redactLive } from '../../../src/object/redact.ts';
import { mapAt, type KubeObject } from '../../../src/object/value.ts';

const CANARY = 'c4n4ry-value';
const base64 = Buffer.from(CANARY).toString('base64');

const secret: KubeObject = {
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: {
    name: 'a',
    annotations: { 'kubectl.kubernetes.io/last-applied-configuration': `{"data":{"a":"${base64}"}}`, keep: 'me' },
  },
  data: { a: base64, b: null },
  stringData: { c: CANARY },
};

test('a redacted Secret contains digests instead of its values', () => {
  const redacted = redactLive(secret);
  const text = JSON.stringify(redacted);
  assert.ok(!text.includes(CANARY) && !text.includes(base64));
  assert.deepEqual(redacted.metadata['annotations'], { keep: 'me' });
  assert.deepEqual({ ...mapAt(redacted, 'data') }, { a: digestSecretValue(base64), b: digestSecretValue('') });
  assert.equal(secret.metadata['annotations'] !== redacted.metadata['annotations'], true);
  assert.ok(JSON.stringify(secret).includes(CANARY), 'the argument is not changed');
});

test('redacting a second time changes nothing', () => {
  assert.deepEqual(redactLive(redactLive(secret)), redactLive(secret));
});

test('white space in base64 does not change the digest', () => {
  assert.equal(digestSecretValue(`${base64.slice(0, 4)}\n ${base64.slice(4)}\n`), digestSecretValue(base64));
});

test('an object with nothing to hide is returned itself', () => {
  const configMap: KubeObject = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' }, data: { a: 'b' } };
  assert.equal(redactLive(configMap), configMap);
});

test('the values of a Secret and the last-applied annotation of any object are sensitive', () => {
  const custom: KubeObject = { apiVersion: 'x.dev/v1', kind: 'Secret', metadata: { name: 'a' } };
  assert.ok(isSensitivePath(secret, ['data']));
  assert.ok(isSensitivePath(secret, ['stringData', 'x']));
  assert.ok(!isSensitivePath(secret, ['metadata', 'labels']));
  assert.ok(!isSensitivePath(custom, ['data', 'a']));
  assert.ok(isSensitivePath(custom, ['metadata', 'annotations', 'kubectl.kubernetes.io/last-applied-configuration']));
});

test('a masked value keeps its shape, and every scalar is masked', () => {
  assert.deepEqual(JSON.parse(JSON.stringify(maskValue({ a: 'x', b: ['y', 1] }))), { a: MASK, b: [MASK, MASK] });
});
