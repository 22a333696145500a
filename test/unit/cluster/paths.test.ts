import assert from 'node:assert/strict';
import { test } from 'node:test';
import { collectionPath, objectPath, query } from '../../../src/cluster/paths.ts';
import { writeYamlSafeJson } from '../../../src/cluster/yaml-safe-json.ts';
import { deleteOptions } from '../../../src/cluster/requests.ts';

const flags = { hasStatus: true, watchable: true };
const deployments = {
  group: 'apps',
  version: 'v1',
  kind: 'Deployment',
  plural: 'deployments',
  namespaced: true,
  ...flags,
};
const roles = { group: '', version: 'v1', kind: 'Namespace', plural: 'namespaces', namespaced: false, ...flags };

test('request paths name objects of the core group, of other groups, with and without namespace', () => {
  const id = { namespace: 'shop', name: 'web' };
  assert.equal(objectPath(deployments, id), '/apis/apps/v1/namespaces/shop/deployments/web');
  assert.equal(objectPath(roles, { namespace: 'ignored', name: 'shop' }), '/api/v1/namespaces/shop');
  assert.equal(objectPath(roles, { namespace: '', name: 'system:x' }), '/api/v1/namespaces/system%3Ax');
  assert.equal(collectionPath(deployments, ''), '/apis/apps/v1/deployments');
});

test('request paths refuse names that would address something else', () => {
  for (const name of ['', '.', '..', 'web/scale', 'a%2Fb']) {
    assert.throws(() => objectPath(deployments, { namespace: 'shop', name }), RangeError);
  }
  for (const namespace of ['', '..', 'a/b', 'shop?x']) {
    assert.throws(() => objectPath(deployments, { namespace, name: 'web' }), RangeError);
  }
  for (const wrong of [{ plural: 'a/b' }, { plural: '' }, { version: 'v1/x' }, { group: 'a/../b' }]) {
    assert.throws(() => collectionPath({ ...deployments, ...wrong }, 'shop'), RangeError);
  }
});

test('request paths leave out what is undefined and escape the rest', () => {
  assert.equal(query({ a: undefined }), '');
  assert.equal(query({ a: 1, b: 'x=y&z', c: true }), '?a=1&b=x%3Dy%26z&c=true');
});

test('JSON for a reader of YAML escapes what YAML would refuse or fold, and stays the same value', () => {
  const value = { text: 'a\u0085b\u2028c\u007fd\ufeffe 🚀', big: 12345678901234567890n };
  const text = writeYamlSafeJson(value);
  assert.doesNotMatch(text, /[\u007f-\u009f\u2028\u2029\ufeff]/);
  assert.equal((JSON.parse(text) as { text: string }).text, value.text);
  assert.match(text, /"big":12345678901234567890/);
});

test('the body of a delete always holds both preconditions', () => {
  assert.deepEqual(deleteOptions({ uid: 'u', resourceVersion: '7', propagation: 'Orphan' }), {
    apiVersion: 'v1',
    kind: 'DeleteOptions',
    preconditions: { uid: 'u', resourceVersion: '7' },
    propagationPolicy: 'Orphan',
  });
  for (const blank of [{ uid: '' }, { resourceVersion: '' }]) {
    const request = { uid: 'u', resourceVersion: '7', propagation: 'Background', ...blank } as const;
    assert.throws(() => deleteOptions(request), RangeError);
  }
});
