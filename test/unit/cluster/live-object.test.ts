import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  asObjectOf,
  readLiveObject,
  toLiveObject,
  tryParseJson,
  withoutStatusFields,
} from '../../../src/cluster/live-object.ts';
import { listAt, mapAt, type KubeObject } from '../../../src/object/value.ts';
import { configMaps, deployments, namespaces, secrets } from './sample-kinds.ts';

test('an item of a list gets the kind and apiVersion of its list, and an object keeps its own', () => {
  const item = asObjectOf(deployments, { metadata: { name: 'a' }, spec: {} });
  assert.deepEqual([item?.apiVersion, item?.kind, item?.['spec']], ['apps/v1', 'Deployment', {}]);
  const object = { apiVersion: 'apps/v1beta1', kind: 'Deployment', metadata: {} };
  assert.equal(asObjectOf(deployments, object), object);
});

test('a value without metadata is not an object, and one without a name is not a live object', () => {
  for (const value of [undefined, null, 'text', [], {}, { metadata: 'x' }]) {
    assert.equal(asObjectOf(configMaps, value), undefined);
    assert.equal(toLiveObject(configMaps, value), undefined);
  }
  assert.equal(toLiveObject(configMaps, { metadata: { namespace: 'shop' } }), undefined);
});

test('a live object has the identity and version of its metadata', () => {
  const metadata = { namespace: 'shop', name: 'a', uid: 'u', resourceVersion: '7', deletionTimestamp: 't' };
  const live = toLiveObject(configMaps, { apiVersion: 'v1', kind: 'ConfigMap', metadata });
  assert.deepEqual(live?.id, { group: '', kind: 'ConfigMap', namespace: 'shop', name: 'a' });
  assert.deepEqual(
    [live?.apiVersion, live?.uid, live?.resourceVersion, live?.deletionTimestamp],
    ['v1', 'u', '7', 't'],
  );
});

test('a cluster-scoped object has no namespace, even if its metadata names one', () => {
  const live = toLiveObject(namespaces, { metadata: { namespace: 'stray', name: 'shop' } });
  assert.deepEqual([live?.id.namespace, live?.deletionTimestamp], ['', undefined]);
});

test('Secret values and the last-applied annotation do not get into a live object', () => {
  const live = toLiveObject(secrets, {
    metadata: {
      name: 'a',
      annotations: { 'kubectl.kubernetes.io/last-applied-configuration': '{"data":{"p":"aHVudGVyMg=="}}', kept: 'x' },
    },
    data: { p: 'aHVudGVyMg==' },
    stringData: { q: 'hunter2' },
  });
  assert.doesNotMatch(JSON.stringify(live), /hunter2|aHVudGVyMg/);
  assert.match(String(mapAt(live?.body, 'data')['p']), /^sha256:/);
  assert.deepEqual(mapAt(live?.body, 'metadata', 'annotations'), { kept: 'x' });
});

test('fields of the status are dropped from managedFields, and other entries stay', () => {
  const spec = { manager: 'a', fieldsV1: { 'f:spec': {} } };
  const status = { manager: 'b', subresource: 'status', fieldsV1: { 'f:metadata': {}, 'f:status': { 'f:x': {} } } };
  const object: KubeObject = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'a', managedFields: [spec, status] },
  };
  const before = JSON.stringify(object);
  const kept = withoutStatusFields(object);
  assert.deepEqual(listAt(kept.metadata, 'managedFields'), [spec, { ...status, fieldsV1: { 'f:metadata': {} } }]);
  assert.equal(JSON.stringify(object), before);
  const without: KubeObject = { ...object, metadata: { name: 'a', managedFields: [spec] } };
  assert.equal(withoutStatusFields(without), without);
});

test('a text that is not JSON is parsed to undefined', () => {
  assert.equal(tryParseJson('<html>'), undefined);
  assert.equal(tryParseJson('null'), null);
});

test('the text of an answer is kept beside its object, unless something of it had to be removed', () => {
  const text = (kind: string, metadata: object): string =>
    JSON.stringify({
      kind,
      apiVersion: 'v1',
      metadata: { name: 'a', namespace: 'shop', ...metadata },
      data: { k: 'dg==' },
    });
  const plain = text('ConfigMap', {});
  assert.equal(readLiveObject(configMaps, `${plain}\n`)?.json, plain);
  const applied = { annotations: { 'kubectl.kubernetes.io/last-applied-configuration': '{}' } };
  assert.equal(readLiveObject(configMaps, text('ConfigMap', applied))?.json, undefined);
  assert.equal(readLiveObject(secrets, text('Secret', {}))?.json, undefined);
  assert.equal(readLiveObject(configMaps, 'not JSON'), undefined);
});
