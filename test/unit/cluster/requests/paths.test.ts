import assert from 'node:assert/strict';
import { test } from 'node:test';
import { collectionPath, objectPath, query } from '../../../../src/cluster/requests/paths.ts';
import { deployments, namespaces } from '../sample-kinds.ts';

test('a path names an object of the core or another group, with or without a namespace', () => {
  const id = { namespace: 'shop', name: 'web' };
  assert.equal(objectPath(deployments, id), '/apis/apps/v1/namespaces/shop/deployments/web');
  assert.equal(objectPath(namespaces, { namespace: '', name: 'shop' }), '/api/v1/namespaces/shop');
  assert.equal(objectPath(namespaces, { namespace: '', name: 'system:x' }), '/api/v1/namespaces/system%3Ax');
  assert.equal(collectionPath(deployments, ''), '/apis/apps/v1/deployments');
});

test('a name or part that would address something else is refused', () => {
  for (const name of ['', '.', '..', 'web/scale', 'a%2Fb']) {
    assert.throws(() => objectPath(deployments, { namespace: 'shop', name }), RangeError);
  }
  for (const namespace of ['', '..', 'a/b', 'shop?x']) {
    assert.throws(() => objectPath(deployments, { namespace, name: 'web' }), RangeError);
  }
  // Otherwise it would be taken for the object of that name in no namespace.
  assert.throws(() => objectPath(namespaces, { namespace: 'shop', name: 'web' }), RangeError);
  for (const wrong of [{ plural: 'a/b' }, { plural: '' }, { version: 'v1/x' }, { group: 'a/../b' }]) {
    assert.throws(() => collectionPath({ ...deployments, ...wrong }, 'shop'), RangeError);
  }
});

test('a query leaves out undefined entries and escapes values', () => {
  assert.equal(query({ a: undefined }), '');
  assert.equal(query({ a: 1, b: 'x=y&z', c: true }), '?a=1&b=x%3Dy%26z&c=true');
});
